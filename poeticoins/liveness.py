"""
Whether a connection to an exchange is alive: judged by heartbeats and answers to pings, never by a quiet product. Pure.

All times are seconds of one monotonic clock.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["alive", "ping", "silent", "no ack"]


@dataclass(frozen=True)
class Patience:
    """How long silence may last, in seconds."""

    ping_after: float = 10.0
    """Without any frame, the exchange's own ping is sent, where it has one."""
    silent_after: float = 15.0
    """Without any frame, the connection is given up: both exchanges answer or beat within this."""
    ack_within: float = 5.0
    """After connecting, the exchange must have confirmed a subscription."""


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
