"""demo(): a private tree on the embedded exchange, for scripts, notebooks and tests."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from poeticoins import config, context, private
from poeticoins.errors import FeedUnavailable, PoeticoinsError, RequestTimeout
from poeticoins.reports import Status

START_LIMIT = 30.0  # seconds until every child is ready; 1-2 s where nothing else runs
STOP_LIMIT = 10.0


@contextmanager
def demo(
    exchanges: Sequence[str] = (), *, dashboard: bool = False, run_dir: Path | None = None, replay: Sequence[Path] = ()
) -> Iterator[Status]:
    """
    Starts a private tree of processes on the embedded exchange, and ends it with the `with` block.

    Inside the block, every question and stream of this process goes to it; a demo in a demo goes to the inner one.
    Gives the Status once every child is ready; its prices are made up, and every answer says so.
    exchanges: those to follow, by default all. dashboard: serve the page too, on any free port (`.url` says which).
    run_dir: by default a temporary one, removed afterwards. replay: serve these recordings, as fast as it goes, instead
    of the demo's market. Raises PoeticoinsError, with the supervisor's own words, if it does not start.
    """
    directory = Path(tempfile.mkdtemp(prefix="poeticoins-")) if run_dir is None else run_dir
    mode = ["--replay", *map(str, replay), "--speed", "0"] if replay else ["--demo"]
    command = [sys.executable, "-m", "poeticoins", *mode, "--run-dir", str(directory), "--while-stdin"]
    command += ["--exchanges", ",".join(exchanges)] if exchanges else []
    command += ["--dashboard", "--port", "0"] if dashboard else []
    environment = {name: value for name, value in os.environ.items() if name != "POETICOINS_RUN_DIR"}
    words = directory / "demo.log"
    private.directory(directory)
    with private.replacing(words) as log:
        supervisor = subprocess.Popen(  # noqa: S603  # our own program, with arguments of our own
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        )  # it ends when its stdin does, that is with this process, however that ends
    settings = config.checked(config.Settings(run_dir=directory))
    try:
        with context.asking(settings):
            yield _ready(supervisor, words)
    finally:
        _stop(supervisor)
        if run_dir is None:
            shutil.rmtree(directory, ignore_errors=True)


def _ready(supervisor: "subprocess.Popen[bytes]", words: Path) -> Status:
    """The status once every child is ready and every feed is live."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end and supervisor.poll() is None:
        try:
            status = context.get_status()
        except (FeedUnavailable, RequestTimeout):
            time.sleep(0.05)
            continue
        if all(c.state == "ready" for c in status.children) and all(f.state == "live" for f in status.feeds):
            return status
        time.sleep(0.05)
    raise PoeticoinsError(f"the demo did not start:\n{words.read_text(errors='replace')[-4000:]}")


def _stop(supervisor: "subprocess.Popen[bytes]") -> None:
    supervisor.terminate()
    try:
        supervisor.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        supervisor.kill()  # its children end with it
        supervisor.wait()
