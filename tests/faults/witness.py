"""
Who watches the line while it is being hurt: readers that note all that comes, and the truth that it is compared with.

A reader is a promise's receiver: TradeStream, with all its repairs. An ear is a bare SUB socket without any: what it
hears of a feed that nothing was done to has to be unbroken.
"""

import asyncio
import threading
import time
from collections import defaultdict
from contextlib import suppress

import zmq

from poeticoins import messages, wire
from poeticoins.config import Settings
from poeticoins.model import SECOND, Gap, Item, Product, Trade
from poeticoins.simulator import market
from poeticoins.stream import TradeStream


class Reader:
    """Reads every product by a TradeStream in a thread, from its making until `close`; history: as of the stream."""

    def __init__(self, settings: Settings, products: list[Product], history: int = 0) -> None:
        self.items: dict[Product, list[Item]] = {product: [] for product in products}
        self.heard_at: dict[Product, list[float]] = defaultdict(list)
        """When each trade of a product came, in seconds of the monotonic clock."""
        self.failure: BaseException | None = None
        self._settings, self._history = settings, history
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def trades(self, product: Product) -> list[Trade]:
        return [item for item in list(self.items[product]) if isinstance(item, Trade)]

    def newest(self, product: Product, count: int) -> list[tuple[Trade, float]]:
        """The newest trades of a product, each with when it came, in seconds of the monotonic clock."""
        times = list(self.heard_at[product])  # first: a trade is noted before its time
        return list(zip(self.trades(product), times, strict=False))[-count:]

    def gaps(self, product: Product) -> list[Gap]:
        return [item for item in list(self.items[product]) if isinstance(item, Gap)]

    def _live(self) -> None:
        try:
            asyncio.run(self._read())
        except BaseException as error:
            self.failure = error

    async def _read(self) -> None:
        stream = TradeStream(self._settings, list(self.items), self._history)
        reading = asyncio.create_task(self._note(stream))
        while not self._closing.is_set() and not reading.done():
            await asyncio.sleep(0.02)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        stream.close()

    async def _note(self, stream: TradeStream) -> None:
        async for item in stream:
            self.items[item.product].append(item)
            if isinstance(item, Trade):
                self.heard_at[item.product].append(time.monotonic())

    def close(self) -> None:
        self._closing.set()
        self._thread.join()


class Ear:
    """Hears one exchange's publisher by a bare SUB socket; notes where its sequences break, or a trade is repeated."""

    def __init__(self, settings: Settings, exchange: str) -> None:
        self.heard = 0
        self.breaks: list[str] = []
        self._last: dict[str, tuple[int, int]] = {}
        self._ids: set[tuple[str, int]] = set()
        self._socket = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.RCVHWM, 0)
        self._socket.connect(f"ipc://{settings.socket(exchange)}")
        self._socket.subscribe(b"")

    def listen(self) -> None:
        """Takes in all that has come since it listened last."""
        with suppress(zmq.Again):
            while True:
                name, message = wire.decode_frame(self._socket.recv(zmq.NOBLOCK))
                if not isinstance(message, messages.HeartbeatMessage):
                    self._note(name, message.epoch, message.sequence)
                if isinstance(message, wire.TradeMessage):
                    if (name, message.trade_id) in self._ids:
                        self.breaks.append(f"{name}: trade {message.trade_id} came twice")
                    self._ids.add((name, message.trade_id))

    def _note(self, name: str, epoch: int, sequence: int) -> None:
        self.heard += 1
        known = self._last.get(name)
        self._last[name] = epoch, sequence
        if known and (epoch, sequence) != (known[0], known[1] + 1):
            self.breaks.append(f"{name}: {(epoch, sequence)} after {known}")

    def close(self) -> None:
        self._socket.close(linger=0)


def truth(seed: int, pace: int, product: Product, first: Trade, until_ns: int) -> set[int]:
    """The ids of all that the market traded from `first` on, itself included, up to `until_ns`."""
    since = first.traded_at_ns - SECOND
    return {
        trade.trade_id
        for trade in market.trades(seed, product, since, until_ns, pace)
        if trade.trade_id >= first.trade_id
    }


def disorder(trades: list[Trade]) -> list[str]:
    """What breaks the promise of order and of once: each trade once, and older than those before it only if late."""
    wrong, newest, seen = [], (0, 0), set()
    places: dict[int, int] = {}
    for trade in trades:
        if trade.trade_id in seen:
            wrong.append(f"{trade.product} {trade.trade_id} came twice")
        seen.add(trade.trade_id)
        if trade.sequence <= places.get(trade.epoch, 0):
            wrong.append(f"{trade.product} sequence {trade.sequence} after {places[trade.epoch]}")
        places[trade.epoch] = trade.sequence
        place = trade.traded_at_ns, trade.trade_id
        if place < newest and not trade.late:
            wrong.append(f"{trade.product} {trade.trade_id} is older than what came before it, and not flagged")
        newest = max(newest, place)
    return wrong
