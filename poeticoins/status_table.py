"""The status as people read it: tables of 80 columns, a line for each problem, durations in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from poeticoins.log import escaped

if TYPE_CHECKING:
    from rich.table import Table


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
    headings = ("feed", "state", "trades", "per s", "delay, ms", "last", "bad", "reconnects", "gaps")
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
    return Table(*columns, title=_text(title), title_justify="left", box=SIMPLE_HEAD, padding=0)


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
    return "" if delay is None else f"{delay['p50']} / {delay['p99']}"


def _ago(moment: str | None, now: datetime) -> str:
    if moment is None:
        return "none yet"
    seconds = (now - datetime.fromisoformat(moment)).total_seconds()
    return f"{in_words(seconds)} ago" if seconds >= 1 else "now"  # the exchange's clock may be ahead of ours


def _text(value: object) -> str:
    from rich.markup import escape

    return "" if value is None else escape(escaped(value, 500))
