"""
What an exchange itself tells of its candles: which of them are wanted, and the file that its client leaves for
historical. Pure.
"""

import math
import struct
from collections.abc import Iterable, Sequence

import msgspec

from poeticoins.backfill import MARGIN_NS
from poeticoins.model import SECOND, Candle, Gap

CANDLES = "poeticoins candles 1"
MINUTE = 60
WANTED = ((3600, 300), (86_400, 300), (MINUTE, 1440))
"""Seconds that a candle lasts, and how many are wanted: hours and days for their charts, minutes for today's hours."""
OLD = 86_400 * SECOND
"""After so long a client that starts asks for them anew."""
SOON, LATER = 60 * SECOND, 3600 * SECOND
"""Never asked again before the one; after the other, if nothing had been told."""
UNSETTLED = 10
"""Seconds in which an exchange may still change a candle that is over."""

_BAR = struct.Struct("<q6dI")  # candles.BAR_DTYPE; a client does without numpy


class Telling(msgspec.Struct, array_like=True):
    """Candles of one length: all that begin at or after from_ns and end at or before to_ns; bars as on the wire."""

    from_ns: int
    to_ns: int
    bars: bytes


class Told(msgspec.Struct, array_like=True):
    """A product's file. tellings: by the length of a candle in seconds."""

    fetched_at_ns: int = 0
    tellings: dict[int, Telling] = {}


def span_wanted(length: int, count: int, now_ns: int) -> tuple[int, int]:
    """(since, until) in seconds: the newest `count` candles that are over, and settled."""
    until = (now_ns // SECOND - UNSETTLED) // length * length
    return until - count * length, until


def pages(span: tuple[int, int], length: int, most: int) -> list[tuple[int, int]]:
    """`span` in parts of at most `most` candles, the newest first."""
    since, until = span
    size = most * length
    return [(max(since, end - size), end) for end in range(until, since, -size)]


def telling(candles: Iterable[Candle], length: int, span: tuple[int, int]) -> Telling | None:
    """
    The candles of a span that was asked for, as historical wants them; None if there are none.

    An exchange may have cut its answer short, so they count as all there are only from the oldest that came.
    """
    since, until = (at * SECOND for at in span)
    inside = {c.started_at_ns: c for c in candles if since <= c.started_at_ns < until}
    starts = sorted(at for at in inside if at % (length * SECOND) == 0)
    if not starts:
        return None
    rows = [
        _BAR.pack(at, c.open, c.high, c.low, c.close, c.volume, math.nan, 0)
        for at, c in ((at, inside[at]) for at in starts)
    ]
    return Telling(starts[0], until, b"".join(rows))


def is_due(told: Told, began_ns: int | None, gaps: Sequence[Gap], now_ns: int) -> bool:
    """
    Whether to ask again: what was told ends before our trades begin (at began_ns; None: not known), or before the end
    of a gap that is still open; as soon as what is missing has been told.
    """
    minutes, age_ns = told.tellings.get(MINUTE), now_ns - told.fetched_at_ns
    if minutes is None or age_ns < SOON:
        return age_ns > LATER
    ends = [gap.to_ns + MARGIN_NS for gap in gaps if gap.refilled_at_ns is None and gap.to_ns > now_ns - OLD]
    ends += [began_ns] if began_ns is not None else []
    reachable_ns = span_wanted(MINUTE, 1, now_ns)[1] * SECOND
    return any(minutes.to_ns <= end < reachable_ns for end in ends)
