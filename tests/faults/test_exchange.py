"""Faults of the connection to an exchange: closed, cut, half-open, silent, asked to move; and what was missed."""

import os
import signal
import time
from contextlib import contextmanager

import pytest

from tests.faults.world import BTC, PRODUCTS, other
from tests.link import Link
from tests.trees import until

ETH_EUR = PRODUCTS[3]


@pytest.mark.row(23)
@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, 4000])
def test_a_connection_that_is_closed_is_made_again_and_no_trade_is_missed(line, code):
    line.exchange.suffer("coinbase", "close", code=code, text="as asked")

    line.reconnected("coinbase")
    assert line.restarts("coinbase") == 0
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(24)
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_a_connection_that_breaks_off_without_a_word_is_made_again_and_no_trade_is_missed(line, exchange):
    line.exchange.suffer(exchange, "drop")

    line.reconnected(exchange)
    line.unbroken(other(exchange))
    line.whole()


@pytest.mark.row(31)
@pytest.mark.parametrize(
    ("status", "least", "words"),
    [(401, 60, "asks for a login"), (403, 60, "refuses this address"), (418, 30, "too many requests"),
     (451, 60, "refuses this region by law")],
)  # fmt: skip
def test_an_exchange_that_refuses_us_is_left_alone_for_long_and_what_it_traded_is_fetched(line, status, least, words):
    line.exchange.suffer("bitstamp", "refuse", count=1, status=status)
    line.exchange.suffer("bitstamp", "drop")

    problem = line.seen("bitstamp", lambda feed: f"HTTP {status}" in (feed["problem"] or "") and feed["problem"])
    wait = line.seen("bitstamp", lambda feed: feed["next_try_in"])

    assert words in problem
    assert wait > least - 3
    assert line.restarts("bitstamp") == 0
    line.unbroken("coinbase")
    line.restart("bitstamp")  # a new one does not wait, and by now it is welcome
    line.whole()


@pytest.mark.row(31)
@pytest.mark.parametrize("status", [404, 429, 500, 503, 520])
def test_a_passing_refusal_is_tried_again_when_told_and_what_was_traded_meanwhile_is_fetched(line, status):
    asked = {429: 3.0, 503: 2.0}.get(status, 0.0)
    line.exchange.suffer("bitstamp", "refuse", count=1, status=status, seconds=asked)
    line.exchange.suffer("bitstamp", "drop")
    line.seen("bitstamp", lambda feed: f"HTTP {status}" in (feed["problem"] or ""))
    refused = time.monotonic()

    line.reconnected("bitstamp")

    assert time.monotonic() - refused > asked - 0.5
    assert line.restarts("bitstamp") == 0
    line.unbroken("coinbase")
    line.whole()


@pytest.mark.row(29)
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


@pytest.mark.row(26)
def test_an_exchange_that_stands_still_is_noticed_and_what_was_traded_meanwhile_is_fetched(line):
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


@pytest.mark.row(26)
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_a_half_open_connection_is_noticed_by_its_pings_and_no_trade_is_missed(line, exchange):
    line.exchange.suffer(exchange, "deafen")
    began = time.monotonic()

    problem = line.seen(exchange, lambda feed: feed["reconnects"] and feed["problem"])

    assert time.monotonic() - began <= 12.5
    assert "no answer to a ping" in problem
    line.reconnected(exchange)
    line.unbroken(other(exchange))
    line.whole()


@pytest.mark.row(27)
def test_a_connection_that_is_alive_but_silent_is_given_up_and_no_trade_is_missed(line):
    line.exchange.suffer("coinbase", "stall", seconds=60)

    problem = line.seen("coinbase", lambda feed: feed["state"] == "reconnecting" and feed["problem"])

    assert problem == "connected, but silent for 5 s"
    line.reconnected("coinbase")
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(28)
def test_a_resolver_that_fails_is_waited_for_and_what_was_traded_meanwhile_is_fetched(line):
    with line.elsewhere("coinbase", line.exchange.url.replace("127.0.0.1", "localhost")):
        line.seen("coinbase", lambda feed: feed["state"] == "live")
        line.order("coinbase", "resolve never")
        line.exchange.suffer("coinbase", "drop")
        unknown = "the host name is not known: Temporary failure in name resolution"
        line.seen("coinbase", lambda feed: feed["state"] == "reconnecting" and feed["problem"] == unknown)
        line.seen("coinbase", lambda feed: feed["next_try_in"])

        line.order("coinbase", "resolve again")

        line.seen("coinbase", lambda feed: feed["state"] == "live")
        line.goes_on(BTC)
        line.unbroken("bitstamp")
        line.whole()


