"""
Bitstamp: one `live_trades_` channel a product. Its ids count all its markets together, so that a jump proves nothing.

https://www.bitstamp.net/websocket/v2/
"""

import re
from collections.abc import Sequence
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
    ReconnectRequested,
    Refused,
    Side,
    Subscribed,
    Trade,
    number,
    plausible_ns,
)

NAME = "bitstamp"
URL = "wss://ws.bitstamp.net"
HOSTS = ("ws.bitstamp.net",)
PRODUCTS = tuple(Product(NAME, base, quote) for base in ("BTC", "ETH", "LTC") for quote in ("USD", "EUR"))
CONTIGUOUS_IDS = False
BACKFILL_SPANS = (60, 3600, 86_400)
REST_PER_SECOND = 10.0  # of 10,000 in ten minutes
MOST_CANDLES = 999  # a thousand, less the one at `end`, which may be counted in
PING = '{"event":"bts:heartbeat"}'  # without it, a quiet pair and a dead connection look alike

QUOTES = ("rlusd", "usdt", "usdc", "usd", "eur", "gbp", "btc", "eth", "pax")
"""The quotes of Bitstamp's symbols, the longer before the shorter that they end with."""

_TRADES = "live_trades_"
_SIDES: dict[int | str, Side] = {0: "buy", 1: "sell", "0": "buy", "1": "sell"}
_NOTHING = re.compile(r"0+(\.0+)?", re.ASCII)
_WHOLE = re.compile("[0-9]{1,19}", re.ASCII)
_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Content(msgspec.Struct):
    # `amount`, `price`: JSON floats, which have lost digits on the way; `timestamp`: whole seconds. Not for us.
    id: _Id | None = None
    type: Literal[0, 1] | None = None
    price_str: str | None = None
    amount_str: str | None = None
    microtimestamp: str | None = None
    message: str = ""


class _Frame(msgspec.Struct):
    event: str
    channel: str = ""
    data: _Content | str | None = None  # bts:request_reconnect has been seen with "", null and {}


class _Row(msgspec.Struct):
    tid: _Id | str
    type: Literal[0, 1, "0", "1"]
    price: str
    amount: str
    date: str
    microtimestamp: str | None = None


class _Candle(msgspec.Struct):
    timestamp: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class _Candles(msgspec.Struct):
    ohlc: list[_Candle]


class _CandlesAnswer(msgspec.Struct):
    data: _Candles


_decode = msgspec.json.Decoder(_Frame).decode
_decode_rows = msgspec.json.Decoder(list[_Row]).decode
_decode_candles = msgspec.json.Decoder(_CandlesAnswer).decode


def subscribe_frames(products: Sequence[Product]) -> list[str]:
    """One frame a product; Bitstamp closes the connection over a frame of more than 512 bytes."""
    channels = [f"{_TRADES}{symbol(product)}" for product in products]
    return [f'{{"event":"bts:subscribe","data":{{"channel":"{channel}"}}}}' for channel in channels]


def parse(frame: str | bytes) -> list[Trade | Event]:
    """What a frame means. Raises BadFrame."""
    try:
        heard = _decode(frame)
    except (ValueError, RecursionError) as error:  # msgspec's own errors and those of encodings are ValueErrors
        raise BadFrame(f"bitstamp: {error}") from None
    match heard.event:
        case "trade":
            return [_trade(heard)]
        case "bts:subscription_succeeded" if heard.channel.startswith(_TRADES):
            return [Subscribed(frozenset({_product(heard.channel)}))]
        case "bts:heartbeat":
            return [Heartbeat()]
        case "bts:request_reconnect":
            return [ReconnectRequested()]
        case "bts:error":
            return [Refused((heard.data.message if isinstance(heard.data, _Content) else heard.data or "")[:500])]
    return []


