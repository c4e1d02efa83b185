"""The past of the opened products: asked off the loop, and one answer shared by all who open the same at once."""

import asyncio
import time
from collections.abc import Callable

from dashboards.missing import open_gaps
from dashboards.product import CANDLES, TAPE, Past, history_text, problem_text
from dashboards.source import Source
from poeticoins import PoeticoinsError, Product

KEEP_S = 1.0
"""Seconds for which an answer is good enough for the next page: what traded since comes to it with the frames."""
TOGETHER = 2
"""Questions under way at a time: two hundred pages opened at once may not crowd out the others' questions."""
TRIES = 5
MOST_KEPT = 64


class Histories:
    """`text()` answers on the loop that it is called on."""

    def __init__(self, source: Source, digits: Callable[[str], int]) -> None:
        """digits: the decimals of a product's prices, by its key."""
        self._source, self._digits = source, digits
        self._answers: dict[tuple[str, str], tuple[float, asyncio.Task[str]]] = {}
        self._turns = asyncio.Semaphore(TOGETHER)

    async def text(self, key: str, interval: str) -> str:
        """The message for a page that opens `key`, a product that is followed: its history, or why there is none."""
        asked_at, answer = self._answers.get((key, interval), (0.0, None))
        if answer is None or (answer.done() and time.monotonic() - asked_at > KEEP_S):
            self._trim()
            answer = asyncio.create_task(self._ask(key, interval))
            self._answers[key, interval] = time.monotonic(), answer
        return await asyncio.shield(answer)

    async def _ask(self, key: str, interval: str) -> str:
        async with self._turns:
            try:
                return await asyncio.to_thread(self._fetch, key, interval)
            except PoeticoinsError as error:
                return problem_text(key, interval, str(error))

    def _fetch(self, key: str, interval: str) -> str:
        product = Product.parse(key)
        trades = self._source.get_trades(product, limit=TAPE)
        for _ in range(TRIES):
            candles = self._source.get_candles(product, interval, limit=CANDLES)
            before, trades = trades, self._source.get_trades(product, limit=TAPE)
            # Nothing traded between the two answers: the candles hold exactly the trades up to the newest row.
            if before.trade_id.tolist()[-1:] == trades.trade_id.tolist()[-1:]:
                break
        gaps = open_gaps(self._source.get_gaps(product))
        return history_text(key, interval, Past(candles, trades, gaps, self._digits(key)))

    def _trim(self) -> None:
        if len(self._answers) >= MOST_KEPT:
            self._answers = {name: kept for name, kept in self._answers.items() if not kept[1].done()}
