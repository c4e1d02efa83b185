"""What the supervisor knows, for programs: the status as a dict, and in one line."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from poeticoins.child import resident
from poeticoins.config import Settings
from poeticoins.load import Load
from poeticoins.log import escaped
from poeticoins.messages import WIRE_VERSION
from poeticoins.reports import FeedStatus
from poeticoins.supervised import Supervised

_NO_FEED: dict[str, Any] = {
    "state": "starting", "trades": 0, "last_trade_at": None, "bad_frames": 0, "reconnects": 0, "gaps": 0, "host": None,
    "problem": None, "next_try_in": None, "products": [], "rate": None, "delay": None, "last_loss": None,
}  # fmt: skip


@dataclass(frozen=True)
class Itself:
    """The supervisor's own process. started_at: for people; up_since: the same moment by the event loop's clock."""

    started_at: datetime
    up_since: float
    load: Load


def status(settings: Settings, places: Sequence[Supervised], itself: Itself, now: float) -> dict[str, Any]:
    """The status, as JSON can carry it; `now` in seconds of the event loop's clock, all durations in seconds."""
    return {
        "mode": settings.mode,
        "pid": os.getpid(),
        "run_dir": str(settings.run_dir),
        "started_at": itself.started_at.isoformat(),
        "uptime": round(now - itself.up_since, 3),
        "cpu": _rounded(itself.load.share),
        "rss": resident() or None,
        "wire": WIRE_VERSION,
        "url": next((p.facts["url"] for p in places if isinstance(p.facts.get("url"), str)), None),
        "children": [_child(place, now) for place in places],
        "feeds": [_feed(place, place.spec.follows) for place in places if place.spec.follows],
    }


def _child(place: Supervised, now: float) -> dict[str, Any]:
    life = place.life
    return {
        "name": place.spec.name,
        "state": life.state,
        "pid": place.pid,
        "restarts": max(life.starts - 1, 0),
        "uptime": round(now - life.started_at, 3) if life.running else 0.0,
        "last_exit": life.last_exit,
        "last_words": place.last_words,
        "exits": [msgspec.to_builtins(one) for one in place.exits],
        "cpu": _rounded(place.load.share) if life.running else None,
        "rss": life.rss or None,
        "next_try_in": None if life.next_try is None else round(max(life.next_try - now, 0.0), 3),
    }


def _is_typed(feed: dict[str, Any]) -> bool:
    try:
        msgspec.convert(feed, FeedStatus)
    except msgspec.ValidationError:
        return False
    return True


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


def _feed(place: Supervised, exchange: str) -> dict[str, Any]:
    known = place.facts.get("feed")
    feed = {"exchange": exchange, **_NO_FEED, **(known if isinstance(known, dict) else {})}
    if not _is_typed(feed):  # what a child says may be of another version, or of one that an exchange has taken over
        feed = {"exchange": exchange, **_NO_FEED}
    if place.life.state != "ready":  # its numbers are the last that are known
        feed["state"] = "starting" if place.life.last_exit is None else "restarting"
        feed["rate"] = feed["delay"] = None  # but these would tell of now
    return feed


def summary(places: Sequence[Supervised]) -> str:
    """How the children are, in one line: "2 of 4 children ready; coinbase: backoff (exit 1), dashboard: starting"."""
    others = [place for place in places if place.life.state != "ready"]
    named = [f"{p.spec.name}: {p.life.state}" + (f" ({p.life.last_exit})" if p.life.last_exit else "") for p in others]
    text = f"{len(places) - len(others)} of {len(places)} children ready"
    return escaped(f"{text}; {', '.join(named)}" if named else text, 500)
