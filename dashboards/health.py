"""How things stand, for the page: the context's status, turned into the badge's words and the exchanges' troubles."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboards import format

STALLED_S = 120
"""Seconds without any trade of an exchange, over all its products, after which it is no longer called quiet."""
DEAF_S = 10
"""Seconds that this page's own feed may be behind what the exchange's client has already received."""


def opening() -> dict[str, object]:
    """Nobody has been asked yet."""
    return _status("opening")


def no_supervisor(reason: str) -> dict[str, object]:
    """Nobody runs: the badge, why, and the two commands that change it."""
    return _status("none", reason=format.clean(reason), commands=[format.START_LIVE, format.START_DEMO])


def _status(kind: str, **more: object) -> dict[str, object]:
    word, sentence = format.BADGES[kind]
    nothing: dict[str, object] = {
        "reason": "",
        "commands": [],
        "rate": 0,
        "troubles": {},
        "notices": [],
        "gaps": {},
        "counts": {},
    }
    return {"kind": kind, "badge": word, "sentence": sentence} | nothing | more


def describe(
    status: Any, *, rate: float, newest: Mapping[str, int], now_ns: int, complaint: str = ""
) -> dict[str, Any]:
    """
    `status` as the page shows it. rate: trades a second, over all products. complaint: why a question went unanswered.

    newest: by exchange, when the newest trade that reached this server was traded, in ns since 1970.
    troubles: by exchange, a word or two for its cards; notices: sentences, each once. Nothing but words and numbers.
    """
    kind = format.badge_kind(status.mode, [feed.state for feed in status.feeds])
    troubles: dict[str, str] = {}
    notices: list[str] = [format.clean(complaint)] if complaint else []
    for feed in status.feeds:
        short, long = format.feed_words(feed, status.mode)
        if stall := stalled(feed, status.mode, newest.get(feed.exchange), now_ns):
            short, long = "stalled", f"{long}; {stall}" if long else stall
        if short:
            troubles[feed.exchange] = short
            notices.append(long)
    notices += _children(status)
    return _status(kind, rate=round(rate, 1) if rate < 10 else round(rate), troubles=troubles, notices=notices)


def _children(status: Any) -> list[str]:
    exchanges = {feed.exchange for feed in status.feeds}
    sentences = []
    for child in status.children:
        told = child.name in exchanges and child.state != "degraded"  # by its feed's own words
        if child.name != "dashboard" and not told:
            sentences.append(format.child_words(child.name, child.state))
    return [sentence for sentence in sentences if sentence]


def stalled(feed: Any, mode: str, heard_ns: int | None, now_ns: int) -> str:
    """
    A sentence about an exchange that calls itself live and yet brings nothing, to its client or to this page; or "".

    heard_ns: when the newest trade that reached this server was traded; None before the first. A replay's trades are
    of another day, so that only their way to this page is looked at.
    """
    if feed.state not in ("live", "degraded") or not feed.last_trade_at:
        return ""
    name, last_ns = format.exchange_name(feed.exchange), nanoseconds(feed.last_trade_at)
    if mode != "replay" and now_ns - last_ns > STALLED_S * 1_000_000_000:
        return f"{name}: stalled; connected, but none of its products has traded for minutes"
    if heard_ns is not None and last_ns - heard_ns > DEAF_S * 1_000_000_000:
        return f"{name}: stalled; its trades do not reach this page"
    return ""


def nanoseconds(at: str) -> int:
    """ISO 8601 with a zone, as the status writes its times, in ns since 1970."""
    return round(datetime.fromisoformat(at).timestamp() * 1000) * 1_000_000
