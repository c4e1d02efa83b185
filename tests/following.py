"""A client of one exchange in this process, against the embedded exchange: what it does, and what its journals hold."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

from poeticoins.backfill import Need
from poeticoins.client import Client
from poeticoins.journal import read_tail, writing
from poeticoins.model import Gap, Product, Refill, Trade
from poeticoins.record import unpacked
from poeticoins.restarts import ConnectionBackoff
from poeticoins.simulator.server import EmbeddedExchange
from tests.makers import make_settings

BTC, ETH = Product("coinbase", "BTC", "USD"), Product("bitstamp", "ETH", "USD")
DEADLINE = 20


class Followed:
    """A client that runs, and what it has journalled of its first product."""

    def __init__(self, client: Client, settings, product: Product, tasks: list[asyncio.Task]) -> None:
        self.client, self._settings, self._product, self._tasks = client, settings, product, tasks

    @property
    def ended(self) -> list[BaseException | None]:
        """What ended the works of the client that have ended; there are none while all is well."""
        return [task.exception() for task in self._tasks if task.done()]

    @property
    def facts(self) -> dict[str, Any]:
        return self.client.facts()

    @property
    def confirmed(self) -> set[Product]:
        return self.client._feed.confirmed

    @property
    def items(self) -> list[Trade | Gap | Refill]:
        return self.items_of(self._product)

    def items_of(self, product: Product) -> list[Trade | Gap | Refill]:
        tail = read_tail(self._settings.journal(product), product, self._settings.mode)
        return [] if tail is None else unpacked(tail.records, product)

    @property
    def ids(self) -> list[int]:
        return [item.trade_id for item in self.items if isinstance(item, Trade)]

    @property
    def gaps(self) -> list[Gap]:
        return [item for item in self.items if isinstance(item, Gap)]

    @property
    def refills(self) -> list[Refill]:
        return [item for item in self.items if isinstance(item, Refill)]

    def need(self) -> Need:
        """What a first start wants to have from the REST."""
        return Need(self._product, before_id=10**6)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.02)

    async def until_state(self, state: str) -> None:
        await self.until(lambda: self.facts["state"] == state)

    async def until_problem(self, words: str) -> None:
        await self.until(lambda: words in str(self.facts["problem"]))

    async def more(self, count: int = 5) -> None:
        """Waits for `count` more trades."""
        before = len(self.ids)
        await self.until(lambda: len(self.ids) >= before + count)


@asynccontextmanager
async def following(
    run_dir, exchange: EmbeddedExchange | None, *products: Product, backoff: ConnectionBackoff | None = None, **rest
):
    """A client of `products` (BTC if none are named), all of one exchange; ends as a stop does."""
    products = products or (BTC,)
    name = products[0].exchange
    embedded = {"embedded_url": exchange.url} if exchange else {"mode": "live", "proxy": "none"}
    rest = {"journal_capacity": 5000} | embedded | rest
    settings = make_settings(run_dir, exchanges=(name,), products={name: products}, **rest)
    with writing(settings.run_dir / settings.mode / name):
        client = Client(settings, name, backoff)
        async with client.rest:
            tasks = [asyncio.create_task(work) for work in (client.follow(), client.refill(), client.beat(0.1))]
            try:
                yield Followed(client, settings, products[0], tasks)
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                client.close()
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def whole(ids: list[int]) -> bool:
    """Whether they are all there, from the first to the last."""
    return sorted(ids) == [*range(min(ids), max(ids) + 1)]
