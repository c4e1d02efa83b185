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
from poeticoins.simulator import candles, market
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
    async with asyncio.timeout(30):
        return await asyncio.to_thread(lambda: urlopen(url, timeout=30).read())


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


async def get_candles(exchange: EmbeddedExchange, product: Product, interval: int, since: int, until: int) -> list:
    """The candles that begin in since <= second < until, page by page, as the product's exchange module reads them."""
    module, found = EXCHANGES[product.exchange], {}
    for begins in range(since, until, module.MOST_CANDLES * interval):
        ends = min(until, begins + module.MOST_CANDLES * interval)
        parts = urlsplit(module.candles_url(product, interval, begins, ends))
        body = await fetch(exchange, f"/{product.exchange}{parts.path}?{parts.query}")
        for candle in module.parse_candles(product, body):
            if begins * SECOND <= candle.started_at_ns < ends * SECOND:
                found[candle.started_at_ns] = candle
    return [found[at] for at in sorted(found)]


@pytest.mark.parametrize("product", [COINBASE, BITSTAMP])
async def test_candles_of_the_last_hour_are_those_of_the_trades_that_are_listed(product):
    async with EmbeddedExchange(seed=SEED) as exchange:
        now = int(time.time())
        until = now // 60 * 60  # the minute that goes on may grow between the two answers
        listed = market.trades(SEED, product, (until - 3600) * SECOND - 1, until * SECOND - 1)
        told = await get_candles(exchange, product, 60, until - 3600, until)

    assert len(told) == 60
    for candle in told:
        inside = [t for t in listed if 0 <= t.traded_at_ns - candle.started_at_ns < 60 * SECOND]
        prices = [float(trade.price) for trade in inside]
        assert (candle.open, candle.high, candle.low, candle.close) == (prices[0], max(prices), min(prices), prices[-1])
        assert candle.volume == float(sum(trade.size for trade in inside))


@pytest.mark.parametrize("product", [COINBASE, BITSTAMP])
@pytest.mark.parametrize(("shorter", "longer", "count"), [(60, 3600, 30), (3600, 86_400, 20)])
async def test_candles_of_every_length_say_the_same(product, shorter, longer, count):
    async with EmbeddedExchange(seed=SEED) as exchange:
        until = int(time.time()) // longer * longer
        parts = await get_candles(exchange, product, shorter, until - count * longer, until)
        wholes = await get_candles(exchange, product, longer, until - count * longer, until)

    assert len(wholes) == count
    assert len(parts) == count * longer // shorter
    for whole in wholes:
        inside = [part for part in parts if 0 <= part.started_at_ns - whole.started_at_ns < longer * SECOND]
        assert (whole.open, whole.close) == (inside[0].open, inside[-1].close)
        assert (whole.high, whole.low) == (max(part.high for part in inside), min(part.low for part in inside))
        assert whole.volume == pytest.approx(sum(part.volume for part in inside), rel=1e-9)
    assert len({whole.high for whole in wholes}) > count / 2


def test_candles_are_the_same_after_everything_was_forgotten():
    of, now_ns = candles.Market(SEED, COINBASE), 1_795_000_000 * SECOND
    before = candles.candles(of, 60, (1_794_990_000, 1_795_000_000), now_ns)

    for kept in (candles._traded, candles._price, candles._range, candles._shares):
        kept.cache_clear()

    assert candles.candles(of, 60, (1_794_990_000, 1_795_000_000), now_ns) == before


@pytest.mark.parametrize("pace", [1, 7, 100])
def test_the_newest_whole_candle_is_of_its_trades_at_any_pace(pace):
    second, now_ns = 1_794_999_960, 1_795_000_030 * SECOND

    (bar,) = candles.candles(candles.Market(SEED, COINBASE, pace), 60, (second, second + 1), now_ns)

    listed = market.trades(SEED, COINBASE, second * SECOND - 1, (second + 60) * SECOND - 1, pace)
    assert bar.volume == sum(trade.size for trade in listed)
    assert (bar.open, bar.close) == (listed[0].price, listed[-1].price)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/coinbase/products/XXX/candles", 404),
        ("/coinbase/products/BTC-USD/candles?granularity=61", 400),
        ("/coinbase/products/BTC-USD/candles?granularity=60&start=x&end=2026-09-21T00:00:00Z", 400),
        ("/coinbase/products/BTC-USD/candles?start=2026-09-21T00:00:00Z&end=2026-09-21T05:00:00Z", 400),
        ("/bitstamp/api/v2/ohlc/nothing/?step=60&limit=1", 404),
        ("/bitstamp/api/v2/ohlc/btcusd/?step=60", 400),
        ("/bitstamp/api/v2/ohlc/btcusd/?step=60&limit=1001", 400),
    ],
)
async def test_candles_that_are_asked_for_wrongly_are_refused(path, status):
    async with EmbeddedExchange(seed=SEED) as exchange:
        with pytest.raises(HTTPError) as refusal:
            await fetch(exchange, path)

    assert refusal.value.code == status


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/coinbase/products/BTC-USD/candles?granularity=86400", 300),
        ("/coinbase/products/BTC-USD/candles?granularity=3600&start=1790000000", 300),  # start alone is ignored
        ("/coinbase/products/BTC-USD/candles?granularity=300&start=1790000100&end=1790000700", 3),
        ("/bitstamp/api/v2/ohlc/btcusd/?step=3600&limit=1000", 1000),
    ],
)
async def test_candles_come_as_many_as_are_asked_for(path, count):
    async with EmbeddedExchange(seed=SEED) as exchange:
        module = EXCHANGES[path.split("/")[1]]
        told = module.parse_candles(module.PRODUCTS[0], await fetch(exchange, path))

    assert len(told) == count


async def test_a_fault_can_hit_the_candles_alone():
    async with EmbeddedExchange(seed=SEED) as exchange:
        exchange.faults["coinbase"].append(Fault("rest", count=1, seconds=0, status=500, path="/candles"))
        trades = await get(exchange, COINBASE)
        with pytest.raises(HTTPError) as refusal:
            await get_candles(exchange, COINBASE, 60, 1_790_000_040, 1_790_000_100)

    assert len(trades) == 1000
    assert refusal.value.code == 500
