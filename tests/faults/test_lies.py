"""A historical that lies: what it says of trades, candles and gaps cannot be, and it is not believed."""

import time
from collections.abc import Callable
from contextlib import closing

import pandas as pd
import pytest

import poeticoins
from poeticoins import RequestTimeout, WrongAnswer
from poeticoins.model import SECOND
from poeticoins.simulator import market
from tests.faults.lies import LIES
from tests.faults.witness import Reader, disorder
from tests.faults.world import BTC, PRODUCTS, World
from tests.trees import until

UNSAID = {"an epoch that never was", "nothing is left"}
"""What might be so, as far as a reader knows: it asks the publisher, and says nothing."""


def traded(line: World, since: pd.Timestamp) -> set[int]:
    """The ids of all trades of BTC since then."""
    return {one.trade_id for one in market.trades(line.seed, BTC, since.value - SECOND, time.time_ns(), line.pace)}


def is_true_of_trades(line: World) -> bool:
    trades = poeticoins.get_trades(BTC, limit=2000)
    return trades["trade_id"].is_unique and {*trades["trade_id"]} <= traded(line, trades.index[0])


def is_true_of_candles(line: World) -> bool:
    candles = poeticoins.get_candles(BTC, "1s")
    return candles.index.is_monotonic_increasing and bool((candles["low"] > 0).all())


def is_true_of_the_last_trade(line: World) -> bool:
    trade = poeticoins.get_last_trade(BTC)
    return trade is not None and trade.trade_id in traded(line, pd.Timestamp(trade.traded_at))


QUESTIONS: list[Callable[[World], bool]] = [
    is_true_of_trades, is_true_of_candles, is_true_of_the_last_trade,
    lambda _: {*poeticoins.available_products()} == {*PRODUCTS},
    lambda _: poeticoins.get_gaps(BTC)["reason"].isin(["disconnected", "client down", "skipped ids", "overrun"]).all(),
]  # fmt: skip


@pytest.mark.row(42)
@pytest.mark.parametrize("lie", [*LIES, "no answer"])
def test_a_historical_that_lies_is_not_believed_and_no_trade_is_missed(line, lie, monkeypatch, caplog):
    """To whoever asks, to a reader that joins with a past, and to one that has missed what it fetches."""
    monkeypatch.setenv("POETICOINS_RUN_DIR", str(line.settings.run_dir))
    monkeypatch.setenv("POETICOINS_ANSWER_TIMEOUT", "1")
    line.order("historical", f"lie {lie}")
    complaints = []
    with closing(Reader(line.settings, PRODUCTS, history=300)) as reader:
        victim = line.kill("coinbase")
        for is_true in QUESTIONS:
            try:
                assert is_true(line)
            except (WrongAnswer, RequestTimeout) as error:
                complaints.append(error)
        line.replaced("coinbase", victim)
        until(lambda: all(len(reader.trades(product)) > 20 for product in PRODUCTS), within=20)
        until_ns = time.time_ns()
        until(lambda: not any(line.missing(product, until_ns) for product in PRODUCTS), within=30)
        line.goes_on()

        for product in PRODUCTS:
            heard = reader.trades(product)
            assert disorder(heard) == []
            assert {trade.trade_id for trade in heard} <= {trade.trade_id for trade in true_of(line, heard)}
        assert reader.failure is None

    line.order("historical", "lie nothing")
    assert all(is_true(line) for is_true in QUESTIONS)
    assert bool(complaints) or "an answer that cannot be" in caplog.text or lie in UNSAID
    assert line.restarts("historical") == 0
    line.unbroken("bitstamp")
    line.whole()


def true_of(line: World, heard: list[poeticoins.Trade]) -> list[poeticoins.Trade]:
    """All that was traded of what a reader has heard of, from its first trade on."""
    since_ns = min(trade.traded_at_ns for trade in heard) - SECOND
    return market.trades(line.seed, heard[0].product, since_ns, time.time_ns() + SECOND, line.pace)
