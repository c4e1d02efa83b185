"""Where trades are missing: asked when the status counts a new gap, and now and then while one is shown."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dashboards.source import Source
from poeticoins import Product

AGAIN_S = 15.0
"""Seconds between two looks at gaps that are shown: a refill takes them away, and no count tells of it."""


class Missing:
    """By product, its newest gap: [began at, ended at, trades or null], times in ms since 1970."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._counts: dict[str, int] = {}
        self._shown: dict[str, list[int | None]] = {}
        self._asked = 0.0

    async def look(self, status: Any, keys: Sequence[str]) -> dict[str, list[int | None]]:
        """The gaps of `keys`. status: the context's, whose counts of gaps say when to ask. Raises PoeticoinsError."""
        counts = {feed.exchange: feed.gaps for feed in status.feeds}
        news = {exchange for exchange, count in counts.items() if count != self._counts.get(exchange, 0)}
        if self._shown and time.monotonic() - self._asked > AGAIN_S:
            news |= {key.split(":")[0] for key in self._shown}
        asked = [key for key in keys if key.split(":")[0] in news]
        if asked:
            self._asked = time.monotonic()
            found = await asyncio.to_thread(self._ask, asked)
            self._shown = {key: gap for key, gap in (self._shown | found).items() if gap}
            self._counts = counts
        return dict(self._shown)

    def _ask(self, keys: Sequence[str]) -> dict[str, list[int | None]]:
        return {key: newest_gap(self._source.get_gaps(Product.parse(key))) for key in keys}


def newest_gap(gaps: Any) -> list[int | None]:
    """[began at, ended at, missing or None] of the gap that ended last, of what `get_gaps` answers; [] without one."""
    if gaps.empty:
        return []
    row = gaps.loc[gaps["ended_at"].idxmax()]
    missing = None if pd.isna(row["missing"]) else int(row["missing"])
    return [row["began_at"].value // 1_000_000, row["ended_at"].value // 1_000_000, missing]
