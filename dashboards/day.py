"""The last 24 hours of one product, from its minutes: a window that rolls with time. Rules only; no I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass

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
        heard, self._minutes = self._minutes, {start: Minute(*numbers) for start, *numbers in bars}
        newest = next(reversed(self._minutes), 0)
        for start, minute in heard.items():
            # A minute only grows: of two accounts of the newest, the one with more in it is the later.
            if start > newest or (start == newest and minute.volume > self._minutes[start].volume):
                self._minutes[start] = minute

    def figures(self, now_s: int) -> Figures | None:
        """As of `now_s`; None if nothing traded in the last 24 hours."""
        began = now_s - DAY_S
        within = [minute for start, minute in self._minutes.items() if start > began - MINUTE_S]
        if not within:
            return None
        before = [minute for start, minute in self._minutes.items() if start <= began - MINUTE_S]
        oldest = next(iter(self._minutes))
        return Figures(
            before[-1].close if before else within[0].open,
            max(minute.high for minute in within),
            min(minute.low for minute in within),
            sum(minute.volume for minute in within),
            DAY_S if oldest <= began else now_s - oldest,
        )
