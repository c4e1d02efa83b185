"""What the open product is told: its candles, the tape of its trades, and each new one. Pure; no I/O, no clock."""

import json
import math
from decimal import Decimal
from typing import Any

from dashboards import format
from poeticoins import Trade

INTERVALS = ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d")
CANDLES = 300
"""Candles that a page is given when it opens a product; it builds the following ones itself."""
TAPE = 50
"""Trades that it is given with them."""
MILLI_NS = 1_000_000


def history_text(key: str, interval: str, candles: Any, trades: Any, digits: int) -> str:
    """
    {"kind": "history", "key", "interval", "candles": {start, open, high, …}, "trades": [row, …]}, both oldest first.

    candles, trades: as the context answers. start: seconds since 1970; vwap: null where it is not known. digits:
    decimals that a price shows at least, since the context's float64 has lost the zeros at its end. Rows as of
    `tape_row`.
    """
    columns: dict[str, list[Any]] = {"start": [int(at.timestamp()) for at in candles.index]}
    for name in ("open", "high", "low", "close", "volume", "vwap", "trades"):
        columns[name] = candles[name].tolist()
    columns["vwap"] = [None if math.isnan(known) else known for known in columns["vwap"]]
    rows = [
        [str(number), at.value // MILLI_NS, price_text(price, digits), amount_text(size), str(side), bool(late)]
        for at, number, price, size, side, late in zip(
            trades.index, trades.trade_id, trades.price, trades["size"], trades.side, trades.late, strict=True
        )
    ]
    return _compact({"kind": "history", "key": key, "interval": interval, "candles": columns, "trades": rows})


def problem_text(key: str, interval: str, problem: str) -> str:
    """{"kind": "history", "key", "interval", "problem"}: nobody answered; what the page shows of it stays."""
    return _compact({"kind": "history", "key": key, "interval": interval, "problem": format.clean(problem)})


def tape_row(trade: Trade) -> list[object]:
    """[id as text, traded at in ms since 1970, price, size, side, late]: one trade, in the exchange's own digits."""
    price, size = format.number_text(trade.price), format.size_text(trade.size)
    # As text: a browser's numbers end at 2**53, an exchange's need not.
    return [str(trade.trade_id), trade.traded_at_ns // MILLI_NS, price, size, trade.side, trade.late]


def tape_part(key: str, trades: list[Trade]) -> str:
    """The trades of one product since the frame before, as JSON: [key, [row, …]] in the order of the stream."""
    return _compact([key, [tape_row(trade) for trade in trades]])


def price_text(price: float, digits: int) -> str:
    """A price that went through float64, with at least `digits` decimals: `67,829.30` of 67829.3 and 2."""
    exact = Decimal(
        repr(price).removesuffix(".0")
    )  # the shortest text that is this number: the exchange's, but for zeros at its end
    decimals = max(digits, digits_of(exact))
    return f"{exact:,.{decimals}f}"


def amount_text(size: float) -> str:
    return format.size_text(Decimal(repr(size)))


def digits_of(price: Decimal) -> int:
    """The decimals that the exchange wrote: 2 of `67829.30`."""
    return max(0, -int(price.as_tuple().exponent))


def _compact(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))
