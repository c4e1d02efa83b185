"""Faults of what an exchange sends, by WebSocket and by REST: garbage, trades skipped, repeated, reordered; lies."""

import time

import pytest

from tests.faults.world import BTC


@pytest.mark.parametrize(
    "text",
    [
        "garbage {", "", "[]", "null", "[" * 100_000, '"\\ud800"', "{}", '{"type":"match"}',
        '{"type":"match","trade_id":1,"side":"buy","size":"1","price":"1e20000000","product_id":"BTC-USD",'
        '"time":"2026-09-02T07:44:10.104422Z"}',
        '{"type":"match","trade_id":1,"side":"buy","size":"NaN","price":"-1","product_id":"BTC-USD",'
        '"time":"2026-09-02T07:44:10.104422Z"}',
    ],
    ids=["garbage", "empty", "list", "null", "brackets", "surrogate", "object", "keys", "exponent", "nan"],
)  # fmt: skip
def test_a_frame_that_means_nothing_is_dropped_and_the_feed_goes_on(line, text):
    line.exchange.suffer("coinbase", "garbage", text=text)
    line.goes_on(trades=5)

    assert line.feed("coinbase")["state"] == "live"
    assert line.reconnects("coinbase") == 0
    assert line.restarts("coinbase") == 0
    line.unbroken("bitstamp", "coinbase")
    line.whole()


def test_a_frame_that_is_too_large_costs_the_connection_and_no_trade(line):
    line.exchange.suffer("coinbase", "garbage", text="x" * 1024, count=1025)

    line.reconnected("coinbase")
    line.unbroken("bitstamp")
    line.whole()


def test_what_an_exchange_does_not_confirm_is_asked_for_again(line):
    line.exchange.suffer("bitstamp", "lose_ack")
    line.exchange.suffer("bitstamp", "drop")

    line.reconnected("bitstamp")
    assert line.reconnects("bitstamp") == 1  # it was not for the lost ack that the connection went
    line.unbroken("coinbase")
    line.whole()


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("fault", ["skip", "repeat", "reorder"])
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_trades_that_are_skipped_repeated_or_reordered_arrive_once_each(line, exchange, fault, count):
    line.exchange.suffer(exchange, fault, count=count)
    line.goes_on(trades=5)

    assert line.reconnects(exchange) == 0
    line.unbroken("bitstamp" if exchange == "coinbase" else "coinbase")
    line.whole()


@pytest.mark.parametrize(
    "lie",
    [
        {"status": 500, "count": 2, "seconds": 0}, {"status": 429, "count": 1, "seconds": 0},
        {"status": 200, "count": 1, "seconds": 4}, {"status": 200, "count": 2, "seconds": 0, "text": "[{}]"},
        {"status": 200, "count": 1, "seconds": 0, "text": "not JSON"},
    ],
    ids=["500", "429", "slow", "wrong", "not JSON"],
)  # fmt: skip
def test_a_rest_that_fails_or_lies_is_asked_again_and_holds_nobody_up(line, lie):
    line.exchange.suffer("coinbase", "rest", **lie)
    line.exchange.suffer("coinbase", "skip", count=5)
    began = time.monotonic()
    line.goes_on(BTC, trades=10)

    assert time.monotonic() - began < 10
    line.unbroken("bitstamp")
    line.whole()
