"""From a plan that breaks a promise to the shortest story that still does: faults are left out while it fails."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from tests.simulation.plan import Fault, Plan
from tests.simulation.world import Outcome

ENOUGH = 20
"""Faults of a story that is short enough."""
ATTEMPTS = 5
"""Orders in which parts are left out, as long as the story is longer."""
MOST_SECONDS = 180.0
"""Of the processor."""
SHIFTS = (0.0, -0.1, 0.1, -0.3, 0.3, -1.0, 1.0, -2.0, 2.0, -4.0, 4.0)
"""Seconds by which all later faults are moved when one is left out: it may have been there for the delay alone."""
JUST_BEFORE = 1e-6
"""Seconds before something happens, at which what shall strike it is armed."""


def shrunk(failed: Outcome, run: Callable[[Plan], Outcome], seconds: float = MOST_SECONDS) -> Outcome:
    """
    The shortest failing outcome that was found by `run` in so many seconds of the processor, and one run more at most.
    """
    until = time.process_time() + seconds

    def fails(plan: Plan, faults: Sequence[Fault]) -> Outcome | None:
        if time.process_time() >= until:
            return None
        outcome = run(replace(plan, faults=tuple(sorted(faults, key=lambda fault: fault.at))))
        return outcome if outcome.wrong else None

    begin = _without_kinds(_timed(failed, fails), fails)
    best = begin
    for attempt in range(ATTEMPTS):
        best = min(best, _halved(begin, fails, attempt), key=_length)
        if _length(best) <= ENOUGH:
            break
    while _length(best) > ENOUGH and (less := _moved(best, fails)):
        best = less
    return best


Fails = Callable[[Plan, Sequence[Fault]], Outcome | None]
"""The outcome of a plan with other faults, if it breaks a promise, and there is time to see."""


def _length(outcome: Outcome) -> int:
    return len(outcome.plan.faults)


def _timed(failed: Outcome, fails: Fails) -> Outcome:
    """
    Only with what has struck, armed when it did: else each that is left out would have others strike something else.
    """
    timed = [
        fault if fault.kind.endswith("killed") else replace(fault, at=max(0.0, at - JUST_BEFORE))
        for at, fault in failed.struck
    ]
    return fails(failed.plan, timed) or fails(failed.plan, [fault for _, fault in failed.struck]) or failed


def _without_kinds(failed: Outcome, fails: Fails) -> Outcome:
    for kind in {fault.kind: None for fault in failed.plan.faults}:
        failed = fails(failed.plan, [fault for fault in failed.plan.faults if fault.kind != kind]) or failed
    return failed


def _halved(failed: Outcome, fails: Fails, attempt: int) -> Outcome:
    """Without ever smaller parts of what is left, until nothing can be left out; at the first attempt in its order."""
    size = _length(failed)
    while size:
        before, faults = _length(failed), list(failed.plan.faults)
        if attempt:
            Random(attempt).shuffle(faults)
        size, at = -(-size // 2), 0
        while at < len(faults):
            rest = faults[:at] + faults[at + size :]
            if less := fails(failed.plan, rest):
                failed, faults = less, rest
            else:
                at += size
        if size == 1 and _length(failed) == before:
            break
        failed = _timed(failed, fails)
    return failed


def _moved(failed: Outcome, fails: Fails) -> Outcome | None:
    """Without one of its faults, and all that come after it moved; None if it needs each."""
    faults = failed.plan.faults
    for shift in SHIFTS:
        for at in range(len(faults)):
            earliest = faults[at - 1].at if at else 0.0
            moved = [replace(fault, at=max(earliest, fault.at + shift)) for fault in faults[at + 1 :]]
            if less := fails(failed.plan, [*faults[:at], *moved]):
                return less
    return None


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
