"""
Worlds of a seed and those after it, until so many faults have been injected:

    python -m tests.simulation SEED FAULTS [PROCESSES]        # make simulate SEED=… FAULTS=…

Without PROCESSES, one for each core; how many there are makes no difference to what is found. Prints how many faults of
each kind there were; and, of each world that broke a promise, its shortest story.
Exit status: 0 if all promises were kept, else 1.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count

from tests.simulation.plan import plan
from tests.simulation.shrink import shrunk, story
from tests.simulation.world import Outcome, run

BATCH = 20
"""Worlds that a process runs at a time."""
MOST_STORIES = 3


@dataclass
class Tally:
    """What became of some worlds: faults by kind; how much was judged; virtual seconds; seeds that broke a promise."""

    faults: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    worlds: int = 0
    seconds: float = 0.0
    failed: list[int] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Takes those of `other`, which come after these."""
        self.faults, self.judged = self.faults + other.faults, self.judged + other.judged
        self.worlds, self.seconds = self.worlds + other.worlds, self.seconds + other.seconds
        self.failed = self.failed + other.failed


def batch(first: int) -> Tally:
    """The worlds of BATCH seeds."""
    tally = Tally()
    for seed in range(first, first + BATCH):
        outcome = run(plan(seed))
        faults = Counter(fault.kind for _, fault in outcome.struck)
        tally.add(Tally(faults, outcome.judged, 1, outcome.seconds, [seed] if outcome.wrong else []))
    return tally


def batches(seed: int, processes: int) -> Iterator[Tally]:
    """Those of a seed and after it, in order and without an end, however many processes run them."""
    firsts = count(seed, BATCH)
    with ProcessPoolExecutor(processes) as pool:
        running: list[Future[Tally]] = [pool.submit(batch, next(firsts)) for _ in range(processes + 1)]
        try:
            while True:
                yield running.pop(0).result()
                running.append(pool.submit(batch, next(firsts)))
        finally:
            pool.shutdown(cancel_futures=True)


def told(outcome: Outcome) -> str:
    """The shortest story of a world that broke a promise, which is run again to see that it always does."""
    again: Outcome = run(outcome.plan)
    same = "the same each time" if again.wrong == outcome.wrong else "NOT the same when run again"
    return f"{story(shrunk(outcome, run))}\n  ({same})"


def simulate(seed: int, faults: int, processes: int) -> int:
    """Runs worlds until they have had so many faults; the exit status."""
    began, whole = time.monotonic(), Tally()
    for tally in batches(seed, processes):
        whole.add(tally)
        if whole.faults.total() >= faults:
            break
    took, total = time.monotonic() - began, whole.faults.total()
    for kind, number in whole.faults.most_common():
        print(f"{number:9,} {kind}")
    print(f"{total:9,} faults in {took:.0f} s: {total / took:,.0f} a second, in {processes} processes;")
    print(f"          {whole.worlds:,} worlds from seed {seed} on, {whole.seconds / 3600:.1f} virtual hours;")
    print("          judged: " + ", ".join(f"{number:,} {what}" for what, number in whole.judged.items()) + ";")
    print(f"          {len(whole.failed)} worlds broke a promise{': seeds ' if whole.failed else ''}", end="")
    print(", ".join(map(str, whole.failed[:20])))
    for one in whole.failed[:MOST_STORIES]:
        print(f"\n{told(run(plan(one)))}")
    return 1 if whole.failed else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(simulate(*arguments[:2], *arguments[2:] or [os.cpu_count() or 1]))
