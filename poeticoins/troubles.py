"""
What ended or prevented a connection, and what follows: the words, the least wait, whether people must know. Pure.

Nothing ends the tries: an exchange that refuses today may let us in tomorrow, and nobody is there to press a button.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Kind = Literal[
    "http", "closed", "broken off", "no pong", "silent", "no ack", "asked", "old", "certificate", "tls", "unknown host",
    "refused", "no answer", "no websocket", "proxy", "network",
]  # fmt: skip
LONGEST_RETRY_AFTER = 300.0
"""Seconds that an exchange's Retry-After is obeyed for at most."""
_UNWELCOME = {401: "asks for a login", 403: "refuses this address", 451: "refuses this region by law"}
_SLOW_DOWN = (418, 429)  # 418: Binance's word for an address that went on after 429
_RESTARTING = (1012, 1013)


@dataclass(frozen=True)
class Ending:
    """
    What happened. code: of HTTP, or of the close; None if there was none. text: what the other side or the system said
    (foreign: escape before showing). retry_after: seconds that the exchange asked us to wait, None if it did not.
    """

    kind: Kind
    code: int | None = None
    text: str = ""
    retry_after: float | None = None


@dataclass(frozen=True)
class Trouble:
    """
    What follows from an Ending. The next try waits from `least_wait` to `most_wait` seconds, or as long as the backoff
    says if that is longer. alert: what people should know or do, "" if it passes by itself. wanted: no trouble at all,
    the exchange (or our own rule) asked for a new connection: it is made at once.
    """

    kind: Kind
    words: str
    least_wait: float = 0.0
    most_wait: float = 0.0
    alert: str = ""
    wanted: bool = False


def trouble_of(ending: Ending) -> Trouble:
    """The rules, by what happened."""
    match ending.kind:
        case "http":
            return _of_status(ending.code or 0, ending.retry_after)
        case "closed":
            why = f"closed by the exchange: {ending.code or ''} {ending.text}".strip()
            least, most = (1.0, 2.0) if ending.code in _RESTARTING else (0.0, 0.0)
            return Trouble("closed", why, least, most)
        case "certificate":
            words = f"its certificate is not to be trusted ({ending.text}); nothing was taken from it"
            alert = "someone may sit between us and the exchange, or this machine's clock may be wrong"
            return Trouble("certificate", words, 30.0, 60.0, alert)
        case "proxy":
            alert = "see the setting proxy and the variables HTTPS_PROXY and ALL_PROXY"
            return Trouble("proxy", f"the proxy does not work: {ending.text}", 5.0, 10.0, alert)
        case "asked":
            return Trouble("asked", "the exchange asked to reconnect", wanted=True)
        case "old":
            return Trouble("old", "the connection had grown old", wanted=True)
    return Trouble(ending.kind, _WORDS[ending.kind].format(ending.text).removesuffix(": "))


def _of_status(status: int, retry_after: float | None) -> Trouble:
    words = f"refused with HTTP {status}"
    if status in _UNWELCOME:
        alert = f"the exchange {_UNWELCOME[status]}; tried again slowly"
        return Trouble("http", words, 60.0, 300.0, alert)
    if status in _SLOW_DOWN:
        least = 30.0 if retry_after is None else min(max(retry_after, 1.0), LONGEST_RETRY_AFTER)
        return Trouble("http", f"{words}: too many requests", least, least * 1.2)
    return Trouble("http", words, min(retry_after or 0.0, LONGEST_RETRY_AFTER))


def retry_after(text: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, a number of them or a date; None if it says nothing usable."""
    text = (text or "").strip()
    if re.fullmatch("[0-9]{1,9}", text, re.ASCII):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now.timestamp())


_WORDS: dict[Kind, str] = {
    "broken off": "the connection broke off",
    "no pong": "no answer to a ping: the connection is dead",
    "silent": "connected, but silent for {}",
    "no ack": "no subscription was confirmed: {}",
    "tls": "TLS failed: {}",
    "unknown host": "the host name is not known: {}",
    "refused": "nobody listens there: {}",
    "no answer": "no answer within {}",
    "no websocket": "what answers there speaks no WebSocket: {}",
    "network": "{}",
}
