"""One exchange's client against the embedded exchange that misbehaves: what its journals hold in the end."""

import asyncio
import os
import stat
import time
from datetime import UTC, datetime, timedelta

import pytest

from poeticoins.client import Client
from poeticoins.errors import RequestTimeout
from poeticoins.journal import Journal, writing
from poeticoins.model import SECOND, Product, Refill, Trade
from poeticoins.simulator import market
from poeticoins.simulator.faults import Fault
from poeticoins.simulator.server import EmbeddedExchange
from tests.following import BTC, DEADLINE, ETH, following, whole
from tests.makers import make_settings


async def test_at_its_first_start_it_has_the_last_thousand_trades(run_dir):
    async with EmbeddedExchange() as exchange, following(run_dir, exchange) as client:
        await client.until(lambda: len(client.ids) > 1000)

        assert client.ids == [*range(client.ids[0], client.ids[-1] + 1)]
        assert not client.gaps


@pytest.mark.parametrize("fault", ["skip", "repeat", "reorder"])
async def test_trades_that_are_skipped_repeated_or_reordered_arrive_once_each(run_dir, fault):
    async with EmbeddedExchange(pace=3) as exchange, following(run_dir, exchange) as client:
        await client.until(lambda: len(client.ids) > 1000)
        exchange.faults["coinbase"].append(Fault(fault, count=4))
        await client.until(lambda: not exchange.faults["coinbase"])
        await client.more(20)
        await client.until(lambda: whole(client.ids))

        assert len(client.ids) == len(set(client.ids))


@pytest.mark.parametrize("product", [BTC, ETH])
async def test_what_is_traded_while_the_connection_is_down_is_fetched(run_dir, product):
    name = product.exchange
    async with (
        EmbeddedExchange(remember=True) as exchange,
        following(run_dir, exchange, product) as client,
    ):
        await client.until(lambda: client.ids)
        await client.more()
        exchange.faults[name] += [Fault("refuse", count=2), Fault("drop")]
        await client.until(
            lambda: client.client.facts()["reconnects"] >= 1 and client.client.facts()["state"] == "live"
        )
        await client.more()
        await client.until(lambda: set(exchange.sent[product]) <= set(client.ids))

        if product is BTC:
            assert whole(client.ids)
        open_gaps = len(client.gaps) - sum(isinstance(item, Refill) for item in client.items)
        assert open_gaps == 0


async def test_a_rest_that_is_down_leaves_a_gap_and_a_later_connection_refills_it(run_dir):
    async with EmbeddedExchange(pace=3) as exchange, following(run_dir, exchange, hold=0.2) as client:
        await client.until(lambda: len(client.ids) > 1000)
        exchange.faults["coinbase"] += [Fault("rest", count=0, seconds=0, status=404), Fault("skip", count=3)]
        await client.until(lambda: client.gaps)
        await client.more()

        assert client.gaps[0].missing == 3
        exchange.faults["coinbase"][:] = [Fault("drop")]
        await client.until(lambda: any(isinstance(item, Refill) for item in client.items))

        assert whole(client.ids)
        first_id = client.gaps[0].first_id  # on a busy machine the first past may have come late, too
        late = [item for item in client.items if isinstance(item, Trade) and item.late and item.trade_id >= first_id]
        assert [trade.trade_id for trade in late] == [*range(client.gaps[0].first_id, client.gaps[0].last_id + 1)]


async def test_a_gap_is_searched_for_again_although_the_connection_holds(run_dir):
    async with EmbeddedExchange(pace=3) as exchange, following(run_dir, exchange, hold=0.2, refill_again=0.1) as client:
        await client.until(lambda: len(client.ids) > 1000)
        exchange.faults["coinbase"] += [Fault("rest", count=0, seconds=0, status=404), Fault("skip", count=3)]
        await client.until(lambda: client.gaps)
        exchange.faults["coinbase"].clear()

        await client.until(lambda: any(isinstance(item, Refill) for item in client.items))

        assert whole(client.ids)
        assert client.client.facts()["reconnects"] == 0


