"""
The simulated machine in the place of the real one: clocks, chance, sockets, the exchange's addresses, memory maps. What
runs on it is the line's own code.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from poeticoins import (
    archive,
    client,
    connection,
    follower,
    historical,
    history,
    intake,
    journal,
    keeping,
    lifecycle,
    prehistory,
    publication,
    refill,
    rest,
    sealed,
    sequence,
    stream,
)  # fmt: skip
from poeticoins.client import Client
from poeticoins.historical import Historical
from poeticoins.restarts import RestartPolicy
from tests.simulation import network
from tests.simulation.kept import POLICY
from tests.simulation.process import MMAP, SimulatedJournal, effect

if TYPE_CHECKING:
    from tests.simulation.world import World

SMALL = (
    (stream, "READY_LIMIT", 20), (sequence, "HELD", 16), (history, "REPLAY_PAGE", 20), (client, "REPLAY_PAGE", 15),
    (publication, "RECENT", 10), (intake, "MOST_HELD", 60), (Historical._read, "__defaults__", (25,)),
)  # fmt: skip
"""Limits that a minute's trades must reach."""


@contextmanager
def in_place(world: "World") -> Iterator[None]:
    """Puts the simulated machine in the places of the real one."""

    class SeenClient(Client):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            world.client = self

    class SeenHistorical(Historical):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            world.historical = self

    async def connect(url: str, **options: Any) -> Any:
        return await world.exchange.connect(url, **options)

    async def answered(_: Any, url: str) -> tuple[int, bytes]:
        return await world.exchange.rest(url)

    async def entered(session: Any) -> Any:
        return session

    clock = world.clock
    timed = (journal, historical, archive, stream, connection, follower, client, rest, prehistory, sealed, keeping)
    places = [(module, "time", clock) for module in timed]
    places += [(module, "time_ns", clock.time_ns) for module in (intake, refill)]
    places += [(journal, "randbits", Random(1).getrandbits)]
    places += [(module, "random", lambda: 0.5) for module in (follower, rest)]
    places += [(keeping, "random", SimpleNamespace(random=lambda: 0.5)), (lifecycle, "RestartPolicy", _policy)]
    places += [(keeping, name, lambda *_: None) for name in ("Lifeline", "sweep", "end")]
    places += [(client, name, getattr(network, name)) for name in ("Publisher", "Answerer")]
    places += [(historical, name, getattr(network, name)) for name in ("Subscriber", "Answerer")]
    places += [(stream, name, getattr(network, name)) for name in ("Subscriber", "Asker")]
    places += [
        (client, "bus", SimpleNamespace(ask=network.ask)),
        (client, "Client", SeenClient),
        (historical, "Historical", SeenHistorical),
        (connection, "connect", connect),
        (rest.Rest, "_try", answered),
        (rest.Rest, "__aenter__", entered),
        (journal, "mmap", MMAP),
        (publication, "Journal", SimulatedJournal),
        (archive, "sealed", _Sealed),
        (SimulatedJournal, "noted", staticmethod(world.note)),
        (SimulatedJournal, "opened", staticmethod(world.opened)),
    ]
    with ExitStack() as stack:
        for place, name, stand_in in [*places, *SMALL]:
            stack.enter_context(mock.patch.object(place, name, stand_in))
        yield


def _policy(first_delay: float, stable_after: float) -> RestartPolicy:
    return replace(POLICY, stable_after=stable_after)


class _Sealed:
    """sealed.py, where historical may die before it writes, in the midst of it, and after it."""

    BrokenSeal, read, put_aside = sealed.BrokenSeal, staticmethod(sealed.read), staticmethod(sealed.put_aside)

    @staticmethod
    def write(path: Path, *arguments: Any) -> None:
        effect(lambda size: path.with_name(f"{path.name}.new").write_bytes(bytes(size)) and None)
        sealed.write(path, *arguments)
        effect()
