"""A short run of the simulator; `make simulate` is a long one."""

from dataclasses import replace

import pytest

from poeticoins import sequence
from tests.simulation.plan import Fault, plan
from tests.simulation.shrink import shrunk, story
from tests.simulation.world import run

REPEATS = Fault(1.0, "repeated", 1)


@pytest.mark.parametrize("first", range(1, 41, 10))
def test_whatever_is_hurt_every_trade_comes_once_and_in_order_or_a_gap_says_so(first):
    wrong = [story(outcome) for seed in range(first, first + 10) if (outcome := run(plan(seed))).wrong]

    assert wrong == []


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
