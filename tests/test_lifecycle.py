"""A child's life: what happened, in which state, becomes what."""

import signal
from dataclasses import replace

import pytest

from poeticoins.config import Settings
from poeticoins.lifecycle import (
    ABORT,
    KILL,
    OVER_BEATS,
    TERM,
    Beat,
    Exited,
    Life,
    Overslept,
    RestartWanted,
    Start,
    Started,
    StopWanted,
    Tick,
    deadline,
    step,
)

SETTINGS = Settings()
UP = Life("ready", running=True, started_at=0, starts=1, ready_at=1, beat_at=10)
STARTING = Life("starting", running=True, started_at=0, starts=1)
WAITING = Life("backoff", starts=2, exits=2, last_exit="exit 1", next_try=12)
DEGRADED = Life("degraded", starts=6, exits=6, last_exit="exit 1", next_try=30)
STOPPING = Life("stopping", running=True, starts=1, beat_at=10, kill_at=14, final=True)


@pytest.mark.parametrize(
    ("life", "event", "now", "state", "action"),
    [
        (Life(), Started(), 0, "starting", None),
        (DEGRADED, Started(), 30, "degraded", None),
        (STARTING, Beat(ready=False), 1, "starting", None),
        (STARTING, Beat(ready=True), 1, "ready", None),
        (STOPPING, Beat(ready=True), 11, "stopping", None),
        (STARTING, Tick(), 59, "starting", None),
        (STARTING, Tick(), 60, "stopping", ABORT),
        (UP, Tick(), 14.9, "ready", None),
        (UP, Tick(), 15, "stopping", ABORT),
        (Life("stopping", running=True, beat_at=10, kill_at=16), Tick(), 16, "stopping", KILL),
        (UP, Exited("SIGKILL", 0.5), 20, "starting", Start()),
        (Life("ready", running=True, ready_at=1, exits=1), Exited("exit 1", 0.5), 20, "backoff", None),
        (Life("ready", running=True, ready_at=1, exits=4), Exited("exit 1", 0.5), 20, "degraded", None),
        (Life("ready", running=True, ready_at=1, exits=4), Exited("exit 1", 0.5), 61, "starting", Start()),
        (WAITING, Tick(), 11.9, "backoff", None),
        (WAITING, Tick(), 12, "backoff", Start()),
        (WAITING, StopWanted(20), 11, "stopped", None),
        (WAITING, RestartWanted(), 11, "starting", Start()),
        (UP, RestartWanted(), 11, "stopping", TERM),
        (UP, StopWanted(20), 11, "stopping", TERM),
        (STOPPING, Exited("exit 0", 0.5), 12, "stopped", None),
        (STOPPING, RestartWanted(), 12, "stopping", None),
        (STOPPING, Tick(), 14, "stopping", KILL),
    ],
)
def test_what_happens_to_a_child_decides_its_state(life, event, now, state, action):
    after, done = step(life, event, now, SETTINGS)

    assert (after.state, done) == (state, action)


def test_a_restart_that_was_asked_for_is_no_failure():
    asked, _ = step(UP, RestartWanted(), 11, SETTINGS)

    after, action = step(asked, Exited("exit 0", 0.5), 12, SETTINGS)

    assert action == Start()
    assert after.exits == 0


def test_a_supervisor_that_slept_kills_nobody():
    now = 10_000.0
    for life in (UP, Life("starting", running=True, started_at=9_999 - 5_000)):
        awake, _ = step(life, Overslept(5_000), now, SETTINGS)

        after, action = step(awake, Tick(), now + 0.1, SETTINGS)

        assert action is None
        assert after.state == life.state


def test_a_child_that_was_started_after_the_sleep_began_is_not_younger_than_new():
    awake, _ = step(Life("starting", running=True, started_at=9_999.5), Overslept(3), 10_000.0, SETTINGS)

    assert awake.started_at == 10_000.0


def test_a_child_that_cannot_be_killed_is_killed_again():
    life, action = step(STOPPING, Tick(), 14, SETTINGS)
    assert action == KILL

    life, action = step(life, Tick(), deadline(life, SETTINGS), SETTINGS)

    assert action == KILL
    assert KILL.signal == signal.SIGKILL


def test_a_child_that_is_as_it_should_be_asks_for_no_attention():
    assert deadline(Life("stopped"), SETTINGS) is None
    assert deadline(UP, SETTINGS) == 15


HEAVY = 2_100_000_000  # above the default limit of 2,048 MB


def test_a_peak_of_memory_ends_nobody():
    life = UP
    for rss in (HEAVY, HEAVY, 100_000_000, HEAVY, HEAVY):
        life, action = step(life, Beat(ready=True, rss=rss), 11, SETTINGS)

        assert action is None

    assert (life.state, life.rss) == ("ready", HEAVY)


def test_memory_that_stays_above_the_limit_ends_a_child_gracefully_and_says_why():
    life, actions = UP, []
    for now in (11, 12, 13, 14):
        life, action = step(life, Beat(ready=True, rss=HEAVY), now, SETTINGS)
        actions.append(action)
    assert actions == [None, None, TERM, None]
    assert (life.state, life.kill_at) == ("stopping", 13 + SETTINGS.stop_timeout)

    life, action = step(life, Exited("exit 0", 0.5), 14, SETTINGS)

    assert action == Start()
    assert life.last_exit == "above rss_limit: 2100 MB in use, 2048 MB allowed; exit 0"


def test_a_child_that_is_always_too_big_becomes_degraded_and_no_storm():
    life, now, starts = Life(), 0.0, []
    life, _ = step(life, Started(), now, SETTINGS)
    while now < 120:
        starts.append(now)
        for _ in range(OVER_BEATS):
            now += 1
            life, _ = step(life, Beat(ready=True, rss=HEAVY), now, SETTINGS)
        life, _ = step(life, Exited("exit 0", 1.0), now, SETTINGS)
        now = life.next_try or now
        life, _ = step(life, Started(), now, SETTINGS)

    assert life.state == "degraded"
    assert len(starts) <= 10


def test_without_a_limit_no_memory_is_too_much():
    life = UP
    for _ in range(10):
        life, action = step(life, Beat(ready=True, rss=10**12), 11, replace(SETTINGS, rss_limit=0))

        assert action is None
