"""The policies for trying again: tables, and properties that hold for any luck."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.restarts import Budget, ConnectionBackoff, Restart, RestartPolicy, on_exit

CHANCE = st.floats(0, 1)
POLICY = RestartPolicy()


@pytest.mark.parametrize(
    ("exits", "ready_for", "random", "expected"),
    [
        (0, 0.0, 0.5, (1, Restart(0.0, degraded=False))),
        (1, 0.0, 1.0, (2, Restart(1.0, degraded=False))),
        (1, 0.0, 0.0, (2, Restart(0.8, degraded=False))),
        (2, 0.0, 1.0, (3, Restart(2.0, degraded=False))),
        (3, 0.0, 1.0, (4, Restart(4.0, degraded=False))),
        (4, 0.0, 1.0, (5, Restart(8.0, degraded=True))),
        (5, 0.0, 1.0, (6, Restart(16.0, degraded=True))),
        (6, 0.0, 1.0, (7, Restart(25.0, degraded=True))),
        (6, 59.9, 0.0, (7, Restart(20.0, degraded=True))),
        (6, 60.0, 1.0, (1, Restart(0.0, degraded=False))),
        (100_000, 0.0, 1.0, (100_001, Restart(25.0, degraded=True))),
    ],
)
def test_an_exit_decides_the_restart(exits, ready_for, random, expected):
    assert on_exit(exits, ready_for, POLICY, random) == expected


@given(st.integers(0, 10_000), st.floats(0, 1e6), CHANCE)
def test_a_child_is_never_given_up_on_and_never_waits_longer_than_the_ceiling(exits, ready_for, random):
    _, restart = on_exit(exits, ready_for, POLICY, random)

    assert 0 <= restart.delay <= POLICY.longest_delay


@given(st.lists(CHANCE, min_size=20, max_size=20))
def test_a_child_that_crashes_at_once_is_started_at_most_twelve_times_in_two_minutes(chances):
    now, exits, starts = 0.0, 0, 0
    for random in chances:
        starts += now < 120
        exits, restart = on_exit(exits, 0.0, POLICY, random)
        now += restart.delay

    assert now > 120
    assert starts <= 12


@given(st.lists(CHANCE, min_size=8, max_size=8))
def test_a_fault_that_is_mended_heals_within_thirty_seconds(chances):
    exits = 0
    for random in chances:
        exits, restart = on_exit(exits, 0.0, POLICY, random)

        assert restart.delay <= 30


@pytest.mark.parametrize(
    ("attempts", "random", "delay"),
    [(0, 1.0, 0.0), (1, 1.0, 0.5), (1, 0.0, 0.25), (2, 1.0, 1.0), (6, 1.0, 16.0), (7, 1.0, 30.0), (5_000, 1.0, 30.0)],
)
def test_a_connection_waits_twice_as_long_after_each_attempt(attempts, random, delay):
    waited, state = ConnectionBackoff(attempts=attempts).next_attempt(100.0, random)

    assert waited == delay
    assert state.attempts == attempts + 1


@given(st.lists(CHANCE, min_size=30, max_size=30))
def test_an_exchange_that_accepts_and_closes_is_connected_to_at_most_ten_times_in_a_minute(chances):
    now, connects, state = 0.0, 0, ConnectionBackoff()
    for random in chances:
        delay, state = state.next_attempt(now, random)
        now += delay
        connects += now < 60
        state = state.after_good(0.0)

    assert connects <= 10
    assert now > 60


@given(st.lists(CHANCE, min_size=25, max_size=25))
def test_connections_that_were_good_still_do_not_exceed_the_budget(chances):
    now, times, state = 0.0, [], ConnectionBackoff()
    for random in chances:
        delay, state = state.next_attempt(now, random)
        now += delay
        times.append(now)
        state = state.after_good(30.0)  # as an exchange would seem that asks for a reconnect again and again

    for first, last in ((i, j) for i in range(25) for j in range(i, 25)):
        assert last - first + 1 <= 5 + (times[last] - times[first]) / 2 + 1e-6


@pytest.mark.parametrize(("seconds", "attempts"), [(29.9, 9), (30.0, 1), (1e6, 1)])
def test_only_a_connection_that_was_good_for_long_begins_anew(seconds, attempts):
    assert ConnectionBackoff(attempts=9).after_good(seconds).attempts == attempts


@given(st.integers(0, 10_000), st.floats(0, 1e9), CHANCE)
def test_a_connection_never_waits_longer_than_its_ceiling(attempts, now, random):
    delay, _ = ConnectionBackoff(attempts=attempts).next_attempt(now, random)

    assert 0 <= delay <= 30


@pytest.mark.parametrize(
    ("attempts", "random", "least", "most", "delay"),
    [
        (1, 0.0, 60.0, 300.0, 60.0),
        (1, 1.0, 60.0, 300.0, 300.0),
        (7, 1.0, 1.0, 2.0, 30.0),
        (7, 1.0, 45.0, 0.0, 45.0),
    ],
)
def test_a_trouble_may_ask_for_a_longer_wait_than_the_backoff(attempts, random, least, most, delay):
    waited, _ = ConnectionBackoff(attempts=attempts).next_attempt(100.0, random, least, most)

    assert waited == delay


@pytest.mark.parametrize(("seconds", "attempts"), [(29.9, 9), (30.0, 0)])
def test_an_exchange_that_asks_for_a_reconnect_gets_it_at_once_unless_it_had_just_been_connected(seconds, attempts):
    assert ConnectionBackoff(attempts=9).after_good(seconds, wanted=True).attempts == attempts


def test_a_budget_that_was_used_up_long_ago_is_full_again():
    _, budget = Budget(tokens=0.0, at=100.0).take(1000.0)

    assert budget == Budget(tokens=4.0, at=1000.0)


def test_five_may_be_at_once_and_then_one_every_two_seconds():
    times, budget = [], Budget()
    for _ in range(8):
        when, budget = budget.take(100.0)
        times.append(when - 100.0)

    assert times == [0, 0, 0, 0, 0, 2, 4, 6]


@pytest.mark.parametrize(("tokens", "when", "left"), [(1.5, 10.0, 0.5), (1.0, 10.0, 0.0), (0.5, 11.0, 0.0)])
def test_what_is_left_of_a_budget_says_when_the_next_one_may_be(tokens, when, left):
    assert Budget(tokens=tokens, at=10.0).take(10.0) == (when, Budget(tokens=left, at=when))


def test_the_first_connect_of_all_is_immediate():
    assert ConnectionBackoff().next_attempt(100.0, 1.0)[0] == 0
