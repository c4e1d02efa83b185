"""
The embedded exchange's REST: past trades and candles, in each exchange's own form, by plain GET on the same port.

What its sockets have sent is listed again, and what was traded while nobody listened.
"""

import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec

from poeticoins.errors import BadFrame, UnknownProduct
from poeticoins.exchanges.bitstamp import product_of
from poeticoins.model import SECOND, Product, Trade, datetime_from_ns
from poeticoins.simulator.candles import LENGTHS, Bar

COINBASE_PAGE = 1000
COINBASE_CANDLES, BITSTAMP_CANDLES = 300, 1000
BITSTAMP_LISTED = 20_000
"""Trades of one answer: the busiest pair of the demo makes as many in an hour and a half."""
_WINDOWS = {"minute": 60, "hour": 3600, "day": 86_400}


class Listed(NamedTuple):
    """An answer: its status, its body as JSON, and headers of its own."""

    status: HTTPStatus
    body: object
    headers: dict[str, str]


class Past(Protocol):
    """Where past trades and candles come from."""

    def listed(self, product: Product) -> bool:
        """Whether the exchange knows the product."""

    def past(self, product: Product, before_id: int | None, since_ns: int, limit: int) -> list[Trade]:
        """The newest `limit` trades up to now, with ids below `before_id`, traded since then; by id."""

    def candles(self, product: Product, length: int, span: tuple[int, int]) -> list[Bar]:
        """The candles of `length` seconds up to now that begin in since <= second < until, oldest first."""


class Asked(NamedTuple):
    """A question: what the path names, the query, and when it came."""

    name: str
    query: dict[str, str]
    now_ns: int


def is_rest(exchange: str, path: str) -> bool:
    """Whether a request's path (below the exchange's own) is one of its REST."""
    return any(pattern.fullmatch(urlsplit(path).path) for pattern, _ in _CALLS[exchange])


def is_of_trades(exchange: str, path: str) -> bool:
    """Whether such a request asks for trades."""
    return bool(_CALLS[exchange][0][0].fullmatch(urlsplit(path).path))


def answer(exchange: str, path: str, past: Past, now_ns: int) -> Listed:
    """The answer to a GET of `path`. May take a second for a day of a busy pair: call it in a thread."""
    parts = urlsplit(path)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    for pattern, speaks in _CALLS[exchange]:
        if found := pattern.fullmatch(parts.path):
            return speaks(Asked(found[1], query, now_ns), past)
    raise LookupError(path)


def _coinbase_trades(asked: Asked, past: Past) -> Listed:
    product = _coinbase_product(asked, past)
    if product is None:
        return _COINBASE_UNKNOWN
    limit, after = asked.query.get("limit", str(COINBASE_PAGE)), asked.query.get("after", "")
    if not (limit.isdigit() and 0 < int(limit) <= COINBASE_PAGE) or (after and not after.isdigit()):
        return Listed(HTTPStatus.BAD_REQUEST, {"message": "Invalid limit or cursor"}, {})
    trades = past.past(product, int(after) if after else None, 0, int(limit))
    rows = [
        {
            "time": datetime_from_ns(trade.traded_at_ns).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "trade_id": trade.trade_id,
            "price": f"{trade.price:f}",
            "size": f"{trade.size:f}",
            "side": "sell" if trade.side == "buy" else "buy",  # the maker's
        }
        for trade in reversed(trades)
    ]
    cursors = {"CB-BEFORE": str(trades[-1].trade_id), "CB-AFTER": str(trades[0].trade_id)} if trades else {}
    return Listed(HTTPStatus.OK, rows, cursors)


def _coinbase_candles(asked: Asked, past: Past) -> Listed:
    product = _coinbase_product(asked, past)
    if product is None:
        return _COINBASE_UNKNOWN
    length = asked.query.get("granularity", "60")
    if length not in map(str, LENGTHS):
        return Listed(HTTPStatus.BAD_REQUEST, {"message": "Unsupported granularity"}, {})
    step, until = int(length), asked.now_ns // SECOND
    since = until // step * step - (COINBASE_CANDLES - 1) * step
    if "start" in asked.query and "end" in asked.query:  # one of them alone is ignored
        try:
            since, until = (_second(asked.query[name]) for name in ("start", "end"))
        except ValueError:
            return Listed(HTTPStatus.BAD_REQUEST, {"message": "Invalid start or end"}, {})
    if until // step - since // step + 1 > COINBASE_CANDLES:
        message = "granularity too small for the requested time range. Count of aggregations requested exceeds 300"
        return Listed(HTTPStatus.BAD_REQUEST, {"message": message}, {})
    bars = past.candles(product, step, (since, until + 1))
    rows = [[b.second, *map(float, (b.low, b.high, b.open, b.close, b.volume))] for b in reversed(bars)]
    return Listed(HTTPStatus.OK, rows, {})


