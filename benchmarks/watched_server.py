"""
The page's server on the tests' made-up market, with a watch on its loop: `python watched_server.py TRADES_A_SECOND`.

The market has sixty products. Prints its address. For each line on its input it prints one: the longest time that the
loop was held since the line before, as the wall and as this thread's own CPU saw it (a busy machine makes the first
longer), in seconds. The first line only has it begin to watch, which takes some CPU.
"""

import asyncio
import sys
import time

from poeticoins import Product
from tests.dashboards.market import serve

LOOK_S = 0.005
COINS = ("BTC", "ETH", "LTC", "ADA", "AVAX", "BCH", "DOGE", "DOT", "LINK", "SOL", "UNI", "XLM", "XRP", "ATOM", "ALGO")
PRODUCTS = [
    Product(exchange, base, quote)
    for base in COINS
    for quote in ("USD", "EUR")
    for exchange in ("coinbase", "bitstamp")
]


class Watch:
    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self._watching: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Wakes every LOOK_S; what it wakes too late by, something else held the loop for."""
        while True:
            wall, cpu = time.monotonic(), time.thread_time()
            await asyncio.sleep(LOOK_S)
            self.wall = max(self.wall, time.monotonic() - wall - LOOK_S)
            self.cpu = max(self.cpu, time.thread_time() - cpu)

    def tell(self) -> None:
        sys.stdin.readline()
        print(f"{self.wall:.4f} {self.cpu:.4f}", flush=True)
        self.wall = self.cpu = 0.0
        self._watching = self._watching or asyncio.create_task(self.run())


async def main(rate: float) -> None:
    watch = Watch()
    asyncio.get_running_loop().add_reader(sys.stdin, watch.tell)
    await serve(0, "demo", rate, products=PRODUCTS)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
