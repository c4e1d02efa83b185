"""
All targets, guided by what code they reach, two at a time, for so many seconds together:

    python -m tests.fuzz SECONDS [NAME…]        # make fuzz SECONDS=…

What reached new code is kept in .fuzz/ and begun from the next time. Prints for each target how many inputs it was
given, how much of its modules' lines they reached, and what broke. Exit status: 0 if nothing did, else 1.
"""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
KEPT = ROOT / ".fuzz"
AT_ONCE = 2
AT_LEAST = 5
"""Seconds for one target: the first two it needs to begin."""


@dataclass(frozen=True)
class Outcome:
    """of: the lines of the target's modules, of which `reached` were. said: what libFuzzer wrote, if it broke."""

    name: str
    inputs: int
    reached: int
    of: int
    said: str


def python(*arguments: str, limit: float) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=limit)


def fuzzed(name: str, seconds: int) -> Outcome:
    directory = KEPT / name.replace(" ", "-")
    found = python("tests.fuzz.guided", name, str(seconds), str(directory), limit=seconds + 120)
    inputs = re.search(r"number_of_executed_units: (\d+)", found.stderr) or re.search(r"#(\d+)", found.stderr)
    lines = python("tests.fuzz.lines", name, str(directory / "corpus"), limit=300).stdout.split()
    reached, of = map(int, lines) if len(lines) == 2 else (0, 0)
    said = "" if found.returncode == 0 else found.stdout[-3000:] + found.stderr[-3000:]
    return Outcome(name, int(inputs[1]) if inputs else 0, reached, of, said)


def main(seconds: int, names: list[str]) -> int:
    from tests.fuzz.targets import TARGETS

    names = names or list(TARGETS)
    each = max(AT_LEAST, seconds * AT_ONCE // len(names))
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda name: fuzzed(name, each), names))
    for one in outcomes:
        share = f"{one.reached / one.of:4.0%} of {one.of} lines" if one.of else "?"
        print(f"{one.name:24}{one.inputs:12,} inputs, reached {share}{'   BROKEN' if one.said else ''}")
    broken = [one for one in outcomes if one.said]
    total = sum(one.inputs for one in outcomes)
    print(f"{total:,} inputs in {time.monotonic() - began:.0f} s; {len(broken)} of {len(names)} targets broken")
    for one in broken:
        print(f"\n{one.name}: the input is in {KEPT / one.name.replace(' ', '-')}\n{one.said}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
