from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.candles import BAR_DTYPE, DAY, HOUR, MINUTE, TIERS, Bars, bars_of, rolled_up
from poeticoins.joining import Covered, Ours, common, in_order, joined, touched, without
from poeticoins.model import SECOND

FIRST_DAY = 20_000 * DAY
DAYS = 3
NAMES = ("start_ns", "open", "high", "low", "close", "volume")
seconds = st.integers(0, DAYS * 86_400 - 1)
trades = st.lists(st.tuples(seconds, st.integers(1, 50), st.integers(1, 9)), min_size=1, max_size=60)
spans = st.lists(st.tuples(seconds, st.integers(0, 40_000)), max_size=4)
some_spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=6).map(
    lambda drawn: in_order((begins, begins + length) for begins, length in drawn)
)


def tiers_of(deals: list[tuple[int, int, int]]) -> list[Bars]:
    """The bars of all TIERS of trades (second, price, size), which are in order."""
    columns = np.array(deals, np.int64).reshape(-1, 3).T
    finest = bars_of(FIRST_DAY + columns[0] * SECOND, columns[1].astype(float), columns[2].astype(float))
    return [rolled_up(finest, step) for step in TIERS]


def as_the_exchange_tells(bars: Bars, from_ns: int, to_ns: int, step: int) -> Covered:
    whole = bars[(bars["start_ns"] >= from_ns) & (bars["start_ns"] + step <= to_ns)].copy()
    whole["turnover"], whole["trades"] = np.nan, 0
    return Covered(from_ns, to_ns, whole)


def drawn_coverage(data: st.DataObject, truth: list[Bars]) -> dict[int, Covered]:
    """For each length the exchange may have told some window of its candles, or nothing."""
    theirs = {}
    for step, bars in zip(TIERS[1:], truth[1:], strict=True):
        count = DAYS * DAY // step
        begins = data.draw(st.integers(0, count))
        ends = data.draw(st.integers(begins, count))
        if data.draw(st.booleans()):
            theirs[step] = as_the_exchange_tells(bars, FIRST_DAY + begins * step, FIRST_DAY + ends * step, step)
    return theirs


def all_joined(ours: Ours, theirs: dict[int, Covered], missing: list[tuple[int, int]]) -> list[Bars]:
    return [joined(ours, theirs, missing, place) for place in range(len(TIERS))]


def told(bars: Bars) -> dict[int, tuple[Any, ...]]:
    return {int(row[0]): tuple(row) for row in bars[list(NAMES)].tolist()}


def world(raw, holes) -> tuple[list[Bars], Ours, list[tuple[int, int]]]:
    """What was traded, what of it we have, and where some may be missing."""
    deals = sorted({second: (second, price, size) for second, price, size in raw}.values())
    missing = in_order((FIRST_DAY + b * SECOND, FIRST_DAY + (b + length) * SECOND) for b, length in holes)
    had = [deal for deal in deals if not any(b <= FIRST_DAY + deal[0] * SECOND <= e for b, e in missing)]
    return tiers_of(deals), Ours(tiers_of(had), [0] * 4), missing


@given(trades, spans)
def test_with_the_exchanges_minutes_every_candle_is_what_was_traded(raw, holes):
    truth, ours, missing = world(raw, holes)
    minutes = {MINUTE: as_the_exchange_tells(truth[1], FIRST_DAY, FIRST_DAY + DAYS * DAY, MINUTE)}

    tiers = all_joined(ours, minutes, missing)

    assert [told(bars) for bars in tiers[1:]] == [told(bars) for bars in truth[1:]]