def backfill_url(product: Product, before: int | None = None, most: int = 1000) -> str:  # noqa: ARG001  it has no limit
    """The trades of the last minute; with `before` = 1, of the last hour; with 2, of the last day, and that is all."""
    window = ("minute", "hour", "day")[before or 0]
    return f"https://www.bitstamp.net/api/v2/transactions/{symbol(product)}/?time={window}"


def parse_backfill(product: Product, body: str | bytes) -> list[Trade]:
    """The trades of an answer, oldest first; in whole seconds, unless it has microtimestamps. Raises BadFrame."""
    try:
        rows = _decode_rows(body)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"bitstamp transactions of {product.pair}: {error}") from None
    trades = [
        Trade(
            product, _whole(row.tid), number(row.price), number(row.amount), _SIDES[row.type],
            _whole(row.date, SECOND) if row.microtimestamp is None else _whole(row.microtimestamp, 1000),
            origin="backfill",
        )
        for row in rows
    ]  # fmt: skip
    return sorted(trades, key=lambda trade: trade.trade_id)


def candles_url(product: Product, interval: int, since: int, until: int) -> str:
    """The newest ones before `until`, so many that they reach back to `since`."""
    limit = (until - since) // interval + 1
    return f"https://www.bitstamp.net/api/v2/ohlc/{symbol(product)}/?step={interval}&limit={limit}&end={until}"


def parse_candles(product: Product, body: str | bytes) -> list[Candle]:
    """The candles of an answer, oldest first; a volume of 0 tells of a span without a trade. Raises BadFrame."""
    try:
        rows = _decode_candles(body).data.ohlc
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"bitstamp ohlc of {product.pair}: {error}") from None
    candles = [
        Candle(
            _whole(row.timestamp, SECOND),
            *(float(number(text)) for text in (row.open, row.high, row.low, row.close, row.volume)),
        )
        for row in rows
        if not _NOTHING.fullmatch(row.volume)
    ]
    return sorted(candles, key=lambda candle: candle.started_at_ns)


def symbol(product: Product) -> str:
    """`btcusd`: how Bitstamp writes a product."""
    return f"{product.base}{product.quote}".lower()


@lru_cache(maxsize=1024)
def product_of(symbol: str) -> Product:
    """The product that `btcusd` means; the cut is before the longest quote that fits. Raises BadFrame."""
    quote = next((quote for quote in QUOTES if symbol.endswith(quote) and symbol != quote), "")
    try:
        if not quote or symbol != symbol.lower():
            raise UnknownProduct
        return Product.parse(f"{NAME}:{symbol.removesuffix(quote).upper()}-{quote.upper()}")
    except UnknownProduct:
        raise BadFrame(f"bitstamp: expected a symbol such as 'btcusd', got {symbol[:40]!r}") from None


def _trade(heard: _Frame) -> Trade:
    content = heard.data
    if not isinstance(content, _Content) or content.id is None or content.type is None:
        raise BadFrame("bitstamp: expected a trade's data with an id and a type, got none")
    price, amount, time = content.price_str, content.amount_str, content.microtimestamp
    if price is None or amount is None or time is None:
        raise BadFrame("bitstamp: expected a trade with price_str, amount_str and microtimestamp; one is missing")
    return Trade(
        _product(heard.channel), content.id, number(price), number(amount), _SIDES[content.type], _whole(time, 1000)
    )


def _product(channel: str) -> Product:
    if not channel.startswith(_TRADES):
        raise BadFrame(f"bitstamp: expected a channel such as 'live_trades_btcusd', got {channel[:40]!r}")
    return product_of(channel.removeprefix(_TRADES))


def _whole(value: int | str, nanoseconds: int = 0) -> int:
    """The whole number that is written there; with `nanoseconds`, the time it is in units of so many."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise BadFrame(f"bitstamp: expected a whole number, got {value[:40]!r}")
    if int(value) >= 2**63:
        raise BadFrame(f"bitstamp: expected a number below 2**63, got {value}")
    return plausible_ns(int(value) * nanoseconds) if nanoseconds else int(value)
