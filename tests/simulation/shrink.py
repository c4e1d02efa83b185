"""From a plan that breaks a promise to the shortest story that still does: faults are left out while it fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.simulation.plan import Fault, Plan
from tests.simulation.world import Outcome

MOST_RUNS = 250


def shrunk(failed: Outcome, run: Callable[[Plan], Outcome]) -> Outcome:
    """
    The shortest failing outcome that was found by `run`, which is asked at most MOST_RUNS times: without all faults of
    a kind, then without ever smaller parts of what is left.
    """
    best, runs = failed, 0

    def fails_without(faults: Sequence[Fault]) -> bool:
        nonlocal best, runs
        runs += 1
        outcome = run(replace(best.plan, faults=tuple(fault for fault in best.plan.faults if fault not in faults)))
        best = outcome if outcome.wrong else best
        return bool(outcome.wrong)

    struck = {fault for _, fault in failed.struck}
    fails_without([fault for fault in failed.plan.faults if fault not in struck])
    for kind in {fault.kind: None for fault in best.plan.faults}:
        fails_without([fault for fault in best.plan.faults if fault.kind == kind])
    size = len(best.plan.faults)
    while size and runs < MOST_RUNS:
        size, at, before = -(-size // 2), 0, len(best.plan.faults)
        while at < len(best.plan.faults) and runs < MOST_RUNS:
            if not fails_without(best.plan.faults[at : at + size]):
                at += size
        if size == 1 and len(best.plan.faults) == before:
            break
    return best


def story(outcome: Outcome) -> str:
    """What happened, a line each, for people."""
    plan = outcome.plan
    kind = "ids count by one" if plan.contiguous else "ids do not count by one"
    lines = [
        f"seed {plan.seed}: an exchange whose {kind}, {plan.per_second:g} trades a second,",
        f"a journal of {plan.journal_capacity}, {plan.seconds:g} s; {len(outcome.struck)} faults are enough:",
        *(f"  {at:7.3f} s  {fault.words}" for at, fault in outcome.struck),
        *(f"  then: {what}" for what in outcome.wrong),
    ]
    return "\n".join(lines)
