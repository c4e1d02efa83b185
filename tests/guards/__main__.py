"""
Breaks the guards, one at a time, and shows whether the test that is named for each goes red:

    python -m tests.guards [WORD…]        # make guards GUARDS="lock SIGHUP"; without: all

A break is made in a copy of the tree, which is thrown away. Exit status: 1 if a test is STILL GREEN with its guard
broken, or could not be run; else 0.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.guards.broken import Break
from tests.guards.doors import DOORS
from tests.guards.faults import FAULTS

ROOT = Path(__file__).parents[2]
BREAKS = [*DOORS, *FAULTS]
LIMIT_S = 240
"""For one test, which takes some seconds while its guard holds; what hangs without it is red, too."""
AT_ONCE = int(os.environ.get("JOBS", "2"))


def node(test: str) -> str:
    """`test` as pytest calls it."""
    if "::" in test:
        return f"tests/{test}"
    name = test.partition("[")[0]
    (file,) = [file for file in (ROOT / "tests").rglob("test_*.py") if f"def {name}(" in file.read_text()]
    return f"{file.relative_to(ROOT)}::{test}"


def judged(broken: Break) -> str:
    """What becomes of the test with its guard broken."""
    with copy() as place:
        file = place / broken.file
        before, text, after = file.read_text().partition(broken.text)
        assert text, f"{broken.file}: expected {broken.text!r}"
        file.write_text(before + broken.instead + after)
        return verdict(place, [node(broken.test)])


@contextlib.contextmanager
def copy() -> Iterator[Path]:
    """The tree once more; whatever a test has left running there is ended with it."""
    with tempfile.TemporaryDirectory(prefix="guards-") as room:
        place = Path(room, "tree")
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info"))
        try:
            yield place
        finally:
            end_all(place)


def verdict(place: Path, nodes: list[str], *options: str, limit_s: float = LIMIT_S) -> str:
    """red, STILL GREEN, or why it is neither."""
    command = [sys.executable, "-m", "pytest", "-x", "-n", "0", *options, *nodes]
    environment = os.environ | {"PYTHONPATH": str(place)}
    with subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pytest:
        try:
            said, _ = pytest.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            pytest.kill()
            return f"red, not done in {limit_s:g} s"
    *before, last = said.strip().splitlines() or [""]
    if pytest.returncode == 1:
        return "red"
    if pytest.returncode == 0 and " passed" in last:
        return "STILL GREEN"
    return " ".join(["NOT RUN:", *(line for line in before if line.startswith(("FAILED", "ERROR"))), last])


def end_all(place: Path) -> None:
    """Ends every process that was started from a copy: they inherit where they find their modules."""
    mark = f"PYTHONPATH={place}\0".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)


def main(words: list[str]) -> int:
    """Tells of each break that has one of `words` in its guard, file or test, or of all; the exit status."""
    chosen = [one for one in BREAKS if not words or any(word in " ".join(one) for word in words)]
    began = time.monotonic()
    with copy() as place:
        nodes = sorted({node(one.test) for one in chosen})
        whole = verdict(place, nodes, "-n", str(AT_ONCE), limit_s=LIMIT_S * len(nodes))
    if whole != "STILL GREEN":
        print(f"with all guards whole, their tests must pass, and are {whole}")
        return 1
    found = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one, told in zip(chosen, pool.map(judged, chosen), strict=True):
            print(f"{told:<12} {one.guard} | {one.file}: {' '.join(one.text.split())} | {one.test}", flush=True)
            found.append(told)
    bad = [told for told in found if not told.startswith("red")]
    print(f"{len(found)} guards broken, {len(found) - len(bad)} noticed; {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
