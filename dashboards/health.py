"""How things stand, for the page: the context's status, turned into the badge's words and the exchanges' troubles."""

from typing import Any

from dashboards import format


def opening() -> dict[str, object]:
    """Nobody has been asked yet."""
    return _status("opening")


def no_supervisor(reason: str) -> dict[str, object]:
    """Nobody runs: the badge, why, and the two commands that change it."""
    return _status("none", reason=format.clean(reason), commands=[format.START_LIVE, format.START_DEMO])


def _status(kind: str, **more: object) -> dict[str, object]:
    word, sentence = format.BADGES[kind]
    nothing: dict[str, object] = {"reason": "", "commands": [], "rate": 0, "troubles": {}, "notices": []}
    return {"kind": kind, "badge": word, "sentence": sentence} | nothing | more


def describe(status: Any, *, rate: float, complaint: str = "") -> dict[str, object]:
    """
    `status` as the page shows it. rate: trades a second, over all products. complaint: why a question went unanswered.

    troubles: by exchange, a word or two for its cards; notices: sentences, each once. Nothing but words and numbers.
    """
    kind = format.badge_kind(status.mode, [feed.state for feed in status.feeds])
    troubles: dict[str, str] = {}
    notices: list[str] = [format.clean(complaint)] if complaint else []
    for feed in status.feeds:
        short, long = format.feed_words(feed, status.mode)
        if short:
            troubles[feed.exchange] = short
            notices.append(long)
    exchanges = {feed.exchange for feed in status.feeds}
    for child in status.children:
        told = child.name in exchanges and child.state != "degraded"  # by its feed's own words, above
        if child.name != "dashboard" and not told and (long := format.child_words(child.name, child.state)):
            notices.append(long)
    return _status(kind, rate=round(rate, 1) if rate < 10 else round(rate), troubles=troubles, notices=notices)
