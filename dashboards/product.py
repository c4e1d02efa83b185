"""What the open product is told: its candles, the tape of its trades, and each new one. Pure; no I/O, no clock."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboards import format
from dashboards.texts import compact
from poeticoins import Trade

INTERVALS = ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d")
CANDLES = 300
"""Candles that a page is given when it opens a product; it builds the following ones itself."""
TAPE = 50
"""Trades that it is given with them."""
MOST_GAPS = 50
MILLI_NS = 1_000_000


@dataclass(frozen=True)
class Past:
    """
    Of one product. candles, trades: as the context answers. gaps: as of missing.open_gaps, in the order found.

    digits: decimals that a price shows at least, since the context's float64 has lost the zeros at its end.
    """

    candles: Any
    trades: Any
    gaps: list[list[Any]]
    digits: int


def history_text(key: str, interval: str, past: Past) -> str:
    """
    {"kind": "history", "key", "interval", "candles": {start, open, …}, "trades": [row, …], "gaps": [gap, …]}.

    Candles and trades are oldest first. start: seconds since 1970; vwap is null where nobody knows it; origin is there
    only if some candle is not of trades alone. Rows as of `tape_row`. gaps: those since the first candle, the newest
    last and MOST_GAPS at most.
    """
    return compact(
        {
            "kind": "history",
            "key": key,
            "interval": interval,
            "candles": _columns(past.candles),
            "trades": _rows(past.trades, past.digits),
            "gaps": _since(past.gaps, past.candles),
        }
    )


def _columns(candles: Any) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"start": [int(at.timestamp()) for at in candles.index]}
    for name in ("open", "high", "low", "close", "volume", "vwap", "trades"):
        columns[name] = [None if value != value else value for value in candles[name].tolist()]  # JSON has no NaN
    if "origin" in candles and not (candles["origin"] == "trades").all():
        columns["origin"] = list(map(str, candles["origin"]))
    return columns


def _rows(trades: Any, digits: int) -> list[list[object]]:
    return [
        [str(number), at.value // MILLI_NS, price_text(price, digits), amount_text(size), str(side), *_only(late)]
        for at, number, price, size, side, late in zip(
            trades.index, trades.trade_id, trades.price, trades["size"], trades.side, trades.late, strict=True
        )
    ]


def _since(gaps: list[list[Any]], candles: Any) -> list[list[Any]]:
    first = candles.index[0].value // MILLI_NS if len(candles) else 0
    return sorted((gap for gap in gaps if gap[1] >= first), key=lambda gap: gap[1])[-MOST_GAPS:]


def problem_text(key: str, interval: str, problem: str) -> str:
    """{"kind": "history", "key", "interval", "problem"}: nobody answered; what the page shows of it stays."""
    return compact({"kind": "history", "key": key, "interval": interval, "problem": format.clean(problem)})


def tape_row(trade: Trade) -> list[object]:
    """
    [id as text, traded at in ms since 1970, price, size, side]: one trade, in the exchange's own digits.

    A late one has a sixth, true; each of thousands a second would else carry its false to every page.
    """
    price, size = format.number_text(trade.price), format.size_text(trade.size)
    # As text: a browser's numbers end at 2**53, an exchange's need not.
    return [str(trade.trade_id), trade.traded_at_ns // MILLI_NS, price, size, trade.side, *_only(trade.late)]


def _only(late: bool) -> list[bool]:
    return [True] if late else []


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
