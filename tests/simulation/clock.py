"""
Virtual time: an event loop whose clock jumps to the next timer, and the stand-in for `time` that shows it.

A minute of the line's life takes as long as its work does, and the same story runs the same way each time.
"""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context
from typing import Any

from poeticoins.model import SECOND
from tests.makers import NOON

MOST_TURNS = 10_000
"""Of the loop in one moment: what does more waits for nothing, for ever."""


class Stuck(Exception):
    """Nothing is left that could ever happen, or time does not go on."""


class VirtualLoop(asyncio.BaseEventLoop):
    """
    An event loop with all of asyncio's rules, in virtual seconds; what is given to a thread is done at once.

    standing: the contexts' owners (see `owner`) that do not run for now, each with what would have run meanwhile.
    outside: the context of what no process is part of, such as its supervisor.
    """

    def __init__(self, owner: Callable[[Context], object]) -> None:
        super().__init__()
        self.now = 1000.0
        self.standing: dict[object, list[asyncio.Handle]] = {}
        self.outside: Context | None = None
        self._owner = owner
        self._turns = 0  # since time went on
        self._readers: dict[int, tuple[Callable[..., None], tuple[Any, ...]]] = {}

    def time(self) -> float:
        return self.now

    def stand(self, owner: object) -> None:
        """From now on nothing of `owner` runs."""
        self.standing.setdefault(owner, [])

    def go_on(self, owner: object) -> None:
        """It runs again, and what has come for it meanwhile is done first."""
        self._ready.extend(self.standing.pop(owner, ()))

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    # -- simulated pipes, by a number of their own

    def add_reader(self, fd: Any, callback: Callable[..., None], *args: Any) -> None:
        self._readers[fd] = callback, args

    def remove_reader(self, fd: Any) -> bool:
        return self._readers.pop(fd, None) is not None

    def readable(self, fd: int) -> None:
        """Something has come on a pipe, which is read from outside."""
        self.call_soon(self._read, fd, context=self.outside)

    def _read(self, fd: int) -> None:
        if fd in self._readers:
            callback, args = self._readers[fd]
            callback(*args)

    def _run_once(self) -> None:
        """As BaseEventLoop's, where time goes on instead of being waited for: all that comes, comes by timers."""
        ready, scheduled = self._ready, self._scheduled
        if not ready and not self._stopping:
            while scheduled and scheduled[0]._cancelled:
                heapq.heappop(scheduled)._scheduled = False
            if not scheduled:
                raise Stuck("nothing is left that could ever happen")
            if scheduled[0]._when > self.now:
                self.now, self._turns = scheduled[0]._when, 0
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise Stuck(f"{MOST_TURNS} turns of the loop in one moment")
        while scheduled and scheduled[0]._when <= self.now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            if self.standing and (waiting := self.standing.get(self._owner(handle._context))) is not None:
                waiting.append(handle)
            else:
                handle._run()

    def _timer_handle_cancelled(self, handle: Any) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class Clock:
    """What the modules of the line take for `time`. step_ns: how far our wall clock is off; the exchange's never is."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.step_ns = 0

    def monotonic(self) -> float:
        return self._loop.now

    def true_ns(self) -> int:
        """The exchange's clock, in whole microseconds."""
        return NOON + round((self._loop.now - 1000.0) * 1_000_000) * 1000

    def process_time(self) -> float:
        """How busy the supervisor was is no matter here, and costs a call of the system."""
        return 0.0

    def time_ns(self) -> int:
        return self.true_ns() + self.step_ns

    def time(self) -> float:
        return self.time_ns() / SECOND

    def sleep(self, seconds: float) -> None:
        raise AssertionError("the line never blocks")
