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
from poeticoins.errors import PoeticoinsError
from poeticoins.keeping import Keeper
from poeticoins.lifecycle import RestartWanted, StopWanted
from poeticoins.notify import Notifier
from poeticoins.reloading import changes
from poeticoins.status import Itself, status, summary
from poeticoins.supervised import Supervised
from poeticoins.tree import ChildSpec

STOP_LIMIT = 4.5
"""Seconds after which a stop kills whatever is left, so that it is over within five."""
Reread = Callable[[Settings], tuple[Settings, Sequence[ChildSpec]]]
"""From the settings in force to those that hold now, and the children that they ask for; ConfigurationError if none."""
_logger = logging.getLogger(__name__)


class Supervisor:
    """The tree at run time; `run` keeps it until `stop`, SIGINT or SIGTERM. SIGHUP reads the settings anew."""

    def __init__(self, settings: Settings, specs: Sequence[ChildSpec], reread: Reread | None = None) -> None:
        self.settings = settings
        self._reread = reread or (lambda now: (now, specs))  # without it, there is nothing that could change
        self.places = {spec.name: Supervised(spec) for spec in specs}
        self.stopping = asyncio.Event()
        self._started_at = datetime.now(UTC)
        self._notifier = Notifier(os.environ)
        self._changing = self._told_ready = False

    async def run(self) -> None:
        """Starts the children in order, keeps them, and stops them in the reverse order, in at most five seconds."""
        self._loop = asyncio.get_running_loop()
        self._up_since = self._loop.time()
        self._keeper = Keeper(self.settings, self.places, self._report)
        reload_wanted = asyncio.Event()
        with _signals(self._loop, self._on_signal, reload_wanted.set):
            server = await control.serve(self.settings.socket("control"), self.answer)
            try:
                await self._start_all()
                self._sign_of_life()
                reloading = asyncio.create_task(self._reload_whenever(reload_wanted), name="reload")
                await self.stopping.wait()
                reloading.cancel()
                await self._stop_all()
            finally:
                server.close()
                self.settings.socket("control").unlink(missing_ok=True)  # from Python 3.13 on, `close` has done so
                self._keeper.close()

    def stop(self) -> None:
        """Ends `run`, in order."""
        self._keeper.closing = True
        self.stopping.set()

    def status(self) -> dict[str, Any]:
        """What `status --json` prints."""
        itself = Itself(self._started_at, self._up_since, self._keeper.load)
        return status(self.settings, list(self.places.values()), itself, self._loop.time())

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
        self._notifier.tell("STOPPING=1")
        limit = self._loop.time() + STOP_LIMIT
        for place in reversed(self.places.values()):
            now = self._loop.time()
            self._keeper.happened(place, StopWanted(min(now + self.settings.stop_timeout, limit)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(place.stopped.wait(), max(limit - now, 0) + 0.2)
        log.say(_logger, "stopped")

    async def _reload_whenever(self, wanted: asyncio.Event) -> None:
        while True:
            await wanted.wait()
            wanted.clear()  # what is asked for from here on is done once more
            self._changing, self._told_ready = True, False
            self._notifier.reloading()
            try:
                new, specs = self._reread(self.settings)
                await self._change_to(new, specs)
            except PoeticoinsError as error:
                _logger.error("the settings stay as they are: %s", error)
            except Exception:
                _logger.exception("the settings stay as they are, by a bug")  # which must not end the tree
            self._changing = False
            self._report()

    async def _change_to(self, new: Settings, specs: Sequence[ChildSpec]) -> None:
        plan = changes(self.settings, new, [place.spec for place in self.places.values()], specs)
        names = {"restarts": plan.restart, "begins": [spec.name for spec in plan.add], "ends": plan.end}
        log.say(_logger, "settings read anew", **{verb: " ".join(some) for verb, some in names.items() if some})
        self.settings = self._keeper.settings = new
        for name in plan.end:
            self._keeper.happened(self.places[name], StopWanted(self._loop.time() + new.stop_timeout))
            await self.places[name].stopped.wait()
        self._seat(specs)
        for spec in specs:  # one after the other: each finds the new ones of those before it
            if spec in plan.add:
                self._keeper.spawn(self.places[spec.name])
            elif spec.name in plan.restart:
                await self._replaced(self.places[spec.name])

    def _seat(self, specs: Sequence[ChildSpec]) -> None:
        """Gives each spec its place, in order; what nobody asks for has none any more."""
        places = {spec.name: self.places.get(spec.name) or Supervised(spec) for spec in specs}
        for spec in specs:
            places[spec.name].spec = spec
        self.places = self._keeper.places = places

    async def _replaced(self, place: Supervised) -> None:
        place.made.clear()
        self._keeper.happened(place, RestartWanted())
        await place.made.wait()

    def _report(self) -> None:
        """Tells the service manager, if there is one, how the children are, and once that all are up."""
        places = self.places.values()
        words = [f"STATUS={summary(list(places))}"]
        up = all(place.life.state in ("ready", "degraded") for place in places)
        if up and not self._told_ready and not self._changing and not self.stopping.is_set():
            self._told_ready = True
            words.append("READY=1")
        self._notifier.tell(*words)

    def _sign_of_life(self) -> None:
        if self._notifier.watchdog is not None:
            self._notifier.tell("WATCHDOG=1")
            self._loop.call_later(self._notifier.watchdog, self._sign_of_life)

    def _on_signal(self) -> None:
        if self.stopping.is_set():  # somebody asks for the second time
            for place in self.places.values():
                self._keeper.happened(place, StopWanted(kill_at=self._loop.time()))
        self.stop()


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None], reload: Callable[[], None]) -> Iterator[None]:
    """Explicitly, since the shell starts background jobs with SIGINT ignored, and nohup with SIGHUP."""
    heard = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: reload}
    for number, callback in heard.items():
        loop.add_signal_handler(number, callback)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)  # what follows is the last milliseconds of this process
