import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.model import SECOND, Candle, Gap
from poeticoins.told import MINUTE, Telling, Told, is_due, pages, span_wanted, telling
from tests.makers import BTC, NOON

HOUR_NS, MINUTE_NS = 3600 * SECOND, 60 * SECOND
HERE = NOON // MINUTE_NS * MINUTE_NS


def candle(at_ns: int) -> Candle:
    return Candle(at_ns, 1.0, 4.0, 0.5, 2.0, 9.0)


@given(st.integers(1, 2000), st.integers(1, 400), st.integers(0, 10**6))
def test_pages_cover_a_span_once_and_none_is_too_long(count, most, start):
    since, until = start * 60, (start + count) * 60

    found = pages((since, until), 60, most)

    assert all(0 < end - begin <= most * 60 for begin, end in found)
    assert [second for begin, end in reversed(found) for second in range(begin, end, 60)] == [*range(since, until, 60)]


@pytest.mark.parametrize(("second", "until"), [(600, 540), (609, 540), (610, 600), (669, 600)])
def test_only_candles_that_are_over_and_settled_are_wanted(second, until):
    assert span_wanted(60, 5, second * SECOND) == (until - 300, until)


def test_a_telling_counts_from_its_oldest_candle_and_holds_nothing_from_outside():
    span = (HERE // SECOND, HERE // SECOND + 600)
    outside = [candle(HERE - MINUTE_NS), candle(HERE + 600 * SECOND), candle(HERE + SECOND)]

    told = telling([*outside, candle(HERE + 3 * MINUTE_NS), candle(HERE + 2 * MINUTE_NS)], MINUTE, span)

    assert told is not None
    assert (told.from_ns, told.to_ns) == (HERE + 2 * MINUTE_NS, HERE + 600 * SECOND)
    first, second = struct.iter_unpack("<q6dI", told.bars)
    assert first[:6] == (HERE + 2 * MINUTE_NS, 1.0, 4.0, 0.5, 2.0, 9.0)
    assert math.isnan(first[6])
    assert (second[0], second[7]) == (HERE + 3 * MINUTE_NS, 0)
    assert telling(outside, MINUTE, span) is None


def gap(to_ns: int, refilled_at_ns: int | None = None) -> Gap:
    return Gap(BTC, "disconnected", to_ns - 5 * SECOND, to_ns, refilled_at_ns=refilled_at_ns)


@pytest.mark.parametrize(
    ("fetched_ago", "told_ago", "began_ago", "gaps", "due"),
    [
        (math.inf, None, None, [], True),  # never asked
        (600, None, None, [], False),  # asked, and nothing was told: a product that nobody trades
        (3700, None, None, [], True),
        (600, 600, None, [], False),
        (600, 600, 7200, [], False),  # our trades begin before what was told ends
        (600, 600, 500, [], True),  # they begin after it
        (600, 600, 30, [], False),  # they do, but their minute has not been told yet
        (50, 600, 500, [], False),  # asked just now
        (600, 600, 7200, [gap(HERE - 500 * SECOND)], True),
        (600, 600, 7200, [gap(HERE - 500 * SECOND, HERE)], False),
        (600, 600, 7200, [gap(HERE - 30 * SECOND)], False),
        (600, 600, 7200, [gap(HERE - 700 * SECOND)], False),
        (90_000, 90_000, 90_900, [gap(HERE - 89_000 * SECOND)], False),  # minutes of so long ago are not asked for
    ],
)
def test_candles_are_asked_for_again_only_where_trades_are_missing(fetched_ago, told_ago, began_ago, gaps, due):
    minutes = {MINUTE: Telling(HERE - 24 * HOUR_NS, HERE - told_ago * SECOND, b"")} if told_ago else {}
    told = Told(0 if fetched_ago == math.inf else HERE - fetched_ago * SECOND, minutes)
    began = None if began_ago is None else HERE - began_ago * SECOND

    assert is_due(told, began, gaps, HERE) is due