def _bitstamp_trades(asked: Asked, past: Past) -> Listed:
    product = _bitstamp_product(asked, past)
    window = _WINDOWS.get(asked.query.get("time", "hour"))
    if product is None or window is None:
        return _BITSTAMP_UNKNOWN
    trades = past.past(product, None, asked.now_ns - window * SECOND, BITSTAMP_LISTED)
    rows = [
        {
            "date": str(trade.traded_at_ns // SECOND),
            "tid": str(trade.trade_id),
            "price": f"{trade.price:f}",
            "amount": f"{trade.size:f}",
            "type": "0" if trade.side == "buy" else "1",
            "microtimestamp": str(trade.traded_at_ns // 1000),
        }
        for trade in reversed(trades)
    ]
    return Listed(HTTPStatus.OK, rows, {})


def _bitstamp_candles(asked: Asked, past: Past) -> Listed:
    product = _bitstamp_product(asked, past)
    if product is None:
        return _BITSTAMP_UNKNOWN
    step, limit, end = (asked.query.get(name, "") for name in ("step", "limit", "end"))
    if step not in map(str, LENGTHS) or not (limit.isdigit() and 0 < int(limit) <= BITSTAMP_CANDLES):
        return Listed(HTTPStatus.BAD_REQUEST, {"status": "error", "reason": "Invalid step or limit"}, {})
    until = int(end) if end.isdigit() else asked.now_ns // SECOND
    newest = min(until, asked.now_ns // SECOND) // int(step) * int(step)
    bars = past.candles(product, int(step), (newest - (int(limit) - 1) * int(step), newest + 1))
    rows = [
        {"timestamp": str(bar.second), "open": f"{bar.open:f}", "high": f"{bar.high:f}", "low": f"{bar.low:f}",
         "close": f"{bar.close:f}", "volume": f"{bar.volume:.8f}"}
        for bar in bars
    ]  # fmt: skip
    return Listed(HTTPStatus.OK, {"data": {"pair": f"{product.base}/{product.quote}", "ohlc": rows}}, {})


_COINBASE_UNKNOWN = Listed(HTTPStatus.NOT_FOUND, {"message": "NotFound"}, {})
_BITSTAMP_UNKNOWN = Listed(HTTPStatus.NOT_FOUND, {"status": "error", "reason": "Not found"}, {})
# each exchange's call for trades first
_CALLS: dict[str, list[tuple[re.Pattern[str], Callable[[Asked, Past], Listed]]]] = {
    "coinbase": [
        (re.compile(r"/products/([^/]{1,30})/trades", re.ASCII), _coinbase_trades),
        (re.compile(r"/products/([^/]{1,30})/candles", re.ASCII), _coinbase_candles),
    ],
    "bitstamp": [
        (re.compile(r"/api/v2/transactions/([a-z0-9]{1,20})/?", re.ASCII), _bitstamp_trades),
        (re.compile(r"/api/v2/ohlc/([a-z0-9]{1,20})/?", re.ASCII), _bitstamp_candles),
    ],
}


def _coinbase_product(asked: Asked, past: Past) -> Product | None:
    try:
        product = Product.parse(f"coinbase:{asked.name}")
    except UnknownProduct:
        return None
    return product if past.listed(product) else None


def _bitstamp_product(asked: Asked, past: Past) -> Product | None:
    try:
        product = product_of(asked.name)
    except BadFrame:
        return None
    return product if past.listed(product) else None


def _second(text: str) -> int:
    """Seconds since 1970, or a time in ISO 8601. Raises ValueError."""
    return int(text) if text.isdigit() else int(datetime.fromisoformat(text).timestamp())


def as_json(body: object) -> bytes:
    return msgspec.json.encode(body)
