"""
The nouns: Product, Trade, Gap, and the events that an exchange's frames can mean. Values, all of them frozen.

Numbers arrive as text and are checked as text before any arithmetic, since `Decimal("1e20000000")` costs minutes
once it is turned into an integer. Times are whole nanoseconds since 1970, because every float loses some.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec

from poeticoins.errors import BadFrame, UnknownProduct

Side = Literal["buy", "sell"]
Origin = Literal["live", "snapshot", "backfill"]
GapReason = Literal["skipped ids", "disconnected", "client down", "overrun"]
Mode = Literal["live", "demo", "replay"]
V = TypeVar("V")

_PRODUCT = re.compile(r"([a-z][a-z0-9]{0,15}):([A-Z0-9]{1,10})-([A-Z0-9]{1,10})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)", re.ASCII)

SECOND = 1_000_000_000
MANTISSA_LIMIT = 2**63
EXPONENT_LIMIT = 22
"""Powers of ten up to this are exact in float64, which frames and candles use."""
EXACT = Context(prec=60)
"""Our arithmetic, whatever a script has made of the context of its own."""
_NUMBER_LIMIT = Decimal(10) ** 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Product(msgspec.Struct, frozen=True, order=True):
    """What is traded where: `coinbase:BTC-USD`. Spelled alike for every exchange; `price` is quote per base."""

    exchange: str
    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.exchange}:{self.base}-{self.quote}"

    @property
    def pair(self) -> str:
        """`BTC-USD`: the product without its exchange."""
        return f"{self.base}-{self.quote}"

    @classmethod
    def parse(cls, text: str) -> "Product":
        """Raises UnknownProduct unless `text` is spelled `exchange:BASE-QUOTE`."""
        found = _PRODUCT.fullmatch(text)
        if not found:
            raise UnknownProduct(f"expected 'exchange:BASE-QUOTE' such as 'coinbase:BTC-USD', got {text[:80]!r}")
        return cls(*found.groups())


def of_product(name: str, known: Mapping[str, V]) -> V:
    """What `known` has of a product, by its name. Raises UnknownProduct, which says how one is spelled or is near."""
    if name not in known:
        Product.parse(name)  # says so if it is not even a name
        raise UnknownProduct.among(name, known)
    return known[name]


class Trade(msgspec.Struct, frozen=True):
    """
    One trade, as its exchange reported it.

    price: quote per base; size: in base; both exactly as the exchange wrote them. side: the taker's.
    traded_at is the exchange's clock and may be ahead of received_at, which is ours.
    origin: "live", "snapshot" (an old trade that the exchange sends on subscription) or "backfill" (from its REST).
    late: published after trades that are newer by the exchange's order.
    (epoch, sequence): its place in its product's stream; 0 until it is published.
    """

    product: Product
    trade_id: int
    price: Decimal
    size: Decimal
    side: Side
    traded_at_ns: int
    received_at_ns: int = 0
    origin: Origin = "live"
    late: bool = False
    epoch: int = 0
    sequence: int = 0

    @property
    def traded_at(self) -> datetime:
        return datetime_from_ns(self.traded_at_ns)

    @property
    def received_at(self) -> datetime:
        return datetime_from_ns(self.received_at_ns)


class Candle(msgspec.Struct, frozen=True):
    """
    What an exchange itself says of a span of time that begins at started_at_ns, how long it is was asked for.

    Prices in quote per base, volume in base, all float64, as charts use them.
    """

    started_at_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Gap(msgspec.Struct, frozen=True):
    """
    Trades that are known to be missing from `product`'s stream, at this place of it.

    from_ns and to_ns bound the hole in time (the exchange's or our clock, whichever is known).
    first_id and last_id are the missing ids where ids are contiguous, else None; missing is their number, else None.
    Of an overrun it is that of the places in the stream, where another gap may have stood for several trades.
    """

    product: Product
    reason: GapReason
    from_ns: int
    to_ns: int
    first_id: int | None = None
    last_id: int | None = None
    missing: int | None = None
    epoch: int = 0
    sequence: int = 0
    refilled_at_ns: int | None = None
    """When the missing trades had been fetched after all; None: they are still missing."""


class Refill(msgspec.Struct, frozen=True):
    """The trades of the gap at sequence `gap` have been published after all, late, before this place of the stream."""

    product: Product
    gap: int
    at_ns: int
    epoch: int = 0
    sequence: int = 0


Item = Trade | Gap | Refill
"""What takes a place in a product's stream."""
AnyItem = TypeVar("AnyItem", bound=Item)


class Subscribed(msgspec.Struct, frozen=True):
    """The exchange confirms that it sends these products' trades."""

    products: frozenset[Product]


class Heartbeat(msgspec.Struct, frozen=True):
    """A sign of life; where the exchange says so, with the id of the product's newest trade."""

    product: Product | None = None
    last_trade_id: int | None = None


class ReconnectRequested(msgspec.Struct, frozen=True):
    """The exchange asks its clients to move to a new connection; not an error."""


class Refused(msgspec.Struct, frozen=True):
    """The exchange answered with an error, in its own words (foreign text: escape before showing)."""

    reason: str


Event = Subscribed | Heartbeat | ReconnectRequested | Refused


def number(text: str) -> Decimal:
    """
    A price or a size, exactly as written. Raises BadFrame unless it is plain ASCII, 0 < n < 1e12, with at most 15
    digits before the point, 18 after it and a two-digit exponent (Bitstamp writes "1E-8"), and fits a journal record.
    """
    if not _NUMBER.fullmatch(text):
        raise BadFrame(f"expected a decimal number such as '67829.30', got {text[:40]!r}")
    value = Decimal(text)
    if not 0 < value < _NUMBER_LIMIT:
        raise BadFrame(f"expected a number above 0 and below 1e12, got {text[:40]!r}")
    value = value if len(text) <= 18 else _fitting(value, text)
    if abs(mantissa_and_exponent(value)[1]) > EXPONENT_LIMIT:
        raise BadFrame(f"expected at most {EXPONENT_LIMIT} digits after the point, got {text[:40]!r}")
    return value


def _fitting(value: Decimal, text: str) -> Decimal:
    """`value` if its digits fit a record's 63 bits, at need without the zeros at its end, which say nothing."""
    if "." in text and "e" not in text.lower():
        value = value if len(text) <= 19 else Decimal(text.rstrip("0"))
    if mantissa_and_exponent(value)[0] >= MANTISSA_LIMIT:
        raise BadFrame(f"expected at most 18 significant digits, got {text[:40]!r}")
    return value


def mantissa_and_exponent(value: Decimal) -> tuple[int, int]:
    """`Decimal("1.50")` is (150, -2): value = mantissa × 10**exponent, trailing zeros kept."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # number() lets no infinity and no NaN in
    return int(value.scaleb(-exponent, EXACT)), exponent


def nanoseconds(text: str) -> int:
    """An RFC 3339 time in UTC, with up to nine digits of fraction, to whole nanoseconds. Raises BadFrame otherwise."""
    found = _TIME.fullmatch(text)
    if not found:
        raise BadFrame(f"expected a UTC time such as '2026-09-02T07:44:10.104422Z', got {text[:40]!r}")
    second, fraction = found.groups()
    return _second(second) * SECOND + (int(fraction.ljust(9, "0")) if fraction else 0)


@lru_cache(maxsize=4096)  # trades come in seconds: the calendar is worked out once for each
def _second(text: str) -> int:
    try:
        return plausible_ns(int(datetime.fromisoformat(text + "+00:00").timestamp()) * SECOND) // SECOND
    except ValueError as error:
        raise BadFrame(f"expected a calendar time, got {text!r}: {error}") from None


def plausible_ns(ns: int) -> int:
    """`ns` itself. Raises BadFrame unless it lies between 2009, when there was nothing to trade, and 2200."""
    if not 1_230_768_000 * SECOND <= ns < 7_258_118_400 * SECOND:
        raise BadFrame(f"expected a time between 2009 and 2200, got {ns} ns since 1970")
    return ns


def datetime_from_ns(ns: int) -> datetime:
    """Aware, UTC, cut to microseconds: datetime has no more. The whole number is in the `_ns` field."""
    return _EPOCH + timedelta(microseconds=ns // 1000)
