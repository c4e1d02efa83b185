"""
The embedded exchange's candles: a pure function of (seed, product, time), alike at every length.

The last hour and what goes on are summed up from their very trades. To sum up older ones would take
minutes, so they are made from above: a day has prices every six hours, each quarter of it prices every hour that stay
within the day's, and so on down to the minute; and a volume that is shared out among its parts. So the candles of a
day's hours always make up the candle of the day, and those of an hour's minutes that of the hour.
"""

import math
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

from poeticoins.model import SECOND, Product
from poeticoins.simulator import market
from poeticoins.simulator.prices import decimals, price_of, usd_value

LENGTHS = (86_400, 21_600, 3600, 900, 300, 60)
"""Seconds that a candle may be long."""
_STEPS = (*LENGTHS, 30)  # the last: how far apart the prices of a minute are
_MINUTE = 60
_MEAN_WORTH = 300 * math.exp(1.7**2 / 2)  # of a trade, in USD: the mean of the market's lognormal sizes


class Bar(NamedTuple):
    """One candle; `second`: its beginning, since 1970."""

    second: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Market(NamedTuple):
    """Whose candles: the market of `seed`, with `pace` times its trades."""

    seed: int
    product: Product
    pace: int = 1


def candles(of: Market, length: int, span: tuple[int, int], now_ns: int) -> list[Bar]:
    """
    The candles of `length` seconds, one of LENGTHS, that begin in since <= second < until (`span`), oldest first.

    The newest holds what has been traded up to now_ns.
    """
    since, until = max(span[0], market.START_NS // SECOND), min(span[1], now_ns // SECOND + 1)
    numbers = range(-(-since // length), -(-until // length))
    found = (_candle(of, LENGTHS.index(length), number, now_ns) for number in numbers)
    return [bar for bar in found if bar]


def _candle(of: Market, place: int, number: int, now_ns: int) -> Bar | None:
    length = LENGTHS[place]
    first, after = number * length, (number + 1) * length
    if after <= _traded_since(of, now_ns // SECOND):
        return _made_up(of, place, number)
    if length == _MINUTE:
        return _traded(of, first, None) if after * SECOND <= now_ns else _traded.__wrapped__(of, first, now_ns)
    shorter = LENGTHS[place + 1]
    starts = range(first, min(after, now_ns // SECOND + 1), shorter)
    return _summed_up(first, (_candle(of, place + 1, start // shorter, now_ns) for start in starts))


def _traded_since(of: Market, now: int) -> int:
    """From which whole minute on candles are summed up: an hour ago, or what costs as much in a quicker market."""
    often, long = (max(1, minutes // of.pace) * _MINUTE for minutes in (15, 60))
    return now // often * often - long


@lru_cache(maxsize=8192)
def _traded(of: Market, second: int, now_ns: int | None) -> Bar | None:
    """The candle of the minute that begins at `second`, from its trades; up to now_ns, if it is not over yet."""
    last_ns = (second + _MINUTE) * SECOND - 1 if now_ns is None else now_ns
    trades = market.trades(of.seed, of.product, second * SECOND - 1, last_ns, of.pace)
    return _summed_up(
        second, (Bar(second, trade.price, trade.price, trade.price, trade.price, trade.size) for trade in trades)
    )


def _summed_up(second: int, parts: Iterable[Bar | None]) -> Bar | None:
    bars = [bar for bar in parts if bar]
    if not bars:
        return None
    high, low = max(bar.high for bar in bars), min(bar.low for bar in bars)
    return Bar(second, bars[0].open, high, low, bars[-1].close, sum((bar.volume for bar in bars), Decimal(0)))


def _made_up(of: Market, place: int, number: int) -> Bar:
    first = number * LENGTHS[place]
    prices = (_price(of, first), *_range(of, place, number), _price(of, first + LENGTHS[place]))
    opened, low, high, closed = (_written(of.product, price) for price in prices)
    return Bar(first, opened, high, low, closed, Decimal(_satoshis(of, place, number)).scaleb(-8))


@lru_cache(maxsize=8192)
def _range(of: Market, place: int, number: int) -> tuple[float, float]:
    """The lowest and the highest price of an old candle."""
    first = number * _STEPS[place]
    prices = [_price(of, at) for at in range(first, first + _STEPS[place] + 1, _STEPS[place + 1])]
    return min(prices), max(prices)


@lru_cache(maxsize=1024)  # a candle's close is the next one's open, and its range holds both
def _price(of: Market, second: int) -> float:
    """The price at a multiple of 30 s: that of the market, but within what the longer candles around it say."""
    price = price_of(of.seed, of.product, second * SECOND)
    place = next(place for place, step in enumerate(_STEPS) if second % step == 0)
    if place < 2:
        return price
    low, high = _range(of, place - 2, second // _STEPS[place - 2])
    return min(max(price, low), high)


def _satoshis(of: Market, place: int, number: int) -> int:
    """The volume of an old candle, in the smallest sizes that there are."""
    if place == 0:
        a_day = market.trades_per_block(of.product, of.pace) * 86_400 * SECOND // market.BLOCK_NS
        return int(a_day * _MEAN_WORTH / usd_value(of.product.base) * (0.5 + _chance(of, 0, number)) * 10**8)
    parts = LENGTHS[place - 1] // LENGTHS[place]
    return _shares(of, place, number // parts)[number % parts]


@lru_cache(maxsize=4096)
def _shares(of: Market, place: int, whole: int) -> tuple[int, ...]:
    """How the volume of the longer candle with the number `whole` is shared out, to the last one."""
    parts = LENGTHS[place - 1] // LENGTHS[place]
    weights = [0.3 + _chance(of, place, whole * parts + part) for part in range(parts)]
    total, scale = _satoshis(of, place - 1, whole), sum(weights)
    edges = [int(total * (sum(weights[:part]) / scale)) for part in range(parts)] + [total]
    return tuple(later - earlier for earlier, later in pairwise(edges))


def _chance(of: Market, place: int, number: int) -> float:
    """Between 0 and 1, evenly."""
    text = f"{of.seed} {of.product} {of.pace} volume {place} {number}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") / 2**64


def _written(product: Product, price: float) -> Decimal:
    places = decimals(product)
    return Decimal(f"{max(price, 10**-places):.{places}f}")
