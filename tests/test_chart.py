"""One product's candles over hours of simulated time: ours, the exchange's, and what is of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from poeticoins.candles import DAY, HOUR, MINUTE
from poeticoins.config import Settings
from poeticoins.history import History
from poeticoins.model import SECOND, Candle, Gap, Refill, Trade
from poeticoins.record import pack
from poeticoins.told import Told, telling
from tests.makers import BTC, NOON, make_trade

MIDNIGHT = NOON // DAY * DAY
EVERY = 20  # seconds between two trades
TRADES = [
    structs.replace(make_trade(number, price=str(100 + number % 37), size="0.25"), traded_at_ns=MIDNIGHT + at * SECOND)
    for number, at in enumerate(range(0, 4 * 3600, EVERY), 1)
]


def told_at(second: int) -> Told:
    """What the exchange tells of all TRADES, `second` seconds after midnight."""
    told = Told(MIDNIGHT + second * SECOND)
    for length in (60, 3600):
        until = second // length * length
        candles = [candle_of(start, length) for start in range(0, until, length)]
        span = (MIDNIGHT // SECOND, MIDNIGHT // SECOND + until)
        if found := telling(candles, length, span):
            told.tellings[length] = found
    return told


def candle_of(start: int, length: int) -> Candle:
    prices = [float(trade.price) for trade in inside(start, length)]
    volume = float(sum(trade.size for trade in inside(start, length)))
    return Candle(MIDNIGHT + start * SECOND, prices[0], max(prices), min(prices), prices[-1], volume)


def inside(start: int, length: int) -> list[Trade]:
    return [trade for trade in TRADES if 0 <= trade.traded_at_ns - MIDNIGHT - start * SECOND < length * SECOND]


def heard(history: History, items) -> History:
    for item in items:
        sequence = history.next[1]
        history.message(7, sequence, pack(structs.replace(item, epoch=7, sequence=sequence)))
    return history


def since(begins: int, ends: int = 10**6) -> list[Trade]:
    return [trade for trade in TRADES if begins <= (trade.traded_at_ns - MIDNIGHT) // SECOND < ends]


def is_true(bar, length: int) -> bool:
    """Whether a bar says what was traded in its time."""
    true = candle_of((int(bar["start_ns"]) - MIDNIGHT) // SECOND, length)
    return bar[["start_ns", "open", "high", "low", "close", "volume"]].tolist() == (
        true.started_at_ns, true.open, true.high, true.low, true.close, true.volume,
    )  # fmt: skip


def test_hours_add_up_before_and_after_the_hour_in_which_our_trades_begin_is_over():
    began = 5_430  # 01:30:30
    history = History(BTC, Settings())
    history.chart.hear(told_at(5_600))

    for until in (5_700, 7_190, 7_210, 10_790, 10_810, 14_400):
        newest = history.last_trade
        known = (newest.traded_at_ns - MIDNIGHT) // SECOND + 1 if newest else began
        heard(history, since(known, until))
        hours = history.candles(HOUR, 99)

        complete = hours[: until // 3600]
        assert all(is_true(bar, 3600) for bar in complete)
        assert [int(bar["trades"]) for bar in complete] == [0, 87, 180, 180][: len(complete)]  # ours: from 01:31 on
        assert np.isnan(complete["turnover"]).tolist() == [True, True, False, False][: len(complete)]
        assert history.candles(DAY, 9)["volume"].tolist() == [sum(float(t.size) for t in since(0, until))]
        assert history.candles(4 * HOUR, 9)["volume"].tolist() == [sum(float(t.size) for t in since(0, until))]


def test_a_gap_is_filled_by_the_exchanges_minutes_until_it_is_refilled():
    gap_from, gap_to = 8_010, 8_190
    gap = Gap(BTC, "skipped ids", MIDNIGHT + gap_from * SECOND, MIDNIGHT + gap_to * SECOND, 1, 2, 2)
    missed = since(gap_from, gap_to)
    history = heard(History(BTC, Settings()), [*since(0, gap_from), gap, *since(gap_to)])

    bare = history.candles(HOUR, 99).copy()
    history.chart.hear(told_at(14_400))
    told = history.candles(HOUR, 99)
    minutes = history.candles(MINUTE, 999)
    gap_sequence = len(since(0, gap_from)) + 1
    heard(history, [*(structs.replace(t, late=True) for t in missed), Refill(BTC, gap_sequence, MIDNIGHT)])
    refilled = history.candles(HOUR, 99)

    assert bare["volume"][2] == pytest.approx(45 - 0.25 * len(missed))
    assert all(is_true(bar, 3600) for bar in told)
    assert np.isnan(told["turnover"]).tolist() == [
        True,
        False,
        True,
        False,
    ]  # the first: others may be as old as our oldest
    assert int(np.isnan(minutes["turnover"]).sum()) == 5  # 02:13 to 02:16, and the first of all
    assert all(is_true(bar, 3600) for bar in refilled)
    assert np.isnan(refilled["turnover"]).tolist() == [True, False, False, False]


@settings(max_examples=15)
@given(st.integers(1, 300), st.sampled_from([MINUTE, 7 * MINUTE, HOUR, 4 * HOUR, DAY]), st.integers(0, 14_000))
def test_few_candles_are_the_newest_of_all(limit, interval, gap_from):
    gap = Gap(BTC, "disconnected", MIDNIGHT + gap_from * SECOND, MIDNIGHT + (gap_from + 400) * SECOND)
    history = heard(History(BTC, Settings()), [*since(5_430, gap_from), gap, *since(max(5_430, gap_from + 400))])
    history.chart.hear(told_at(9_000))

    few, all_of_them = history.candles(interval, limit), history.candles(interval, 10_000)

    assert repr(few.tolist()) == repr(all_of_them[-limit:].tolist())
