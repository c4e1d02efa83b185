"""One supervised child, as the supervisor holds it: its process, its two pipes, and what it last said."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import msgspec

from poeticoins import child, log, spawning
from poeticoins.config import Settings
from poeticoins.lifecycle import Life
from poeticoins.load import Load
from poeticoins.reports import Exit
from poeticoins.spawning import Lifeline, end
from poeticoins.tree import ChildSpec
from poeticoins.words import Words

KEPT_EXITS = 5
"""Exits of one child that `status` tells, at most: the newest."""
_FORKED_FROM_THE_DEAD = 255  # what multiprocessing says of a child whose nursery was killed


class Heartbeat(msgspec.Struct):
    """What a child says of itself; see child.py, which writes it. cpu: the seconds of CPU that it has spent."""

    ready: bool
    nursery: int
    rss: int
    facts: dict[str, Any]
    cpu: float = 0.0


_decoder = msgspec.json.Decoder(Heartbeat)


class Supervised:
    """A child's place in the tree: what is there now, and what is known of it from before."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.life = Life()
        self.facts: dict[str, Any] = {}
        self.nursery = 0
        self.load = Load()
        self.was_ready = asyncio.Event()
        self.stopped = asyncio.Event()
        self.made = asyncio.Event()
        self.process: ForkServerProcess | None = None
        self.beats: Connection | None = None
        self.words: Connection | None = None
        self.last_words: list[str] = []
        self.exits: deque[Exit] = deque(maxlen=KEPT_EXITS)
        self._begin_to_listen()

    def _begin_to_listen(self) -> None:
        self._read = b""
        self._said, self._stacks = Words(self.spec.name), Words(self.spec.name, keep_first=True)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def spawn(self, settings: Settings, lifeline: Lifeline) -> None:
        """
        Makes its process: some 10 ms of blocking, half a second if the nursery has to be started first.

        Raises OSError (a TimeoutError after spawning.LIMIT seconds) or EOFError if there is none afterwards.
        """
        beats, beats_end = spawning.pipe()
        words, words_end = spawning.pipe()
        pipes = child.Pipes(beats_end, words_end, lifeline.childs_end)
        arguments = (self.spec.target, self.spec.name, settings, pipes, self.spec.arguments)
        try:
            made = spawning.spawn(child.main, self.spec.name, arguments, settings.run_dir)
        except BaseException:
            beats.close()
            words.close()
            raise
        finally:
            beats_end.close()  # so that the child holds the only ones, and its death is the end of the pipes
            words_end.close()
        os.set_blocking(beats.fileno(), False)
        os.set_blocking(words.fileno(), False)
        self.process, self.beats, self.words = made, beats, words
        self.load = Load().take(time.monotonic(), 0.0)
        self._begin_to_listen()
        self.made.set()

    def listen(self) -> Heartbeat | None:
        """
        Reads the heartbeats that have come; the newest, None if there was none. Raises EOFError at their end.

        What else comes there are the stacks of a child that hangs or crashes: they go to the log.
        """
        *lines, self._read = (self._read + _read(self.beats))[-65536:].split(b"\n")
        beats = [line for line in lines if line.startswith(b"{")]
        stacks = [line + b"\n" for line in lines if not line.startswith(b"{")]
        _write(self._stacks.take(b"".join(stacks), *_now()))
        with contextlib.suppress(IndexError, ValueError, RecursionError):
            beat = _decoder.decode(beats[-1])
            self.facts, self.nursery = beat.facts, beat.nursery
            self.load = self.load.take(time.monotonic(), beat.cpu)
            return beat
        return None

    def hear(self) -> bool:
        """Passes on to the log what it has written; whether that is too much, for now. Raises EOFError at its end."""
        _write(self._said.take(_read(self.words), *_now()))
        return self._said.flooding

    def settle(self) -> None:
        """Mentions what was held back of its words; to be called about once a second."""
        _write(self._said.settle(*_now()))

    def _hear_out(self) -> None:
        with contextlib.suppress(EOFError):
            self.listen()
        with contextlib.suppress(EOFError):
            for _ in range(4):  # all that a pipe holds; a process of its own that it left behind may go on for ever
                self.hear()
        _write(self._said.finish(*_now()))

    def reap(self) -> str:
        """How its process ended ("exit 1", "SIGKILL"); reads its last words, and forgets the process."""
        assert self.process is not None
        self._hear_out()
        self._hang_up()
        code, pid = self.process.exitcode, self.process.pid
        self.process.close()
        self.process = None
        if code == _FORKED_FROM_THE_DEAD:
            self.last_words = []
            end(pid)  # it dies with its nursery anyway, but must have done so before the next one starts
            return "SIGKILL"
        self.last_words = list(self._stacks.kept or self._said.kept) if code else []
        return signal.Signals(-code).name if code is not None and code < 0 else f"exit {code}"

    def exited(self, before: Life, now: float) -> None:
        """Notes the exit that its life has just seen. before: that life until then; now: the event loop's clock."""
        ran_for, words = (now - before.started_at, self.last_words) if before.running else (0.0, [])
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.exits.append(Exit(at=at, how=self.life.last_exit or "", ran_for=round(ran_for, 3), words=words))

    def _hang_up(self) -> None:
        for pipe in (self.beats, self.words):
            if pipe:
                pipe.close()
        self.beats = self.words = None

    def send(self, number: signal.Signals) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _read(pipe: Connection | None) -> bytes:
    assert pipe is not None
    try:
        data = os.read(pipe.fileno(), 65536)
    except BlockingIOError:
        return b""
    if not data:
        raise EOFError
    return data


def _write(lines: list[str]) -> None:
    with contextlib.suppress(OSError, ValueError):  # a log that nobody reads is no reason to end what it is about
        if lines:
            log.write("\n".join(lines))


def _now() -> tuple[float, str]:
    return time.monotonic(), time.strftime("%H:%M:%S")
