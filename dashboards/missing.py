"""Where trades are missing: asked when the status counts a gap or a refill, and now and then while one is shown."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dashboards.source import Source
from poeticoins import Product

MILLI_NS = 1_000_000
MOST_RECENT = 20
AGAIN_S = 15.0
"""Seconds between two looks at gaps that are shown, whether or not a refill was counted."""


class Missing:
    """
    By product, its newest gap: [began at, ended at, trades or null], times in ms since 1970. recent: by product, the
    newest gaps as the last question found them, refilled ones too; see `newest_gaps`.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._counts: dict[str, list[int]] = {}
        self._shown: dict[str, list[int | None]] = {}
        self.recent: dict[str, list[list[Any]]] = {}
        self._asked = 0.0

    async def look(self, status: Any, keys: Sequence[str]) -> dict[str, list[int | None]]:
        """The gaps of `keys`. status: the context's, whose counts of gaps say when to ask. Raises PoeticoinsError."""
        counts = counts_of(status)
        news = {exchange for exchange, count in counts.items() if count != self._counts.get(exchange, [0, 0])}
        if self._shown and time.monotonic() - self._asked > AGAIN_S:
            news |= {key.split(":")[0] for key in self._shown}
        asked = [key for key in keys if key.split(":")[0] in news]
        if asked:
            self._asked = time.monotonic()
            found = await asyncio.to_thread(self._ask, asked)
            newest = {key: newest_gap(gaps) for key, gaps in found.items()}
            self._shown = {key: gap for key, gap in (self._shown | newest).items() if gap}
            self.recent |= {key: newest_gaps(gaps) for key, gaps in found.items()}
            self._counts = counts
        return dict(self._shown)

    def _ask(self, keys: Sequence[str]) -> dict[str, Any]:
        return {key: self._source.get_gaps(Product.parse(key)) for key in keys}


def counts_of(status: Any) -> dict[str, list[int]]:
    """By exchange, how many gaps and how many refills were counted: another number means other gaps."""
    return {feed.exchange: [feed.gaps, feed.refills] for feed in status.feeds}


def newest_gap(gaps: Any) -> list[int | None]:
    """[began at, ended at, missing or None] of the open gap that ended last, of what `get_gaps` answers; or []."""
    return max(open_gaps(gaps), key=lambda gap: gap[1], default=[])[:3]


def open_gaps(gaps: Any) -> list[list[Any]]:
    """[[began at, ended at, missing or None, reason], …] of those that were not refilled, in ms since 1970."""
    return [gap[:4] for gap in _rows(gaps) if gap[4] is None]


def newest_gaps(gaps: Any) -> list[list[Any]]:
    """[[began at, ended at, missing or None, reason, refilled at or None], …] of the last that were found."""
    return _rows(gaps.tail(MOST_RECENT))


def _rows(gaps: Any) -> list[list[Any]]:
    columns = (gaps[name] for name in ("began_at", "ended_at", "missing", "reason", "refilled_at"))
    return [
        [_ms(began), _ms(ended), None if pd.isna(missing) else int(missing), str(reason), _ms(refilled)]
        for began, ended, missing, reason, refilled in zip(*columns, strict=True)
    ]


def _ms(at: Any) -> int | None:
    return None if pd.isna(at) else at.value // MILLI_NS
