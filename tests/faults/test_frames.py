"""Faults of what an exchange sends, by WebSocket and by REST: garbage, trades skipped, repeated, reordered; lies."""

import time

import pytest
from msgspec import structs

from poeticoins.journal import Journal, writing
from poeticoins.model import SECOND
from poeticoins.simulator import market
from poeticoins.simulator.coinbase import CoinbaseConversation
from poeticoins.simulator.faults import Fault
from poeticoins.simulator.server import EmbeddedExchange
from tests.faults.world import BTC
from tests.following import following, whole
from tests.makers import make_settings

MATCH = (
    '{{"type":"match","trade_id":{id},"side":"buy","size":{size},"price":{price},"product_id":"BTC-USD",'
    '"time":"2026-09-02T07:44:10.104422Z"}}'
)
MEANINGLESS = [
    "garbage {", "", "[]", "null", "[" * 100_000, '"\\ud800"', "{}", '{"type":"match"}', "\0", "true", "7" * 5000,
    '{"type":"match","trade_id":[],"side":{},"size":null,"price":1,"product_id":7,"time":0}',
]  # fmt: skip
NUMBERS = [
    '"NaN"', '"Infinity"', '"-1"', '"0"', '"1e400"', '"1e20000000"', '"1' + "0" * 30 + '"', '"1_000"', '"١٢٣"', '""',
    '" 1"', '"0x10"', "1e1000000", "NaN",
]  # fmt: skip


@pytest.mark.row(34)
def test_frames_that_mean_nothing_are_counted_and_dropped_and_the_feed_goes_on(line):
    dropped_by(line, MEANINGLESS)


@pytest.mark.row(35)
@pytest.mark.parametrize("field", ["price", "size"])
def test_numbers_that_are_none_are_counted_and_dropped_and_the_feed_goes_on(line, field):
    dropped_by(line, [MATCH.format(**{"id": 1, "price": '"1"', "size": '"1"'} | {field: text}) for text in NUMBERS])


def dropped_by(line, texts):
    before = line.feed("coinbase")["bad_frames"]
    for text in texts:
        line.exchange.suffer("coinbase", "garbage", text=text or " ")
    line.seen("coinbase", lambda feed: feed["bad_frames"] >= before + len(texts), within=40)
    line.goes_on()

    feed = line.feed("coinbase")
    assert (feed["state"], feed["bad_frames"]) == ("live", before + len(texts))
    assert line.reconnects("coinbase") == 0
    assert line.restarts("coinbase") == 0
    line.unbroken("bitstamp", "coinbase")
    line.whole()


@pytest.mark.row(36)
def test_a_frame_that_is_too_large_costs_the_connection_and_no_trade(line):
    line.exchange.suffer("coinbase", "garbage", text="x" * 1024, count=1025)

    line.reconnected("coinbase")
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(32)
def test_what_an_exchange_does_not_confirm_is_asked_for_again(line):
    line.exchange.suffer("bitstamp", "lose_ack")
    line.exchange.suffer("bitstamp", "drop")

    line.reconnected("bitstamp")
    assert line.reconnects("bitstamp") == 1  # it was not for the lost ack that the connection went
    line.unbroken("coinbase")
    line.whole()


@pytest.mark.row(37)
@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("fault", ["skip", "repeat", "reorder"])
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_trades_that_are_skipped_repeated_or_reordered_arrive_once_each(line, exchange, fault, count):
    line.exchange.suffer(exchange, fault, count=count)
    line.goes_on(trades=5)

    assert line.reconnects(exchange) == 0
    line.unbroken("coinbase", "bitstamp")
    line.whole()


@pytest.mark.row(37)
async def test_a_gap_of_five_thousand_trades_is_refilled_whole(run_dir):
    traded = market.trades(1, BTC, time.time_ns() - 100 * SECOND, time.time_ns(), 20)
    settings = make_settings(run_dir, journal_capacity=20_000)
    with writing(settings.run_dir / settings.mode / BTC.exchange):
        journal = Journal(settings.journal(BTC), BTC, settings.mode, settings.journal_capacity)
        journal.append(traded[-5001])
        journal.close()

    async with EmbeddedExchange(pace=20) as exchange, following(run_dir, exchange, journal_capacity=20_000) as client:
        await client.until(lambda: len(client.ids) > 5001)

        assert client.ids[0] == traded[-5001].trade_id
        assert whole(client.ids)
        assert len(client.gaps) == len(client.refills)


@pytest.mark.row(37)
@pytest.mark.parametrize("strange", [1, 10**9], ids=["from 1", "a thousand million ahead"])
async def test_an_id_that_makes_no_sense_costs_no_other_trade_and_the_hole_it_seems_to_leave_is_told(run_dir, strange):
    async with EmbeddedExchange(pace=20) as exchange, following(run_dir, exchange, hold=0.2) as client:
        await client.until(lambda: len(client.ids) > 1000)
        trade = structs.replace(
            market.last_trade(1, BTC, time.time_ns(), 20), trade_id=strange, traded_at_ns=time.time_ns()
        )
        exchange.faults["coinbase"].append(Fault("garbage", text=CoinbaseConversation().trade(trade).raw))

        await client.until(lambda: strange in client.ids and client.gaps)
        await client.more(50)

        assert whole([trade_id for trade_id in client.ids if trade_id != strange])
        assert len(client.ids) == len({*client.ids})
        assert client.gaps[0].missing > 10**6
        assert (client.facts["state"], client.facts["reconnects"]) == ("live", 0)


@pytest.mark.row(38)
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
    assert line.reconnects("coinbase") == 0
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(27)
def test_trades_that_only_a_heartbeat_reveals_are_fetched(line):
    """The socket is alive and sends no trade any more: what the exchange's heartbeat names is missing."""
    line.exchange.suffer("coinbase", "skip", count=60)
    line.goes_on(BTC, trades=10)

    assert line.feed("coinbase")["state"] == "live"
    assert line.reconnects("coinbase") == 0
    line.unbroken("bitstamp")
    line.whole()
