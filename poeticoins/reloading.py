"""
What new settings mean for a tree that runs: which children are restarted, which are new, and which end.

Pure: settings and the children that they ask for go in, a decision comes out; supervision.py carries it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError
from poeticoins.exchanges import followed
from poeticoins.tree import ChildSpec

FIXED = ("run_dir", "mode")
"""What cannot change while the tree runs: its sockets and journals lie there."""
_READERS = {
    "dashboard": {"host", "port", "allow_origin", "answer_timeout"},
    "historical": {"ring_capacity", "journal_capacity", "bars_1s", "bars_1m", "bars_1h", "bars_1d"},
    "simulator": {"seed", "speed"},
    "client": {
        "good_after", "backfill", "hold", "refill_again", "journal_capacity", "proxy", "open_timeout", "ping_interval",
        "ack_within", "silent_after", "behind_after", "renew_after", "audit",
    },
    "supervisor": {"hang_after", "start_timeout", "stop_timeout", "restart_delay", "stable_after", "rss_limit"},
    "one exchange's": {"exchanges", "products", "replay_products", "urls", "rest_urls"},
}  # fmt: skip
"""Settings that only some kinds of process read, or that are about single exchanges. Any other one concerns all."""


@dataclass(frozen=True)
class Changes:
    """Names of running children to restart and to end, and the specs of new ones; each in start order."""

    restart: tuple[str, ...] = ()
    add: tuple[ChildSpec, ...] = ()
    end: tuple[str, ...] = ()


def taken_over(old: Settings, new: Settings) -> Settings:
    """`new`, with what was found out at the start. Raises ConfigurationError for what cannot change meanwhile."""
    for key in FIXED:
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            raise ConfigurationError(f"{key}: expected {before} until the supervisor is started anew, got {after}")
    new = replace(new, embedded_url=old.embedded_url, replay_products=old.replay_products)
    if new.mode == "replay":  # room for the whole recording was made at the start
        new = replace(new, journal_capacity=old.journal_capacity, ring_capacity=old.ring_capacity)
    return new


def changes(old: Settings, new: Settings, running: Sequence[ChildSpec], wanted: Sequence[ChildSpec]) -> Changes:
    """
    What makes of the `running` children of the `old` settings the ones `wanted` by the `new`.

    Raises ConfigurationError for an exchange that is not known.
    """
    before, after = {spec.name: spec for spec in running}, {spec.name: spec for spec in wanted}
    return Changes(
        restart=tuple(
            name
            for name, spec in after.items()
            if name in before and (spec != before[name] or _read_by(spec, old) != _read_by(spec, new))
        ),
        add=tuple(spec for name, spec in after.items() if name not in before),
        end=tuple(name for name in before if name not in after),
    )


def _read_by(spec: ChildSpec, settings: Settings) -> dict[str, object]:
    """What the child makes use of."""
    kind = "client" if spec.follows else spec.name
    foreign = {key for keys in _READERS.values() for key in keys} - _READERS.get(kind, set())
    read: dict[str, object] = {f.name: getattr(settings, f.name) for f in fields(Settings) if f.name not in foreign}
    if spec.follows:
        name = spec.follows
        read["exchange"] = (followed(settings).get(name), settings.urls.get(name), settings.rest_urls.get(name))
    elif kind in ("historical", "dashboard"):
        read["products"] = followed(settings)
    return read
