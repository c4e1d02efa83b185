"""
The embedded exchange's REST: past trades, in each exchange's own form, by plain GET on the same port.

What its sockets have sent is listed again, and what was traded while nobody listened.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec

from poeticoins.errors import BadFrame, UnknownProduct
from poeticoins.exchanges.bitstamp import product_of
from poeticoins.model import SECOND, Product, Trade, datetime_from_ns

COINBASE_PAGE = 1000
BITSTAMP_LISTED = 20_000
"""Trades of one answer: the busiest pair of the demo makes as many in an hour and a half."""
_PATH = {
    "coinbase": re.compile(r"/products/([^/]{1,30})/trades", re.ASCII),
    "bitstamp": re.compile(r"/api/v2/transactions/([a-z0-9]{1,20})/?", re.ASCII),
}
_WINDOWS = {"minute": 60, "hour": 3600, "day": 86_400}


class Listed(NamedTuple):
    """An answer: its status, its body as JSON, and headers of its own."""

    status: HTTPStatus
    body: object
    headers: dict[str, str]


class Past(Protocol):
    """Where past trades come from."""

    def listed(self, product: Product) -> bool:
        """Whether the exchange knows the product."""

    def past(self, product: Product, before_id: int | None, since_ns: int, limit: int) -> list[Trade]:
        """The newest `limit` trades up to now, with ids below `before_id`, traded since then; by id."""


def is_rest(exchange: str, path: str) -> bool:
    """Whether a request's path (below the exchange's own) is one of its REST."""
    return bool(_PATH[exchange].fullmatch(urlsplit(path).path))


def answer(exchange: str, path: str, past: Past, now_ns: int) -> Listed:
    """The answer to a GET of `path`. May take a second for a day of a busy pair: call it in a thread."""
    parts = urlsplit(path)
    found = _PATH[exchange].fullmatch(parts.path)
    assert found
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    speaks: dict[str, Callable[[str, dict[str, str], Past, int], Listed]] = {
        "coinbase": _coinbase,
        "bitstamp": _bitstamp,
    }
    return speaks[exchange](found[1], asked, past, now_ns)


def _coinbase(pair: str, asked: dict[str, str], past: Past, now_ns: int) -> Listed:  # noqa: ARG001  it has no windows
    try:
        product = Product.parse(f"coinbase:{pair}")
    except UnknownProduct:
        product = None
    if product is None or not past.listed(product):
        return Listed(HTTPStatus.NOT_FOUND, {"message": "NotFound"}, {})
    limit, after = asked.get("limit", str(COINBASE_PAGE)), asked.get("after", "")
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


def _bitstamp(symbol: str, asked: dict[str, str], past: Past, now_ns: int) -> Listed:
    try:
        product = product_of(symbol)
    except BadFrame:
        product = None
    window = _WINDOWS.get(asked.get("time", "hour"))
    if product is None or window is None or not past.listed(product):
        return Listed(HTTPStatus.NOT_FOUND, {"status": "error", "reason": "Not found"}, {})
    trades = past.past(product, None, now_ns - window * SECOND, BITSTAMP_LISTED)
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


def as_json(body: object) -> bytes:
    return msgspec.json.encode(body)