@given(trades, spans, st.data())
def test_a_candle_is_what_was_traded_or_ours_as_it_is_and_never_a_guess(raw, holes, data):
    truth, ours, missing = world(raw, holes)
    theirs = drawn_coverage(data, truth)

    tiers = all_joined(ours, theirs, missing)

    assert tiers[0].tolist() == ours.tiers[0].tolist()
    for step, bars, true, own in list(zip(TIERS, tiers, truth, ours.tiers, strict=True))[1:]:
        is_whole = ~touched(bars["start_ns"], step, missing)
        assert bars["start_ns"].tolist() == sorted(set(bars["start_ns"].tolist()))
        assert set(own["start_ns"]) <= set(bars["start_ns"])
        assert told(bars).items() <= told(true).items() | told(own).items()
        assert told(bars[is_whole]).items() <= told(true).items()
        assert not np.isnan(bars["turnover"][is_whole]).any()
        if step in theirs:
            assert told(theirs[step].bars).items() <= told(bars).items()


@given(trades, spans, st.data())
def test_bars_that_had_to_go_are_never_rolled_up(raw, holes, data):
    truth, ours, missing = world(raw, holes)
    theirs = drawn_coverage(data, truth)
    gone = [data.draw(st.integers(0, len(bars))) for bars in ours.tiers[:3]] + [0]
    cut = [bars[at:] for bars, at in zip(ours.tiers, gone, strict=True)]
    reach = [int(bars["start_ns"][0]) if at and len(bars) else 0 for bars, at in zip(cut, gone, strict=True)]
    if any(at and not len(bars) for bars, at in zip(cut, gone, strict=True)):
        return  # a tier that has had to let go of bars has newer ones

    tiers = all_joined(Ours(cut, reach), theirs, missing)

    for bars, true, own in list(zip(tiers, truth, ours.tiers, strict=True))[1:]:
        assert told(bars).items() <= told(true).items() | told(own).items()


def test_the_hour_and_the_day_in_which_our_trades_begin_are_of_both():
    deals = [(at, 100 + at // 600, 1) for at in range(0, 10_000, 100)]
    began = 5_430  # at 01:30:30
    truth, ours = tiers_of(deals), tiers_of([deal for deal in deals if deal[0] >= began])
    told_until = FIRST_DAY + 93 * MINUTE
    theirs = {
        MINUTE: as_the_exchange_tells(truth[1], FIRST_DAY, told_until, MINUTE),
        HOUR: as_the_exchange_tells(truth[2], FIRST_DAY, FIRST_DAY + HOUR, HOUR),
    }

    tiers = all_joined(Ours(ours, [0] * 4), theirs, [(0, FIRST_DAY + began * SECOND)])

    first, second, third = tiers[2]
    assert (first["trades"], np.isnan(first["turnover"])) == (0, True)
    assert second["volume"] == 36
    assert second["trades"] == len([at for at, *_ in deals if 91 * 60 <= at < 7200])  # ours, from 01:31 on
    assert np.isnan(second["turnover"])
    assert third.tolist() == ours[2][-1].tolist()
    assert told(tiers[3]) == told(truth[3])


@pytest.mark.parametrize(
    ("given_spans", "tidy"),
    [
        ([], []),
        ([(5, 6), (1, 2)], [(1, 2), (5, 6)]),
        ([(1, 4), (5, 6)], [(1, 6)]),
        ([(1, 9), (2, 3)], [(1, 9)]),
    ],
)
def test_spans_that_meet_become_one(given_spans, tidy):
    assert in_order(given_spans) == tidy


@given(some_spans, some_spans, st.integers(0, 60), st.integers(0, 30))
def test_spans_are_the_sets_that_they_stand_for(one, other, begins, length):
    def points(spans):
        return {point for b, e in spans for point in range(b, e + 1)}

    assert points(common(one, other)) == points(one) & points(other)
    assert points(without(one, begins, begins + length)) == points(one) - set(range(begins, begins + length))
    starts = np.arange(0, 80, 5)
    inside = [bool(points(one) & set(range(start, start + 5))) for start in starts.tolist()]
    assert touched(starts, 5, one).tolist() == inside


def test_without_the_exchanges_candles_ours_are_as_they_are():
    ours = [np.zeros(1, BAR_DTYPE)] * 4

    assert all(a is b for a, b in zip(all_joined(Ours(ours, [0] * 4), {}, [(0, 2**62)]), ours, strict=True))
