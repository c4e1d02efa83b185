"""
A simulated process: tasks with one fate. It can be killed between any two of its effects, and inside an append.

An effect is what others can notice: a write to a journal or a file, a frame on the bus. The dead have none: whatever
their code still does while it is unwound, its effects are not carried out.
"""

import asyncio
import mmap
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from types import SimpleNamespace
from typing import Any

from poeticoins.child import Child
from poeticoins.journal import Journal
from poeticoins.model import AnyItem
from tests.simulation.clock import VirtualLoop

CURRENT: "ContextVar[Process | None]" = ContextVar("process", default=None)


def owner(context: Context) -> "Process | None":
    """The process that runs in a context."""
    return context.get(CURRENT)


class Killed(BaseException):
    """Ends whatever a process is doing."""


class Process:
    """
    `died()` is called once, when it has been killed or has ended, and nothing of it runs any more; `beaten(ready)` at
    each of its heartbeats.
    """

    def __init__(
        self,
        name: str,
        loop: VirtualLoop,
        died: Callable[["Process"], None],
        beaten: Callable[[bool], None] = lambda ready: None,
    ) -> None:
        self.name, self._loop, self._died = name, loop, died
        self.alive = True
        self.deaf = False  # whether it hears no signal but SIGKILL
        self.fuse: int | None = None  # effects until it is killed
        self.blown: Callable[[], None] = lambda: None  # called when these are over
        self.torn = 0  # bytes of a record that are written when it is killed inside an append
        self.failure: BaseException | None = None
        self.journals: list[SimulatedJournal] = []
        self.endings: list[Callable[[], None]] = []  # what the system does when it is gone: sockets
        self.tasks: dict[asyncio.Task[Any], None] = {}  # in the order of their making
        self.context = copy_context()
        self.context.run(CURRENT.set, self)
        self.child = self.context.run(_Child, name, beaten)

    def start(self, main: Coroutine[Any, Any, None], beat_interval: float | None = None) -> None:
        self._main = self._loop.create_task(main, context=self.context)
        self._main.add_done_callback(self._ended)
        if beat_interval is not None:
            self._loop.create_task(self.child.beat_forever(beat_interval), context=self.context)

    @property
    def stands(self) -> bool:
        """Whether nothing of it runs for now."""
        return self in self._loop.standing

    def effect(self, tear: Callable[[int], None] | None = None) -> None:
        """To be called before each effect. Raises Killed if this one does not happen any more."""
        if not self.alive:
            raise Killed
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.blown()
                if tear:
                    tear(self.torn)
                self.kill()
                raise Killed

    def kill(self) -> None:
        if self.alive:
            self.alive = False
            self._leave()
            self._loop.go_on(self)  # what is left of it has no effects any more
            for task in list(self.tasks):
                task.cancel()

    def _leave(self) -> None:
        for ending in self.endings:
            ending()
        self.endings = []

    def _ended(self, main: "asyncio.Task[None]") -> None:
        if self.alive and not main.cancelled():
            self.failure = main.exception()
        self.alive = False
        self._leave()
        for task in list(self.tasks):
            task.cancel()
        self._loop.call_later(0.001, self._gone)

    def _gone(self) -> None:
        for journal in self.journals:
            journal.let_go()
        self._died(self)


class _Child(Child):
    """A child whose heartbeats are told to `beaten`."""

    def __init__(self, name: str, beaten: Callable[[bool], None]) -> None:
        self.name = name
        self.stopping = asyncio.Event()
        self.facts = dict
        self._is_ready = False
        self._beaten = beaten

    def beat(self) -> None:
        effect()
        self.facts()
        self._beaten(self._is_ready)


def effect(tear: Callable[[int], None] | None = None) -> None:
    """An effect of the process that is running, if any is."""
    process = CURRENT.get()
    if process is not None:
        process.effect(tear)


def task_factory(loop: asyncio.AbstractEventLoop, coroutine: Any, context: Any = None) -> "asyncio.Task[Any]":
    """Every task belongs to the process in whose context it is made."""
    task = asyncio.Task(coroutine, loop=loop, context=context)
    process = CURRENT.get() if context is None else context.get(CURRENT)
    if process is not None:
        process.tasks[task] = None
        task.add_done_callback(process.tasks.pop)
    return task


class _Map(mmap.mmap):
    """A journal's file in memory, in which a record may be torn."""

    def __setitem__(self, place: Any, value: Any) -> None:
        write = super().__setitem__

        def tear(size: int) -> None:
            cut = min(size, len(value))
            write(slice(place.start, place.start + cut), value[:cut])

        effect(tear)
        write(place, value)


MMAP = SimpleNamespace(mmap=_Map, ACCESS_READ=mmap.ACCESS_READ)
"""What journal.py takes for `mmap`."""


class _Counters:
    """The header's counters; each is one store, so none is ever half-written."""

    def __init__(self, counters: Any) -> None:
        self._counters = counters
        self.release = counters.release

    def __getitem__(self, place: int) -> int:
        return self._counters[place]

    def __setitem__(self, place: int, value: int) -> None:
        effect()
        self._counters[place] = value


class SimulatedJournal(Journal):
    """The real journal; `noted` is told of every item that is in it for good, and of each opening."""

    noted: Callable[[AnyItem], None] = staticmethod(lambda item: None)
    opened: Callable[[Journal], None] = staticmethod(lambda journal: None)

    def __init__(self, *arguments: Any) -> None:
        effect()
        super().__init__(*arguments)
        self._counters = _Counters(self._counters)
        self._gone = False
        process = CURRENT.get()
        if process is not None:
            process.journals.append(self)
        type(self).opened(self)

    def append(self, item: AnyItem) -> AnyItem:
        item = super().append(item)
        type(self).noted(item)
        return item

    def close(self) -> None:
        effect()
        self.let_go()

    def let_go(self) -> None:
        """What the system does for the dead."""
        if not self._gone:
            self._gone = True
            super().close()
