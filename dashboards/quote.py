"""What the page knows of one product: its last trade and the line of recent prices. Rules only; no I/O, no clock."""

from bisect import bisect_left
from collections.abc import Iterable

from dashboards import format
from poeticoins import Product, Trade

WINDOW_S = 600
"""Seconds that a sparkline shows."""
STEP_S = 2
"""Seconds that one of its points stands for: 300 points at most."""
SECOND_NS = 1_000_000_000
MILLI_NS = 1_000_000


class Quote:
    """
    One product's card, as far as the server knows it.

    Prices of the line are float64, since they are only drawn; the price in words keeps the exchange's own digits.
    """

    def __init__(self, product: Product, number: int) -> None:
        """number: what frames call it; no other product's, ever."""
        self.product, self.number = product, number
        self.last: Trade | None = None
        self._move = 0
        self._times: list[int] = []
        self._prices: list[float] = []

    def take(self, trade: Trade) -> None:
        """A trade of the stream. One that comes late mends the line, and leaves the newest price alone."""
        if trade.late and self.last is not None:
            self._point(trade.traded_at_ns // SECOND_NS, float(trade.price), newest=False)
            return
        if self.last is not None and trade.price != self.last.price:
            self._move = 1 if trade.price > self.last.price else -1
        self.last = trade
        self._point(trade.traded_at_ns // SECOND_NS, float(trade.price), newest=True)

    def fill(self, last: Trade | None, closes: Iterable[tuple[int, float]]) -> None:
        """What was before: the last trade, and (second since 1970, closing price). What the stream brought stays."""
        if last is not None and (self.last is None or last.traded_at_ns > self.last.traded_at_ns):
            self.take(last)
        buckets: dict[int, float] = {}
        for second, price in closes:
            buckets[second - second % STEP_S] = price
        for second, price in buckets.items():
            self._point(second, price, newest=False)

    def _point(self, second: int, price: float, *, newest: bool) -> None:
        bucket = second - second % STEP_S
        at = bisect_left(self._times, bucket)
        if at < len(self._times) and self._times[at] == bucket:
            if newest:
                self._prices[at] = price
            return
        self._times.insert(at, bucket)
        self._prices.insert(at, price)
        self._trim()

    def _trim(self) -> None:
        start = self._times[-1] - WINDOW_S
        # One point from before the window stays: the price that held when it opened.
        stale = bisect_left(self._times, start) - 1
        if stale > 0:
            del self._times[:stale], self._prices[:stale]

    def part(self, *, replayed: bool) -> list[object]:
        """
        Its part of a frame: [key, price, size, traded at, heard at].

        Times are in ms since 1970; heard at is there in a replay only, where the age of a trade of last year is counted
        from when it was played.
        """
        assert self.last is not None  # only what has traded is part of a frame
        trade = self.last
        price, size = format.number_text(trade.price), format.size_text(trade.size)
        values: list[object] = [str(trade.product), price, size, trade.traded_at_ns // MILLI_NS]
        return [*values, trade.received_at_ns // MILLI_NS] if replayed else values

    def names(self) -> dict[str, object]:
        """What it is called: its key, its number, and the words for its exchange, coin and currency."""
        product = self.product
        return {
            "key": str(product),
            "number": self.number,
            "exchange": product.exchange,
            "where": format.exchange_name(product.exchange),
            "base": product.base,
            "quote": product.quote,
            "coin": format.coin_name(product.base),
        }

    def snapshot(self, *, replayed: bool) -> dict[str, object]:
        """
        The whole card: its names, its line as [second, price] pairs, its part, and its move.

        part: None without a trade. move: 1 if the price rose when it last changed, -1 if it fell, 0 if it never did.
        """
        return {
            **self.names(),
            "points": list(zip(self._times, self._prices, strict=True)),
            "part": self.part(replayed=replayed) if self.last else None,
            "move": self._move,
        }
