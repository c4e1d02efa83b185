"""What an opened product is told: rows in the exchange's digits, one answer for many, and failure in words."""

import asyncio
import json

import pandas as pd
import pytest

from dashboards.histories import Histories
from dashboards.product import INTERVALS, Past, history_text, price_text, tape_row
from poeticoins.errors import RequestTimeout
from tests.dashboards.market import PRODUCTS, Market, trade

BTC = PRODUCTS[1]
NOON = 1_788_000_000


@pytest.mark.parametrize(
    ("price", "digits", "text"),
    [
        (67829.3, 2, "67,829.30"),
        (0.1602, 2, "0.1602"),
        (170.0, 0, "170"),
        (1e-7, 0, "0.0000001"),
        (84.46, 5, "84.46000"),
    ],
)
def test_price_that_lost_its_zeros_gets_them_back(price, digits, text):
    assert price_text(price, digits) == text


def test_two_trades_in_one_millisecond_are_two_rows():
    twins = [trade(BTC, "67829.30", at=NOON, number=2**60 + number) for number in (1, 2)]

    rows = [tape_row(each) for each in twins]

    assert rows[0] == ["1152921504606846977", NOON * 1000, "67,829.30", "0.0119", "buy"]
    assert len({row[0] for row in rows}) == 2
    late = trade(BTC, "67829.30", at=NOON, late=True)
    assert tape_row(late)[5:] == [True]


def test_average_that_is_not_known_is_null_for_the_browser():
    market = Market()
    market.tell(trade(BTC, "67829.30", at=NOON), trade(BTC, "67830.30", at=NOON + 60))
    candles = market.get_candles(BTC, "1m")
    candles.loc[candles.index[0], "vwap"] = float("nan")

    text = history_text(str(BTC), "1m", Past(candles, market.get_trades(BTC), [], 2))

    assert "NaN" not in text  # which is no JSON: the browser would refuse all of it
    assert json.loads(text)["candles"]["vwap"] == [None, 67830.3]


async def test_history_is_asked_once_for_all_who_open_the_same():
    market = Market()
    market.tell(trade(BTC, "67829.30", at=NOON, number=7))
    histories = Histories(market, lambda _: 2)

    texts = await asyncio.gather(*(histories.text(str(BTC), "1m") for _ in range(200)))

    assert market.questions.count("get_candles") == 1
    message = json.loads(texts[0])
    assert message["candles"]["start"] == [NOON - NOON % 60]
    assert message["trades"] == [["7", NOON * 1000, "67,829.30", "0.0119", "buy"]]


async def test_history_that_nobody_answers_says_so_in_words():
    market = Market()
    market.failing = RequestTimeout("historical does not answer\n<b>")

    message = json.loads(await Histories(market, lambda _: 2).text(str(BTC), "1m"))

    assert message["problem"] == "historical does not answer <b>"


async def test_candles_are_asked_again_when_a_trade_came_between_the_answers(monkeypatch):
    market, numbers = Market(), iter((8, 9))
    market.tell(trade(BTC, "1.0", at=NOON, number=7))
    ask = market.get_candles
    monkeypatch.setattr(
        market,
        "get_candles",
        lambda *given, **more: [ask(*given, **more), *(market.tell(trade(BTC, "2.0", number=n)) for n in numbers)][0],
    )

    message = json.loads(await Histories(market, lambda _: 0).text(str(BTC), "1d"))

    assert market.questions.count("get_candles") == 2
    assert sum(message["candles"]["trades"]) == len(message["trades"]) == 3


async def test_candles_of_the_exchange_are_told_apart_and_are_plain_json():
    market = Market()
    market.foreign = 1
    for number, at in enumerate((NOON, NOON + 60)):
        market.tell(trade(BTC, "67829.30", at=at, number=number))

    text = await Histories(market, lambda _: 2).text(str(BTC), "1m")

    assert "NaN" not in text
    candles = json.loads(text)["candles"]
    assert candles["origin"] == ["exchange", "trades"]
    assert candles["vwap"] == [None, 67829.3]
    market.foreign = 0
    assert "origin" not in json.loads(await Histories(market, lambda _: 2).text(str(BTC), "1m"))["candles"]


async def test_gaps_since_the_first_candle_are_told_and_refilled_ones_are_not():
    market, at = Market(), pd.Timestamp(NOON, unit="s", tz="UTC")
    market.tell(trade(BTC, "67829.30", at=NOON, number=7))
    second = pd.Timedelta(seconds=1)
    market.gaps[BTC] = [
        (at + second, at + 2 * second, 3, "skipped ids", pd.NaT),
        (at, at + second, None, "disconnected", pd.NaT),
        (at, at + second, 5, "disconnected", at + second),
        (at - 9 * second, at - 8 * second - pd.Timedelta(minutes=1), 8, "client down", pd.NaT),
    ]

    message = json.loads(await Histories(market, lambda _: 2).text(str(BTC), "1m"))

    millis = NOON * 1000
    assert message["gaps"] == [
        [millis, millis + 1000, None, "disconnected"],
        [millis + 1000, millis + 2000, 3, "skipped ids"],
    ]


@pytest.mark.parametrize("interval", INTERVALS)
async def test_every_interval_of_the_page_is_one_of_the_context(interval):
    assert "problem" not in json.loads(await Histories(Market(), lambda _: 0).text(str(BTC), interval))
