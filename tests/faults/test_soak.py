"""Row 48, shortened: faults of all kinds from a seed. `make soak SECONDS=… SEED=…` is a long one."""

from itertools import islice

import pytest

from tests.faults.soak import KINDS, plan, soak, until_time
from tests.faults.world import Market, world


@pytest.mark.row(48)
def test_whatever_happens_in_some_seconds_no_trade_is_lost_or_comes_twice():
    with world(Market(pace=10), STABLE_AFTER="0") as line:
        blows: list[str] = []

        wrong = soak(line, until_time(plan(48), 8), blows.append)

        assert wrong == [], blows
        assert len(blows) >= 2


def test_a_seed_has_its_own_plan_with_faults_of_every_kind():
    assert [*islice(plan(1), 50)] == [*islice(plan(1), 50)] != [*islice(plan(2), 50)]
    assert {blow.kind for blow in islice(plan(3), 2000)} == set(KINDS)
