"""What happened lately, from what the status and the gaps say: rules only; no I/O, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards import format

MOST_OF_A_KIND = 20
"""Events of one kind that are kept: so a connection that breaks all day hides no process that died once."""
GapRow = list[Any]
"""[began at, ended at, missing or None, reason, refilled at or None], times in ms since 1970."""


@dataclass(frozen=True)
class Event:
    """Something that happened `at`, in ms since 1970. span: from when to when trades are missing, of a gap."""

    at: int
    kind: str
    who: str
    what: str
    span: tuple[int, int] | None = None


class Lately:
    """The newest events, of each kind at most so many; the same event said again is one."""

    def __init__(self, most: int = MOST_OF_A_KIND) -> None:
        self._most = most
        self.events: list[Event] = []

    def add(self, events: Iterable[Event]) -> None:
        kept: list[Event] = []
        room: dict[str, int] = {}
        for event in sorted({*self.events, *events}, key=lambda event: event.at, reverse=True):
            if room.setdefault(event.kind, self._most):
                room[event.kind] -= 1
                kept.append(event)
        self.events = kept


def told(status: Any) -> list[Event]:
    """What a status tells of the past by itself: when its supervisor began, and how its children ended."""
    events = [Event(milliseconds(status.started_at), "process", "supervisor", f"started, as process {status.pid}")]
    return events + [
        Event(milliseconds(one.at), "process", child.name, ended(one))
        for child in status.children
        for one in child.exits
    ]


def ended(one: Any) -> str:
    """How a process ended, and what it said of it: "ended after 3 min: exit 1; last words: KeyError: x"."""
    words = spoken(one.words)
    how = format.clean(one.how) + (f"; last words: {words}" if words else "")
    return f"ended after {format.span_text(one.ran_for)}: {how}" if one.ran_for else how


def spoken(words: Iterable[str]) -> str:
    """Of a process's last lines the one that says most: the last of a traceback, the place in the code of stacks."""
    lines = [line.removeprefix("|").strip() for line in words]
    stacks = lines and lines[0].startswith(("Fatal Python error", "Current thread", "Thread "))
    places = [line for line in lines if line.startswith("File ")]
    return format.clean(places[0] if stacks and places else lines[-1] if lines else "")


def changes(before: Any, after: Any, now_ms: int) -> list[Event]:
    """
    What is new in the status `after`, as against the one before it; None: nobody runs, or nobody had been asked.

    What a status tells of the past by itself is not among it: see `told`.
    """
    if before is None:
        return []
    if after is None:
        return [Event(now_ms, "process", "supervisor", "gone: nobody follows the exchanges any more")]
    if before.pid != after.pid:
        return []
    children, feeds = _named(before.children, "name"), _named(after.feeds, "exchange")
    events = [
        Event(now_ms, "process", c.name, what) for c in after.children if (what := _child(children.get(c.name), c))
    ]
    for feed in before.feeds:
        if (new := feeds.get(feed.exchange)) and (what := _feed(feed, new)):
            events.append(Event(now_ms, "connection", feed.exchange, what))
    return events


def _named(things: Iterable[Any], by: str) -> dict[str, Any]:
    return {getattr(thing, by): thing for thing in things}


def _child(before: Any, after: Any) -> str:
    if before is None or (before.state, before.pid) == (after.state, after.pid):
        return ""
    if after.state == "ready":
        return f"ready, as process {after.pid}"
    return "keeps failing: it is tried again, slowly" if after.state == "degraded" != before.state else ""


def _feed(before: Any, after: Any) -> str:
    lost = after.reconnects - before.reconnects
    if lost > 0:
        why = format.clean(after.last_loss.why if after.last_loss else after.problem or "")
        return "connection lost" + (f" {lost} times" if lost > 1 else "") + (f": {why}" if why else "")
    if before.state == after.state:
        return ""
    if after.state == "live":
        return "live again" if before.state != "starting" else "live"
    if after.state in ("degraded", "reconnecting"):
        return f"{after.state}: {format.clean(after.problem or 'no reason given')}"
    return ""


def gaps(rows: Mapping[str, Iterable[GapRow]]) -> list[Event]:
    """The gaps of each product, and when they were refilled."""
    events = []
    for key, of_product in rows.items():
        for began, end, missing, reason, refilled in of_product:
            size = f"{missing:,} trade{'s' * (missing != 1)}" if missing else "an unknown number of trades"
            events.append(Event(end, "gap", key, f"{format.clean(reason)}: {size} missing", (began, end)))
            if refilled is not None:
                events.append(Event(refilled, "gap", key, f"refilled: {size}", (began, end)))
    return events


def milliseconds(at: str) -> int:
    """ISO 8601 with a zone, in ms since 1970."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)
