"""
Coinbase Exchange: the `matches` channel, every trade once; and `heartbeat`, whose last_trade_id shows what was lost.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from poeticoins.errors import BadFrame, UnknownProduct
from poeticoins.model import (
    SECOND,
    Candle,
    Event,
    Heartbeat,
    Product,
    Refused,
    Side,
    Subscribed,
    Trade,
    nanoseconds,
    number,
    plausible_ns,
)

NAME = "coinbase"
URL = "wss://ws-feed.exchange.coinbase.com"
HOSTS = ("ws-feed.exchange.coinbase.com", "ws-direct.exchange.coinbase.com", "ws-feed.pro.coinbase.com")
PRODUCTS = tuple(Product(NAME, base, quote) for base in ("BTC", "ETH", "LTC") for quote in ("USD", "EUR"))
CONTIGUOUS_IDS = True
BACKFILL_SPANS = ()
REST_PER_SECOND = 5.0  # of 10 that Coinbase is said to allow an address
MOST_CANDLES = 300
PING = None  # the heartbeat channel speaks once a second without being asked

# Coinbase reports the maker's side; the taker was on the other one.
_TAKER: dict[str, Side] = {"buy": "sell", "sell": "buy"}
_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Price = Annotated[float, msgspec.Meta(gt=0, lt=1e12)]


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class _Frame(msgspec.Struct):
    type: str
    product_id: str | None = None
    trade_id: _Id | None = None
    last_trade_id: _Id | None = None
    side: Literal["buy", "sell"] | None = None
    price: str | None = None
    size: str | None = None
    time: str | None = None
    channels: list[_Channel] = []
    message: str = ""
    reason: str = ""


class _Row(msgspec.Struct):
    trade_id: _Id
    side: Literal["buy", "sell"]
    price: str
    size: str
    time: str


class _Candle(msgspec.Struct, array_like=True):
    second: Annotated[int, msgspec.Meta(ge=0, le=2**33)]
    low: _Price
    high: _Price
    open: _Price
    close: _Price
    volume: Annotated[float, msgspec.Meta(ge=0, lt=1e12)]


_decode = msgspec.json.Decoder(_Frame).decode
_decode_rows = msgspec.json.Decoder(list[_Row]).decode
_decode_candles = msgspec.json.Decoder(list[_Candle]).decode


def subscribe_frames(products: Sequence[Product]) -> list[str]:
    """One frame for all of them; none for none, which Coinbase would call an error."""
    pairs = [product.pair for product in products]
    frame = {"type": "subscribe", "product_ids": pairs, "channels": ["matches", "heartbeat"]}
    return [msgspec.json.encode(frame).decode()] if pairs else []


def parse(frame: str | bytes) -> list[Trade | Event]:
    """What a frame means. `ticker` is not a trade: it batches what matches together. Raises BadFrame."""
    try:
        heard = _decode(frame)
    except (ValueError, RecursionError) as error:  # msgspec's own errors and those of encodings are ValueErrors
        raise BadFrame(f"coinbase: {error}") from None
    match heard.type:
        case "match" | "last_match":
            return [_trade(heard)]
        case "heartbeat":
            return [Heartbeat(_product(heard.product_id), heard.last_trade_id or None)]  # 0: Coinbase does not say
        case "subscriptions":
            channels = (channel for channel in heard.channels if channel.name == "matches")
            return [Subscribed(frozenset(_product(pair) for channel in channels for pair in channel.product_ids))]
        case "error":
            return [Refused(": ".join(filter(None, (heard.message, heard.reason)))[:500])]
    return []


def backfill_url(product: Product, before: int | None = None, most: int = 1000) -> str:
    """The newest `most` trades, or the newest that are older than the id `before` (Coinbase calls it "after")."""
    cursor = "" if before is None else f"&after={before}"
    return f"https://api.exchange.coinbase.com/products/{product.pair}/trades?limit={most}{cursor}"


def parse_backfill(product: Product, body: str | bytes) -> list[Trade]:
    """The trades of a page, oldest first; here too, the side is the maker's. Raises BadFrame."""
    try:
        rows = _decode_rows(body)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"coinbase trades of {product.pair}: {error}") from None
    return [
        Trade(product, row.trade_id, number(row.price), number(row.size), _TAKER[row.side], nanoseconds(row.time),
              origin="backfill")
        for row in sorted(rows, key=lambda row: row.trade_id)
    ]  # fmt: skip


def candles_url(product: Product, interval: int, since: int, until: int) -> str:
    """Coinbase counts both ends in."""
    start, end = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (since, until - interval))
    host = "https://api.exchange.coinbase.com"
    return f"{host}/products/{product.pair}/candles?granularity={interval}&start={start}&end={end}"


def parse_candles(product: Product, body: str | bytes) -> list[Candle]:
    """The candles of an answer, oldest first; Coinbase leaves spans without a trade out. Raises BadFrame."""
    try:
        rows = _decode_candles(body)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"coinbase candles of {product.pair}: {error}") from None
    return [
        Candle(plausible_ns(row.second * SECOND), row.open, row.high, row.low, row.close, row.volume)
        for row in sorted(rows, key=lambda row: row.second)
        if row.volume
    ]


def _trade(heard: _Frame) -> Trade:
    if heard.trade_id is None or heard.side is None or None in (heard.price, heard.size, heard.time):
        raise BadFrame("coinbase: expected a match with trade_id, side, price, size and time; one is missing")
    return Trade(
        _product(heard.product_id), heard.trade_id, number(heard.price or ""), number(heard.size or ""),
        _TAKER[heard.side], nanoseconds(heard.time or ""),
        origin="snapshot" if heard.type == "last_match" else "live",
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _product(pair: str | None) -> Product:
    try:
        return Product.parse(f"{NAME}:{pair}")
    except UnknownProduct:
        raise BadFrame(f"coinbase: expected a product_id such as 'BTC-USD', got {str(pair)[:40]!r}") from None
