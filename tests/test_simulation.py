"""A short run of the simulator; `make simulate` is a long one."""

import time
from collections import Counter
from dataclasses import replace

import pytest

from poeticoins import sequence
from tests.simulation.plan import Fault, Plan, plan
from tests.simulation.shrink import ENOUGH, shrunk, story
from tests.simulation.world import Outcome, run

REPEATS = Fault(1.0, "repeated", 1)
ONCE_BROKEN = (
    901571, 902398, 903185, 906276, 4000707, 4001790, 5000853, 6000457, 6000893, 7000659, 50002909, 60002106,
    60004942,
)  # fmt: skip
"""Seeds of worlds that have broken a promise once."""


@pytest.mark.parametrize("first", range(1, 41, 10))
def test_whatever_is_hurt_every_trade_comes_once_and_in_order_or_a_gap_says_so(first):
    wrong = [story(outcome) for seed in range(first, first + 10) if (outcome := run(plan(seed))).wrong]

    assert wrong == []


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_a_world_that_has_broken_a_promise_once_does_not_again(seed):
    assert run(plan(seed)).wrong == []


def test_a_seed_tells_the_same_story_each_time():
    once, again = run(plan(9)), run(plan(9))

    assert once == again
    assert once.struck


def test_a_broken_guard_is_found_and_told_in_one_fault(monkeypatch):
    monkeypatch.setattr(sequence.IdWindow, "__contains__", lambda self, trade_id: False)
    busy = [
        Fault(0.5 + n / 10, kind, 3) for n, kind in enumerate(("garbage", "bus drops", "answer lost", "bus breaks"))
    ]
    failed = run(replace(plan(2), contiguous=True, faults=tuple(sorted([*busy, REPEATS], key=lambda fault: fault.at))))

    shortest = shrunk(failed, run)

    assert failed.wrong
    assert [fault.kind for _, fault in shortest.struck] == [REPEATS.kind]
    assert "the exchange sends a trade twice" in story(shortest)


def outcome_of(plan, wrong: bool, *, times=None) -> Outcome:
    """What became of a plan whose faults struck at these times, or when they were armed."""
    struck = list(zip(times or [fault.at for fault in plan.faults], plan.faults, strict=True))
    return Outcome(plan, struck, ["a promise is broken"] if wrong else [], Counter(), 1.0)


def with_faults(count: int) -> Plan:
    return replace(plan(1), faults=tuple(Fault(n / 10, "skipped", 1) for n in range(count)))


def test_what_struck_because_of_others_before_it_is_told_without_them():
    def run(plan):
        times = [max(fault.at, n + 1.0) for n, fault in enumerate(plan.faults)]  # each waits for the one before it
        return outcome_of(plan, max(times, default=0.0) > 9.9, times=times)

    shortest = shrunk(run(with_faults(10)), run)

    assert len(shortest.struck) == 1


def test_a_story_that_is_long_is_looked_for_in_another_order_too():
    either, other = with_faults(60).faults[30:], with_faults(60).faults[:2]

    def run(plan):
        times = {round(fault.at, 1) for fault in plan.faults}
        return outcome_of(plan, any(times >= {fault.at for fault in enough} for enough in (either, other)))

    shortest = shrunk(run(with_faults(60)), run)

    assert len(shortest.struck) == 2


def test_of_a_long_story_a_fault_is_left_out_whose_delay_the_later_ones_needed():
    row = [Fault(1.0, "deaf", 1), *(Fault(float(at), "refused", 1) for at in range(2, 30)), Fault(30.0, "mute", 1)]

    def run(plan):
        kinds, times = [fault.kind for fault in plan.faults], [fault.at for fault in plan.faults]
        is_row = {"deaf", "mute"} <= {*kinds} and round(times[-1] - times[0]) == len(times) - 1
        return outcome_of(plan, is_row)

    shortest = shrunk(run(replace(with_faults(1), faults=tuple(row))), run)

    assert len(shortest.struck) == ENOUGH


def test_shrinking_ends_when_its_time_is_over_with_the_least_that_was_found():
    runs = []

    def run(plan):
        until = time.process_time() + 0.01
        while time.process_time() < until:
            pass
        runs.append(plan)
        return outcome_of(plan, len(plan.faults) >= 100)

    shortest = shrunk(run(with_faults(500)), run, seconds=0.1)

    assert len(runs) <= 12
    assert shortest.wrong
    assert 100 <= len(shortest.struck) < 500


def test_a_hole_that_a_complete_search_reveals_is_searched_for_although_the_connection_holds():
    """A new client's first search ends before its first live trade: the REST did not list what lies between yet."""
    told = [
        *(Fault(at, "skipped", 1) for at in (0.634, 0.905, 1.173, 1.598)),
        Fault(1.588, "journal deleted", 1),
        Fault(2.001, "answer lost", 1),
        Fault(2.001, "rest lags", 18),
    ]

    outcome = run(replace(plan(21), faults=tuple(sorted(told, key=lambda fault: fault.at))))

    assert outcome.wrong == []
    assert {fault.kind for _, fault in outcome.struck} >= {"journal deleted", "answer lost", "rest lags"}
