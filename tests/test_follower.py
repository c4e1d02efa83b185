"""The reconnect loop against an exchange that refuses, hangs, falls deaf, hangs up: it says why and never gives up."""

import asyncio
import logging
import socket
import time

import pytest

from poeticoins.feed import Feed
from poeticoins.model import Product
from poeticoins.restarts import Budget, ConnectionBackoff
from poeticoins.simulator.faults import Fault
from poeticoins.simulator.server import EmbeddedExchange
from tests.following import BTC, ETH, following

QUICK = ConnectionBackoff(first_delay=0.01, longest_delay=0.1, budget=Budget(refill=0.01))


@pytest.mark.parametrize(
    ("status", "least", "most", "alert"),
    [(401, 60, 300, "asks for a login"), (403, 60, 300, "refuses this address"), (451, 60, 300, "refuses this region"),
     (429, 7, 8.4, ""), (418, 30, 36, "")],
)  # fmt: skip
async def test_an_exchange_that_refuses_us_is_left_alone_for_as_long_as_it_should(
    run_dir, caplog, status, least, most, alert
):
    caplog.set_level(logging.INFO, "poeticoins")
    async with EmbeddedExchange() as exchange:
        exchange.faults["coinbase"].append(Fault("refuse", count=0, status=status, seconds=7))
        async with following(run_dir, exchange) as client:
            await client.until_problem(f"HTTP {status}")
            await client.until(lambda: client.facts["next_try_in"])

            assert least - 2 < client.facts["next_try_in"] <= most
            assert client.facts["state"] == "reconnecting"
            (record,) = [record for record in caplog.records if record.getMessage() == "cannot connect"]
            assert alert in record.facts.get("alert", "")
            assert alert in client.facts["problem"]
            assert bool(alert) == ("alert" in record.facts)


@pytest.mark.parametrize("status", [301, 400, 404, 500, 522, 530])
async def test_a_passing_refusal_is_tried_again_by_the_ordinary_backoff(run_dir, status):
    async with EmbeddedExchange() as exchange:
        exchange.faults["coinbase"].append(Fault("refuse", count=3, status=status))
        async with following(run_dir, exchange, backoff=QUICK) as client:
            await client.until_state("live")

            assert exchange.handshakes["coinbase"] == 4
            assert client.facts["next_try_in"] is None


@pytest.mark.parametrize(
    ("code", "least"), [(1000, 0.0), (1001, 0.0), (1011, 0.0), (1012, 1.0), (1013, 1.0), (4000, 0.0)]
)
async def test_whatever_code_an_exchange_closes_with_it_is_connected_to_again(run_dir, code, least):
    async with EmbeddedExchange() as exchange, following(run_dir, exchange) as client:
        await client.until_state("live")
        exchange.faults["coinbase"].append(Fault("close", code=code, text="bye"))
        await client.until_problem(f"closed by the exchange: {code} bye")
        closed = time.monotonic()

        await client.until_state("live")

        assert time.monotonic() - closed > least - 0.2
        assert client.facts["reconnects"] == 1


async def test_a_connection_that_breaks_off_is_made_again(run_dir):
    async with EmbeddedExchange() as exchange, following(run_dir, exchange) as client:
        await client.until_state("live")
        exchange.faults["coinbase"].append(Fault("drop"))

        await client.until_problem("the connection broke off")

        await client.until_state("live")


async def test_a_half_open_connection_is_noticed_by_its_pings(run_dir):
    async with EmbeddedExchange() as exchange, following(run_dir, exchange, ping_interval=0.3) as client:
        await client.until_state("live")
        exchange.faults["coinbase"].append(Fault("deafen"))
        await client.until(lambda: not exchange.faults["coinbase"])
        fell_deaf = time.monotonic()

        await client.until_problem("no answer to a ping")

        assert time.monotonic() - fell_deaf < 5  # 0.3 + 0.3 + 1 s to close, on a machine that has other work
        await client.until_state("live")


async def test_a_connection_that_is_alive_but_silent_is_given_up(run_dir):
    async with EmbeddedExchange() as exchange, following(run_dir, exchange, silent_after=1.5) as client:
        await client.until_state("live")
        exchange.faults["coinbase"].append(Fault("stall", seconds=30))

        await client.until_problem("connected, but silent for 1.5 s")

        await client.until_state("live")


