"""
How a child's process is made: forked from the nursery, by multiprocessing's fork server, which is started if need be.

Nothing here may be called from any other thread than the main one: see supervision.py.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, process, util
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from poeticoins import nursery

LIMIT = 20
"""Seconds that the nursery may take to make a child, its own start included."""
_NURSERY_SOCKETS = "listener-*"  # as multiprocessing names them
_context = multiprocessing.get_context("forkserver")


class Lifeline:
    """A pipe to which nobody writes: that it ends tells every child, however it ended, that the supervisor is gone."""

    def __init__(self) -> None:
        self.childs_end, self._ours = pipe()


def pipe() -> tuple[Connection, Connection]:
    """A pipe from a child: the end to read, and the one that is handed to it."""
    return _context.Pipe(duplex=False)


def spawn(main: Callable[..., Any], name: str, arguments: tuple[object, ...], run_dir: Path) -> ForkServerProcess:
    """
    A process that runs `main(*arguments)`: some 10 ms of blocking, half a second if the nursery has to be started.

    Raises OSError (a TimeoutError after LIMIT seconds) or EOFError if there is none afterwards.
    """
    made = _context.Process(target=main, name=name, args=arguments, daemon=True)
    # What is started meanwhile keeps SIGHUP blocked: a terminal that closes sends it to multiprocessing's tracker too.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        with _nursery_environment(run_dir), _time_limit(LIMIT):
            _start(made)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return made


def end(pid: int | None) -> None:
    """SIGKILL, if there is such a process."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def sweep(run_dir: Path) -> None:
    """Removes the nursery's sockets from the run directory: ours, and those of one that was killed."""
    for path in run_dir.glob(_NURSERY_SOCKETS):
        path.unlink(missing_ok=True)


def _start(made: ForkServerProcess) -> None:
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
    # Python 3.11.0 would take an abstract one, which any user may connect to.
    util.abstract_sockets_supported = False  # type: ignore[misc]
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