@pytest.mark.row(25)
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_an_exchange_that_accepts_everyone_and_hangs_up_is_not_stormed(line, exchange):
    line.exchange.suffer(exchange, "hang_up", count=3)
    line.exchange.suffer(exchange, "drop")

    line.reconnected(exchange)
    assert line.reconnects(exchange) <= 5
    line.unbroken(other(exchange))
    line.whole()


@pytest.mark.row(29)
def test_a_handshake_that_is_never_answered_is_given_up_and_tried_again(line):
    line.exchange.suffer("coinbase", "hang", count=1, seconds=60)
    line.exchange.suffer("coinbase", "drop")

    line.seen("coinbase", lambda feed: feed["problem"] == "no answer within 4 s")
    line.seen("coinbase", lambda feed: feed["state"] == "live")
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(33)
def test_a_request_to_reconnect_is_followed_and_no_trade_is_missed(line):
    line.exchange.suffer("bitstamp", "request_reconnect", seconds=6.0)

    line.reconnected("bitstamp")
    assert line.feed("bitstamp")["last_loss"]["why"] == "the exchange asked to reconnect"  # and not that it hung up
    line.unbroken("coinbase", "bitstamp")
    line.whole()


@pytest.mark.row(32)
def test_a_product_that_is_not_confirmed_is_named_and_the_others_go_on(line):
    line.exchange.suffer("coinbase", "unlist", text="ETH-EUR")
    line.exchange.suffer("coinbase", "drop")

    problem = line.seen("coinbase", lambda feed: feed["state"] == "degraded" and feed["problem"])
    assert "ETH-EUR" in problem
    line.goes_on(BTC)
    line.exchange.suffer("coinbase", "unlist", text="")

    line.seen("coinbase", lambda feed: feed["state"] == "live")
    assert line.reconnects("coinbase") == 1  # it was asked for again, and on the same connection
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(27)
def test_a_feed_that_stands_still_for_a_moment_loses_nothing(line):
    line.exchange.suffer("coinbase", "stall", seconds=2)
    line.goes_on(PRODUCTS[2], trades=10)
    until(lambda: line.reader.heard_at[BTC][-1] > time.monotonic() - 1)

    assert line.reconnects("coinbase") == 0
    line.unbroken("bitstamp", "coinbase")
    line.whole()


@contextmanager
def through_a_link(line, name):
    """The exchange is reached, and live, through a link in between."""
    link = Link(int(line.exchange.url.rpartition(":")[2]))
    with line.elsewhere(name, f"ws://127.0.0.1:{link.port}"):
        line.seen(name, lambda feed: feed["state"] == "live")
        yield link


@pytest.mark.row(24)
def test_a_connection_that_is_cut_by_the_network_between_is_made_again_and_no_trade_is_missed(line):
    """Resets from a link in between, in the midst of whatever frame is under way."""
    with through_a_link(line, "coinbase") as link:
        for _ in range(3):
            link.cut()
            line.seen("coinbase", lambda feed: feed["state"] == "reconnecting")
            link.mend()
            line.seen("coinbase", lambda feed: feed["state"] == "live")

        line.unbroken("bitstamp")
        line.whole()


@pytest.mark.row(26)
def test_a_cable_that_is_pulled_is_noticed_and_no_trade_is_missed(line):
    """A link in between holds everything back in both directions, and nobody sends a FIN."""
    with through_a_link(line, "bitstamp") as link:
        link.silence()
        began = time.monotonic()

        line.seen("bitstamp", lambda feed: feed["state"] == "reconnecting")
        assert time.monotonic() - began <= 12.5
        link.mend()

        line.seen("bitstamp", lambda feed: feed["state"] == "live")
        line.unbroken("coinbase")
        line.whole()
