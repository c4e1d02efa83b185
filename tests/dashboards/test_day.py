"""The last 24 hours: what is in the window, what is known of it, and how it rolls."""

import copy
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboards.day import DAY_S, Day, Figures
from dashboards.days import Days, bars
from tests.dashboards.market import PRODUCTS, Market, trade

BTC = PRODUCTS[1]
NOON = 1_788_000_000 - 1_788_000_000 % 60
HOUR = 3600


def bar(start, price, *, high=None, low=None, volume=1.0):
    return start, price, high or price, low or price, price, volume


def day(*past, trades=()):
    made = Day()
    made.fill(past)
    for each in trades:
        made.take(*each)
    return made


@pytest.mark.parametrize(
    ("past", "trades", "figures"),
    [
        ([], [], None),
        ([], [(NOON, 5.0, 2.0)], Figures(5.0, 5.0, 5.0, 2.0, 30)),
        ([bar(NOON - 3 * HOUR, 7.0, high=9.0)], [(NOON, 5.0, 2.0)], Figures(7.0, 9.0, 5.0, 3.0, 3 * HOUR + 30)),
        # a minute before the window says what held when it began, and that all of it is known
        ([bar(NOON - 25 * HOUR, 4.0, high=99.0), bar(NOON - HOUR, 7.0)], [], Figures(4.0, 7.0, 7.0, 1.0, DAY_S)),
        ([bar(NOON - 25 * HOUR, 4.0)], [], None),
        # two trades of one minute; one of a minute that is over waits for the next answer
        ([], [(NOON, 5.0, 1.0), (NOON + 1, 3.0, 1.0), (NOON - 60, 1.0, 1.0)], Figures(5.0, 5.0, 3.0, 2.0, 30)),
    ],
    ids=["nothing", "one trade", "three hours", "a day and more", "too old", "a minute"],
)
def test_figures_are_of_what_is_known_of_the_last_day(past, trades, figures):
    assert day(*past, trades=trades).figures(NOON + 30) == figures


@given(some.lists(some.tuples(some.integers(1, 8 * HOUR), some.integers(1, 99), some.booleans()), max_size=30))
def test_figures_asked_all_the_time_are_those_asked_once(steps):
    asked, now, told = day(), NOON, []
    for wait, price, is_refilled in steps:
        now += wait
        told.append((now, float(price), 1.0))
        asked.take(*told[-1])
        filled = [bar(NOON - HOUR, 50.0)] if is_refilled else []
        if is_refilled:
            asked.fill([*filled, *(bar(at - at % 60, paid) for at, paid, _ in told[:1])])
        once = copy.deepcopy(asked)
        once._mark = None

        assert asked.figures(now + 30) == once.figures(now + 30)


def test_window_rolls():
    made = day(bar(NOON, 4.0, high=9.0), bar(NOON + HOUR, 5.0))

    assert made.figures(NOON + DAY_S - 60) == Figures(4.0, 9.0, 4.0, 2.0, DAY_S - 60)
    assert made.figures(NOON + DAY_S + 60) == Figures(4.0, 5.0, 5.0, 1.0, DAY_S)


@pytest.mark.parametrize(("asked", "volume"), [(3.0, 3.0), (1.0, 2.0)], ids=["the answer is later", "the stream is"])
def test_newest_minute_is_the_fuller_of_two_accounts(asked, volume):
    made = day(trades=[(NOON, 5.0, 2.0)])

    made.fill([bar(NOON, 6.0, volume=asked)])

    assert made.figures(NOON + 30).volume == volume


def test_answer_corrects_minutes_that_are_over_and_keeps_newer_ones():
    made = day(trades=[(NOON, 5.0, 2.0), (NOON + 60, 6.0, 1.0)])

    made.fill([bar(NOON, 5.0, low=1.0, volume=4.0)])

    assert made.figures(NOON + 90) == Figures(5.0, 6.0, 1.0, 5.0, 90)


def test_candles_of_the_exchange_count_like_any_other():
    frame = pd.DataFrame(
        {
            "open": [1.0],
            "high": [2.0],
            "low": [0.5],
            "close": [1.5],
            "volume": [3.0],
            "vwap": [float("nan")],
            "trades": [0],
        },
        index=pd.to_datetime([NOON], unit="s", utc=True),
    )

    assert bars(frame) == bars(frame.assign(origin="exchange")) == [(NOON, 1.0, 2.0, 0.5, 1.5, 3.0)]


def test_only_what_changed_is_told():
    days = Days(Market())
    days.seat(PRODUCTS)
    now_ms = NOON * 1000

    days.take(trade(BTC, "60000.00", at=NOON))
    first, second = days.news(now_ms), days.news(now_ms + 1000)
    days.take(trade(BTC, "61000.00", at=NOON))
    days.take(trade(BTC, "1.00", at=NOON, late=True))

    assert json.loads(first[str(BTC)]) == [str(BTC), 60000.0, 60000.0, 60000.0, 0.0119, 0]
    assert second == {}
    assert json.loads(days.news(now_ms)[str(BTC)])[2:4] == [61000.0, 60000.0]
    assert json.loads(days.text([str(BTC), str(BTC), "nobody:A-B"]))["days"][0][0] == str(BTC)
    assert days.text([str(PRODUCTS[0])]) == ""


def test_another_market_begins_with_nothing():
    days = Days(Market())
    days.seat(PRODUCTS)
    days.take(trade(BTC, "60000.00", at=NOON))
    days.news(NOON * 1000)

    days.clear()

    assert days.text([str(BTC)]) == ""
