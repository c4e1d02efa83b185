"""
Keeping children: their processes, pipes and timers are watched here, and what happened to one becomes what is done.

A thin shell: what to do is decided in lifecycle.py. Must run in the main thread: the kernel ends the nursery when the
thread that started it is gone.
"""

import asyncio
import logging
import random
import signal
import time
from collections.abc import Callable, Mapping

from poeticoins import log
from poeticoins.config import Settings
from poeticoins.lifecycle import (
    Beat,
    Event,
    Exited,
    Life,
    Overslept,
    Send,
    Start,
    Started,
    Tick,
    deadline,
    step,
)
from poeticoins.load import Load
from poeticoins.spawning import Lifeline, end, sweep
from poeticoins.supervised import Supervised

_REPORT_LIMIT = 1.0  # from the end of a child's pipe to the nursery's word about its exit
_FLOOD_PAUSE = 0.1  # a child that floods its pipe is read ten times a second: else it would keep us busy, too
_logger = logging.getLogger(__name__)


class Keeper:
    """
    Keeps the children in `places`, by name and in start order, from when it is made until `close`.

    closing: to be set when no process is to be made any more. settings: those for the next processes and deadlines.
    on_change: called whenever a child's state has changed. load: that of this process, the supervisor's.
    """

    def __init__(
        self, settings: Settings, places: Mapping[str, Supervised], on_change: Callable[[], None] = lambda: None
    ) -> None:
        self.settings, self.places = settings, places
        self.closing = False
        self.load = Load()
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._lifeline = Lifeline()
        self._last_look = self._loop.time()
        self._timer = self._loop.call_soon(self._look)
        sweep(settings.run_dir)

    def close(self) -> None:
        """Ends at once whatever is left."""
        self._timer.cancel()
        for place in self.places.values():
            place.send(signal.SIGKILL)
        sweep(self.settings.run_dir)

    def happened(self, place: Supervised, event: Event) -> None:
        """Decides what `event` makes of the child, and does it."""
        before, now = place.life, self._loop.time()
        place.life, action = step(before, event, now, self.settings)
        if isinstance(event, Exited):
            place.exited(before, now)
        _tell(place, before, event, now)
        if place.life.final and not place.life.running:
            place.stopped.set()
        elif place.life.state == "ready":
            place.was_ready.set()
        if isinstance(action, Send):
            place.send(action.signal)
        elif isinstance(action, Start):
            self._loop.call_soon(self.spawn, place)
        if place.life is not before and not (isinstance(event, Beat) and place.life.state == before.state):
            self._schedule()
        if place.life.state != before.state:
            self._on_change()

    def _look(self) -> None:
        """Lets every child's time pass: when something is due, and once every `beat_interval` at least."""
        now = self._loop.time()
        gap, self._last_look = now - self._last_look, now
        for place in self.places.values():
            if gap > self.settings.beat_interval + self.settings.hang_after / 4:
                self.happened(place, Overslept(gap))
            self.happened(place, Tick())
            place.settle()
        self.load = self.load.take(now, time.process_time())
        log.settle()
        self._schedule()

    def _schedule(self) -> None:
        dues = [due for p in self.places.values() if (due := deadline(p.life, self.settings)) is not None]
        self._timer.cancel()
        self._timer = self._loop.call_at(min([self._last_look + self.settings.beat_interval, *dues]), self._look)

    def spawn(self, place: Supervised) -> None:
        """Makes the child's process, unless none is to be made any more; one that cannot be made counts as an exit."""
        if self.closing or place.process:  # two may ask for it within one turn of the loop
            return
        try:
            place.spawn(self.settings, self._lifeline)
        except (OSError, EOFError) as error:
            if isinstance(error, TimeoutError):  # the nursery is stopped or hangs: another one will do
                end(max(p.nursery for p in self.places.values()))
            self.happened(place, Exited(f"not started: {error}", random.random()))
            return
        assert place.process
        assert place.beats
        self._loop.add_reader(place.beats.fileno(), self._on_beats, place)
        self._hear(place, place.words)
        self._loop.add_reader(place.process.sentinel, self._on_exit, place)
        self.happened(place, Started())

    def _on_beats(self, place: Supervised) -> None:
        assert place.beats
        try:
            beat = place.listen()
        except EOFError:
            self._loop.remove_reader(place.beats.fileno())
            self._loop.call_later(_REPORT_LIMIT, self._miss, place, place.pid)
            return
        if beat is not None:
            self.happened(place, Beat(beat.ready, beat.rss))

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
        self.happened(place, Exited(place.reap(), random.random()))


def _tell(place: Supervised, before: Life, event: Event, now: float) -> None:
    life, name = place.life, place.spec.name
    if isinstance(event, Exited) and not life.final:
        wait = (life.next_try or now) - now
        log.warn(_logger, "exited", about=name, how=life.last_exit, state=life.state, next_try_in=round(wait, 1))
    elif life.state == "ready" != before.state:
        url = {"url": place.facts["url"]} if "url" in place.facts else {}
        log.say(_logger, "ready", about=name, pid=place.pid, restarts=life.starts - 1, **url)
    elif isinstance(event, Beat) and life.ended_for != before.ended_for:
        log.warn(_logger, "uses too much memory, is restarted", about=name, why=life.ended_for, pid=place.pid)
    elif isinstance(event, Tick) and life.kill_at != before.kill_at:
        what = "hangs, is asked for its stacks" if before.kill_at is None else "does not end, is killed"
        log.warn(_logger, what, about=name, pid=place.pid)
