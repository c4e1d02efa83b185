"""What the supervisor knows, for programs and for people: the status as a dict, and as tables."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from poeticoins.child import resident
from poeticoins.config import Settings
from poeticoins.load import Load
from poeticoins.log import escaped
from poeticoins.messages import WIRE_VERSION
from poeticoins.reports import FeedStatus
from poeticoins.supervised import Supervised

if TYPE_CHECKING:
    from rich.table import Table

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


def shown(status: Mapping[str, Any], now: datetime) -> "list[Table | str]":
    """The status for rich to print: a table of the children, one of the feeds, and a line for each problem."""
    title = f"Poeticoins, {status['mode']} · up for {in_words(status['uptime'])} · {status['run_dir']}"
    headings = ("child", "state", "pid", "up for", "CPU", "memory", "restarts", "last exit", "next try")
    children = _table(*headings, title=title)
    own = [_text(status["pid"]), in_words(status["uptime"]), _percent(status["cpu"]), _megabytes(status["rss"])]
    children.add_row("supervisor", "ready", *own)
    for child in status["children"]:
        wait, numbers = child["next_try_in"], [_percent(child["cpu"]), _megabytes(child["rss"]), str(child["restarts"])]
        children.add_row(
            child["name"], child["state"], _text(child["pid"]), in_words(child["uptime"]), *numbers,
            _text(child["last_exit"]), "" if wait is None else f"in {in_words(wait)}",
        )  # fmt: skip
    headings = ("feed", "state", "trades", "a second", "delay", "last trade", "bad", "reconnects", "gaps")
    feeds = _table(*headings)
    for feed in status["feeds"]:
        numbers = [_text(feed[key]) for key in ("bad_frames", "reconnects", "gaps")]
        feeds.add_row(
            feed["exchange"], feed["state"], f"{feed['trades']:,}", _text(feed["rate"]), _delay(feed["delay"]),
            _ago(feed["last_trade_at"], now), *numbers,
        )  # fmt: skip
    problems = [problem_of(feed) for feed in status["feeds"] if feed["problem"]]
    down = [child for child in status["children"] if child["state"] in ("degraded", "backoff")]
    problems += [f"{child['name']}: {child['last_words'][-1]}" for child in down if child["last_words"]]
    return [children, feeds, *map(_text, problems)]


def problem_of(feed: Mapping[str, Any]) -> str:
    """What is wrong with a feed, in one line for people: where, why, and when it is tried again."""
    if feed["next_try_in"]:
        when = f"; next try in {in_words(feed['next_try_in'])}"
    else:
        when = "" if feed["state"] in ("live", "degraded") else "; trying now"
    host, why = escaped(feed["host"] or "not connected yet"), escaped(feed["problem"] or feed["state"], 300)
    return f"{feed['exchange']}: {host}: {why}{when}"


def _table(*headings: str, title: str = "") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table

    columns = [Column(heading, no_wrap=heading != "last exit") for heading in headings]
    return Table(*columns, title=_text(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))


def in_words(seconds: float) -> str:
    """A duration: "5 s", "3 min", "2 h 10 min", "4 days"."""
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s" if whole or not seconds else f"{seconds:.1f} s"
    if whole < 7200:
        return f"{whole // 60} min"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} days"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _megabytes(number: int | None) -> str:
    return "" if number is None else f"{number / 1e6:.0f} MB"


def _delay(delay: Mapping[str, int] | None) -> str:
    return "" if delay is None else f"{delay['p50']} / {delay['p99']} ms"


def _ago(moment: str | None, now: datetime) -> str:
    if moment is None:
        return "none yet"
    seconds = (now - datetime.fromisoformat(moment)).total_seconds()
    return f"{in_words(seconds)} ago" if seconds >= 1 else "now"  # the exchange's clock may be ahead of ours


def _text(value: object) -> str:
    from rich.markup import escape

    return "" if value is None else escape(escaped(value, 500))
