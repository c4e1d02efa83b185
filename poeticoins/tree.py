"""The process tree, as data: which children run, in the order in which they are started."""

import socket
from dataclasses import dataclass

from poeticoins.config import Settings
from poeticoins.exchanges import followed


@dataclass(frozen=True)
class ChildSpec:
    """One child: its name, what it runs ("module:function"), and what that is given besides settings and child."""

    name: str
    target: str
    arguments: tuple[object, ...] = ()
    follows: str | None = None
    """The exchange that it follows, if it is a client."""


def children(settings: Settings, listener: socket.socket | None = None) -> list[ChildSpec]:
    """
    The children in start order; they are stopped in the reverse one, so that each finds what it needs to the end.

    listener: the embedded exchange's listening socket, in demo and replay. It belongs to the supervisor, so its address
    outlives the simulator. Raises ConfigurationError for an exchange that is not known.
    """
    specs: list[ChildSpec] = []
    if settings.mode != "live":
        specs.append(ChildSpec("simulator", "poeticoins.simulator.server:run", (listener,)))
    specs.append(ChildSpec("historical", "poeticoins.historical:run"))
    specs += [ChildSpec(name, "poeticoins.client:run", (name,), follows=name) for name in followed(settings)]
    if settings.dashboard:
        specs.append(ChildSpec("dashboard", "dashboards.server:run"))
    return specs
