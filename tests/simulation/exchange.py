"""
A simulated exchange: its market, its sockets in its real protocol, its REST. What it does wrong is asked of `strikes`.
"""

import asyncio
import math
import re
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

import msgspec
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from poeticoins.model import SECOND, Product, Trade
from poeticoins.simulator.bitstamp import BitstampConversation
from poeticoins.simulator.coinbase import CoinbaseConversation
from tests.simulation.clock import Clock
from tests.simulation.plan import Fault

PAGE = 60
"""Rows of one answer of the REST at most, where it takes a cursor: a world's longest hole is worth 20 of them."""
SPANS = {"minute": 60, "hour": 3600, "day": 86_400}


class Exchange:
    """One product's market."""

    def __init__(
        self, product: Product, contiguous: bool, clock: Clock, strikes: Callable[[str], Fault | None]
    ) -> None:
        self.product, self.contiguous = product, contiguous
        self.trades: list[Trade] = []
        self.clock, self.strikes = clock, strikes
        self._loop = asyncio.get_running_loop()
        self._number = 100
        self._sockets: list[Socket] = []
        self._refused_until = 0.0

    def trade(self) -> Trade:
        """The market trades once."""
        at_ns = self.clock.true_ns()
        self._number += 1 if self.contiguous else 1 + self._number * 7 % 5
        side = "buy" if self._number % 3 else "sell"
        price = Decimal(f"{100 + self._number % 50}.50")
        trade = Trade(self.product, self._number, price, Decimal("0.25"), side, at_ns)  # type: ignore[arg-type]
        self.trades.append(trade)
        for socket in list(self._sockets):
            socket.tell(trade)
        return trade

    def beat(self) -> None:
        """Coinbase says once a second which trade is its newest."""
        if self.contiguous and self.trades:
            for socket in self._sockets:
                socket.beat(self.trades[-1].trade_id)

    def cut(self) -> None:
        """All connections are lost."""
        for socket in list(self._sockets):
            socket.lose(Close(1001, "going away"))

    # -- what websockets and aiohttp would do

    async def connect(self, url: str, **options: Any) -> "Socket":
        """Stands in for websockets' connect."""
        await asyncio.sleep(0.03)
        if self.strikes("refused"):
            raise ConnectionRefusedError
        socket = Socket(self, options["ping_interval"])
        self._sockets.append(socket)
        return socket

    def forget(self, socket: "Socket") -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)

    async def rest(self, url: str) -> tuple[int, bytes]:
        """(status, body) of an answer."""
        if "candles" in url or "ohlc" in url:
            return 404, b""
        await asyncio.sleep(0.05)
        if self.strikes("rest error"):
            return 500, b""
        if self.strikes("rest busy"):
            return 429, b""
        if self.strikes("rest silent"):
            await asyncio.sleep(5.0)
            raise TimeoutError
        if fault := self.strikes("rest slow"):
            await asyncio.sleep(fault.size / 10)
        rows = self._listed(url)
        if fault := self.strikes("rest short"):
            rows = rows[fault.size :]
        if self.strikes("rest empty"):
            rows = []
        body = msgspec.json.encode([self._row(trade) for trade in reversed(rows)])
        return 200, body[: len(body) // 2] if self.strikes("rest torn") else body

    def _listed(self, url: str) -> list[Trade]:
        trades = self.trades
        if fault := self.strikes("rest lags"):
            until_ns = self.clock.true_ns() - fault.size * SECOND // 10
            trades = [trade for trade in trades if trade.traded_at_ns < until_ns]
        if not self.contiguous:
            since = self.clock.true_ns() - SPANS[url.rpartition("=")[2]] * SECOND
            return [trade for trade in trades if trade.traded_at_ns >= since]
        before = re.search("after=([0-9]+)", url)
        most = re.search("limit=([0-9]+)", url)
        rows = [trade for trade in trades if before is None or trade.trade_id < int(before[1])]
        rows = rows[-min(PAGE, int(most[1]) if most else PAGE) :]
        if rows and self.strikes("rest overlaps"):
            begin = rows[0].trade_id - trades[0].trade_id
            rows = [*trades[max(0, begin - 5) : begin], *rows, *rows[-2:], *trades[-3:]]
        return rows

    def _row(self, trade: Trade) -> dict[str, Any]:
        if self.contiguous:
            maker = "sell" if trade.side == "buy" else "buy"
            return {
                "trade_id": trade.trade_id, "side": maker, "price": str(trade.price), "size": str(trade.size),
                "time": _iso(trade.traded_at_ns),
            }  # fmt: skip
        return {
            "tid": trade.trade_id, "type": "0" if trade.side == "buy" else "1", "price": str(trade.price),
            "amount": str(trade.size), "date": str(trade.traded_at_ns // SECOND),
            "microtimestamp": str(trade.traded_at_ns // 1000),
        }  # fmt: skip


class Socket:
    """One connection, at the client's end."""

    def __init__(self, exchange: Exchange, ping_interval: float) -> None:
        self._exchange, self._ping_interval = exchange, ping_interval
        self._loop = asyncio.get_running_loop()
        self._conversation = CoinbaseConversation() if exchange.contiguous else BitstampConversation()
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed: ConnectionClosedError | None = None
        self._deaf = False
        self._free_at = 0.0  # when the connection goes on after a stall

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._exchange.forget(self)
        self._closed = self._closed or ConnectionClosedError(None, None)

    async def send(self, frame: str) -> None:
        """The client says something."""
        if self._closed:
            raise self._closed
        if not self._deaf and not self._exchange.strikes("no ack"):
            for said in self._conversation.answer(frame, self):  # type: ignore[arg-type]
                self._push(said.raw.encode(), 0.02)  # type: ignore[union-attr]

    async def recv(self, decode: bool) -> bytes:
        """The next frame. Raises ConnectionClosed once all that has come is read."""
        while not self._queue:
            if self._closed:
                raise self._closed
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._queue.popleft()

    # -- the exchange's end

    def listed(self, product: Product) -> bool:
        return product == self._exchange.product

    def spoilt(self) -> bool:
        return False

    def welcome(self, product: Product) -> list[Any]:
        newest = self._exchange.trades[-1:]
        return [said for trade in newest if (said := self._conversation.welcome(trade))]

    def tell(self, trade: Trade) -> None:
        """A trade that this one has subscribed to."""
        if self._closed or self._deaf:
            return
        strikes = self._exchange.strikes
        if strikes("cut"):
            self.lose(Close(1001, "going away"))
            return
        if strikes("deaf"):
            self._deaf = True
            self._loop.call_later(1.5 * self._ping_interval, self.lose, None)
            return
        if strikes("mute"):
            self._deaf = True
            return
        if strikes("asked to leave"):
            if self._exchange.contiguous:
                self.lose(Close(1012, "service restart"))
            else:
                self._push(b'{"event":"bts:request_reconnect","channel":"","data":""}', 0.01)
        if self._exchange.product not in self._conversation.products or strikes("skipped"):
            return
        frame = self._conversation.trade(trade).raw.encode()
        delay = 0.005 + trade.trade_id * 2654435761 % 1000 / 100_000
        if fault := strikes("stalled"):
            self._free_at = max(self._free_at, self._loop.time() + fault.size / 10)
        if fault := strikes("swapped"):
            self._loop.call_later(delay + fault.size / 100, self._arrive, frame)
            return
        if strikes("garbage"):
            self._push(frame[: len(frame) // 2], delay)
        self._push(frame, delay)
        if strikes("repeated"):
            self._push(frame, delay)

    def beat(self, last_id: int) -> None:
        if self._exchange.product in self._conversation.heartbeats:
            said = self._conversation.heartbeat(self._exchange.product, last_id, self._exchange.clock.true_ns())
            self._push(said.raw.encode(), 0.01)

    def lose(self, said: Close | None) -> None:
        """It is gone; what was under way is lost, what has arrived can still be read."""
        if self._closed is None:
            self._exchange.forget(self)
            self._closed = ConnectionClosedError(said, said, True) if said else ConnectionClosedError(None, None)
            self._wake()

    def _push(self, frame: bytes, delay: float) -> None:
        """As TCP does: nothing overtakes what was sent before it; the loop keeps no order among equal times."""
        self._free_at = math.nextafter(max(self._free_at, self._loop.time() + delay), math.inf)
        self._loop.call_at(self._free_at, self._arrive, frame)

    def _arrive(self, frame: bytes) -> None:
        if not (self._closed or self._deaf):
            self._queue.append(frame)
            self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % SECOND // 1000:06d}Z"
