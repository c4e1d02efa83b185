"""
What a product costs in the demo's market, at any time: a pure function of (seed, product, time).

A price is a usual one times exp(noise). The noise is a sum of octaves: smooth curves between random points, from two
weeks apart to four seconds, each as strong as a random walk would be over such a time. All coins share half of it, an
exchange adds a few hundredths of a percent of its own, and EUR and GBP move slowly against USD.
"""

import math
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

from poeticoins.model import SECOND, Product

_USD = {
    "BTC": 78_000.0, "ETH": 2_600.0, "LTC": 96.0, "SOL": 165.0, "XRP": 2.3, "ADA": 0.62, "DOGE": 0.17, "DOT": 4.1,
    "LINK": 15.5, "BCH": 430.0, "AVAX": 21.0, "XLM": 0.29, "UNI": 7.4, "AAVE": 210.0, "PAX": 1.0, "PAXG": 3900.0,
    "USD": 1.0, "USDT": 1.0, "USDC": 1.0, "DAI": 1.0, "RLUSD": 1.0, "EUR": 1.125, "GBP": 1.31,
}  # fmt: skip
_STABLE = {"USD", "USDT", "USDC", "DAI", "PAX", "RLUSD"}
_SLOW = {"EUR", "GBP"}

_DAY = 86_400
_OCTAVES = ((14 * _DAY, 0.11), (2 * _DAY, 0.035), (_DAY // 3, 0.014), (4500, 0.006), (900, 0.0022), (180, 0.0011),
            (35, 0.0005), (4, 0.0002))  # fmt: skip
_SLOW_OCTAVES = ((30 * _DAY, 0.03), (_DAY, 0.003), (1800, 0.0003))
_OWN_OCTAVES = ((600, 0.0003), (20, 0.0002))


def price_of(seed: int, product: Product, at_ns: int) -> float:
    """What one `base` costs in `quote` on the product's exchange, half-way between bid and ask."""
    own = _noise(f"{seed} {product.exchange} {product.pair}", at_ns, _OWN_OCTAVES)
    price = _value(seed, product.base, at_ns) / _value(seed, product.quote, at_ns)
    return price * math.exp(own)


@lru_cache(maxsize=1024)
def usd_value(asset: str) -> float:
    """What `asset` usually costs; something between 0.1 and 100 USD, but always the same, for one that is not known."""
    return _USD.get(asset) or round(10 ** (crc32(asset.encode()) % 3000 / 1000 - 1), 3)


@lru_cache(maxsize=1024)
def decimals(product: Product) -> int:
    """Digits after the point in the product's prices, for good, whatever becomes of the price."""
    usual = usd_value(product.base) / usd_value(product.quote)
    if product.exchange == "bitstamp" and usual >= 1000:
        return 0 if usual >= 10_000 else 1
    return next((places for least, places in ((10, 2), (0.9, 4), (0.01, 5)) if usual >= least), 8)


def _value(seed: int, asset: str, at_ns: int) -> float:
    if asset in _STABLE:
        return usd_value(asset)
    if asset in _SLOW:
        return usd_value(asset) * math.exp(_kept_noise(f"{seed} {asset}", at_ns, _SLOW_OCTAVES))
    shared, own = (_kept_noise(f"{seed} {name}", at_ns, _OCTAVES) for name in ("all", asset))
    return usd_value(asset) * math.exp(0.6 * shared + 0.6 * own)


def _noise(name: str, at_ns: int, octaves: tuple[tuple[int, float], ...]) -> float:
    total = 0.0
    for period, strength in octaves:
        point, offset = divmod(at_ns, period * SECOND)
        across = offset / (period * SECOND)
        smooth = across * across * (3 - 2 * across)
        left, right = _random_point(name, period, point), _random_point(name, period, point + 1)
        total += strength * (left + (right - left) * smooth)
    return total


_kept_noise = lru_cache(maxsize=16_384)(_noise)
"""That of coins, which several products ask for at the same times: those of candles, and of trades in one instant."""


@lru_cache(maxsize=8192)
def _random_point(name: str, period: int, point: int) -> float:
    """Between -1 and 1, evenly. A digest: five times as quick as a Random of its own."""
    digest = blake2b(f"{name} {period} {point}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**63 - 1
