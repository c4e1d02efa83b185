"""The last 24 hours of one product, from its minutes: a window that rolls with time. Rules only; no I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

DAY_S = 86_400
MINUTE_S = 60
Bar = tuple[int, float, float, float, float, float]
"""(second since 1970 that the minute starts at, open, high, low, close, volume)."""


@dataclass
class Minute:
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True)
class Figures:
    """
    A day in five numbers. open: the price that held when the window began; volume: in base.

    seconds: how long the window is: DAY_S, or less while less is known; never more.
    """

    open: float
    high: float
    low: float
    volume: float
    seconds: int


class Day:
    """Minutes by their start, oldest first."""

    def __init__(self) -> None:
        self._minutes: dict[int, Minute] = {}
        self._mark: tuple[int, int] | None = None  # of what _before_newest holds
        self._before_newest = 0.0, 0.0, 0.0, 0.0

    def take(self, second: int, price: float, size: float) -> None:
        """A trade of the stream. One of a minute that is over is left to the next `fill`."""
        start = second - second % MINUTE_S
        newest = next(reversed(self._minutes), start)
        if start > newest or not self._minutes:
            self._minutes[start] = Minute(price, price, price, price, size)
        elif start == newest:
            minute = self._minutes[start]
            minute.high, minute.low = max(minute.high, price), min(minute.low, price)
            minute.close = price
            minute.volume += size

    def fill(self, bars: Iterable[Bar]) -> None:
        """What is known of the past, oldest first. Minutes that the stream brought since it was asked stay."""
        self._mark = None
        heard, self._minutes = self._minutes, {start: Minute(*numbers) for start, *numbers in bars}
        newest = next(reversed(self._minutes), 0)
        for start, minute in heard.items():
            # A minute only grows: of two accounts of the newest, the one with more in it is the later.
            if start > newest or (start == newest and minute.volume > self._minutes[start].volume):
                self._minutes[start] = minute

    def figures(self, now_s: int) -> Figures | None:
        """As of `now_s`; None if nothing traded in the last 24 hours."""
        began = now_s - DAY_S
        newest = next(reversed(self._minutes), None)
        if newest is None or newest <= began - MINUTE_S:
            return None
        mark = began // MINUTE_S, newest
        if mark != self._mark:
            self._mark, self._before_newest = mark, self._summed(began, newest)
        opening, high, low, volume = self._before_newest
        minute, oldest = self._minutes[newest], next(iter(self._minutes))
        return Figures(
            opening,
            max(high, minute.high),
            min(low, minute.low),
            volume + minute.volume,
            DAY_S if oldest <= began else now_s - oldest,
        )

    def _summed(self, began: int, newest: int) -> tuple[float, float, float, float]:
        """The window's opening price, and high, low and volume of all its minutes but the newest, which still grows."""
        within = [minute for start, minute in self._minutes.items() if began - MINUTE_S < start < newest]
        before = [minute for start, minute in self._minutes.items() if start <= began - MINUTE_S]
        first = (within or [self._minutes[newest]])[0]
        return (
            before[-1].close if before else first.open,
            max((minute.high for minute in within), default=-inf),
            min((minute.low for minute in within), default=inf),
            sum(minute.volume for minute in within),
        )
