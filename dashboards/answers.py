"""Answers that take a while: asked off the loop, and one shared by all who ask the same at once."""

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KEEP_S = 1.0
"""Seconds for which an answer is good enough for the next page: what traded since comes to it with the frames."""
TOGETHER = 2
"""Questions under way at a time: two hundred pages opened at once may not crowd out the others' questions."""
MOST_KEPT = 64
W = TypeVar("W", bound=Hashable)


class Answers(Generic[W]):
    """`text()` answers on the loop that it is called on."""

    def __init__(self, ask: Callable[[W, str], str]) -> None:
        """ask: blocks, and is called in a thread; of what, and at which interval."""
        self._ask = ask
        self._answers: dict[tuple[W, str], tuple[float, asyncio.Task[str]]] = {}
        self._turns = asyncio.Semaphore(TOGETHER)

    async def text(self, what: W, interval: str) -> str:
        asked_at, answer = self._answers.get((what, interval), (0.0, None))
        if answer is None or (answer.done() and time.monotonic() - asked_at > KEEP_S):
            self._trim()
            answer = asyncio.create_task(self._in_turn(what, interval))
            self._answers[what, interval] = time.monotonic(), answer
        return await asyncio.shield(answer)

    async def _in_turn(self, what: W, interval: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._ask, what, interval)

    def _trim(self) -> None:
        if len(self._answers) >= MOST_KEPT:
            self._answers = {name: kept for name, kept in self._answers.items() if not kept[1].done()}
