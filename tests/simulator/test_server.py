"""The embedded exchange over real sockets: it speaks as documented, loses nothing unasked, and misbehaves on demand."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from poeticoins.config import Settings
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import SECOND, Event, Heartbeat, Product, ReconnectRequested, Refused, Subscribed, Trade
from poeticoins.recording import Frame
from poeticoins.simulator import market
from poeticoins.simulator.coinbase import CoinbaseConversation
from poeticoins.simulator.faults import Fault
from poeticoins.simulator.server import CONVERSATIONS, EmbeddedExchange, run

DEADLINE = 5.0
PACE = 5
BTC, ETH, QUIET = (Product.parse(f"coinbase:{pair}") for pair in ("BTC-USD", "ETH-USD", "LTC-EUR"))
STAMP = Product.parse("bitstamp:BTC-USD")
both = pytest.mark.parametrize("product", [BTC, STAMP], ids=str)


@dataclass
class Client:
    """A client that keeps what it hears: frames, and what they mean."""

    exchange: str
    socket: ClientConnection
    raws: list[str] = field(default_factory=list)
    heard: list[Trade | Event] = field(default_factory=list)

    async def subscribe(self, *products: Product) -> None:
        for frame in EXCHANGES[self.exchange].subscribe_frames(products):
            await self.socket.send(frame)

    async def hear_raw(self) -> str:
        async with asyncio.timeout(DEADLINE):
            raw = await self.socket.recv()
        assert isinstance(raw, str)
        self.raws.append(raw)
        return raw

    async def hear_until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not enough():
                self.heard += EXCHANGES[self.exchange].parse(await self.hear_raw())

    async def hear_trades(self, count: int, product: Product | None = None) -> list[Trade]:
        """The trades so far (of one product), at least `count`."""
        await self.hear_until(lambda: len(self.trades(product)) >= count)
        return self.trades(product)

    async def hear_event(self, kind: type[Event]) -> Any:
        """The first event of a kind."""
        await self.hear_until(lambda: any(isinstance(meaning, kind) for meaning in self.heard))
        return next(meaning for meaning in self.heard if isinstance(meaning, kind))

    async def hear_the_end(self) -> ConnectionClosed:
        with pytest.raises(ConnectionClosed) as closed:
            await self.hear_until(lambda: False)
        return closed.value

    def trades(self, product: Product | None = None) -> list[Trade]:
        found = [meaning for meaning in self.heard if isinstance(meaning, Trade)]
        return [trade for trade in found if product in (None, trade.product)]


@asynccontextmanager
async def client_of(exchange: EmbeddedExchange, *products: Product, name: str = "") -> AsyncIterator[Client]:
    name = name or products[0].exchange
    async with connect(f"{exchange.url}/{name}", compression=None, close_timeout=1) as opened:
        client = Client(name, opened)
        await client.subscribe(*products)
        yield client


def fault(exchange: EmbeddedExchange, product: Product, kind: Any, **more: Any) -> None:
    exchange.faults[product.exchange].append(Fault(kind, **more))


def ids(trades: list[Trade]) -> list[int]:
    return [trade.trade_id for trade in trades]


@both
async def test_every_frame_means_a_trade_of_the_market_and_none_is_missing(product: Product) -> None:
    async with EmbeddedExchange(seed=7, pace=PACE) as exchange, client_of(exchange, product) as client:
        trades = await client.hear_trades(20)

    live = [trade for trade in trades if trade.origin == "live"]
    first, last = live[0].traded_at_ns, live[-1].traded_at_ns
    expected = market.trades(7, product, first - 1, last, PACE)
    begin = ids(expected).index(live[0].trade_id)
    assert live == expected[begin : begin + len(live)]


async def test_coinbase_begins_with_the_trade_before_the_first_live_one() -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, BTC) as client:
        first, *live = await client.hear_trades(4)

    assert first.origin == "snapshot"
    assert {trade.origin for trade in live} == {"live"}
    assert ids([first, *live]) == list(range(first.trade_id, first.trade_id + len(live) + 1))


async def test_bitstamp_sends_no_old_trades() -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, STAMP) as client:
        before = time.time_ns() - SECOND

        trades = await client.hear_trades(3)

        assert all(trade.origin == "live" and trade.traded_at_ns > before for trade in trades)


async def test_coinbase_acks_after_the_first_trade_and_lists_all_subscriptions() -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, BTC, ETH) as client:
        assert await client.hear_event(Subscribed) == Subscribed(frozenset({BTC, ETH}))
        assert len(client.trades()) >= 2
        client.heard.clear()

        await client.subscribe(QUIET)

        assert await client.hear_event(Subscribed) == Subscribed(frozenset({BTC, ETH, QUIET}))
        assert json.loads(client.raws[-1])["channels"][1]["name"] == "heartbeat"


async def test_bitstamp_acks_every_channel_by_itself() -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, *EXCHANGES["bitstamp"].PRODUCTS) as client:
        await client.hear_until(lambda: sum(isinstance(meaning, Subscribed) for meaning in client.heard) == 6)


async def test_an_unknown_product_is_refused_by_coinbase_and_the_rest_subscribed() -> None:
    unknown = Product("coinbase", "BTC", "XXX")
    async with EmbeddedExchange() as exchange, client_of(exchange, unknown, BTC) as client:
        refused = await client.hear_event(Refused)
        acked = await client.hear_event(Subscribed)

    assert refused == Refused("Failed to subscribe: BTC-XXX is not a valid product")
    assert acked.products == {BTC}


async def test_an_unknown_pair_is_acked_by_bitstamp_and_then_silent() -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, name="bitstamp") as client:
        await client.socket.send('{"event":"bts:subscribe","data":{"channel":"live_trades_abcxyz"}}')
        assert json.loads(await client.hear_raw())["event"] == "bts:subscription_succeeded"

        await client.subscribe(STAMP)
        await client.hear_trades(5)

        assert {trade.product for trade in client.trades()} == {STAMP}


@pytest.mark.parametrize(
    ("name", "frame", "answer"),
    [
        ("coinbase", '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["x"]}', "x is not a valid channel"),
        ("coinbase", '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["full"]}', "require authentication"),
        ("coinbase", '{"type":"subscribe","product_ids":["BTC-USD"]}', "No channels provided"),
        ("coinbase", '{"type":"subscribe","product_ids":["BTC-USD"],"channels":[{"name":"matches","product_ids":[]}]}',
         '" is not a valid product"'),
        ("coinbase", "{", "Malformed JSON"),
        ("coinbase", "[" * 5000, "Malformed JSON"),
        ("bitstamp", '{"event":"bts:heartbeat"}', '{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}'),
        ("bitstamp", '{"event":"bts:subscribe","data":{"channel":"live_trades_BTCUSD"}}', "Invalid channel provided."),
        ("bitstamp", '{"event":"bts:subscribe","data":""}', "Bad subscription string."),
        ("bitstamp", "{", "Incorrect JSON format."),
    ],
)  # fmt: skip
async def test_errors_and_pings_are_answered_in_the_exchanges_words(name: str, frame: str, answer: str) -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, name=name) as client:
        await client.socket.send(frame)

        assert answer in await client.hear_raw()


async def test_a_bitstamp_frame_over_512_bytes_closes_the_connection() -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, name="bitstamp") as client:
        await client.socket.send(" " * 513)

        closed = await client.hear_the_end()

    assert closed.rcvd is not None
    assert (closed.rcvd.code, closed.rcvd.reason) == (1009, "read limited at 513 bytes")


async def test_coinbase_shows_out_who_does_not_subscribe(monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(CoinbaseConversation):
        def __init__(self) -> None:
            super().__init__()
            assert self.patience == 5.0
            self.patience = 0.3

    monkeypatch.setitem(CONVERSATIONS, "coinbase", Impatient)
    async with (
        EmbeddedExchange() as exchange,
        client_of(exchange, name="coinbase") as silent,
        client_of(exchange, BTC) as other,
    ):
        await silent.hear_the_end()

        assert await other.hear_event(Heartbeat)


async def test_coinbase_says_once_a_second_which_trade_was_the_last() -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, BTC, QUIET) as client:
        await client.hear_until(lambda: sum(isinstance(meaning, Heartbeat) for meaning in client.heard) == 4)

    newest: dict[Product, int] = {}
    for meaning in client.heard:
        if isinstance(meaning, Trade):
            newest[meaning.product] = meaning.trade_id
        elif isinstance(meaning, Heartbeat):
            assert meaning.product is not None
            assert newest[meaning.product] == meaning.last_trade_id


async def test_ids_go_on_after_the_exchanges_own_death() -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, BTC) as client:
        before = await client.hear_trades(3)
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, BTC) as client:
        after = await client.hear_trades(3)

    between = market.trades(1, BTC, before[-1].traded_at_ns - 1, after[0].traded_at_ns, PACE)
    assert set(range(before[-1].trade_id, after[0].trade_id)) <= set(ids(between))
    assert after[0].trade_id >= before[-1].trade_id


async def test_two_clients_hear_the_same_and_what_was_sent_is_remembered() -> None:
    async with (
        EmbeddedExchange(pace=PACE, remember=True) as exchange,
        client_of(exchange, STAMP) as one,
        client_of(exchange, STAMP) as other,
    ):
        await one.hear_trades(10)
        await other.hear_trades(10)

        common = set(ids(one.trades())) & set(ids(other.trades()))
        assert len(common) >= 5
        assert all(exchange.sent[STAMP].count(trade_id) == 2 for trade_id in common)


async def test_a_drop_ends_the_connection_without_a_word() -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, BTC) as client:
        fault(exchange, BTC, "drop")

        assert (await client.hear_the_end()).rcvd is None


@both
async def test_a_close_has_the_code_that_was_asked_for(product: Product) -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, product) as client:
        fault(exchange, product, "close", code=1012, text="restart")

        closed = await client.hear_the_end()

    assert closed.rcvd is not None
    assert (closed.rcvd.code, closed.rcvd.reason) == (1012, "restart")


@both
async def test_a_stall_is_silent_but_alive_and_ends(product: Product) -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, product) as client:
        await client.hear_trades(3)
        fault(exchange, product, "stall", seconds=0.8)
        while exchange.faults[product.exchange]:
            await asyncio.sleep(0.01)
        began, silence = time.monotonic(), 0.0
        while silence < 0.5:  # what was on its way may still come first
            heard_at = time.monotonic()
            await asyncio.wait_for(await client.socket.ping(), DEADLINE)
            await client.hear_raw()
            silence = time.monotonic() - heard_at

        assert time.monotonic() - began < 3
        await client.hear_trades(len(client.trades()) + 1)


async def test_a_refused_handshake_says_why_and_the_next_is_let_in() -> None:
    async with EmbeddedExchange() as exchange:
        fault(exchange, BTC, "refuse", status=429)

        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{exchange.url}/coinbase")

        assert refused.value.response.status_code == 429
        async with client_of(exchange, BTC) as client:
            await client.hear_trades(1)


async def test_garbage_comes_in_the_middle_of_the_trades() -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, BTC) as client:
        fault(exchange, BTC, "garbage", text="<html>")

        while await client.hear_raw() != "<html>":
            pass

        await client.hear_trades(1)


async def test_skipped_trades_leave_a_hole_of_their_number() -> None:
    async with EmbeddedExchange(pace=PACE, remember=True) as exchange, client_of(exchange, BTC) as client:
        await client.hear_trades(2)
        fault(exchange, BTC, "skip", count=3)
        await client.hear_until(
            lambda: client.trades()[-1].trade_id - client.trades()[0].trade_id >= len(client.trades())
        )

        found = ids(client.trades())
        missing = set(range(found[0], found[-1])) - set(found)
        assert len(missing) == 3
        assert not missing & set(exchange.sent[BTC])


@both
async def test_repeated_trades_come_twice(product: Product) -> None:
    async with EmbeddedExchange(pace=PACE, remember=True) as exchange, client_of(exchange, product) as client:
        await client.hear_trades(2)
        fault(exchange, product, "repeat", count=2)
        await client.hear_until(lambda: len(ids(client.trades())) - len(set(ids(client.trades()))) == 2)

        found = ids(await client.hear_trades(len(client.trades()) + 3))
        assert sorted(found.count(trade_id) for trade_id in set(found))[-3:] == [1, 2, 2]
        assert exchange.sent[product][: len(found)] == found


@both
async def test_reordered_trades_change_places_and_all_arrive(product: Product) -> None:
    async with EmbeddedExchange(pace=20) as exchange, client_of(exchange, product) as client:
        fault(exchange, product, "reorder")
        await client.hear_until(lambda: ids(client.trades()) != sorted(ids(client.trades())))
        await client.hear_trades(len(client.trades()) + 2)

    live = [trade for trade in client.trades() if trade.origin == "live"]
    expected = market.trades(
        1, product, min(live, key=lambda t: t.trade_id).traded_at_ns - 1, live[-1].traded_at_ns, 20
    )
    assert set(ids(live)) <= set(ids(expected))
    assert sum(a > b for a, b in zip(ids(live), ids(live)[1:], strict=False)) == 1
    begin = ids(expected).index(min(ids(live)))
    assert sorted(ids(live)) == ids(expected)[begin : begin + len(live)]


async def test_bitstamp_asks_for_a_new_connection_and_then_closes() -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, STAMP) as client:
        fault(exchange, STAMP, "request_reconnect", seconds=0.2)

        assert await client.hear_event(ReconnectRequested)
        closed = await client.hear_the_end()

    assert closed.rcvd is not None
    assert closed.rcvd.code == 1000


async def test_a_product_can_be_taken_off_the_list() -> None:
    async with EmbeddedExchange() as exchange:
        fault(exchange, BTC, "unlist", text="BTC-USD")
        while exchange.faults["coinbase"]:
            await asyncio.sleep(0.01)

        async with client_of(exchange, BTC) as client:
            assert "BTC-USD is not a valid product" in (await client.hear_event(Refused)).reason


async def test_faults_can_be_ordered_from_another_process_but_not_from_a_web_page() -> None:
    async with EmbeddedExchange() as exchange, client_of(exchange, BTC) as client:
        async with connect(f"{exchange.url}/control") as control:
            for order in ("{", "[]", '{"exchange":"nope","fault":"drop"}', '{"exchange":"coinbase","fault":"burn"}'):
                await control.send(order)
                assert json.loads(await control.recv())["ok"] is False
            await control.send('{"exchange":"coinbase","fault":"close","code":1013}')
            assert json.loads(await control.recv()) == {"ok": True}

        closed = await client.hear_the_end()
        assert closed.rcvd is not None
        assert closed.rcvd.code == 1013
        with pytest.raises(InvalidStatus, match="403"):
            await connect(f"{exchange.url}/control", origin="http://127.0.0.1:8050")  # type: ignore[arg-type]
        with pytest.raises(InvalidStatus, match="404"):
            await connect(f"{exchange.url}/kraken")


def match(trade_id: int, product: str = "BTC-USD", kind: str = "match") -> str:
    return json.dumps({
        "type": kind, "trade_id": trade_id, "side": "buy", "size": "1.50", "price": "2.0", "product_id": product,
        "time": "2021-04-17T16:43:37.000123Z", "note": "verbatim  spaces",
    })  # fmt: skip


def stamp(trade_id: int, pair: str = "btcusd") -> str:
    content = {"id": trade_id, "type": 0, "price_str": "1", "amount_str": "1E-8", "microtimestamp": "1790000000000000"}
    return json.dumps({"event": "trade", "channel": f"live_trades_{pair}", "data": content})


RECONNECT = '{"event":"bts:request_reconnect","channel":"","data":""}'
COINBASE_RECORDING = [
    Frame("coinbase", 0.0, match(10, kind="last_match")),
    *(Frame("coinbase", 0.1 * index, match(10 + index)) for index in range(1, 2500)),
    Frame("coinbase", 250.0, match(5, "NU-GBP")),
    Frame("coinbase", 251.0, '{"type":"ticker","product_id":"BTC-USD"}'),
    Frame("coinbase", 252.0, "garbage {"),
]
BITSTAMP_RECORDING = [
    Frame("bitstamp", 0.0, stamp(1)),
    Frame("bitstamp", 0.1, stamp(2, "ltceur")),
    Frame("bitstamp", 0.2, RECONNECT),
    Frame("bitstamp", 0.3, stamp(3)),
]


async def test_a_replay_at_once_delivers_every_frame_verbatim_and_in_order() -> None:
    async with EmbeddedExchange(frames=COINBASE_RECORDING, speed=0) as exchange, client_of(exchange, BTC) as client:
        while await client.hear_raw() != "garbage {":
            pass

    wanted = [frame.raw for frame in COINBASE_RECORDING if '"BTC-USD"' in frame.raw and "ticker" not in frame.raw]
    assert [raw for raw in client.raws if '"match"' in raw or "last_match" in raw] == wanted
    assert any('"subscriptions"' in raw for raw in client.raws)


async def test_after_its_last_frame_a_replay_stays_up_and_knows_its_last_id() -> None:
    async with EmbeddedExchange(frames=COINBASE_RECORDING[:4], speed=0) as exchange, client_of(exchange, BTC) as client:
        await client.hear_trades(4)

        await client.hear_until(lambda: sum(isinstance(meaning, Heartbeat) for meaning in client.heard) == 2)

        assert Heartbeat(BTC, 13) in client.heard


async def test_a_replay_keeps_to_its_times() -> None:
    began = time.monotonic()
    frames = [Frame("bitstamp", 10.0 * index, stamp(index)) for index in range(4)]
    async with EmbeddedExchange(frames=frames, speed=50) as exchange, client_of(exchange, STAMP) as client:
        await client.hear_trades(4)

    assert time.monotonic() - began >= 30 / 50


@pytest.mark.parametrize("speed", [0, 1.0])
async def test_who_comes_back_to_a_replay_first_gets_its_older_trades_but_no_old_orders(speed: float) -> None:
    async with EmbeddedExchange(frames=BITSTAMP_RECORDING, speed=speed) as exchange:
        async with client_of(exchange, STAMP) as client:
            await client.hear_trades(2)
            assert await client.hear_event(ReconnectRequested)

        async with client_of(exchange, STAMP) as client:
            await client.hear_trades(2)
            await client.socket.send(EXCHANGES["bitstamp"].PING or "")
            await client.hear_event(Heartbeat)

    assert ids(client.trades()) == [1, 3]
    assert ReconnectRequested() not in client.heard


async def test_who_subscribes_to_another_product_of_a_replay_misses_nothing_of_it() -> None:
    quiet = Product("bitstamp", "LTC", "EUR")
    async with EmbeddedExchange(frames=BITSTAMP_RECORDING, speed=0) as exchange, client_of(exchange, STAMP) as client:
        await client.hear_trades(2)

        await client.subscribe(quiet)

        assert ids(await client.hear_trades(1, quiet)) == [2]


async def test_an_exchange_without_frames_answers_and_is_silent() -> None:
    async with EmbeddedExchange(frames=BITSTAMP_RECORDING) as exchange, client_of(exchange, BTC) as client:
        assert "BTC-USD is not a valid product" in (await client.hear_event(Refused)).reason


async def test_a_client_that_reads_nothing_costs_no_memory_and_holds_nobody_up() -> None:
    frames = [Frame("coinbase", 0.0, match(index) + " " * 8000) for index in range(3000)]
    async with (
        EmbeddedExchange(frames=frames, speed=0) as exchange,
        client_of(exchange, BTC) as slow,
        client_of(exchange, BTC) as quick,
    ):
        while '"trade_id": 2999' not in await quick.hear_raw():
            pass

        transports = [connection._websocket.transport for connection in exchange.connections]
        (waiting,) = [t for t in transports if t.get_extra_info("peername") == slow.socket.local_address]
        assert 0 < waiting.get_write_buffer_size() < 1 << 18
        slow.socket.transport.abort()


async def test_the_process_is_ready_when_it_serves_and_stops_when_told() -> None:
    class Child:
        def __init__(self) -> None:
            self.stopping, self.is_ready = asyncio.Event(), asyncio.Event()

        def ready(self) -> None:
            self.is_ready.set()

    child = Child()
    listener = socket.create_server(("127.0.0.1", 0))
    async with asyncio.timeout(DEADLINE):
        process = asyncio.create_task(run(Settings(mode="demo", seed=3), child, listener))
        await child.is_ready.wait()
        async with connect(f"ws://127.0.0.1:{listener.getsockname()[1]}/coinbase") as opened:
            await opened.send(EXCHANGES["coinbase"].subscribe_frames([BTC])[0])
            (trade,) = EXCHANGES["coinbase"].parse(await opened.recv())

            child.stopping.set()
            await process

    assert isinstance(trade, Trade)
    assert trade.trade_id in ids(market.trades(3, BTC, trade.traded_at_ns - 1, trade.traded_at_ns))


async def upgrade_refused(exchange: EmbeddedExchange) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{exchange.url}/coinbase")
    return refused.value


@pytest.mark.parametrize(("status", "wait"), [(403, None), (418, None), (429, "7"), (503, "7"), (522, None)])
async def test_a_refusal_has_the_status_that_was_asked_for_and_says_when_to_come_back(
    status: int, wait: str | None
) -> None:
    async with EmbeddedExchange() as exchange:
        fault(exchange, BTC, "refuse", count=0, status=status, seconds=6.5)

        for _ in range(2):
            response = (await upgrade_refused(exchange)).response

            assert (response.status_code, response.headers.get("Retry-After")) == (status, wait)
        assert exchange.handshakes["coinbase"] == 2


async def test_a_handshake_may_never_be_answered() -> None:
    async with EmbeddedExchange() as exchange:
        fault(exchange, BTC, "hang", seconds=3)

        with pytest.raises(TimeoutError):
            await connect(f"{exchange.url}/coinbase", open_timeout=0.2)

        async with client_of(exchange, BTC) as client:
            await client.hear_trades(1)


async def test_a_connection_may_be_closed_as_soon_as_it_is_accepted() -> None:
    async with EmbeddedExchange() as exchange:
        fault(exchange, BTC, "hang_up", code=1013, text="try later")

        async with connect(f"{exchange.url}/coinbase") as opened:
            with pytest.raises(ConnectionClosed) as closed:
                await opened.recv()

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "try later")


@both
async def test_a_deaf_exchange_answers_no_ping_and_says_nothing(product: Product) -> None:
    async with EmbeddedExchange(pace=PACE) as exchange, client_of(exchange, product) as client:
        await client.hear_trades(1)
        fault(exchange, product, "deafen")
        while exchange.faults[product.exchange]:
            await asyncio.sleep(0.01)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(await client.socket.ping(), 0.5)


@both
async def test_a_confirmation_may_be_lost_and_the_trades_come_all_the_same(product: Product) -> None:
    async with EmbeddedExchange(pace=PACE) as exchange:
        fault(exchange, product, "lose_ack")

        async with client_of(exchange, product) as client:
            await client.hear_trades(3)
            assert not any(isinstance(meaning, Subscribed) for meaning in client.heard)
            await client.subscribe(product)

            assert product in (await client.hear_event(Subscribed)).products


async def test_one_bad_product_may_spoil_a_whole_subscription() -> None:
    unknown = Product("coinbase", "BTC", "XXX")
    async with EmbeddedExchange(pace=PACE) as exchange:
        fault(exchange, BTC, "spoil")

        async with client_of(exchange, BTC, unknown) as client:
            assert await client.hear_event(Refused) == Refused("Failed to subscribe: BTC-XXX is not a valid product")
            client.heard.clear()
            await client.subscribe(BTC)

            assert (await client.hear_event(Subscribed)).products == {BTC}
