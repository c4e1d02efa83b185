"""
The demo's market: every trade of every product, as a pure function of (seed, product, time).

Time is cut into blocks of ten seconds since 2020, and a product has the same number of trades in each of them: so ids
count up without a hole whenever one looks, and the market goes on where it would have been after any restart. Within a
block, every trade has a stratum of its own (so that nothing is quiet for long); a warp crowds them into bursts, and
some follow at the very instant of the one before, as when one order sweeps through several others.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import NamedTuple
from zlib import crc32

from poeticoins.model import SECOND, Product, Side, Trade
from poeticoins.simulator.prices import decimals, price_of, usd_value

START_NS = 1_577_836_800 * SECOND
"""2020-01-01: the first trade of every product."""
BLOCK_NS = 10 * SECOND
_TICK_NS = 100_000  # Bitstamp's ids are made of time in these, so no two trades of a product share one
_TICKS = BLOCK_NS // _TICK_NS
_SLOTS = 64  # ids of different Bitstamp pairs interleave, as those of one counter over all markets do

_TRADES = {"BTC-USD": 40, "BTC-EUR": 10, "ETH-USD": 25, "ETH-EUR": 7, "LTC-USD": 6, "LTC-EUR": 2}
_BUSY_QUOTES = ("USD", "USDT", "USDC")


class _Rhythm(NamedTuple):
    """How uneven a block is: trades that may follow in one instant, and the depth of the warp, from 0 to below 1."""

    followers: int
    warp: float


class _Block(NamedTuple):
    trades: tuple[Trade, ...]
    times: tuple[int, ...]


def trades(seed: int, product: Product, from_ns: int, to_ns: int, pace: int = 1) -> list[Trade]:
    """
    The trades of `product` with from_ns < traded_at_ns <= to_ns, by id, which is also by time.

    pace: how many times as many trades as usual; another pace is another market, with other ids.
    """
    found: list[Trade] = []
    for number in range(max(from_ns - START_NS, 0) // BLOCK_NS, (to_ns - START_NS) // BLOCK_NS + 1):
        block = _block(seed, product, number, pace)
        found += block.trades[bisect_right(block.times, from_ns) : bisect_right(block.times, to_ns)]
    return found


def last_trade(seed: int, product: Product, at_ns: int, pace: int = 1) -> Trade | None:
    """The newest trade of `product` at that time; None before its second block."""
    return next(iter(reversed(trades(seed, product, at_ns - 2 * BLOCK_NS, at_ns, pace))), None)


def newest_trades(
    seed: int, product: Product, at_ns: int, limit: int, before_id: int | None = None, since_ns: int = 0, pace: int = 1
) -> list[Trade]:
    """The newest `limit` trades up to `at_ns` with smaller ids than `before_id`, traded since `since_ns`; by id."""
    found: list[Trade] = []
    number = (at_ns - START_NS) // BLOCK_NS
    if before_id is not None:
        number = min(number, _block_of(product, before_id, pace))
    first = max(0, (since_ns - START_NS) // BLOCK_NS)
    while number >= first and len(found) < limit:
        earlier = [
            trade
            for trade in _block(seed, product, number, pace).trades
            if since_ns <= trade.traded_at_ns <= at_ns and (before_id is None or trade.trade_id < before_id)
        ]
        found = earlier + found
        number -= 1
    return found[-limit:]


def _block_of(product: Product, trade_id: int, pace: int) -> int:
    """The number of the block that a trade lies in."""
    if product.exchange == "bitstamp":
        return trade_id // _SLOTS // _TICKS
    return (trade_id - 1) // trades_per_block(product, pace)


def trades_per_block(product: Product, pace: int = 1) -> int:
    """The number of trades of `product` in every ten seconds; at most as many as its ids leave room for."""
    usual = 6 if product.quote in _BUSY_QUOTES else 3
    return max(1, min(_TRADES.get(product.pair, usual) * pace, _TICKS // 2))


@lru_cache(maxsize=256)  # a minute of every product, which the REST is asked for again and again
def _block(seed: int, product: Product, number: int, pace: int) -> _Block:
    random = Random(f"{seed} {product} {number} {pace}")
    count = trades_per_block(product, pace)
    followers, ticks = _ticks(random, count)
    made = tuple(_trades_at(random, seed, product, number, ticks, followers))
    return _Block(made, tuple(trade.traded_at_ns for trade in made))


def _ticks(random: Random, count: int) -> tuple[list[int], list[int]]:
    """For each trade of a block: how many came before it in the same instant; and its time, in ticks, all different."""
    rhythm = _rhythm(count)
    waves, phase = random.randint(1, 3), random.uniform(0, math.tau)
    swing = rhythm.warp / (math.tau * waves)
    followers, ticks = [0] * count, [0] * count
    for index in range(count):
        even = (index + random.uniform(0.05, 0.95)) / count
        warped = even + swing * (math.sin(math.tau * waves * even + phase) - math.sin(phase))
        tick = int(warped * _TICKS)
        if index and followers[index - 1] < rhythm.followers and random.random() < 0.4:
            followers[index] = followers[index - 1] + 1
            tick = ticks[index - 1] + 1
        earliest = ticks[index - 1] + 1 if index else 0
        ticks[index] = min(max(tick, earliest), _TICKS - count + index)  # the last still fit into their block
    return followers, ticks


def _rhythm(count: int) -> _Rhythm:
    # Each leaves less than ten seconds between two trades: (followers + 2) strata × (1 + warp) < 10 s.
    if count < 6:
        return _Rhythm(0, 0.0)
    if count < 10:
        return _Rhythm(1, 0.5)
    return _Rhythm(3, 0.8) if count < 25 else _Rhythm(6, 0.9)


def _trades_at(
    random: Random, seed: int, product: Product, number: int, ticks: list[int], followers: list[int]
) -> Iterator[Trade]:
    start = START_NS + number * BLOCK_NS
    places = decimals(product)
    side: Side = "buy" if random.random() < 0.5 else "sell"
    instant = start
    for index, (tick, following) in enumerate(zip(ticks, followers, strict=True)):
        if not following:
            instant = _exchange_time(product, start + tick * _TICK_NS + random.randrange(_TICK_NS))
            side = side if random.random() < 0.65 else "sell" if side == "buy" else "buy"
        away = 0.00008 + 0.00003 * following  # half the spread, and how far the sweep has eaten into the book
        price = price_of(seed, product, instant) * (1 + away if side == "buy" else 1 - away)
        yield Trade(
            product, _trade_id(product, number, index, tick, len(ticks)), _text_of(max(price, 10**-places), places),
            _size(random, product), side, instant,
        )  # fmt: skip


def _exchange_time(product: Product, ns: int) -> int:
    """Bitstamp's clock counts milliseconds, Coinbase's microseconds."""
    return ns - ns % (1_000_000 if product.exchange == "bitstamp" else 1000)


def _trade_id(product: Product, number: int, index: int, tick: int, count: int) -> int:
    if product.exchange == "bitstamp":
        return (number * _TICKS + tick) * _SLOTS + crc32(product.pair.encode()) % _SLOTS
    return number * count + index + 1


def _size(random: Random, product: Product) -> Decimal:
    """Lognormal around 300 USD's worth; now and then the smallest there is, as on the real ones."""
    worth = random.lognormvariate(math.log(300), 1.7) / usd_value(product.base)
    size = 1e-8 if random.random() < 0.002 else max(worth, 1e-8)
    return Decimal(f"{size:.8f}") if product.exchange == "bitstamp" else _text_of(size, 8)


def _text_of(number: float, places: int) -> Decimal:
    """As Coinbase writes numbers: without zeros at the end."""
    text = f"{number:.{places}f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
