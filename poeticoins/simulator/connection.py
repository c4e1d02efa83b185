"""One client's connection to the embedded exchange: reads, answers, and sends what is due at its own pace."""

import asyncio
import time
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from poeticoins.model import Product
from poeticoins.simulator.bitstamp import REQUEST_RECONNECT
from poeticoins.simulator.faults import Fault, due, mangle
from poeticoins.simulator.protocol import Close, Conversation, Send, Shop

if TYPE_CHECKING:
    from poeticoins.simulator.server import EmbeddedExchange

HEARTBEAT_INTERVAL = 1.0
TOO_SLOW = Close(1008, "too far behind")
TOO_LATE = Close(1008, "expected a subscription")


class Connection:
    """
    Two tasks, one that answers and one that feeds. Both send under one lock, so that a new subscriber's first trade is
    on its way before any newer one; both wait for a slow client, so nothing piles up for it.
    """

    def __init__(
        self, exchange: "EmbeddedExchange", name: str, websocket: ServerConnection, conversation: Conversation
    ) -> None:
        self.name = name
        self.conversation = conversation
        self.wake = asyncio.Event()
        self._exchange, self._source, self._websocket = exchange, exchange.sources[name], websocket
        faults = exchange.faults[name]
        self._shop = Shop(exchange.listed, self._welcome, lambda: due(faults, "spoil") is not None)
        self._position = 0
        self._lock = asyncio.Lock()
        self._opened = self._heartbeat_at = time.monotonic()
        self._silent_until = 0.0
        self._pending: list[tuple[float, Send | Close]] = []

    async def run(self) -> None:
        """Until either side has closed; raises only what is a bug."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._feed())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionClosed):
                raise result

    def suffer(self, fault: Fault) -> None:
        """Does to this client what a fault says; what takes more than an instant is done by its own tasks."""
        now = time.monotonic()
        match fault.fault:
            case "drop":
                self._websocket.transport.abort()
            case "stall":
                self._silent_until = now + fault.seconds
            case "deafen":
                self._websocket.transport.pause_reading()
                self._silent_until = float("inf")
            case "close":
                self._pending.append((now, Close(fault.code, fault.text)))
            case "garbage":
                self._pending.append((now, Send((fault.text or "garbage {") * fault.count)))
            case "request_reconnect":
                self._pending += [(now, REQUEST_RECONNECT), (now + fault.seconds, Close(1000, ""))]

    async def _read(self) -> None:
        async for frame in self._websocket:
            async with self._lock:
                if time.monotonic() < self._silent_until:
                    continue
                if not self.conversation.products:
                    self._position = self._source.now()
                for said in self._answer(frame):
                    await self._say(said)

    def _answer(self, frame: str | bytes) -> list[Send | Close]:
        """The exchange's answers, less the confirmations that are lost."""
        faults = self._exchange.faults[self.name]
        said = self.conversation.answer(frame, self._shop)
        return [one for one in said if not (isinstance(one, Send) and one.is_ack and due(faults, "lose_ack"))]

    async def _feed(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            async with self._lock:
                await self._say_pending()
                if time.monotonic() < self._silent_until:
                    continue
                if self.conversation.products:
                    await self._say_due()
                await self._say_heartbeats()
                patience = self.conversation.patience
                if patience and not self._is_subscribed() and time.monotonic() - self._opened > patience:
                    await self._say(TOO_LATE)

    async def _say_pending(self) -> None:
        now = time.monotonic()
        ripe = [said for at, said in self._pending if at <= now]
        self._pending = [(at, said) for at, said in self._pending if at > now]
        for said in ripe:
            await self._say(said)

    async def _say_due(self) -> None:
        if self._source.too_far_behind(self._position):
            await self._say(TOO_SLOW)
        newest = self._source.now()
        while self._position < newest:
            frames, self._position = self._source.due(self.conversation, self._position, newest)
            for frame in mangle(frames, self._exchange.faults[self.name]):
                await self._say(frame)

    async def _say_heartbeats(self) -> None:
        now = time.monotonic()
        if now - self._heartbeat_at < HEARTBEAT_INTERVAL:
            return
        self._heartbeat_at = now
        for product in sorted(self.conversation.heartbeats):
            last_id = self._source.last_id(product, self._position)
            await self._say(self.conversation.heartbeat(product, last_id, time.time_ns()))

    async def _say(self, said: Send | Close) -> None:
        if isinstance(said, Close):
            await self._websocket.close(said.code, said.reason)
            return
        await self._websocket.send(said.raw)
        if said.product and said.trade_id is not None:
            self._exchange.was_sent(said.product, said.trade_id)

    def _welcome(self, product: Product) -> list[Send]:
        return self._source.welcome(self.conversation, product, self._position)

    def _is_subscribed(self) -> bool:
        return bool(self.conversation.products or self.conversation.heartbeats)
