"""
What runs inside every child process: its heartbeat, its signals, its lifelines, and the target that is its work.

The heartbeat comes from the child's own event loop: a thread would go on beating while the loop hangs.
"""

import asyncio
import contextlib
import faulthandler
import importlib
import io
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from poeticoins import log, nursery
from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError, PoeticoinsError

BEAT_LIMIT = 4096
"""Bytes of one heartbeat: what a pipe takes in one piece (PIPE_BUF), so that a full pipe never keeps half a beat."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pipes:
    """
    A child's ends of its pipes. beats: heartbeats and, should it hang, its stacks. words: its stdout and stderr.

    lifeline: nobody writes to it; its end means that the supervisor is gone.
    """

    beats: Connection
    words: Connection
    lifeline: Connection


class Child:
    """
    What a target is handed to speak with its supervisor.

    name: the child's own. stopping: set when it is to end; the target then returns within `stop_timeout`.
    facts: what the heartbeat carries, set by the target; called in the event loop at each beat, so it must be cheap,
    and its answer at most some 4000 bytes of JSON.
    """

    def __init__(self, name: str, beats: Connection) -> None:
        self.name = name
        self.stopping = asyncio.Event()
        self.facts: Callable[[], dict[str, object]] = dict
        self._beats = beats
        self._is_ready = False
        os.set_blocking(beats.fileno(), False)

    def ready(self) -> None:
        """Says that the sockets are bound and the work is going on. Told to the supervisor at once, in a heartbeat."""
        self._is_ready = True
        self.beat()

    def beat(self) -> None:
        """Sends one heartbeat; skips it if the supervisor has not read the earlier ones."""
        data = self._message(self.facts())
        if len(data) > BEAT_LIMIT:
            log.warn(_logger, "facts are too long for a heartbeat", bytes=len(data), limit=BEAT_LIMIT)
            data = self._message({})
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # the lifeline tells of a supervisor that is gone
            os.write(self._beats.fileno(), data)

    async def until_stopped(self, *works: Coroutine[Any, Any, None]) -> None:
        """Runs `works` beside each other until the supervisor says stop; an exception in one of them ends all."""
        tasks = [asyncio.create_task(work) for work in works]
        stopping = asyncio.create_task(self.stopping.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)

    def _message(self, facts: dict[str, object]) -> bytes:
        spent = round(time.process_time(), 3)
        beat = {"ready": self._is_ready, "nursery": nursery.PID, "rss": resident(), "cpu": spent, "facts": facts}
        return msgspec.json.encode(beat) + b"\n"

    async def beat_forever(self, interval: float) -> None:
        """Beats at once and then every `interval` seconds."""
        while True:
            self.beat()
            log.settle()
            await asyncio.sleep(interval)


def resident() -> int:
    """Bytes of memory that this process has in use (RSS), shared ones included; 0 where Linux does not say. 10 us."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


Target = Callable[..., Coroutine[Any, Any, None]]


def main(target: str, name: str, settings: Settings, pipes: Pipes, arguments: tuple[object, ...]) -> None:
    """
    The life of a child: `target` ("module:function") is imported and run as `function(settings, child, *arguments)`.

    Exit status: 0 when the target returns, 78 for a wrong configuration, 1 for any other error; an error of ours is one
    line in the log, any other one is a bug and leaves its traceback there.
    """
    nursery.die_with(nursery.PID or os.getppid())
    _prepare(name, pipes)
    module, _, function = target.partition(":")
    try:
        run: Target = getattr(importlib.import_module(module), function)
        asyncio.run(_live(run, Child(name, pipes.beats), settings, pipes.lifeline, arguments))
    except PoeticoinsError as error:
        _logger.error("%s", error)
        raise SystemExit(78 if isinstance(error, ConfigurationError) else 1) from None
    except Exception as error:
        _logger.exception("ended by a bug: %s", type(error).__name__)
        raise SystemExit(1) from None


def _prepare(name: str, pipes: Pipes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides what a Ctrl-C ends, and in which order
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # On SIGABRT too: the supervisor's word to a hung child. It dumps, then dies; not into the pipe of its words, which
    # is full if it hangs because it prints for ever.
    faulthandler.enable(pipes.beats.fileno(), all_threads=True)
    _speak_into(pipes.words)
    log.set_up(name)


class _Dropping(io.FileIO):
    """A file that takes everything at once: what does not fit is dropped, since a print must never block the loop."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            super().write(data)
        return len(data)


def _speak_into(words: Connection) -> None:
    """stdout and stderr, also of what is not written in Python, go to the supervisor, which limits them."""
    os.set_blocking(words.fileno(), False)  # a supervisor that is stopped itself must not stop its children
    for standard in (1, 2):
        os.dup2(words.fileno(), standard)
    words.close()
    stream = io.BufferedWriter(_Dropping(2, "wb", closefd=False))
    sys.stdout = sys.stderr = io.TextIOWrapper(stream, "utf-8", "backslashreplace", line_buffering=True)


def _end_by_bug(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """
    An exception in a callback is a bug like any other: it ends the process, and the supervisor starts another.

    A target whose callbacks are of strangers' libraries, as the dashboard's, sets a handler of its own.
    """
    loop.default_exception_handler(context)
    if "handle" in context and "exception" in context:
        os._exit(1)


async def _live(
    run: Target, child: Child, settings: Settings, lifeline: Connection, arguments: tuple[object, ...]
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_end_by_bug)
    loop.add_signal_handler(signal.SIGTERM, child.stopping.set)
    loop.add_reader(lifeline.fileno(), os._exit, 1)  # readable means EOF: nobody ever writes to it
    work = asyncio.create_task(run(settings, child, *arguments), name=child.name)
    beating = asyncio.create_task(child.beat_forever(settings.beat_interval), name="heartbeat")
    await asyncio.wait({work, beating}, return_when=asyncio.FIRST_COMPLETED)
    first, second = (work, beating) if work.done() else (beating, work)
    second.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await second
    await first
