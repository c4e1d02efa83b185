"""
What alerts need: how far each product's price went since they were last told. Rules only; no I/O, no clock.

Frames would not do: they hold the last price of a tenth of a second, and none reach a page that is hidden.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from dashboards import format
from dashboards.texts import compact
from poeticoins import Trade

MILLI_NS = 1_000_000


@dataclass
class Span:
    """The newest trade's time and price, and the extremes of all since the last telling."""

    ms: int
    last: Decimal
    low: Decimal
    high: Decimal

    def take(self, trade: Trade) -> None:
        self.ms, self.last = trade.traded_at_ns // MILLI_NS, trade.price
        self.low, self.high = min(self.low, trade.price), max(self.high, trade.price)


class Watching:
    """Collects every trade, whoever watches; one that is late belongs to a price that is over, and is left out."""

    def __init__(self) -> None:
        self._spans: dict[str, Span] = {}

    def take(self, trade: Trade) -> None:
        if trade.late:
            return
        if span := self._spans.get(str(trade.product)):
            span.take(trade)
        else:
            self._spans[str(trade.product)] = begun(trade)

    def news(self) -> dict[str, str]:
        """The parts of what traded since the last call, by product, as JSON."""
        spans, self._spans = self._spans, {}
        return {key: part(key, span) for key, span in spans.items()}


def begun(trade: Trade) -> Span:
    return Span(trade.traded_at_ns // MILLI_NS, trade.price, trade.price, trade.price)


def part(key: str, span: Span) -> str:
    """[key, newest trade's time in ms, last, low, high]: prices as text, in the exchange's digits."""
    prices = (format.number_text(price) for price in (span.last, span.low, span.high))
    return compact([key, span.ms, *prices])


def watched_text(
    keys: Iterable[str], parts: Mapping[str, str], now_ms: int, lines: Mapping[str, object] | None = None
) -> str:
    """
    {"kind": "watched", "now", "parts": [part, …], "lines": lines} of those `keys` that traded; or "".

    lines: {key: [[second, price], …]}, the last ten minutes, for who begins to watch or was away.
    """
    told = [key for key in keys if key in parts]
    if not told:
        return ""
    past = "" if lines is None else f',"lines":{compact(lines)}'
    return f'{{"kind":"watched","now":{now_ms},"parts":[{",".join(parts[key] for key in told)}]{past}}}'
