"""
The run directory's lock, and the control socket: how one supervisor rules alone, and how others speak to it.

The lock is a flock on `<run_dir>/lock`: the kernel frees it on any death, so nothing stale remains. The socket speaks
JSON, one object a line: {"verb": "status"}, {"verb": "restart", "name": "coinbase"}, {"verb": "stop"}. There are no
other verbs, and the directory is its owner's alone (0700).
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError, FeedUnavailable, PoeticoinsError, RequestTimeout
from poeticoins.ration import Ration

REQUEST_LIMIT = 4096
ANSWER_LIMIT = 4 * 1024 * 1024  # bytes; a status has some thousands
IDLE_LIMIT = 2.0
"""Seconds that a connection may stay open without asking: ours ask at once, and others wait for its place."""
CONNECTION_LIMIT = 32
_PATIENCE = 0.3  # holder() takes the lock for some microseconds: one who wants to keep it tries for as long as this


class AlreadyRunning(PoeticoinsError):
    """Another supervisor holds the run directory; `pid` is its process. Exit 75."""

    def __init__(self, run_dir: Path, pid: int) -> None:
        super().__init__(f"already running on {run_dir}, as process {pid}; `stop` ends it")
        self.pid = pid


def prepare(run_dir: Path) -> None:
    """
    Makes the run directory, for its owner alone. Raises ConfigurationError if it cannot be one.

    A directory that is there must be ours; one that others may enter is closed to them if it is empty or has been a run
    directory before, and refused otherwise: it may be somebody's home.
    """
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = run_dir.stat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ConfigurationError(f"run_dir: expected a directory of this user, got {found.st_uid}'s: {run_dir}")
        if found.st_mode & 0o077:
            if any(run_dir.iterdir()) and not (run_dir / "lock").is_file():
                raise ConfigurationError(
                    f"run_dir: expected a directory with mode 0700, got {stat.S_IMODE(found.st_mode):04o}:"
                    f" {run_dir} (it is not empty; if it is meant: chmod 700)"
                )
            run_dir.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(f"run_dir: cannot be made: {error.strerror}: {run_dir}") from None
    if not os.access(run_dir, os.W_OK | os.X_OK):
        raise ConfigurationError(f"run_dir: expected a directory that can be written to: {run_dir}")


@contextlib.contextmanager
def locked(run_dir: Path) -> Any:
    """Holds the run directory's lock, with our pid in it. Raises AlreadyRunning, or ConfigurationError."""
    try:
        file = os.open(run_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigurationError(f"run_dir: its lock cannot be made: {error.strerror}: {run_dir}") from None
    try:
        _acquire(file, run_dir)
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(file)  # the file stays: to unlink it would let two supervisors each hold a lock of that name


def _acquire(file: int, run_dir: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise AlreadyRunning(run_dir, _pid_in(file)) from None
            time.sleep(0.01)


def holder(run_dir: Path) -> int | None:
    """The pid of the supervisor that holds `run_dir`; None: no one; 0: one that has only just taken it."""
    try:
        file = os.open(run_dir / "lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid_in(file)
    else:
        return None
    finally:
        os.close(file)


def _pid_in(file: int) -> int:
    text = os.pread(file, 20, 0)
    return int(text) if text.isdigit() else 0


Answer = Callable[[Mapping[str, object]], dict[str, Any]]


async def serve(path: Path, answer: Answer) -> asyncio.Server:
    """
    Serves the control socket at `path`; to be called by the lock's holder only, since it replaces what lies there.

    answer: from a request to its answer. It raises ValueError for what is no request, whose text becomes {"error": …}.
    """
    path.unlink(missing_ok=True)
    open_now: set[object] = set()
    turns = _Turns()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            if len(open_now) <= CONNECTION_LIMIT:
                await _converse(reader, writer, answer, turns)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            open_now.discard(writer)
            writer.close()

    server = await asyncio.start_unix_server(converse, path, limit=REQUEST_LIMIT)
    path.chmod(0o600)
    return server


class _Turns:
    """The ration of the supervisor's time that all who ask have together."""

    def __init__(self) -> None:
        self._ration = Ration()

    async def spend(self, seconds: float) -> None:
        """Waits until the next question may be answered; lets the loop's other work have its turn in any case."""
        self._ration, wait = self._ration.spend(seconds, time.monotonic())
        await asyncio.sleep(wait)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer, turns: _Turns) -> None:
    while True:
        try:
            line = await asyncio.wait_for(reader.readuntil(b"\n"), IDLE_LIMIT)
        except asyncio.LimitOverrunError:
            writer.write(_line({"error": f"expected a line of at most {REQUEST_LIMIT} bytes"}))
            return await writer.drain()
        began = time.monotonic()
        writer.write(_line(_answered(line, answer)))
        spent = time.monotonic() - began
        await asyncio.wait_for(writer.drain(), IDLE_LIMIT)
        await turns.spend(spent)


def _answered(line: bytes, answer: Answer) -> dict[str, Any]:
    try:
        return answer(msgspec.json.decode(line, type=dict[str, object]))
    except (ValueError, RecursionError) as error:
        return {"error": str(error)[:500]}


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def ask(settings: Settings, request: Mapping[str, object], timeout: float = 5.0) -> dict[str, Any]:
    """
    The supervisor's answer to `request`, such as {"verb": "status"}; {"error": …} if it refuses. Blocks.

    Raises FeedUnavailable at once if no supervisor runs, RequestTimeout if one does but does not answer in `timeout`
    seconds: one that is starting is waited for.
    """
    end = time.monotonic() + timeout
    while True:
        pid = holder(settings.run_dir)
        if pid is None:
            raise FeedUnavailable(
                f"no supervisor runs on {settings.run_dir}; start one with `python supervisor.py`,"
                " or with `python supervisor.py --demo` if there is no network"
            )
        with contextlib.suppress(OSError, EOFError):
            return _exchange(settings.socket("control"), request, end - time.monotonic())
        if time.monotonic() >= end:
            raise RequestTimeout(f"the supervisor (process {pid}) did not answer in {timeout:g} s")
        time.sleep(0.02)


def _exchange(path: Path, request: Mapping[str, object], timeout: float) -> dict[str, Any]:
    end = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(max(timeout, 0.01))
        peer.connect(str(path))
        peer.sendall(_line(request))
        data = b""
        while not data.endswith(b"\n"):
            peer.settimeout(max(end - time.monotonic(), 0.01))
            part = peer.recv(65536)
            if not part:
                raise EOFError
            data += part
            if len(data) > ANSWER_LIMIT:
                raise PoeticoinsError(f"expected an answer of at most {ANSWER_LIMIT} bytes from the supervisor")
    return answer_of(data)


def answer_of(line: bytes) -> dict[str, Any]:
    """The supervisor's answer. Raises PoeticoinsError if it is none."""
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise PoeticoinsError(f"the supervisor's answer is not understood ({error}): restart it") from None
