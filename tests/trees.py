"""Real supervisors over small children, for tests; whatever happens, none of their processes is left behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from poeticoins import control
from poeticoins.config import Settings

ROOT = Path(__file__).parent.parent
TARGETS = ROOT / "tests" / "supervision_targets.py"
TIMERS = {
    "BEAT_INTERVAL": "0.1",
    "HANG_AFTER": "1.0",
    "STOP_TIMEOUT": "0.5",
    "RESTART_DELAY": "0.2",
    "STABLE_AFTER": "30",
}


def until(claim: Callable[[], Any], within: float = 10.0) -> Any:
    """The first truthy answer of `claim`. Fails after `within` seconds, with its last answer."""
    end = time.monotonic() + within
    while not (answer := claim()):
        assert time.monotonic() < end, f"not within {within} s: {answer!r}"
        time.sleep(0.01)
    return answer


def alive(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Tree:
    """One supervisor in a process of its own, with its run directory."""

    def __init__(self, run_dir: Path) -> None:
        self.settings = replace(Settings(), run_dir=run_dir)
        self.log = run_dir.with_suffix(".log")
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "POETICOINS_RUN_DIR": str(run_dir)}
        self.environment |= {f"POETICOINS_{name}": value for name, value in TIMERS.items()}
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *children: str, **more: Any) -> subprocess.Popen[bytes]:
        started = self.launch(str(TARGETS), *children, **more)
        until(lambda: control.holder(self.settings.run_dir) == started.pid)
        return started

    def launch(self, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as file:
            options = {"stdout": file, "stderr": file, "env": self.environment, **more}
            self.started.append(subprocess.Popen([sys.executable, *arguments], **options))
        return self.started[-1]

    def demo(self, *options: str, **more: Any) -> subprocess.Popen[bytes]:
        """The program's own demo, with the default timers unless others were asked for: it has more to do."""
        for name, value in TIMERS.items():
            if self.environment.get(f"POETICOINS_{name}") == value:
                del self.environment[f"POETICOINS_{name}"]
        started = self.launch(str(ROOT / "supervisor.py"), "--demo", *options, **more)
        until(lambda: control.holder(self.settings.run_dir) == started.pid, within=30)
        return started

    def command(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """The program itself, as a person runs it."""
        options = {"env": self.environment, "capture_output": True, "text": True, "timeout": 20, "check": False, **more}
        return subprocess.run([sys.executable, str(ROOT / "supervisor.py"), *arguments], **options)

    def restart(self, name: str) -> None:
        """Asks for a child's restart as the command does, without its start of half a second."""
        control.ask(self.settings, {"verb": "restart", "name": name})

    def status(self) -> dict[str, Any]:
        return control.ask(self.settings, {"verb": "status"})

    def child(self, name: str) -> dict[str, Any]:
        return next(child for child in self.status()["children"] if child["name"] == name)

    def ready(self, name: str, other_than: int | None = None, within: float = 10.0) -> int:
        """The pid of a child once it is ready, as another process than `other_than`."""

        def it_is() -> int | None:
            child = self.child(name)
            return child["pid"] if child["state"] == "ready" and child["pid"] != other_than else None

        return until(it_is, within)

    def processes(self) -> list[int]:
        """Every process that was started on this run directory, however far down: they inherit its environment."""
        mark = f"POETICOINS_RUN_DIR={self.settings.run_dir}\0".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes() and alive(int(entry.name)):
                    found.append(int(entry.name))
        return found


@contextlib.contextmanager
def tree() -> Iterator[Tree]:
    # directly under /tmp: pytest's own directories are too long for a socket
    made = Tree(Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp")))
    try:
        yield made
    except BaseException:
        print(made.log.read_text() if made.log.exists() else "no log")
        raise
    finally:
        for pid in made.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in made.started:
            process.wait(5)
        shutil.rmtree(made.settings.run_dir, ignore_errors=True)
        made.log.unlink(missing_ok=True)
