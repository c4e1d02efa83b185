"""The public face, against a whole private tree of real processes on the embedded exchange."""

import asyncio
import threading
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

import poeticoins
from poeticoins import Product, UnknownProduct, context

BTC = "coinbase:BTC-USD"
DEADLINE = 20


@pytest.fixture(scope="module")
def tree():
    """One demo for all the tests of this file that kill nothing."""
    with poeticoins.demo() as status:
        until(lambda: len(poeticoins.get_last_trades(poeticoins.available_products())) == 12)
        yield status


def until(condition, deadline: float = DEADLINE):
    """Waits for `condition()` to be true and returns it."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {deadline} s"
        time.sleep(0.02)
    return found


async def collected(products, count: int, **options) -> list[poeticoins.Trade]:
    async with asyncio.timeout(DEADLINE), aclosing(poeticoins.stream_trades(products, **options)) as stream:
        return [await anext(stream) for _ in range(count)]


def test_every_default_product_trades_within_ten_seconds(tree):
    trades = poeticoins.get_last_trades(poeticoins.available_products())

    assert [str(trade.product) for trade in trades] == [str(p) for p in poeticoins.available_products()]
    assert tree.mode == "demo"


def test_status_knows_every_child_and_feed(tree):
    status = poeticoins.get_status()

    assert {child.name for child in status.children} == {"simulator", "historical", "bitstamp", "coinbase"}
    assert {child.state for child in status.children} == {"ready"}
    assert {(feed.exchange, feed.state) for feed in status.feeds} == {("bitstamp", "live"), ("coinbase", "live")}
    until(lambda: all(feed.trades > 0 and feed.rate and feed.delay for feed in poeticoins.get_status().feeds))


def test_the_last_trade_is_the_newest_row(tree):
    until(lambda: poeticoins.get_last_trade(BTC).trade_id == poeticoins.get_trades(BTC, limit=1)["trade_id"].iloc[-1])


def test_trades_are_a_frame_in_the_markets_order(tree):
    frame = poeticoins.get_trades(BTC, limit=50)

    assert list(frame.columns) == ["price", "size", "side", "trade_id", "received_at", "origin", "late"]
    assert frame.index.name == "traded_at"
    assert str(frame.index.dtype) == "datetime64[ns, UTC]"
    assert frame.index.is_monotonic_increasing
    assert (frame["trade_id"].diff().dropna() == 1).all()
    assert set(frame["side"]) <= {"buy", "sell"}
    assert len(poeticoins.get_trades(BTC, limit=2)) == 2


def test_trades_can_be_asked_for_since_a_time(tree):
    frame = poeticoins.get_trades(BTC)

    since = frame.index[len(frame) // 2].to_pydatetime()

    assert poeticoins.get_trades(BTC, since=since).index[0] >= pd.Timestamp(since)
    assert poeticoins.get_trades(BTC, since=datetime.now(UTC) + timedelta(hours=1)).empty


def test_candles_sum_up_the_trades(tree):
    candles = poeticoins.get_candles(BTC, "1s")
    trades = poeticoins.get_trades(BTC, limit=50_000)

    second = candles.index[len(candles) // 2]
    inside = trades[(trades.index >= second) & (trades.index < second + pd.Timedelta(seconds=1))]
    candle = candles.loc[second]
    assert (candle["open"], candle["close"]) == (inside["price"].iloc[0], inside["price"].iloc[-1])
    assert (candle["high"], candle["low"]) == (inside["price"].max(), inside["price"].min())
    assert candle["trades"] == len(inside)
    assert candle["volume"] == pytest.approx(inside["size"].sum())
    assert candle["vwap"] == pytest.approx((inside["price"] * inside["size"]).sum() / inside["size"].sum())
    assert poeticoins.get_candles(BTC, timedelta(seconds=1), limit=60_000)["trades"].sum() >= len(trades)


@pytest.mark.parametrize(("interval", "fewest"), [("1h", 297), ("1d", 298), ("1m", 200)])
def test_a_first_start_soon_has_full_charts_marked_where_they_are_the_exchanges(tree, interval, fewest):
    for product in poeticoins.available_products():
        until(lambda: len(poeticoins.get_candles(product, "1m", limit=1400)) == 1400, 60)  # noqa: B023  they come last

        candles = poeticoins.get_candles(product, interval, limit=300)

        origins = candles["origin"]
        assert len(candles) == 300
        assert origins.value_counts()["exchange"] >= fewest
        assert (candles["trades"][origins == "exchange"] == 0).all()
        assert (candles["trades"][origins != "exchange"] > 0).all()
        assert (candles["vwap"].isna() == (origins != "trades")).all()
        assert set(candles.index.diff().dropna()) == {pd.Timedelta(interval.replace("d", "D").replace("1m", "1min"))}


def test_a_product_without_gaps_has_an_empty_frame_of_them(tree):
    gaps = poeticoins.get_gaps(BTC)

    assert gaps.empty
    assert list(gaps.columns) == ["reason", "began_at", "ended_at", "first_id", "last_id", "missing", "refilled_at"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda product: poeticoins.get_last_trade(product),
        lambda product: poeticoins.get_trades(product),
        lambda product: poeticoins.get_candles(product, "1m"),
        lambda product: poeticoins.get_gaps(product),
        lambda product: poeticoins.subscribe_to_trades(product, print),
        lambda product: asyncio.run(collected(product, 1)),
    ],
)
def test_an_unknown_product_names_the_nearest_ones_everywhere(tree, ask):
    with pytest.raises(UnknownProduct, match="coinbase:BTC-USD"):
        ask("coinbase:BTC-USDT")
    with pytest.raises(UnknownProduct, match="expected 'exchange:BASE-QUOTE'"):
        ask("btc")


@pytest.mark.parametrize(
    "interval", ["", "1", "0s", "1w", "1.5m", "-1s", "999999d", timedelta(milliseconds=1), timedelta(0), timedelta.max]
)
def test_a_wrong_interval_says_what_was_expected(tree, interval):
    with pytest.raises(ValueError, match="expected an interval such as"):
        poeticoins.get_candles(BTC, interval)


async def test_a_stream_of_nothing_or_of_a_negative_past_is_refused(tree):
    with pytest.raises(ValueError, match="at least one"):
        await collected([], 1)
    with pytest.raises(ValueError, match="history: expected at least 0"):
        await collected(BTC, 1, history=-1)


def test_wrong_arguments_say_what_was_expected(tree):
    with pytest.raises(ValueError, match="limit: expected at least 1"):
        poeticoins.get_trades(BTC, limit=0)
    with pytest.raises(ValueError, match="aware time"):
        poeticoins.get_trades(BTC, since=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_a_stream_gives_every_trade_once_and_in_order(tree):
    coinbase, bitstamp = [], []
    async with asyncio.timeout(DEADLINE):
        async for trade in poeticoins.stream_trades([BTC, Product("bitstamp", "BTC", "USD")], history=5):
            (coinbase if trade.product.exchange == "coinbase" else bitstamp).append(trade)
            if min(len(coinbase), len(bitstamp)) >= 10:
                break

    assert [t.trade_id for t in coinbase] == [*range(coinbase[0].trade_id, coinbase[-1].trade_id + 1)]
    assert [t.sequence for t in bitstamp] == [*range(bitstamp[0].sequence, bitstamp[-1].sequence + 1)]


async def test_questions_are_safe_in_a_running_loop_and_in_threads(tree):
    here = poeticoins.get_last_trade(BTC)
    there = await asyncio.gather(*(asyncio.to_thread(poeticoins.get_trades, BTC, limit=10) for _ in range(20)))

    assert here is not None
    assert {len(frame) for frame in there} == {10}


def test_a_callback_gets_the_same_trades_until_it_is_closed(tree):
    got, enough = [], threading.Event()

    def callback(trade):
        got.append(trade.trade_id)
        if len(got) == 3:
            raise RuntimeError("a callback's own trouble")
        if len(got) == 6:
            enough.set()

    with poeticoins.subscribe_to_trades(BTC, callback) as subscription:
        assert enough.wait(DEADLINE)
    subscription.close()
    count = len(got)

    assert got == [*range(got[0], got[0] + count)]
    assert threading.active_count() < 20


def test_a_callback_may_close_its_own_subscription(tree):
    closed = threading.Event()

    def callback(_):
        subscription.close()
        closed.set()

    subscription = poeticoins.subscribe_to_trades(BTC, callback)

    assert closed.wait(DEADLINE)
    subscription.close()


def test_subscription_that_ends_while_it_is_closed_is_closed():
    subscription, ended = object.__new__(context.Subscription), asyncio.new_event_loop()
    ended.close()
    subscription._loop = SimpleNamespace(is_closed=lambda: False, call_soon_threadsafe=ended.call_soon_threadsafe)
    subscription._task = SimpleNamespace(cancel=lambda: None)
    subscription._thread = threading.current_thread()

    subscription.close()

    assert subscription._closed
