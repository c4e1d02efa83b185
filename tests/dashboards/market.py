"""
A market of our own, in place of the context: the same questions, answered by whatever the test says.

Run as a program it serves the page on it: `python market.py PORT MODE [RATE [ORIGIN]]` prints the page's address and
goes on until it is killed. RATE: trades a second, over all products.
"""

import asyncio
import math
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from poeticoins.errors import FeedUnavailable
from poeticoins.model import Product, Trade

PRODUCTS = [
    Product(exchange, base, quote)
    for exchange in ("coinbase", "bitstamp")
    for quote in ("EUR", "USD")
    for base in ("LTC", "BTC", "ETH")
]
HOSTILE = "<img src=x onerror=stolen()>"
MOST_TOLD = 2_000
"""Trades of a product that are remembered, so that hours of many trades a second stay cheap."""
TEN = [Product(f"venue{at}", base, quote) for at in range(10) for base in ("BTC", "XRP") for quote in ("USD", "EUR")]
PRICES = {"XRP": 0.51941, "BTC": 67829.30, "ETH": 3453.82, "LTC": 84.46}


SAY = partial(print, flush=True)


class Market:
    """`tell()` a trade and the stream brings it; `status` and `open` are what the next question finds."""

    def __init__(self, products: Iterable[Product] = PRODUCTS, mode: str = "live") -> None:
        self.products = list(products)
        self.open = True
        self.questions: list[str] = []
        self.failing: Exception | None = None
        self.lasts: dict[Product, Trade] = {}
        self.told: dict[Product, list[Trade]] = {}
        self.gaps: dict[Product, list[tuple[Any, ...]]] = {}
        self.foreign = 0
        self.closes: dict[Product, list[tuple[int, float]]] = {}
        self.status = status(mode)
        self._queues: set[asyncio.Queue[Trade]] = set()

    def tell(self, *trades: Trade) -> None:
        for trade in trades:
            self.lasts[trade.product] = trade
            self.told.setdefault(trade.product, []).append(trade)
            if len(self.told[trade.product]) > MOST_TOLD:
                del self.told[trade.product][: MOST_TOLD // 2]
            for queue in self._queues:
                queue.put_nowait(trade)

    @property
    def listeners(self) -> int:
        return len(self._queues)

    def available_products(self) -> list[Product]:
        self._asked("available_products")
        return self.products

    def get_last_trades(self, products: Iterable[Product]) -> list[Trade]:
        self._asked("get_last_trades")
        return [self.lasts[product] for product in products if product in self.lasts]

    def get_candles(self, product: Product, interval: str, *, limit: int = 500) -> pd.DataFrame:
        self._asked("get_candles")
        known = self.closes.get(product, []) + [
            (each.traded_at_ns // 1_000_000_000, float(each.price)) for each in self.told.get(product, [])
        ]
        step = {"s": 1, "m": 60, "h": 3600, "d": 86_400}[interval[-1]] * int(interval[:-1])
        rows: dict[int, list[float]] = {}
        for second, price in known:
            rows.setdefault(second - second % step, []).append(price)
        candles = [
            (start, p[0], max(p), min(p), p[-1], 0.0119 * len(p), sum(p) / len(p), len(p))
            for start, p in sorted(rows.items())[-limit:]
        ]
        columns = ["started_at", "open", "high", "low", "close", "volume", "vwap", "trades"]
        frame = pd.DataFrame(candles, columns=columns).set_index("started_at")
        if self.foreign:  # the oldest are the exchange's own: nobody saw their trades
            frame["origin"] = ["exchange" if at < self.foreign else "trades" for at in range(len(frame))]
            frame["trades"] = frame["trades"].where(frame["origin"] == "trades", 0)
            frame["vwap"] = frame["vwap"].where(frame["origin"] == "trades")
        return frame.set_axis(pd.to_datetime(frame.index, unit="s", utc=True))

    def get_trades(self, product: Product, *, limit: int = 1000) -> pd.DataFrame:
        self._asked("get_trades")
        told = sorted(self.told.get(product, [])[-limit:], key=lambda each: (each.traded_at_ns, each.trade_id))
        columns = {"price": [float(each.price) for each in told], "size": [float(each.size) for each in told]}
        columns |= {name: [getattr(each, name) for each in told] for name in ("side", "trade_id", "late")}
        return pd.DataFrame(columns, index=pd.DatetimeIndex([each.traded_at for each in told]))

    def get_gaps(self, product: Product) -> pd.DataFrame:
        self._asked("get_gaps")
        rows = self.gaps.get(product, [])
        frame = pd.DataFrame(rows, columns=["began_at", "ended_at", "missing", "reason", "refilled_at"])
        return frame.astype({"missing": "Int64"})

    def get_status(self) -> Any:
        self._asked("get_status")
        return self.status

    async def stream_trades(self, products: Iterable[Product]) -> AsyncIterator[Trade]:
        self._asked("stream_trades")
        queue: asyncio.Queue[Trade] = asyncio.Queue()
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)

    def _asked(self, name: str) -> None:
        self.questions.append(name)
        if not self.open:
            raise FeedUnavailable("no supervisor runs; start one: python supervisor.py")
        if self.failing:
            raise self.failing


def status(mode: str = "live", state: str = "live", **feed: Any) -> Any:
    feeds = [
        SimpleNamespace(
            exchange=name,
            state=state,
            host=f"{name}.test",
            **{"problem": None, "next_try_in": None, "last_trade_at": None, "gaps": 0, "refills": 0}
            | {"rate": 1.5, "delay": None, "last_loss": None, "trades": 7, "reconnects": 0, "bad_frames": 0}
            | feed,
        )
        for name in ("coinbase", "bitstamp")
    ]
    own = {"cpu": 0.01, "rss": 30e6, "uptime": 60.0}
    child = own | {"state": "ready", "restarts": 0, "exits": [], "next_try_in": None}
    children = [
        SimpleNamespace(name=n, pid=100 + i, **child) for i, n in enumerate(("coinbase", "bitstamp", "historical"))
    ]
    started_at = "2026-01-01T12:00:00+00:00"
    return SimpleNamespace(mode=mode, children=children, feeds=feeds, pid=99, started_at=started_at, **own)


def trade(product: Product, price: str, *, at: float | None = None, number: int = 1, **more: Any) -> Trade:
    """`at`: seconds since 1970, both clocks; now if it is not given."""
    ns = round((time.time() if at is None else at) * 1000) * 1_000_000
    return Trade(product, number, Decimal(price), Decimal("0.01190000"), "buy", ns, ns, **more)


def price_text(price: float) -> str:
    return f"{price:.2f}" if price > 10 else f"{price:.5f}"


async def walk(market: Market, rate: float, ago: float | None = 1) -> None:
    """
    Prices that wander as prices do, from ten minutes ago until it is cancelled.

    ago: seconds since the last trade of each product; None: there was none yet.
    """
    chance = random.Random(7)
    prices = {p: PRICES.get(p.base, 12.34) * (0.92 if p.quote == "EUR" else 1) for p in market.products}
    for product in market.products if ago else []:
        for second in range(600, int(ago or 0) - 1, -1):
            prices[product] *= math.exp(chance.gauss(0, 0.00025))
            market.closes.setdefault(product, []).append((int(time.time()) - second, prices[product]))
        market.tell(trade(product, price_text(prices[product]), at=time.time() - (ago or 0)))
    numbers = 10
    weights = [1 if product.base == "BTC" else 0.4 for product in market.products]
    while True:
        together = max(1, round(rate / 100))  # at most a hundred times a second
        await asyncio.sleep(chance.expovariate(rate / together))
        for product in chance.choices(market.products, k=together, weights=weights):
            numbers += 1
            prices[product] *= math.exp(chance.gauss(0, 0.0001))
            market.tell(trade(product, price_text(prices[product]), number=numbers))


async def twins(market: Market) -> None:
    """Twice a second two trades of bitcoin in one millisecond, alike but for their ids."""
    for number in range(1_000_000, 2_000_000, 2):
        await asyncio.sleep(0.5)
        now, btc = time.time(), market.products[4]
        market.tell(trade(btc, "67829.30", at=now, number=number), trade(btc, "67829.30", at=now, number=number + 1))


async def latecomers(market: Market) -> None:
    """Twice a second a trade of bitcoin that was traded two seconds ago and comes late."""
    for number in range(1_000_000, 2_000_000):
        await asyncio.sleep(0.5)
        market.tell(trade(market.products[4], "67829.30", at=time.time() - 2, number=number, late=True))


async def steps(market: Market) -> None:
    """Litecoin on Bitstamp goes up and down between 80 and 90, a step of 1 every quarter of a second."""
    for number in range(1_000_000, 2_000_000):
        market.tell(trade(market.products[9], f"{80 + abs(number % 20 - 10)}.00", number=number))
        await asyncio.sleep(0.25)


async def leave(market: Market) -> None:
    """Its supervisor goes, once it has been asked some times how it is."""
    while market.questions.count("get_status") < 3:
        await asyncio.sleep(0.1)
    market.open = False


async def serve(
    port: int,
    mode: str,
    rate: float,
    *origins: str,
    products: Iterable[Product] = PRODUCTS,
    made: Any = Market,
    ready: Callable[[str], object] = SAY,
) -> None:
    """ready: is told the page's address."""
    from panel.io.resources import BASE_TEMPLATE

    from dashboards import page, server

    products = TEN if mode == "ten" else products
    market = made(products, mode if mode in ("demo", "replay") else "live")
    market.open = mode != "none"
    rate = 0.0001 if mode in ("still", "quiet", "silent") else rate
    if mode == "trouble":
        problem = "name not found <img src=x onerror=alert(1)>"
        market.status.feeds[0].__dict__.update(state="reconnecting", problem=problem, next_try_in=4.2)
        end = SimpleNamespace(
            at="2026-01-01T12:30:00+00:00", how="exit 1", ran_for=75.0, words=[f"| ValueError: {problem}"]
        )
        crashing = {"state": "backoff", "pid": None, "cpu": None, "rss": None, "restarts": 3, "next_try_in": 7.6}
        market.status.children[0].__dict__.update(crashing, exits=[end])
        market.status.feeds[1].delay = SimpleNamespace(p50=-12, p99=1_300, trades=60, window=60)
    if mode == "hostile":
        market.products[:2] = [Product("coinbase", HOSTILE, "USD"), Product(HOSTILE, "BTC", HOSTILE)]
        began = pd.Timestamp.now("UTC") - pd.Timedelta(minutes=2)
        market.gaps[market.products[4]] = [(began, began, 3, HOSTILE, pd.NaT)]
        end = SimpleNamespace(at="2026-01-01T12:30:00+00:00", how=HOSTILE, ran_for=75.0, words=[HOSTILE])
        market.status.children[0].__dict__.update(name=HOSTILE, state=HOSTILE, exits=[end], restarts=1)
        market.status.feeds[0].__dict__.update(state="reconnecting", problem=HOSTILE, host=HOSTILE, gaps=1)
        loss = SimpleNamespace(why=HOSTILE, heard_at="2026-01-01T12:30:00+00:00")
        market.status.feeds[1].__dict__.update(exchange=HOSTILE, state=HOSTILE, last_loss=loss, reconnects=1)
    if mode == "unwell":
        market.status.feeds[0].last_trade_at = "2026-01-01T12:30:00+00:00"  # it says that it is live all the same
        market.status.feeds[1].__dict__.update(state="degraded", problem="no answer for BTC-EUR")
        market.status.children[2].state = "degraded"
    if mode == "forgetful":
        server.TOKEN_S = 6
    if mode == "plain":
        page.broadcast.Line.write = lambda *_: False
    if mode == "guest":
        page.PageCards = partial(page.Cards, owns_page=False)
        page.template = lambda _: BASE_TEMPLATE  # Panel's own
    if mode == "broken":
        page.PageCards = lambda *_: 1 / 0
    if mode == "hole":
        began = pd.Timestamp.now("UTC") - pd.Timedelta(minutes=3)
        gaps = [(began - pd.Timedelta(minutes=2), began, 9, "disconnected", began)]  # this one was refilled
        gaps.append((began, began + pd.Timedelta(seconds=21), 3, "skipped ids", pd.NaT))
        gaps.append((began - pd.Timedelta(minutes=3), began - pd.Timedelta(minutes=2), None, "client down", pd.NaT))
        market.gaps[market.products[1]] = gaps
        market.status.feeds[0].gaps = 1
        market.foreign = 3
    child = SimpleNamespace(stopping=asyncio.Event(), facts=dict)
    child.ready = lambda: ready(child.facts()["url"])
    kept = os.environ.get("POETICOINS_RUN_DIR")
    settings = SimpleNamespace(
        host="127.0.0.1", port=port, allow_origin=tuple(filter(None, origins)), run_dir=Path(kept) if kept else None
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(walk(market, rate, {"quiet": 100, "silent": None}.get(mode, 1)))
        if mode == "leaving":
            group.create_task(leave(market))
        if mode == "twins":
            group.create_task(twins(market))
        if mode == "steps":
            group.create_task(steps(market))
        if mode == "late":
            group.create_task(latecomers(market))
        group.create_task(server.run(settings, child, market))


def forked(ready: Callable[[str], object], *arguments: Any) -> None:
    """Serves in a process of its own; see `serve`."""
    asyncio.run(serve(*arguments, ready=ready))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if sys.argv[3:] else 30, *sys.argv[4:]))
