"""Faults of the connection to an exchange: closed, cut, half-open, silent, asked to move; and what was missed."""

import os
import signal
import time

import pytest

from tests.faults.world import BTC, PRODUCTS
from tests.trees import until

ETH_EUR = PRODUCTS[3]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, 4000])
def test_a_connection_that_is_closed_is_made_again_and_no_trade_is_missed(line, code):
    line.exchange.suffer("coinbase", "close", code=code, text="as asked")

    line.reconnected("coinbase")
    assert line.restarts("coinbase") == 0
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_a_connection_that_breaks_off_without_a_word_is_made_again_and_no_trade_is_missed(line, exchange):
    line.exchange.suffer(exchange, "drop")

    line.reconnected(exchange)
    line.unbroken("bitstamp" if exchange == "coinbase" else "coinbase")
    line.whole()


def test_what_is_traded_while_the_exchange_refuses_everyone_is_fetched(line):
    line.exchange.suffer("bitstamp", "refuse", count=2, status=503)
    line.exchange.suffer("bitstamp", "drop")

    line.reconnected("bitstamp")
    line.unbroken("coinbase")
    line.whole()


def test_an_exchange_that_is_gone_is_waited_for_and_what_it_traded_meanwhile_is_fetched(line):
    line.exchange.kill()
    problem = line.seen("coinbase", lambda feed: feed["state"] == "reconnecting" and feed["problem"])
    line.seen("bitstamp", lambda feed: feed["state"] == "reconnecting")
    assert problem
    assert line.restarts("coinbase") == line.restarts("bitstamp") == 0

    line.exchange.start()

    for exchange in ("coinbase", "bitstamp"):
        line.seen(exchange, lambda feed: feed["state"] == "live")
    line.whole()


def test_a_half_open_connection_is_noticed_and_what_was_traded_meanwhile_is_fetched(line):
    os.kill(line.exchange.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        line.seen("coinbase", lambda feed: feed["state"] == "reconnecting")
        line.seen("bitstamp", lambda feed: feed["state"] == "reconnecting")
        assert time.monotonic() - began <= 12.5
    finally:
        os.kill(line.exchange.process.pid, signal.SIGCONT)

    for exchange in ("coinbase", "bitstamp"):
        line.seen(exchange, lambda feed: feed["state"] == "live")
    line.whole()


@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_an_exchange_that_accepts_everyone_and_hangs_up_is_not_stormed(line, exchange):
    line.exchange.suffer(exchange, "hang_up", count=3)
    line.exchange.suffer(exchange, "drop")

    line.reconnected(exchange)
    assert line.reconnects(exchange) <= 5
    line.unbroken("bitstamp" if exchange == "coinbase" else "coinbase")
    line.whole()


def test_a_handshake_that_is_never_answered_is_given_up_and_tried_again(line):
    line.exchange.suffer("coinbase", "hang", count=1, seconds=60)
    line.exchange.suffer("coinbase", "drop")
    problem = line.seen("coinbase", lambda feed: feed["state"] == "reconnecting" and feed["problem"])

    line.seen("coinbase", lambda feed: feed["state"] == "live")
    assert problem
    line.unbroken("bitstamp")
    line.whole()


def test_a_request_to_reconnect_is_followed_and_no_trade_is_missed(line):
    line.exchange.suffer("bitstamp", "request_reconnect", seconds=2.0)

    line.reconnected("bitstamp")
    line.unbroken("coinbase", "bitstamp")
    line.whole()
    assert line.reader.gaps(ETH_EUR) == []


def test_a_product_that_is_not_confirmed_is_named_and_the_others_go_on(line):
    line.exchange.suffer("coinbase", "unlist", text="ETH-EUR")
    line.exchange.suffer("coinbase", "drop")

    problem = line.seen("coinbase", lambda feed: feed["state"] == "degraded" and feed["problem"])
    assert "ETH-EUR" in problem
    line.goes_on(BTC)
    line.exchange.suffer("coinbase", "unlist", text="")
    line.exchange.suffer("coinbase", "drop")

    line.seen("coinbase", lambda feed: feed["state"] == "live")
    line.unbroken("bitstamp")
    line.whole()


def test_a_feed_that_stands_still_for_a_moment_loses_nothing(line):
    line.exchange.suffer("coinbase", "stall", seconds=3)
    line.goes_on(PRODUCTS[2], trades=10)
    until(lambda: line.reader.heard_at[BTC][-1] > time.monotonic() - 1)

    assert line.reconnects("coinbase") == 0
    line.unbroken("bitstamp", "coinbase")
    line.whole()
