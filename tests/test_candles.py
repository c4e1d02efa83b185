import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.candles import (
    BAR_DTYPE,
    DAY,
    HOUR,
    MINUTE,
    TIERS,
    Candles,
    Deal,
    bars_of,
    base_of,
    newest,
    rolled_up,
)
from poeticoins.chart import LATER
from poeticoins.model import SECOND

CAPACITIES = (200, 100, 50, 20)
deals = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 50), st.integers(1, 9)), min_size=1, max_size=80)


def reference(trades: list[tuple[int, float, float]], interval: int) -> list[tuple]:
    """(start, open, high, low, close, volume, turnover, trades) straight from the definition."""
    out = []
    for start in sorted({at // interval * interval for at, _, _ in trades}):
        inside = [t for t in sorted(trades, key=lambda t: t[0]) if t[0] // interval * interval == start]
        prices = [price for _, price, _ in inside]
        out.append(
            (start, prices[0], max(prices), min(prices), prices[-1], sum(size for *_, size in inside),
             sum(price * size for _, price, size in inside), len(inside))
        )  # fmt: skip
    return out


def rows(bars) -> list[tuple]:
    return [tuple(row) for row in bars.tolist()]


def filled(trades: list[tuple[int, float, float]]) -> Candles:
    """Candles fed as historical feeds them: the newest one by one, what comes late as bars."""
    candles, seen = Candles(CAPACITIES), []
    for trade in trades:
        newest = not seen or trade[0] >= max(t[0] for t in seen)
        seen.append(trade)
        if newest:
            candles.add(Deal(*trade))
        else:
            candles.extend(seconds_of([trade]), seconds_of(seen), LATER)
    return candles


def newest_of(candles: Candles, interval: int, limit: int):
    return newest(candles.tiers[base_of(interval)], interval, limit)


@given(deals)
def test_bars_in_order_are_what_the_definition_says(raw):
    trades = sorted({at: (at * SECOND // 4, float(price), float(size)) for at, price, size in raw}.values())

    candles = filled(trades)

    for interval in (SECOND, 5 * SECOND, MINUTE, 5 * MINUTE, HOUR, DAY):
        assert rows(newest_of(candles, interval, 1000)) == reference(trades, interval)


@given(deals)
def test_late_trades_correct_every_candle_they_lie_in(raw):
    trades = list({at: (at * SECOND // 4, float(price), float(size)) for at, price, size in raw}.values())

    candles = filled(trades)

    for interval in (SECOND, MINUTE, HOUR):
        assert rows(newest_of(candles, interval, 1000)) == reference(trades, interval)


def test_the_newest_candles_are_given_oldest_first():
    candles = filled([(n * MINUTE, float(n + 1), 1.0) for n in range(10)])

    assert newest_of(candles, MINUTE, 3)["open"].tolist() == [8.0, 9.0, 10.0]
    assert newest_of(candles, 5 * MINUTE, 1)["open"].tolist() == [6.0]


def test_the_oldest_bars_go_when_a_tier_is_full():
    candles = filled([(n * SECOND, 1.0, 1.0) for n in range(1000)])

    assert newest_of(candles, SECOND, 5000)["start_ns"].tolist() == [n * SECOND for n in range(800, 1000)]
    assert newest_of(candles, MINUTE, 5000)["trades"].sum() == 1000


def test_a_trade_older_than_all_that_is_kept_changes_nothing_there():
    candles = filled([(n * SECOND, 1.0, 1.0) for n in range(1000, 1300)])

    candles.extend(seconds_of([(5 * SECOND, 9.0, 9.0)]), seconds_of([(5 * SECOND, 9.0, 9.0)]), LATER)

    assert newest_of(candles, SECOND, 5000)["high"].max() == 1.0


def test_an_interval_of_part_of_a_second_is_refused():
    with pytest.raises(ValueError, match="whole seconds"):
        newest_of(Candles(CAPACITIES), SECOND // 2, 10)


def test_rolling_up_nothing_is_nothing():
    assert len(rolled_up(np.zeros(0, BAR_DTYPE), MINUTE)) == 0


def seconds_of(trades: list[tuple[int, float, float]]):
    ordered = sorted(trades, key=lambda t: t[0])
    times, prices, sizes = (np.array(column) for column in zip(*ordered, strict=True))
    return bars_of(times.astype(np.int64), prices.astype(float), sizes.astype(float))


@given(deals, st.integers(1, 79))
def test_trades_that_are_added_at_once_are_as_if_they_had_come_one_by_one(raw, cut):
    trades = list({at: (at * SECOND // 4, float(price), float(size)) for at, price, size in raw}.values())
    before, after = trades[:cut], trades[cut:]
    candles = filled(before)

    if after:
        candles.extend(seconds_of(after), seconds_of(trades), max(at for at, *_ in before))

    assert [rows(bars) for bars in candles.tiers] == [rows(bars) for bars in filled(trades).tiers]


def test_late_trades_whose_second_is_not_all_at_hand_change_neither_open_nor_close():
    candles = filled([(0, 1.0, 1.0), (SECOND // 2, 2.0, 1.0), (MINUTE, 3.0, 1.0)])

    late = seconds_of([(SECOND // 4, 9.0, 1.0)])
    candles.extend(late, late, MINUTE)

    first = candles.tiers[0][0]
    assert (first["open"], first["high"], first["close"], first["trades"]) == (1, 9, 2, 3)
    assert candles.tiers[TIERS.index(HOUR)][0].tolist() == (0, 1, 9, 1, 3, 4, 15, 4)
