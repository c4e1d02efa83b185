"""
Virtual time: an event loop whose clock jumps to the next timer, and the stand-in for `time` that shows it.

A minute of the line's life takes as long as its work does, and the same story runs the same way each time.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any

from poeticoins.model import SECOND
from tests.makers import NOON


class Stuck(Exception):
    """Nothing is left that could ever happen."""


class _Selector:
    """Instead of waiting, time goes on. There are no files to watch: all that comes, comes by timers."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stuck("nothing is left that could ever happen")
        if timeout > 0:
            self._loop.now = math.nextafter(self._loop.now + timeout, math.inf)
        return []

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop with all of asyncio's rules, in virtual seconds; what is given to a thread is done at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self._selector = _Selector(self)

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def _process_events(self, event_list: list[Any]) -> None:
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

    def time_ns(self) -> int:
        return self.true_ns() + self.step_ns

    def time(self) -> float:
        return self.time_ns() / SECOND

    def sleep(self, seconds: float) -> None:
        raise AssertionError("the line never blocks")
