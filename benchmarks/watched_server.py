"""
The page's server on a made-up market, with a watch on its loop: `python watched_server.py TRADES_A_SECOND [RUN_DIR]`.

The market has sixty products; it is in this process, or with RUN_DIR in another one, and comes by the bus from there.
Prints its address. For each line on its input it prints one: the longest time that the loop was held since the line
before, as the wall and as this thread's own CPU saw it (a busy machine makes the first longer), in seconds. The first
line only has it begin to watch, which takes some CPU.
"""

import asyncio
import sys
import time
from functools import partial
from pathlib import Path

from poeticoins import Product
from tests.dashboards.market import serve

LOOK_S = 0.005
SILENT = 1e-6
"""Trades a second of a market that only has a past."""
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


async def main(rate: float, run_dir: str = "") -> None:
    watch = Watch()
    asyncio.get_running_loop().add_reader(sys.stdin, watch.tell)
    if not run_dir:
        await serve(0, "demo", rate, products=PRODUCTS)
        return
    from published_market import Heard

    program = Path(__file__).with_name("published_market.py")
    await asyncio.create_subprocess_exec(sys.executable, program, run_dir, str(rate), stdin=asyncio.subprocess.PIPE)
    await serve(0, "demo", SILENT, products=PRODUCTS, made=partial(Heard, run_dir=Path(run_dir)))


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), *sys.argv[2:]))
