"""
A made-up market on the bus, from a process of its own: `python published_market.py RUN_DIR TRADES_A_SECOND`.

Every trade is journalled and published as clients do it, on their sockets in RUN_DIR, and `Heard` is the other end: the
source of a page that hears them by the same merge as all readers. Ends when its input does, as by its parent's death.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from poeticoins.bus import Publisher
from poeticoins.config import Settings
from poeticoins.continuity import Continuity
from poeticoins.model import Product, Trade
from poeticoins.publication import Publication
from poeticoins.sequence import IdWindow
from poeticoins.stream import TradeStream
from tests.dashboards.market import Market, walk

KEPT = 10_000
"""Trades of a product in its journal."""


class Published(Market):
    """What it is told is on the bus when `tell` returns."""

    def __init__(self, products: Iterable[Product], run_dir: Path) -> None:
        super().__init__(products)
        settings = Settings(run_dir=run_dir, journal_capacity=KEPT)
        exchanges = dict.fromkeys(product.exchange for product in self.products)
        publishers = {name: Publisher(settings.socket(name), self._greet) for name in exchanges}
        for product in self.products:
            settings.journal(product).parent.mkdir(parents=True, exist_ok=True)
        self._published = {
            product: Publication(
                product, settings, Continuity(product, True, IdWindow(KEPT)), publishers[product.exchange].send
            )
            for product in self.products
        }

    def tell(self, *trades: Trade) -> None:
        for trade in trades:
            self._published[trade.product].add(trade)

    def _greet(self, topic: bytes) -> None:
        """Whoever subscribes learns so that it is heard, and from which number on."""
        for product, published in self._published.items():
            if f"{product}\0".encode().startswith(topic):
                published.heartbeat()


class Heard(Market):
    """Answers of what it has heard on the bus of `run_dir`."""

    def __init__(self, products: Iterable[Product], mode: str, run_dir: Path) -> None:
        super().__init__(products, mode)
        self._settings = Settings(run_dir=run_dir)

    async def stream_trades(self, products: Iterable[Product]) -> AsyncIterator[Trade]:
        stream = TradeStream(self._settings, list(products))
        try:
            async for item in stream:
                if isinstance(item, Trade):
                    self.tell(item)
                    yield item
        finally:
            stream.close()


async def main(run_dir: Path, rate: float) -> None:
    from watched_server import PRODUCTS

    walking = asyncio.create_task(walk(Published(PRODUCTS, run_dir), rate, ago=None))
    asyncio.get_running_loop().add_reader(sys.stdin, walking.cancel)
    await asyncio.wait({walking})


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
