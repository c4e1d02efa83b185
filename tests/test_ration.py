"""The ration of a loop's time that answers may take."""

import pytest

from poeticoins.ration import LONGEST_WAIT, Ration


def work(ration: Ration, cost: float, until: float) -> tuple[int, float]:
    """Questions without end, each of which costs `cost` seconds: how many are answered by then, and their time."""
    now, answered = 0.0, 0
    while now < until:
        now += cost
        ration, wait = ration.spend(cost, now)
        now, answered = now + wait, answered + 1
    return answered, answered * cost


@pytest.mark.parametrize("cost", [0.000_01, 0.001, 0.05])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_questions_without_end_get_their_share_and_no_more(cost, share):
    _, spent = work(Ration(share=share), cost, until=10)

    assert share * 0.99 <= spent / 10 <= share + 0.02


def test_a_few_questions_after_a_rest_do_not_wait():
    ration, _ = Ration().spend(0.05, now=0.0)

    ration, first = ration.spend(0.02, now=100.0)
    _, second = ration.spend(0.02, now=100.0)

    assert (first, second) == (0.0, 0.0)


def test_a_rest_earns_no_more_than_one_burst():
    ration, _ = Ration(share=0.25, burst=0.05).spend(0.0, now=1_000_000.0)

    _, wait = ration.spend(0.075, now=1_000_000.0)

    assert wait == pytest.approx(0.1)


def test_one_dear_answer_holds_the_next_up_for_a_moment_only():
    _, wait = Ration().spend(60.0, now=0.0)

    assert wait == pytest.approx(LONGEST_WAIT)