async def test_a_handshake_that_nobody_answers_is_given_up(run_dir):
    async with EmbeddedExchange() as exchange:
        exchange.faults["coinbase"].append(Fault("hang", seconds=3))
        async with following(run_dir, exchange, open_timeout=0.3) as client:
            await client.until_problem("no answer within 0.3 s")

            await client.until_state("live")


async def test_an_exchange_that_confirms_nothing_is_connected_to_anew(run_dir):
    async with EmbeddedExchange(pace=0.01) as exchange:  # a trade would be a confirmation
        exchange.faults["coinbase"].append(Fault("lose_ack", count=1))
        async with following(run_dir, exchange, ack_within=0.5) as client:
            why = "no subscription was confirmed: none within 0.5 s"
            await client.until(lambda: why in str(client.facts["last_loss"]))

            await client.until_state("live")


async def test_a_host_that_is_not_there_is_named_and_tried_again(run_dir):
    async with following(run_dir, None, urls={"coinbase": "ws://poeticoins.invalid"}) as client:
        await client.until_problem("the host name is not known")

        assert client.facts["host"] == "poeticoins.invalid"
        await client.until(lambda: client.facts["next_try_in"])


async def test_a_port_where_nobody_listens_is_tried_again_until_somebody_does(run_dir):
    async with EmbeddedExchange() as exchange:
        url = exchange.url
    async with following(run_dir, None, urls={"coinbase": f"{url}/coinbase"}, backfill=False, backoff=QUICK) as client:
        await client.until_problem("nobody listens there")
        listener = socket.create_server(("127.0.0.1", int(url.rpartition(":")[2])))
        async with EmbeddedExchange(listener):
            await client.until_state("live")


@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 300, b""])
async def test_what_speaks_no_websocket_is_named_so_and_tried_again(run_dir, words):
    tries = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries.append(await reader.read(100))
        writer.write(words)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with following(run_dir, None, urls={"coinbase": url}, backoff=QUICK) as client:
            await client.until_problem("speaks no WebSocket")

            await client.until(lambda: len(tries) >= 3)


async def test_an_exchange_that_accepts_and_closes_makes_no_storm_and_is_followed_once_it_relents(run_dir):
    fiftieth = ConnectionBackoff(first_delay=0.01, longest_delay=0.6, budget=Budget(refill=0.04), good_after=0.6)
    async with EmbeddedExchange() as exchange:
        exchange.faults["coinbase"].append(Fault("hang_up", count=0, code=1011))
        begun = time.monotonic()
        async with following(run_dir, exchange, backoff=fiftieth) as client:
            await client.until(lambda: time.monotonic() - begun > 1.2 or exchange.handshakes["coinbase"] > 10)

            assert 3 <= exchange.handshakes["coinbase"] <= 10  # in what is a minute fifty times as fast
            exchange.faults["coinbase"].clear()
            await client.until_state("live")


async def test_the_connect_budget_outlives_the_process(run_dir):
    async with EmbeddedExchange() as exchange:
        spent = ConnectionBackoff(budget=Budget(tokens=1.0, refill=30.0, at=time.monotonic()))
        async with following(run_dir, exchange, backoff=spent) as client:
            await client.until_state("live")

        async with following(run_dir, exchange, backoff=spent) as client:
            await client.until(lambda: client.facts["next_try_in"])

            assert 20 < client.facts["next_try_in"] <= 30
            assert exchange.handshakes["coinbase"] == 1


async def test_a_client_that_was_stable_connects_at_once_after_its_death(run_dir):
    async with EmbeddedExchange() as exchange:
        for _ in range(3):
            async with following(run_dir, exchange) as client:
                await client.until(lambda: exchange.handshakes["coinbase"])  # never a wait before the first attempt

                assert not client.facts["next_try_in"]
            exchange.handshakes["coinbase"] = 0


LTC = Product("bitstamp", "LTC", "EUR")


