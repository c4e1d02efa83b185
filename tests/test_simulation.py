"""A short run of the simulator; `make simulate` is a long one."""

from dataclasses import replace

import pytest

from poeticoins import sequence
from tests.simulation.plan import Fault, plan
from tests.simulation.shrink import shrunk, story
from tests.simulation.world import run

REPEATS = Fault(1.0, "repeated", 1)
ONCE_BROKEN = (901571, 902398, 903185, 906276, 4000707, 4001790)
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
    assert [fault for _, fault in shortest.struck] == [REPEATS]
    assert "the exchange sends a trade twice" in story(shortest)


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
