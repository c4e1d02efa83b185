"""One supervised child, as the supervisor holds it: its process, the pipe of its heartbeats, what it last said."""

import asyncio
import contextlib
import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import msgspec

from poeticoins import child, spawning
from poeticoins.config import Settings
from poeticoins.lifecycle import Life
from poeticoins.spawning import Lifeline, end
from poeticoins.tree import ChildSpec

_FORKED_FROM_THE_DEAD = 255  # what multiprocessing says of a child whose nursery was killed


class Heartbeat(msgspec.Struct):
    """What a child says of itself; see child.py, which writes it."""

    ready: bool
    nursery: int
    rss: int
    facts: dict[str, Any]


_decoder = msgspec.json.Decoder(Heartbeat)


class Supervised:
    """A child's place in the tree: what is there now, and what is known of it from before."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.life = Life()
        self.facts: dict[str, Any] = {}
        self.nursery = 0
        self.was_ready = asyncio.Event()
        self.stopped = asyncio.Event()
        self.process: ForkServerProcess | None = None
        self.beats: Connection | None = None
        self._read = b""

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def spawn(self, settings: Settings, lifeline: Lifeline) -> None:
        """
        Makes its process: some 10 ms of blocking, half a second if the nursery has to be started first.

        Raises OSError (a TimeoutError after spawning.LIMIT seconds) or EOFError if there is none afterwards.
        """
        beats, childs_end = spawning.pipe()
        arguments = (self.spec.target, self.spec.name, settings, childs_end, lifeline.childs_end, self.spec.arguments)
        try:
            made = spawning.spawn(child.main, self.spec.name, arguments, settings.run_dir)
        except BaseException:
            beats.close()
            raise
        finally:
            childs_end.close()  # so that the child holds the only one, and its death is the end of the pipe
        os.set_blocking(beats.fileno(), False)
        self.process, self.beats, self._read = made, beats, b""

    def listen(self) -> Heartbeat | None:
        """Reads the heartbeats that have come; the newest, None if there was none. Raises EOFError at their end."""
        assert self.beats is not None
        try:
            data = os.read(self.beats.fileno(), 65536)
        except BlockingIOError:
            return None
        if not data:
            raise EOFError
        *lines, self._read = (self._read + data)[-65536:].split(b"\n")
        for line in lines[-1:]:
            with contextlib.suppress(msgspec.DecodeError):
                beat = _decoder.decode(line)
                self.facts, self.nursery = beat.facts, beat.nursery
                return beat
        return None

    def reap(self) -> str:
        """How its process ended ("exit 1", "SIGKILL"); forgets the process."""
        assert self.process is not None
        code, pid = self.process.exitcode, self.process.pid
        self.process.close()
        self.process = None
        if code == _FORKED_FROM_THE_DEAD:
            end(pid)  # it dies with its nursery anyway, but must have done so before the next one starts
            return "SIGKILL"
        return signal.Signals(-code).name if code is not None and code < 0 else f"exit {code}"

    def hang_up(self) -> None:
        """Closes our end of the pipe."""
        if self.beats:
            self.beats.close()
            self.beats = None

    def send(self, number: signal.Signals) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
