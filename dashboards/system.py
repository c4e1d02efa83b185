"""The System place: the status as tables of values and words. Rules only; no I/O, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards import format
from dashboards.lately import Event, GapRow, Lately, changes, gaps, milliseconds, spoken, told
from dashboards.texts import compact

ROLES = {
    "supervisor": "starts and restarts all others",
    "simulator": "the embedded exchange",
    "historical": "keeps trades and candles",
    "dashboard": "serves this page",
}
CHILD_STATES = {"degraded": "keeps failing", "backoff": "waits to be restarted"}
FEED_STATES = {"starting": "its process starts", "restarting": "its process is restarted"}


@dataclass(frozen=True)
class Heard:
    """What this page's own server adds. troubles: by exchange, the word of its cards; rate: all trades a second."""

    troubles: Mapping[str, str]
    rate: float


class System:
    """What was last known of the tree, and what happened lately; `text` is the page's message."""

    def __init__(self) -> None:
        self._known: dict[str, object] = {"alive": False, "as_of": None, "processes": [], "exchanges": []}
        self._before: Any = None
        self._lately = Lately()
        self._told: list[Event] | None = None

    def take(self, status: Any, heard: Heard, now_ms: int) -> None:
        """The supervisor's newest status."""
        self._lately.add([*told(status), *changes(self._before, status, now_ms)])
        self._before = status
        rows = {"processes": processes(status, heard), "exchanges": exchanges(status, heard)}
        self._known = {"alive": True, "as_of": now_ms, **rows}

    def absent(self, now_ms: int) -> None:
        """Nobody runs: what was known stays, and is said to be of then."""
        self._lately.add(changes(self._before, None, now_ms))
        self._before = None
        self._known = self._known | {"alive": False}

    def missing(self, rows: Mapping[str, Iterable[GapRow]]) -> None:
        """The newest gaps of each product."""
        self._lately.add(gaps(rows))

    def text(self, now_ms: int) -> str:
        """
        {"kind": "system", "now", "alive", "as_of": when this was known or null, "processes": [row, …], "exchanges":
        [row, …], "events": [[at, kind, who, what, span or null], …]}: times in ms since 1970, newest event first.
        """
        return self._message(now_ms, [_event(event) for event in self._lately.events])

    def news(self, now_ms: int) -> str:
        """The same for those who have heard it before: "events" is null if they are what they were then."""
        before, self._told = self._told, self._lately.events
        return self.text(now_ms) if self._told != before else self._message(now_ms, None)

    def _message(self, now_ms: int, events: list[list[object]] | None) -> str:
        return compact({"kind": "system", "now": now_ms, **self._known, "events": events})


def processes(status: Any, heard: Heard) -> list[dict[str, object]]:
    """
    A row a process, the supervisor first: name, role, state in words, whether it is well, and numbers.

    up: seconds, None while it does not run; cpu: share of a core; rss: bytes; rate: trades a second, of a client's
    exchange and of what reaches this page. Each is None where it is not known.
    """
    rates = {feed.exchange: feed.rate for feed in status.feeds}
    own = _process("supervisor", "ready", status) | {"up": round(status.uptime)}
    rows = [own]
    for child in status.children:
        client = child.name in rates
        rate = rates.get(child.name) if client else heard.rate if child.name == "dashboard" else None
        role = f"follows {format.exchange_name(child.name)}" if client else ROLES.get(child.name, "")
        exits = child.exits[-1:]
        rows.append(
            _process(child.name, child.state, child)
            | {"role": role, "up": round(child.uptime) if child.pid else None, "restarts": child.restarts}
            | {"next": child.next_try_in, "rate": rate}
            | ({"why": format.clean(exits[0].how), "words": spoken(exits[0].words)} if exits else {})
            | ({"ended": milliseconds(exits[0].at)} if exits else {})
        )
    return rows


def _process(name: str, state: str, numbers: Any) -> dict[str, object]:
    return {
        "name": format.clean(name), "role": ROLES.get(name, ""), "state": CHILD_STATES.get(state, state),
        "well": state == "ready", "pid": numbers.pid, "cpu": numbers.cpu, "rss": numbers.rss, "restarts": None,
        "next": None, "rate": None, "why": "", "words": "", "ended": None,
    }  # fmt: skip


def exchanges(status: Any, heard: Heard) -> list[dict[str, object]]:
    """
    A row an exchange: its state in words and what is wrong, its numbers, and its delay: [p50, p99, trades, window], ms.

    ahead: whether its clock must be ahead of ours, since what it traded is here before it happened.
    """
    rows: list[dict[str, object]] = []
    for feed in status.feeds:
        delay = feed.delay
        state = "stalled" if heard.troubles.get(feed.exchange) == "stalled" else feed.state
        rows.append({
            "name": format.exchange_name(feed.exchange), "state": FEED_STATES.get(state, format.clean(state)),
            "well": state == "live", "host": format.clean(feed.host or ""), "problem": format.clean(feed.problem or ""),
            "next": feed.next_try_in, "rate": feed.rate,
            "delay": [delay.p50, delay.p99, delay.trades, delay.window] if delay else None,
            "ahead": bool(delay and delay.p50 < 0), "trades": feed.trades,
            "last": milliseconds(feed.last_trade_at) if feed.last_trade_at else None,
            "reconnects": feed.reconnects, "loss": format.clean(feed.last_loss.why) if feed.last_loss else "",
            "bad": feed.bad_frames, "gaps": feed.gaps, "refills": feed.refills,
        })  # fmt: skip
    return rows


def _event(event: Event) -> list[object]:
    return [event.at, event.kind, format.clean(event.who), event.what, event.span]
