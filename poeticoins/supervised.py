"""One supervised child, as the supervisor holds it: its process, the pipe of its heartbeats, what it last said."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing import forkserver, process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from poeticoins import child, nursery
from poeticoins.config import Settings
from poeticoins.lifecycle import Life
from poeticoins.tree import ChildSpec

SPAWN_LIMIT = 20
"""Seconds that the nursery may take to make a child, its own start included."""
_NURSERY_SOCKETS = "listener-*"  # as multiprocessing names them
_FORKED_FROM_THE_DEAD = 255  # what multiprocessing says of a child whose nursery was killed


class Heartbeat(msgspec.Struct):
    """What a child says of itself; see child.py, which writes it."""

    ready: bool
    nursery: int
    facts: dict[str, Any]


_decoder = msgspec.json.Decoder(Heartbeat)
_context = multiprocessing.get_context("forkserver")


class Lifeline:
    """A pipe to which nobody writes: that it ends tells every child, however it ended, that the supervisor is gone."""

    def __init__(self) -> None:
        self.childs_end, self._ours = _context.Pipe(duplex=False)


class Supervised:
    """A child's place in the tree: what is there now, and what is known of it from before."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.life = Life()
        self.facts: dict[str, Any] = {}
        self.nursery = 0
        self.was_ready = asyncio.Event()
        self.stopped = asyncio.Event()
        self.process: multiprocessing.context.ForkServerProcess | None = None
        self.beats: Connection | None = None
        self._read = b""

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def spawn(self, settings: Settings, lifeline: Lifeline) -> None:
        """
        Makes its process: some 10 ms of blocking, half a second if the nursery has to be started first.

        Raises OSError (a TimeoutError after SPAWN_LIMIT seconds) or EOFError if there is none afterwards.
        """
        beats, childs_end = _context.Pipe(duplex=False)
        arguments = (self.spec.target, self.spec.name, settings, childs_end, lifeline.childs_end, self.spec.arguments)
        made = _context.Process(target=child.main, name=self.spec.name, args=arguments, daemon=True)
        try:
            with _nursery_environment(settings.run_dir), _time_limit(SPAWN_LIMIT):
                _start(made)
        except BaseException:
            beats.close()
            raise
        finally:
            childs_end.close()  # so that the child holds the only one, and its death is the end of the pipe
        os.set_blocking(beats.fileno(), False)
        self.process, self.beats, self._read = made, beats, b""

    def listen(self) -> bool | None:
        """
        Reads the heartbeats that have come. Whether the newest says ready; False if there was none.

        None: the pipe has ended.
        """
        assert self.beats is not None
        try:
            data = os.read(self.beats.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            return None
        *lines, self._read = (self._read + data)[-65536:].split(b"\n")
        for line in lines[-1:]:
            with contextlib.suppress(msgspec.DecodeError):
                beat = _decoder.decode(line)
                self.facts, self.nursery = beat.facts, beat.nursery
                return beat.ready
        return False

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


def end(pid: int | None) -> None:
    """SIGKILL, if there is such a process."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def sweep(run_dir: Path) -> None:
    """Removes the nursery's sockets from the run directory: ours, and those of one that was killed."""
    for path in run_dir.glob(_NURSERY_SOCKETS):
        path.unlink(missing_ok=True)


def _start(made: multiprocessing.context.ForkServerProcess) -> None:
    for attempt in range(5):
        try:
            made.start()
            return
        except (ConnectionRefusedError, BrokenPipeError, ConnectionResetError, EOFError):
            if attempt == 4:
                raise
            time.sleep(0.02)  # the nursery is dying: in a moment multiprocessing sees it, and starts another


@contextlib.contextmanager
def _nursery_environment(run_dir: Path) -> Iterator[None]:
    """Where and how multiprocessing starts the nursery, should it have to: from this package, marked as ours."""
    forkserver.set_forkserver_preload([nursery.__name__])
    # Its socket runs whatever is sent to it: it belongs into the run directory, which is ours alone, not into /tmp.
    process.current_process()._config["tempdir"] = str(run_dir)  # type: ignore[attr-defined]
    package = str(Path(__file__).resolve().parent.parent)
    paths = [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    # Safe path: else a file named, say, random.py in the directory where we were started would be imported.
    extra = {nursery.MARK: str(os.getpid()), "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in extra}
    os.environ.update(extra)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in a blocking call that takes longer: a stopped nursery must not stop the supervisor."""

    def out_of_time(*_: object) -> None:
        raise TimeoutError(f"the nursery did not answer in {seconds} s")

    before = signal.signal(signal.SIGALRM, out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