async def test_a_product_that_is_not_confirmed_is_asked_for_again_and_the_others_are_undisturbed(run_dir):
    async with EmbeddedExchange(remember=True) as exchange:
        exchange.faults["bitstamp"] += [Fault("unlist", text="ETH-USD"), Fault("lose_ack")]  # not even a trade
        async with asyncio.timeout(5):
            while len(exchange.faults["bitstamp"]) > 1:
                await asyncio.sleep(0.01)
        async with following(run_dir, exchange, ETH, LTC, ack_within=1.0) as client:
            await client.until(lambda: client.confirmed == {LTC})
            exchange.faults["bitstamp"].append(Fault("lose_ack"))  # the answer to the second request, too
            await client.until_state("degraded")
            assert client.facts["problem"] == "not confirmed: ETH-USD"

            await client.until_state("live")

            assert client.facts["problem"] is None
            assert exchange.handshakes["bitstamp"] == 1


async def test_one_bad_product_of_a_call_that_is_refused_whole_does_not_take_the_good_ones_with_it(run_dir):
    good, bad = Product("coinbase", "ETH", "USD"), Product("coinbase", "LTC", "USD")
    async with EmbeddedExchange() as exchange:
        exchange.faults["coinbase"] += [Fault("unlist", text="LTC-USD"), Fault("spoil", count=0)]
        async with asyncio.timeout(5):
            while len(exchange.faults["coinbase"]) > 1:
                await asyncio.sleep(0.01)
        async with following(run_dir, exchange, BTC, bad, good, ack_within=2.0) as client:
            await client.until_problem("not confirmed: LTC-USD; refused: Failed to subscribe: LTC-USD is not a valid")
            await client.more(3)

            assert client.items_of(good)
            assert client.facts["state"] == "degraded"
            assert exchange.handshakes["coinbase"] == 1


class Watched:
    """Every state that a client is in, looked at at every turn of the loop that could have changed it."""

    def __init__(self, client) -> None:
        self.states: list[str] = []
        self._client = client

    async def watch(self) -> None:
        while True:
            if self._client.facts["state"] not in self.states:
                self.states.append(self._client.facts["state"])
            await asyncio.sleep(0)


@pytest.mark.parametrize(("product", "why"), [(ETH, "asked"), (ETH, "old"), (BTC, "old")], ids=str)
async def test_a_new_connection_stands_before_the_old_one_goes(run_dir, product, why):
    name = product.exchange
    more = {"renew_after": 2.0} if why == "old" else {}
    async with (
        EmbeddedExchange(remember=True, pace=5) as exchange,
        following(run_dir, exchange, product, backoff=ConnectionBackoff(good_after=0.1), **more) as client,
    ):
        await client.until_state("live")
        await client.until(lambda: client.ids)
        watched = Watched(client)
        watching = asyncio.create_task(watched.watch())
        if why == "asked":
            exchange.faults[name].append(Fault("request_reconnect", seconds=10))
        await client.until(lambda: client.facts["reconnects"])
        await client.until(lambda: len(exchange.connections) == 1)
        await client.more(10)
        sent = set(exchange.sent[product])
        await client.until(lambda: sent <= set(client.ids))
        watching.cancel()

        assert watched.states == ["live"]
        assert not client.gaps
        assert len(client.ids) == len(set(client.ids))


async def test_an_exchange_that_asks_and_then_lets_nobody_in_is_kept_to_its_end_and_reconnected_to(run_dir):
    async with EmbeddedExchange(remember=True) as exchange, following(run_dir, exchange, ETH) as client:
        await client.until_state("live")
        exchange.faults["bitstamp"] += [Fault("refuse", count=0), Fault("request_reconnect", seconds=1.5)]
        await client.until(lambda: exchange.handshakes["bitstamp"] >= 2)
        assert client.facts["state"] == "live"
        await client.until_state("reconnecting")
        exchange.faults["bitstamp"].clear()

        await client.until_state("live")
        await client.until(lambda: ETH in exchange.sent and set(exchange.sent[ETH]) <= set(client.ids))


async def test_a_bug_in_the_watch_over_a_connection_ends_the_process_and_not_the_watch_alone(run_dir, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async def follow_until_the_end() -> None:
        async with EmbeddedExchange() as exchange, following(run_dir, exchange, ack_within=0.5) as client:
            await client.until(lambda: client.ended)

    monkeypatch.setattr(Feed, "check", broken)

    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        await follow_until_the_end()
