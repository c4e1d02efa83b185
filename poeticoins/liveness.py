"""
Whether a connection to an exchange is alive: judged by heartbeats and answers to pings, never by a quiet product. Pure.

All times are seconds of one monotonic clock.
"""

from dataclasses import dataclass
from typing import Literal, Self

from poeticoins.config import Settings

Verdict = Literal["alive", "ping", "silent", "no ack"]


@dataclass(frozen=True)
class Patience:
    """How long a connection may take for what, in seconds."""

    open_within: float = 10.0
    """For the handshake."""
    ack_within: float = 5.0
    """After connecting, the exchange must have confirmed a subscription; those that it has not are asked for again."""
    ping_interval: float = 5.0
    """Between pings of WebSocket's own, and for each one's answer: a half-open connection is noticed after both."""
    silent_after: float = 15.0
    """Without any frame, the connection is given up: every exchange answers or beats within this."""
    renew_after: float = 43_200.0
    """Of age, after which a connection is replaced."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.open_timeout, settings.ack_within, settings.ping_interval, settings.silent_after,
            settings.renew_after,
        )  # fmt: skip

    @property
    def ping_after(self) -> float:
        """Without any frame, the exchange's own ping is sent, where it has one."""
        return self.silent_after * 2 / 3

    @property
    def watch_interval(self) -> float:
        """Between two looks at a connection: a second, or less if something else is not to take much longer."""
        return min(1.0, self.ack_within / 5, self.silent_after / 5)


def verdict(patience: Patience, *, now: float, opened: float, heard: float, pinged: float, acked: bool) -> Verdict:
    """
    What to do about a connection that was opened, last heard of and last pinged at these times.

    `acked`: whether any subscription has been confirmed. `heard` and `pinged` are `opened` until something happened.
    """
    if not acked and now - opened >= patience.ack_within:
        return "no ack"
    if now - heard >= patience.silent_after:
        return "silent"
    if now - max(heard, pinged) >= patience.ping_after:
        return "ping"
    return "alive"
