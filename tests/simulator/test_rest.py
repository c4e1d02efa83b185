"""The embedded exchange's REST, by plain HTTP, read by the exchanges' own modules."""

import asyncio
import time
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from poeticoins.errors import BadFrame
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import SECOND, Product
from poeticoins.simulator import market
from poeticoins.simulator.faults import Fault
from poeticoins.simulator.server import EmbeddedExchange

COINBASE, BITSTAMP = Product("coinbase", "ETH", "EUR"), Product("bitstamp", "ETH", "EUR")
SEED = 7


async def get(exchange: EmbeddedExchange, product: Product, before: int | None = None) -> list:
    """The trades of a page, as the product's exchange module reads them."""
    module = EXCHANGES[product.exchange]
    parts = urlsplit(module.backfill_url(product, before))
    return module.parse_backfill(product, await fetch(exchange, f"/{product.exchange}{parts.path}?{parts.query}"))


async def fetch(exchange: EmbeddedExchange, path: str) -> bytes:
    url = f"http://{urlsplit(exchange.url).netloc}{path}"
    async with asyncio.timeout(10):
        return await asyncio.to_thread(lambda: urlopen(url, timeout=10).read())


async def test_paging_back_from_an_id_gives_every_trade_once():
    async with EmbeddedExchange(seed=SEED) as exchange:
        newest = await get(exchange, COINBASE)
        older = await get(exchange, COINBASE, newest[0].trade_id)

    ids = [trade.trade_id for trade in older + newest]
    assert ids == [*range(newest[-1].trade_id - 1999, newest[-1].trade_id + 1)]


@pytest.mark.parametrize("product", [COINBASE, BITSTAMP])
async def test_what_is_listed_is_what_the_market_traded(product):
    async with EmbeddedExchange(seed=SEED) as exchange:
        before_ns = time.time_ns()
        listed = await get(exchange, product)

    first, last = listed[0], listed[-1]
    traded = market.trades(SEED, product, first.traded_at_ns - 1, last.traded_at_ns)
    assert {trade.origin for trade in listed} == {"backfill"}
    assert [(t.trade_id, t.price, t.size, t.side, t.traded_at_ns) for t in listed] == [
        (t.trade_id, t.price, t.size, t.side, t.traded_at_ns) for t in traded[-len(listed) :]
    ]
    assert last.traded_at_ns > before_ns - 11 * SECOND


async def test_bitstamps_windows_reach_back_as_far_as_they_say():
    async with EmbeddedExchange(seed=SEED) as exchange:
        minute, hour, day = [await get(exchange, BITSTAMP, number) for number in (None, 1, 2)]

    assert 40 < (minute[-1].traded_at_ns - minute[0].traded_at_ns) / SECOND <= 60
    assert 3580 < (hour[-1].traded_at_ns - hour[0].traded_at_ns) / SECOND <= 3600
    assert len(day) == 20_000  # all that the embedded exchange lists of a day
    assert day[-1].traded_at_ns >= hour[-1].traded_at_ns


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/coinbase/products/XXX/trades", 404),
        ("/coinbase/products/BTC-XXX/trades", 404),
        ("/coinbase/products/BTC-USD/trades?limit=5000", 400),
        ("/coinbase/products/BTC-USD/trades?after=x", 400),
        ("/bitstamp/api/v2/transactions/nothing/", 404),
        ("/bitstamp/api/v2/transactions/btcusd/?time=week", 404),
        ("/kraken/0/public/Trades", 404),
    ],
)
async def test_what_is_not_there_is_refused_as_the_exchange_does(path, status):
    async with EmbeddedExchange(seed=SEED) as exchange:
        with pytest.raises(HTTPError) as refusal:
            await fetch(exchange, path)

    assert refusal.value.code == status


async def test_faults_are_slow_refuse_or_lie_as_often_as_they_are_asked_to():
    async with EmbeddedExchange(seed=SEED) as exchange:
        exchange.faults["coinbase"].append(Fault("rest", count=1, seconds=0, status=429))
        exchange.faults["coinbase"].append(Fault("rest", count=1, seconds=0, status=200, text="[{]"))
        with pytest.raises(HTTPError) as refusal:
            await get(exchange, COINBASE)
        with pytest.raises(BadFrame):
            await get(exchange, COINBASE)
        healed = await get(exchange, COINBASE)

    assert (refusal.value.code, refusal.value.headers["Retry-After"]) == (429, "1")
    assert len(healed) == 1000
