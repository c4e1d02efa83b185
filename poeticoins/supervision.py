"""
The supervisor: the tree is started in order, kept, and stopped in the reverse one; signals and requests are heard.

How each child is kept is in keeping.py. It imports none of the libraries that the children live on, so what may break
them cannot break it. Must run in the main thread.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from poeticoins import control, log
from poeticoins.config import Settings
from poeticoins.keeping import Keeper
from poeticoins.lifecycle import RestartWanted, StopWanted
from poeticoins.status import status
from poeticoins.supervised import Supervised
from poeticoins.tree import ChildSpec

STOP_LIMIT = 4.5
"""Seconds after which a stop kills whatever is left, so that it is over within five."""
_logger = logging.getLogger(__name__)


class Supervisor:
    """The tree at run time; `run` keeps it until `stop`, SIGINT or SIGTERM."""

    def __init__(self, settings: Settings, specs: Sequence[ChildSpec]) -> None:
        self.settings = settings
        self.places = {spec.name: Supervised(spec) for spec in specs}
        self.stopping = asyncio.Event()
        self._started_at = datetime.now(UTC)

    async def run(self) -> None:
        """Starts the children in order, keeps them, and stops them in the reverse order, in at most five seconds."""
        self._loop = asyncio.get_running_loop()
        self._keeper = Keeper(self.settings, self.places)
        with _ended_by_signals(self._loop, self._on_signal):
            server = await control.serve(self.settings.socket("control"), self.answer)
            try:
                await self._start_all()
                await self.stopping.wait()
                await self._stop_all()
            finally:
                server.close()
                self._keeper.close()

    def stop(self) -> None:
        """Ends `run`, in order."""
        self._keeper.closing = True
        self.stopping.set()

    def status(self) -> dict[str, Any]:
        """What `status --json` prints."""
        return status(self.settings, list(self.places.values()), self._started_at, self._loop.time())

    def answer(self, request: Mapping[str, object]) -> dict[str, Any]:
        """The answer to a request of the control socket. Raises ValueError for what is none."""
        match request:
            case {"verb": "status"}:
                return self.status()
            case {"verb": "stop"}:
                self._loop.call_soon(self.stop)
                return {"stopping": os.getpid()}
            case {"verb": "restart", "name": str(name)} if name in self.places:
                self._keeper.happened(self.places[name], RestartWanted())
                return {"restarting": name}
            case {"verb": "restart", "name": str(name)}:
                raise ValueError(f"unknown child {name[:40]!r}; expected one of {', '.join(self.places)}")
        raise ValueError("expected a verb: status, stop, or restart with the name of a child")

    async def _start_all(self) -> None:
        for place in self.places.values():
            self._keeper.spawn(place)
            await asyncio.sleep(0)  # a signal is heard between any two

    async def _stop_all(self) -> None:
        log.say(_logger, "stopping")
        limit = self._loop.time() + STOP_LIMIT
        for place in reversed(self.places.values()):
            now = self._loop.time()
            self._keeper.happened(place, StopWanted(min(now + self.settings.stop_timeout, limit)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(place.stopped.wait(), max(limit - now, 0) + 0.2)
        log.say(_logger, "stopped")

    def _on_signal(self) -> None:
        if self.stopping.is_set():  # somebody asks for the second time
            for place in self.places.values():
                self._keeper.happened(place, StopWanted(kill_at=self._loop.time()))
        self.stop()


@contextlib.contextmanager
def _ended_by_signals(loop: asyncio.AbstractEventLoop, on_signal: Callable[[], None]) -> Iterator[None]:
    """Explicitly, since the shell starts background jobs with SIGINT ignored; SIGHUP only where nohup does not ask."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)  # what follows is the last milliseconds of this process
