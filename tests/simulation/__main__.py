"""
Worlds of a seed and those after it, until so many faults have been injected:

    python -m tests.simulation SEED FAULTS        # make simulate SEED=… FAULTS=…

Prints how many faults of each kind there were; and, of each world that broke a promise, its shortest story.
Exit status: 0 if all promises were kept, else 1.
"""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from tests.simulation.plan import plan
from tests.simulation.shrink import shrunk, story
from tests.simulation.world import Outcome, run

BATCH = 20
"""Worlds that a process runs at a time."""
MOST_STORIES = 3


def batch(first: int) -> tuple[Counter[str], float, int, list[int]]:
    """The faults by kind, the virtual seconds, the trades, and the seeds that broke a promise."""
    kinds: Counter[str] = Counter()
    seconds, trades, failed = 0.0, 0, []
    for seed in range(first, first + BATCH):
        outcome = run(plan(seed))
        kinds.update(fault.kind for _, fault in outcome.struck)
        seconds, trades = seconds + outcome.seconds, trades + outcome.trades
        failed += [seed] if outcome.wrong else []
    return kinds, seconds, trades, failed


def told(outcome: Outcome) -> str:
    """The shortest story of a world that broke a promise, which is run again to see that it always does."""
    again: Outcome = run(outcome.plan)
    same = "the same each time" if again.wrong == outcome.wrong else "NOT the same when run again"
    return f"{story(shrunk(outcome, run))}\n  ({same})"


def simulate(seed: int, faults: int) -> int:
    """Runs worlds in two processes; the exit status."""
    began = time.monotonic()
    kinds: Counter[str] = Counter()
    seconds, trades, failed = 0.0, 0, list[int]()
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        firsts = count(seed, BATCH)
        running = [pool.submit(batch, next(firsts)) for _ in range(3)]
        while running:
            found = running.pop(0).result()
            kinds, seconds, trades, failed = kinds + found[0], seconds + found[1], trades + found[2], failed + found[3]
            if kinds.total() < faults:
                running.append(pool.submit(batch, next(firsts)))
    took = time.monotonic() - began
    for kind, number in kinds.most_common():
        print(f"{number:9,} {kind}")
    print(f"{kinds.total():9,} faults in {took:.0f} s ({kinds.total() / took:,.0f} a second), {trades:,} trades,")
    print(f"          {seconds / 3600:.1f} virtual hours; {len(failed)} worlds broke a promise: seeds {failed[:20]}")
    for one in failed[:MOST_STORIES]:
        print(f"\n{told(run(plan(one)))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(simulate(int(sys.argv[1]), int(sys.argv[2])))
