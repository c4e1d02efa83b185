"""
What an exchange traded before our first trade, and in gaps: its own candles, asked for at leisure beside the trades.

They are left in a file per product, from which historical takes them. Nothing waits for them, and no failure costs more
than a warning and another try later.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from poeticoins import sealed
from poeticoins.config import Settings
from poeticoins.exchanges import Exchange, reached_at
from poeticoins.intake import Intake
from poeticoins.log import say, warn
from poeticoins.model import Candle, Product
from poeticoins.rest import NoAnswer, Rest
from poeticoins.told import CANDLES, OLD, WANTED, Told, is_due, pages, span_wanted, telling

log = logging.getLogger(__name__)
_decode = msgspec.msgpack.Decoder(Told).decode


@dataclass(frozen=True)
class Manners:
    """Seconds: between two questions, between two looks at what is due, until another try, and at most until that."""

    pause: float = 0.25
    look: float = 5.0
    again: float = 60.0
    longest: float = 3600.0
    backfill_first: float = 10.0


class Prehistory:
    """The candles of one exchange's products."""

    def __init__(
        self,
        exchange: Exchange,
        settings: Settings,
        intakes: Mapping[Product, Intake],
        rest: Rest,
        manners: Manners = Manners(),
    ) -> None:
        self._exchange, self._settings, self._intakes, self._manners = exchange, settings, intakes, manners
        self._pause = 0.05 if settings.embedded_url else manners.pause  # the embedded exchange is ours
        self._told: dict[Product, Told] = {}
        self._rest = rest
        self._delay = manners.again
        self._not_before = 0.0

    async def run(self) -> None:
        """Asks for what is due, for as long as it runs; for nothing without backfill, and in a replay."""
        if not self._settings.backfill or self._settings.mode == "replay":
            await asyncio.Event().wait()
        self._told = {product: self._on_disk(product) for product in self._intakes}
        await self._trades_first()
        while True:
            due = [product for product in self._intakes if self._is_due(product)]
            if due and time.monotonic() >= self._not_before:
                await self._round(due)
            await asyncio.sleep(self._manners.look)

    async def _trades_first(self) -> None:
        """Waits until the trades that were missed have been fetched, but not for ever."""
        end = time.monotonic() + self._manners.backfill_first
        while time.monotonic() < end and not all(intake.settled for intake in self._intakes.values()):
            await asyncio.sleep(0.1)

    def _on_disk(self, product: Product) -> Told:
        """What an earlier process was told, unless that is old; a file that cannot be used is put aside."""
        path = self._settings.candles(product)
        try:
            content = sealed.read(path, CANDLES, self._settings.mode, product)
            told = Told() if content is None else _decode(content)
        except (sealed.BrokenSeal, ValueError) as error:
            warn(log, "put candles aside", file=sealed.put_aside(path), why=error)
            return Told()
        return told if time.time_ns() - told.fetched_at_ns < OLD else Told()

    def _is_due(self, product: Product) -> bool:
        intake = self._intakes[product]
        return is_due(self._told[product], intake.published.began_ns, intake.published.open_gaps, time.time_ns())

    async def _round(self, due: list[Product]) -> None:
        """Asks for each length of all products in turn: their charts fill up together. One warning for all failures."""
        fetched_at_ns = time.time_ns()
        fresh = {product: Told(fetched_at_ns) for product in due}
        why: Exception | None = None
        for length, count in WANTED:
            span = span_wanted(length, count, fetched_at_ns)
            for product in list(fresh):
                try:
                    await self._fetch(product, fresh[product], length, span)
                except (NoAnswer, OSError) as error:
                    why = error
                    del fresh[product]
        self._told |= fresh
        if why is None:
            self._delay = self._manners.again
            say(log, "fetched candles", products=len(fresh))
        else:
            self._not_before = time.monotonic() + self._delay
            missing = ", ".join(product.pair for product in due if product not in fresh)
            warn(log, "could not fetch candles", products=missing, why=why, next_try_in=f"{self._delay:.0f}s")
            self._delay = min(2 * self._delay, self._manners.longest)

    async def _fetch(self, product: Product, told: Told, length: int, span: tuple[int, int]) -> None:
        """Asks for the candles of one length and puts them on disk, beside those that it finds there."""
        candles: list[Candle] = []
        for since, until in pages(span, length, self._exchange.MOST_CANDLES):
            url = self._exchange.candles_url(product, length, since, until)
            url = reached_at(self._exchange, url, self._settings)
            candles += await self._rest.read(url, partial(self._exchange.parse_candles, product))
            await asyncio.sleep(self._pause)
        if found := telling(candles, length, span):
            told.tellings[length] = found
        # until a shorter one is told anew, that of before stands
        whole = Told(told.fetched_at_ns, self._told[product].tellings | told.tellings)
        content = msgspec.msgpack.encode(whole)
        path = self._settings.candles(product)
        await asyncio.to_thread(sealed.write, path, CANDLES, self._settings.mode, product, content)
