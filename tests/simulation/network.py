"""
A simulated ZeroMQ: what bus.py promises and what it does not. Frames are lost at full queues and at broken
connections, questions and answers on their way; never reordered, never repeated.

The names are those of bus.py, which these stand in for.
"""

import asyncio
import os
import stat
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from poeticoins.errors import RequestTimeout
from tests.simulation.process import CURRENT, Process, effect

HOP = 0.0005
"""Seconds that a frame takes."""
JOIN = 0.02
"""Seconds until a lost connection is made again."""
HIGH_WATER = 50
"""Frames that a subscriber's queue holds."""
DEALERS = 64


class Network:
    """The endpoints of one machine, by path. `strikes(kind)` says whether a fault hits this frame, once for each."""

    def __init__(self, loop: asyncio.AbstractEventLoop, strikes: Callable[[str], Any]) -> None:
        self.loop, self.strikes = loop, strikes
        self.publishers: dict[Path, Publisher] = {}
        self.answerers: dict[Path, Answerer] = {}
        self.subscribers: list[Subscriber] = []
        self.askers: list[Asker] = []


NETWORK: ContextVar[Network] = ContextVar("network")
"""Of the world that runs."""


class _Endpoint:
    """What a process holds: gone with it."""

    def __init__(self) -> None:
        self._network = NETWORK.get()
        self._process: Process | None = CURRENT.get()
        self.closed = False
        if self._process is not None:
            self._process.endings.append(self._vanish)

    def _vanish(self) -> None:
        self.closed = True

    def close(self) -> None:
        self._vanish()

    def _later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Calls as the process that this belongs to."""
        context = self._process.context if self._process else None
        self._network.loop.call_later(seconds, call, *arguments, context=context)


class Publisher(_Endpoint):
    """A PUB socket."""

    def __init__(self, path: Path, joined: Callable[[bytes], None]) -> None:
        super().__init__()
        effect()
        self._joined = joined
        self._path = path
        self._subscribers: list[Subscriber] = []
        self._network.publishers[path] = self
        for subscriber in self._network.subscribers:
            if subscriber.path == path:
                subscriber.join()

    def send(self, frame: bytes) -> None:
        effect()
        for subscriber in self._subscribers:
            subscriber.take(frame)

    def joins(self, subscriber: "Subscriber") -> None:
        if not self.closed and subscriber not in self._subscribers:
            self._subscribers.append(subscriber)
            for topic in subscriber.topics:
                self._later(HOP, self._greet, topic)

    def leaves(self, subscriber: "Subscriber") -> None:
        if subscriber in self._subscribers:
            self._subscribers.remove(subscriber)

    def _greet(self, topic: bytes) -> None:
        if not self.closed:
            self._joined(topic)

    def _vanish(self) -> None:
        super()._vanish()
        for subscriber in self._subscribers:
            subscriber.joined = None
        if self._network.publishers.get(self._path) is self:
            del self._network.publishers[self._path]


class Subscriber(_Endpoint):
    """A SUB socket."""

    def __init__(self, path: Path, topics: list[bytes], receive: Callable[[bytes], None]) -> None:
        super().__init__()
        self.path, self.topics = path, topics
        self.joined: Publisher | None = None
        self._receive = receive
        self._queue: deque[bytes] = deque()
        self._paused = self._pending = False
        self.dropping = 0  # frames that are still to be lost
        self._network.subscribers.append(self)
        self.join()

    def join(self) -> None:
        self._later(JOIN, self._join)

    def _join(self) -> None:
        publisher = self._network.publishers.get(self.path)
        if publisher and not self.closed and self.joined is not publisher:
            self.joined = publisher
            publisher.joins(self)

    def take(self, frame: bytes) -> None:
        """A frame came to the queue."""
        strikes = self._network.strikes
        if not any(frame.startswith(topic) for topic in self.topics):
            return
        if fault := strikes("bus drops"):
            self.dropping += fault.size
        if strikes("bus breaks"):
            self._queue.clear()
            if self.joined:
                self.joined.leaves(self)
                self.joined = None
            self.join()
            return
        if self.dropping:
            self.dropping -= 1
        elif len(self._queue) < HIGH_WATER:
            self._queue.append(frame)
            self._poke()

    def _poke(self) -> None:
        if not (self._pending or self._paused or self.closed):
            self._pending = True
            self._later(HOP, self._drain)

    def _drain(self) -> None:
        self._pending = False
        while self._queue and not self._paused and not self.closed:
            effect()
            self._receive(self._queue.popleft())

    def pause(self, paused: bool) -> None:
        self._paused = paused
        self._poke()

    def _vanish(self) -> None:
        super()._vanish()
        if self.joined:
            self.joined.leaves(self)
        if self in self._network.subscribers:
            self._network.subscribers.remove(self)


class Answerer(_Endpoint):
    """A ROUTER socket."""

    def __init__(self, path: Path, answer: Callable[[bytes], bytes], ration: object = None) -> None:
        """ration: not simulated, since no answer takes any of the virtual time."""
        super().__init__()
        effect()
        self._answer, self._path = answer, path
        if not path.exists():
            os.mknod(path, stat.S_IFSOCK | 0o600)
        self._network.answerers[path] = self
        for asker in self._network.askers:
            if asker.path == path:
                asker.flush()

    def asked(self, question: bytes, asker: "Asker") -> None:
        if self.closed:
            return
        effect()
        answer = self._answer(question)
        if self._network.strikes("answer lost"):
            return
        fault = self._network.strikes("answer slow")
        asker.answered(answer, HOP + (fault.size / 10 if fault else 0.0))

    @property
    def stands(self) -> bool:
        """Whether its process does not run for now."""
        return self._process is not None and self._process.stands

    def ask(self, question: bytes) -> bytes:
        """From a process that waits for nothing else."""
        assert self._process
        return self._process.context.copy().run(self._answer, question)

    def _vanish(self) -> None:
        super()._vanish()
        if self._network.answerers.get(self._path) is self:
            del self._network.answerers[self._path]


class Asker(_Endpoint):
    """A DEALER socket: questions wait in it until somebody answers there."""

    def __init__(self, path: Path, receive: Callable[[bytes], None]) -> None:
        super().__init__()
        self.path, self._receive = path, receive
        self._waiting: deque[bytes] = deque()
        self._network.askers.append(self)

    def ask(self, question: bytes) -> None:
        if self._network.strikes("question lost"):
            return
        if len(self._waiting) < DEALERS:
            self._waiting.append(question)
        self.flush()

    def flush(self) -> None:
        answerer = self._network.answerers.get(self.path)
        while answerer and self._waiting:
            answerer._later(HOP, answerer.asked, self._waiting.popleft(), self)

    def answered(self, answer: bytes, delay: float) -> None:
        self._later(delay, self._receive_if_open, answer)

    def _receive_if_open(self, answer: bytes) -> None:
        if not self.closed:
            self._receive(answer)

    def _vanish(self) -> None:
        super()._vanish()
        if self in self._network.askers:
            self._network.askers.remove(self)


def ask(path: Path, question: bytes, timeout: float) -> bytes:
    """As bus.ask, but for the time that it takes: it blocks its process, which is beginning."""
    answerer = NETWORK.get().answerers.get(path)
    if answerer is None or answerer.stands or NETWORK.get().strikes("answer lost"):
        raise RequestTimeout(f"no answer from {path.stem} within {timeout:g} s")
    return answerer.ask(question)
