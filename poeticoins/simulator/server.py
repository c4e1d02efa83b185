"""
The embedded exchange on a real socket: ws://127.0.0.1:PORT/coinbase and /bitstamp, the REST of both below the same
paths, and /control to make it misbehave.

/control takes one JSON object a message: {"exchange": "coinbase", "fault": "skip", "count": 3}, with the fields of
`faults.Fault`, and answers {"ok": true} or {"ok": false, "error": ...}. No web page may use it.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from math import ceil
from typing import Protocol

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from poeticoins.config import Settings
from poeticoins.model import Product
from poeticoins.recording import Frame, read_frames
from poeticoins.simulator import listing
from poeticoins.simulator.bitstamp import BitstampConversation
from poeticoins.simulator.coinbase import CoinbaseConversation
from poeticoins.simulator.connection import Connection
from poeticoins.simulator.faults import ON_EVERYONE, Fault, due, take
from poeticoins.simulator.protocol import Conversation
from poeticoins.simulator.source import MarketSource, RecordingSource, Source

CONVERSATIONS: dict[str, Callable[[], Conversation]] = {
    "bitstamp": BitstampConversation,
    "coinbase": CoinbaseConversation,
}
PUMP_INTERVAL = 0.05
PROTOCOL_PING = 54.0  # Bitstamp's; Coinbase documents none


class Child(Protocol):
    """What a supervised process sees of its supervisor."""

    stopping: asyncio.Event

    def ready(self) -> None:
        """To be called once it serves."""


class _Order(Fault, forbid_unknown_fields=True, kw_only=True):
    exchange: str


class EmbeddedExchange:
    """
    Serves while its context is open, on `listener` or else on a free port of 127.0.0.1.

    frames: a recording to replay, `speed` times as fast (0: at once); None: the market of `seed`, with `pace` times its
    trades. faults: by exchange, to be filled at any time. handshakes: how many connections each exchange was asked for.
    sent: if `remember`, the ids of all trades that were put on any socket, in order, repeated ones too.
    """

    def __init__(
        self,
        listener: socket.socket | None = None,
        *,
        seed: int = 1,
        frames: list[Frame] | None = None,
        speed: float = 1.0,
        pace: int = 1,
        remember: bool = False,
    ) -> None:
        self.faults: dict[str, list[Fault]] = {name: [] for name in CONVERSATIONS}
        self.sent: dict[Product, list[int]] = {}
        self.connections: set[Connection] = set()
        self.handshakes: dict[str, int] = dict.fromkeys(CONVERSATIONS, 0)
        self.sources: dict[str, Source] = {
            name: MarketSource(seed, pace)
            if frames is None
            else RecordingSource([frame for frame in frames if frame.exchange == name], speed)
            for name in CONVERSATIONS
        }
        self._remember = remember
        self._unlisted: dict[str, frozenset[str]] = {}
        self._listener = listener or socket.create_server(("127.0.0.1", 0))
        # asyncio does so for its own sockets only; else the second of two small answers waits 40 ms for the peer's ACK
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server: Server | None = None
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "EmbeddedExchange":
        self._server = await serve(
            self._serve, sock=self._listener, compression=None, process_request=self._admit, max_size=1 << 18,
            ping_interval=PROTOCOL_PING, ping_timeout=PROTOCOL_PING, close_timeout=1,
        )  # fmt: skip
        self._pump = asyncio.create_task(self._wake_everyone())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._pump is not None
        self._pump.cancel()
        self._server.close()
        await self._server.wait_closed()
        with suppress(asyncio.CancelledError):
            await self._pump

    async def serve_until(self, stopping: asyncio.Event) -> None:
        """Until it is told to stop; raises what a bug has raised in between."""
        assert self._pump is not None
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({told, self._pump}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if self._pump.done():
            self._pump.result()

    def listed(self, product: Product) -> bool:
        """Whether a client may subscribe to it; a fault can take it off the list."""
        unlisted = self._unlisted.get(product.exchange, frozenset())
        return product.pair not in unlisted and self.sources[product.exchange].listed(product)

    def was_sent(self, product: Product, trade_id: int) -> None:
        """Notes a trade that has been put on a socket."""
        if self._remember:
            self.sent.setdefault(product, []).append(trade_id)

    async def _admit(self, websocket: ServerConnection, request: Request) -> Response | None:
        exchange, _, rest = request.path.lstrip("/").partition("/")
        if exchange in CONVERSATIONS and listing.is_rest(exchange, f"/{rest}"):
            return await self._list(websocket, exchange, f"/{rest}")
        name = request.path.partition("?")[0].strip("/")
        if name == "control" and "Origin" in request.headers:
            return websocket.respond(HTTPStatus.FORBIDDEN, "no web page may control the embedded exchange\n")
        if name not in (*CONVERSATIONS, "control"):
            return websocket.respond(HTTPStatus.NOT_FOUND, f"expected /{', /'.join(CONVERSATIONS)} or /control\n")
        if name == "control":
            return None
        self.handshakes[name] += 1
        if wait := due(self.faults[name], "hang"):
            await asyncio.sleep(wait.seconds)
        refusal = due(self.faults[name], "refuse")
        return _refused(websocket, refusal, ceil(refusal.seconds)) if refusal else None

    async def _list(self, websocket: ServerConnection, exchange: str, path: str) -> Response:
        """An answer of the exchange's REST, or what a fault makes of it."""
        of_trades = listing.is_of_trades(exchange, path)
        fault = due(self.faults[exchange], "rest", lambda fault: fault.path in path if fault.path else of_trades)
        if fault is not None:
            await asyncio.sleep(fault.seconds)
            if fault.status != HTTPStatus.OK:
                return _refused(websocket, fault, 1)
        listed = await asyncio.to_thread(listing.answer, exchange, path, self.sources[exchange], time.time_ns())
        response = websocket.respond(listed.status, "")
        response.body = fault.text.encode() if fault and fault.text else listing.as_json(listed.body)
        for header, value in {
            "Content-Type": "application/json", "Content-Length": str(len(response.body)), **listed.headers
        }.items():  # fmt: skip
            response.headers.pop(header, None)
            response.headers[header] = value
        return response

    async def _serve(self, websocket: ServerConnection) -> None:
        assert websocket.request is not None
        name = websocket.request.path.partition("?")[0].strip("/")
        if name == "control":
            with suppress(ConnectionClosed):
                async for message in websocket:
                    await websocket.send(self._order(message))
            return
        if end := due(self.faults[name], "hang_up"):
            await websocket.close(end.code, end.text)
            return
        connection = Connection(self, name, websocket, CONVERSATIONS[name]())
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)

    def _order(self, message: str | bytes) -> str:
        try:
            order = msgspec.json.decode(message, type=_Order)
            self.faults[order.exchange].append(order)
            return '{"ok":true}'
        except (ValueError, KeyError, RecursionError) as error:
            return msgspec.json.encode({"ok": False, "error": f"{type(error).__name__}: {error}"}).decode()

    async def _wake_everyone(self) -> None:
        while True:
            await asyncio.sleep(PUMP_INTERVAL)
            for name, faults in self.faults.items():
                for fault in take(faults, "unlist"):
                    self._unlisted[name] = frozenset(fault.text.split(","))
                reached = [one for one in self.connections if one.name == name and one.conversation.products]
                for fault in take(faults, *ON_EVERYONE) if reached else []:
                    for connection in reached:
                        connection.suffer(fault)
            for connection in self.connections:
                connection.wake.set()


def _refused(websocket: ServerConnection, fault: Fault, retry_after: int) -> Response:
    """An answer with the fault's status, be it one that Python knows or not."""
    known = fault.status in set(HTTPStatus)
    response = websocket.respond(HTTPStatus(fault.status) if known else HTTPStatus.BAD_GATEWAY, "refused, as asked\n")
    response.status_code = fault.status
    if fault.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response.headers["Retry-After"] = str(retry_after)
    return response


async def run(settings: Settings, child: Child, listener: socket.socket) -> None:
    """The process: serves what the settings ask for (demo or replay) on `listener`, until the supervisor says stop."""
    frames = read_frames(settings.replay) if settings.mode == "replay" else None
    async with EmbeddedExchange(listener, seed=settings.seed, frames=frames, speed=settings.speed) as exchange:
        child.ready()
        await exchange.serve_until(child.stopping)