async def test_a_rest_that_is_slow_holds_nothing_up_for_longer_than_it_may(run_dir):
    async with EmbeddedExchange(pace=3) as exchange, following(run_dir, exchange, hold=0.3) as client:
        await client.until(lambda: len(client.ids) > 1000)
        exchange.faults["coinbase"] += [Fault("rest", count=1, seconds=2, status=200), Fault("skip", count=3)]
        await client.until(lambda: client.gaps)
        await client.until(lambda: any(isinstance(item, Refill) for item in client.items))

        assert whole(client.ids)
        assert len(client.ids) == len(set(client.ids))


async def test_a_rest_that_lies_is_asked_again(run_dir):
    async with EmbeddedExchange(pace=3) as exchange, following(run_dir, exchange) as client:
        await client.until(lambda: len(client.ids) > 1000)
        lies = [
            Fault("rest", count=1, seconds=0, status=200, text="[{]"),
            Fault("rest", count=1, seconds=0, status=503),
        ]
        exchange.faults["coinbase"] += [*lies, Fault("skip", count=3)]
        await client.until(lambda: not exchange.faults["coinbase"])
        await client.more(10)
        await client.until(lambda: whole(client.ids))

        assert len(client.ids) == len(set(client.ids))


QUIET = Product("coinbase", "LTC", "EUR")


async def test_the_newest_trades_of_a_quiet_product_are_missed_although_no_other_follows(run_dir):
    async with EmbeddedExchange(pace=4) as exchange, following(run_dir, exchange, QUIET) as client:
        await client.until(lambda: len(client.ids) > 1000)
        exchange.faults["coinbase"].append(Fault("skip", count=100))  # all that is traded from now on
        before = len(client.ids)

        await client.until(lambda: len(client.ids) >= before + 2)

        assert client.ids == [*range(client.ids[0], client.ids[-1] + 1)]
        assert not client.gaps
        assert not [item for item in client.items if isinstance(item, Trade) and item.late]


async def test_what_only_heartbeats_reveal_and_no_rest_lists_is_a_gap(run_dir):
    async with EmbeddedExchange(pace=4) as exchange, following(run_dir, exchange, QUIET, hold=0.2) as client:
        await client.until(lambda: len(client.ids) > 1000)
        exchange.faults["coinbase"] += [Fault("rest", count=0, seconds=0, status=404), Fault("skip", count=100)]

        await client.until(lambda: client.gaps)

        assert client.gaps[0].first_id == max(client.ids) + 1


async def test_garbage_is_counted_and_the_feed_goes_on(run_dir):
    async with EmbeddedExchange() as exchange, following(run_dir, exchange) as client:
        await client.until(lambda: client.ids)
        for text in ("garbage {", "null", "[" * 10_000, '{"type":"match","price":"1e20000000"}'):
            exchange.faults["coinbase"].append(Fault("garbage", text=text))
        await client.until(lambda: client.client.facts()["bad_frames"] == 4)
        await client.more()

        assert client.client.facts()["reconnects"] == 0
        assert whole(client.ids)


async def test_a_request_to_reconnect_is_followed_without_a_missing_trade(run_dir):
    async with (
        EmbeddedExchange(remember=True) as exchange,
        following(run_dir, exchange, ETH) as client,
    ):
        await client.until(lambda: client.ids)
        exchange.faults["bitstamp"].append(Fault("request_reconnect"))
        await client.until(lambda: client.client.facts()["reconnects"] == 1)
        await client.more()
        await client.until(lambda: set(exchange.sent[ETH]) <= set(client.ids))

        assert client.client.facts()["state"] == "live"


