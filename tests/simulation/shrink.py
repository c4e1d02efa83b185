"""From a plan that breaks a promise to the shortest story that still does: faults are left out while it fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.simulation.plan import Fault, Plan
from tests.simulation.world import Outcome

MOST_RUNS = 120


def shrunk(failed: Outcome, run: Callable[[Plan], Outcome]) -> Outcome:
    """The shortest failing outcome that was found by `run`, which is asked at most MOST_RUNS times."""
    runs = 0

    def fails(faults: Sequence[Fault]) -> Outcome | None:
        nonlocal runs
        runs += 1
        outcome = run(replace(failed.plan, faults=tuple(faults)))
        return outcome if outcome.wrong else None

    best = fails([fault for _, fault in failed.struck]) or failed
    parts = 2
    while runs < MOST_RUNS and (faults := list(best.plan.faults)):
        size = -(-len(faults) // parts)
        for at in range(0, len(faults), size):
            shorter = fails(sorted(faults[:at] + faults[at + size :], key=lambda fault: fault.at))
            if shorter:
                best, parts = shorter, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(faults))
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
