"""The last 24 hours of all products: asked about once a minute, off the loop; told to the pages when they change."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboards.clock import now_ms
from dashboards.day import Bar, Day
from dashboards.source import Source
from dashboards.texts import compact
from poeticoins import PoeticoinsError, Product, Trade

AGAIN_S = 60.0
"""Seconds between two looks at the past: late and refilled trades come into the figures by it."""
MINUTES = 1_500
"""Minutes asked for: a day, and some before it, so that a whole day is known to be one."""
DIGITS = 4
"""Significant digits of a volume: as many as are read, so that it is not sent for each trade."""
SECOND_NS = 1_000_000_000


class Days:
    """On the server's loop only, but for what it asks."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._days: dict[str, Day] = {}
        self._parts: dict[str, str] = {}
        self._volumes: dict[str, tuple[float, int]] = {}

    def seat(self, products: Sequence[Product]) -> None:
        """Follows `products` from now on, and forgets all others."""
        keys = list(map(str, products))
        self._days = {key: self._days.get(key) or Day() for key in keys}
        self._parts = {key: part for key, part in self._parts.items() if key in self._days}
        self._volumes = {key: known for key, known in self._volumes.items() if key in self._days}

    def clear(self) -> None:
        """Forgets everything: the prices are another market's now."""
        self._days, self._parts, self._volumes = {}, {}, {}

    def take(self, trade: Trade) -> None:
        day = self._days.get(str(trade.product))
        if day and not trade.late:
            day.take(trade.traded_at_ns // SECOND_NS, float(trade.price), float(trade.size))

    async def follow(self, products: Sequence[Product]) -> None:
        """Asks for the past again and again. A question that nobody answers is asked again next time."""
        while True:
            for product in products:
                try:
                    bars = await asyncio.to_thread(self._ask, product)
                except PoeticoinsError:
                    break  # the feed itself says what is wrong
                if day := self._days.get(str(product)):
                    day.fill(bars)
            await asyncio.sleep(AGAIN_S)

    def _ask(self, product: Product) -> list[Bar]:
        return bars(self._source.get_candles(product, "1m", limit=MINUTES))

    def news(self, now_ms: int) -> dict[str, str]:
        """The parts that changed since the last call, by product, as JSON: [key, open, high, low, volume, seconds]."""
        changed = {}
        for key, day in self._days.items():
            if (figures := day.figures(now_ms // 1000)) is None:
                continue
            volume = float(f"{figures.volume:.{DIGITS}g}")
            # The span in whole minutes: shorter ones than a day grow all the time.
            seconds = figures.seconds - figures.seconds % 60
            self._volumes[key] = volume, seconds
            part = compact([key, figures.open, figures.high, figures.low, volume, seconds])
            if part != self._parts.get(key):
                changed[key] = self._parts[key] = part
        return changed

    def volume(self, key: str) -> tuple[float | None, int]:
        """In base, as of the last `news`, and of how many seconds; (None, 0) while it is not known."""
        return self._volumes.get(key, (None, 0))

    def text(self, keys: Iterable[str], parts: Mapping[str, str] | None = None) -> str:
        """{"kind": "days", "now", "days": [part, …]} of those of `keys` that are in `parts` (all there are); or ""."""
        parts = self._parts if parts is None else parts
        told = [parts[key] for key in dict.fromkeys(keys) if key in parts]
        return f'{{"kind":"days","now":{now_ms()},"days":[{",".join(told)}]}}' if told else ""


def bars(candles: Any) -> list[Bar]:
    """What `get_candles` answers, as plain numbers; its columns beyond the five do not matter here."""
    starts = (int(start.timestamp()) for start in candles.index)
    columns = (candles[name].tolist() for name in ("open", "high", "low", "close", "volume"))
    return list(zip(starts, *columns, strict=True))
