"""
The supervisor: makes the children's processes, listens to their heartbeats, replaces those that end or hang.

A thin shell: what to do about what happened is decided in lifecycle.py. It imports none of the libraries that the
children live on, so what may break them cannot break it. Must run in the main thread: the kernel ends the nursery when
the thread that started it is gone.
"""

import asyncio
import contextlib
import logging
import os
import random
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from poeticoins import control, log
from poeticoins.config import Settings
from poeticoins.lifecycle import (
    Beat,
    Event,
    Exited,
    Life,
    Overslept,
    RestartWanted,
    Send,
    Start,
    Started,
    StopWanted,
    Tick,
    deadline,
    step,
)
from poeticoins.spawning import Lifeline, end, sweep
from poeticoins.status import status
from poeticoins.supervised import Supervised
from poeticoins.tree import ChildSpec

STOP_LIMIT = 4.5
"""Seconds after which a stop kills whatever is left, so that it is over within five."""
_REPORT_LIMIT = 1.0  # from the end of a child's pipe to the nursery's word about its exit
_FLOOD_PAUSE = 0.1  # a child that floods its pipe is read ten times a second: else it would keep us busy, too
_logger = logging.getLogger(__name__)


class Supervisor:
    """The tree at run time; `run` keeps it until `stop`, SIGINT or SIGTERM."""

    def __init__(self, settings: Settings, specs: Sequence[ChildSpec]) -> None:
        self.settings = settings
        self.places = {spec.name: Supervised(spec) for spec in specs}
        self.stopping = asyncio.Event()
        self._killing = False
        self._started_at = datetime.now(UTC)

    async def run(self) -> None:
        """Starts the children in order, keeps them, and stops them in the reverse order, in at most five seconds."""
        self._loop = asyncio.get_running_loop()
        self._lifeline = Lifeline()
        self._last_look = self._loop.time()
        self._timer = self._loop.call_soon(self._look)
        sweep(self.settings.run_dir)
        with _ended_by_signals(self._loop, self._on_signal):
            server = await control.serve(self.settings.socket("control"), self.answer)
            try:
                await self._start_all()
                await self.stopping.wait()
                await self._stop_all()
            finally:
                self._timer.cancel()
                server.close()
                for place in self.places.values():
                    place.send(signal.SIGKILL)
                sweep(self.settings.run_dir)

    def stop(self) -> None:
        """Ends `run`, in order."""
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
                self._happened(self.places[name], RestartWanted())
                return {"restarting": name}
            case {"verb": "restart", "name": str(name)}:
                raise ValueError(f"unknown child {name[:40]!r}; expected one of {', '.join(self.places)}")
        raise ValueError("expected a verb: status, stop, or restart with the name of a child")

    async def _start_all(self) -> None:
        for place in self.places.values():
            self._spawn(place)
            await asyncio.sleep(0)  # a signal is heard between any two

    async def _stop_all(self) -> None:
        log.say(_logger, "stopping")
        limit = self._loop.time() + STOP_LIMIT
        for place in reversed(self.places.values()):
            now = self._loop.time()
            self._happened(place, StopWanted(min(now + self.settings.stop_timeout, limit)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(place.stopped.wait(), max(limit - now, 0) + 0.2)
        log.say(_logger, "stopped")

    def _on_signal(self) -> None:
        if self.stopping.is_set():  # somebody asks for the second time
            for place in self.places.values():
                self._happened(place, StopWanted(kill_at=self._loop.time()))
        self.stop()

    def _happened(self, place: Supervised, event: Event) -> None:
        before, now = place.life, self._loop.time()
        place.life, action = step(before, event, now, self.settings)
        _tell(place, before, event, now)
        if place.life.final and not place.life.running:
            place.stopped.set()
        elif place.life.state == "ready":
            place.was_ready.set()
        if isinstance(action, Send):
            place.send(action.signal)
        elif isinstance(action, Start):
            self._loop.call_soon(self._spawn, place)
        if place.life is not before and not (isinstance(event, Beat) and place.life.state == before.state):
            self._schedule()

    def _look(self) -> None:
        """Lets every child's time pass: when something is due, and once every `beat_interval` at least."""
        now = self._loop.time()
        gap, self._last_look = now - self._last_look, now
        for place in self.places.values():
            if gap > self.settings.beat_interval + self.settings.hang_after / 4:
                self._happened(place, Overslept(gap))
            self._happened(place, Tick())
            place.settle()
        log.settle()
        self._schedule()

    def _schedule(self) -> None:
        dues = [due for p in self.places.values() if (due := deadline(p.life, self.settings)) is not None]
        self._timer.cancel()
        self._timer = self._loop.call_at(min([self._last_look + self.settings.beat_interval, *dues]), self._look)

    def _spawn(self, place: Supervised) -> None:
        if self.stopping.is_set():
            return
        try:
            place.spawn(self.settings, self._lifeline)
        except (OSError, EOFError) as error:
            if isinstance(error, TimeoutError):  # the nursery is stopped or hangs: another one will do
                end(max(p.nursery for p in self.places.values()))
            self._happened(place, Exited(f"not started: {error}", random.random()))
            return
        assert place.process
        assert place.beats
        self._loop.add_reader(place.beats.fileno(), self._on_beats, place)
        self._hear(place, place.words)
        self._loop.add_reader(place.process.sentinel, self._on_exit, place)
        self._happened(place, Started())

    def _on_beats(self, place: Supervised) -> None:
        assert place.beats
        try:
            beat = place.listen()
        except EOFError:
            self._loop.remove_reader(place.beats.fileno())
            self._loop.call_later(_REPORT_LIMIT, self._miss, place, place.pid)
            return
        if beat is not None:
            self._happened(place, Beat(beat.ready, beat.rss))

    def _hear(self, place: Supervised, pipe: object) -> None:
        if place.words and place.words is pipe:  # else its process has gone, and another one may have come
            self._loop.add_reader(place.words.fileno(), self._on_words, place)

    def _on_words(self, place: Supervised) -> None:
        assert place.words
        try:
            if place.hear():
                self._loop.remove_reader(place.words.fileno())
                self._loop.call_later(_FLOOD_PAUSE, self._hear, place, place.words)
        except EOFError:
            self._loop.remove_reader(place.words.fileno())

    def _miss(self, place: Supervised, pid: int | None) -> None:
        # Its pipe has ended and yet nobody said that it exited: the nursery, which should have, is stopped or hangs.
        if pid is not None and place.pid == pid:
            end(place.nursery)

    def _on_exit(self, place: Supervised) -> None:
        assert place.process
        assert place.beats
        assert place.words
        for file in (place.process.sentinel, place.beats.fileno(), place.words.fileno()):
            self._loop.remove_reader(file)
        self._happened(place, Exited(place.reap(), random.random()))


def _tell(place: Supervised, before: Life, event: Event, now: float) -> None:
    life, name = place.life, place.spec.name
    if isinstance(event, Exited) and not life.final:
        wait = (life.next_try or now) - now
        log.warn(_logger, "exited", about=name, how=life.last_exit, state=life.state, next_try_in=round(wait, 1))
    elif life.state == "ready" != before.state:
        log.say(_logger, "ready", about=name, pid=place.pid, restarts=life.starts - 1)
    elif life.ended_for != before.ended_for is None:
        log.warn(_logger, "uses too much memory, is restarted", about=name, why=life.ended_for, pid=place.pid)
    elif isinstance(event, Tick) and life.kill_at != before.kill_at:
        what = "hangs, is asked for its stacks" if before.kill_at is None else "does not end, is killed"
        log.warn(_logger, what, about=name, pid=place.pid)


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