async def test_delays_are_of_live_trades_alone_and_the_last_loss_is_told(run_dir):
    async with EmbeddedExchange(pace=3) as exchange, following(run_dir, exchange) as client:
        await client.until(lambda: len(client.ids) > 1000)  # which were fetched, some of them traded minutes ago
        await client.more(20)

        facts = client.facts
        live = [item for item in client.items if isinstance(item, Trade) and item.origin == "live"]

        assert 10 <= facts["delay"]["trades"] <= len(live) < 1000
        assert -100 <= facts["delay"]["p50"] <= facts["delay"]["p99"] < 20_000
        await client.until(lambda: client.facts["rate"] > 0)
        assert facts["last_loss"] is None

        began = datetime.now(UTC)
        exchange.faults["coinbase"].append(Fault("close", code=1001))
        await client.until(lambda: client.facts["reconnects"] == 1)
        assert "1001" in client.facts["last_loss"]["why"]
        assert datetime.fromisoformat(client.facts["last_loss"]["heard_at"]) > began - timedelta(seconds=20)


async def test_a_product_that_is_refused_is_named_and_the_exchange_is_not_live_without_it(run_dir):
    async with EmbeddedExchange() as exchange:
        exchange.faults["coinbase"].append(Fault("unlist", text="BTC-USD"))
        async with asyncio.timeout(DEADLINE):
            while exchange.faults["coinbase"]:
                await asyncio.sleep(0.02)
        async with following(run_dir, exchange) as client:
            await client.until(lambda: "BTC-USD is not a valid product" in str(client.client.facts()["problem"]))

            assert client.client.facts()["state"] != "live"


async def test_what_a_socket_left_out_is_found_however_long_nobody_has_audited(run_dir, monkeypatch):
    monkeypatch.setattr("poeticoins.refill.FIRST_AUDIT", 0.2)
    now_ns, seed = time.time_ns(), 7
    listed = market.newest_trades(seed, ETH, now_ns, 10_000, since_ns=now_ns - 300 * SECOND)
    left_out = {trade.trade_id for trade in listed[60:65]}
    settings = make_settings(run_dir, journal_capacity=5000)
    with writing(settings.run_dir / settings.mode / ETH.exchange):
        journal = Journal(settings.journal(ETH), ETH, settings.mode, 5000)
        journal.audited(now_ns - 290 * SECOND)
        for trade in listed:
            if trade.trade_id not in left_out:
                journal.append(trade)
        journal.alive(now_ns)
        journal.close()

    async with EmbeddedExchange(seed=seed) as exchange, following(run_dir, exchange, ETH, audit=1.0) as client:
        await client.until(lambda: left_out <= set(client.ids))

        assert len(client.ids) == len(set(client.ids))
        await client.until(lambda: client.client._intakes[ETH].unaudited_since_ns > now_ns)


async def test_an_audit_that_is_owed_for_days_is_whole_with_what_the_exchange_lists_of_the_last(run_dir, monkeypatch):
    monkeypatch.setattr("poeticoins.refill.FIRST_AUDIT", 0.2)
    now_ns = time.time_ns()
    settings = make_settings(run_dir, journal_capacity=5000)
    with writing(settings.run_dir / settings.mode / ETH.exchange):
        journal = Journal(settings.journal(ETH), ETH, settings.mode, 5000)
        journal.audited(now_ns - 3 * 86_400 * SECOND)
        journal.close()

    async with EmbeddedExchange() as exchange, following(run_dir, exchange, ETH, audit=1.0) as client:
        await client.until(lambda: client.client._intakes[ETH].unaudited_since_ns > now_ns)


async def test_a_client_that_died_before_its_journal_had_a_trade_asks_historical_again(run_dir, monkeypatch):
    asked = []

    def ask(path, question, timeout):
        asked.append(path.stem)
        raise RequestTimeout("nobody there")

    monkeypatch.setattr("poeticoins.client.bus.ask", ask)
    settings = make_settings(run_dir, exchanges=("coinbase",), products={"coinbase": (BTC,)})
    settings.journal(BTC).parent.mkdir(parents=True)
    os.mknod(settings.socket("historical"), stat.S_IFSOCK | 0o600)

    for _ in range(2):
        Client(settings, "coinbase").close()

    assert asked == ["historical", "historical"]
