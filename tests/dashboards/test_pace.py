"""A pace: at once after a while of nothing, never more often than it allows, and no bug in it goes unnoticed."""

import asyncio

import pytest

from dashboards.pace import Pace
from tests.simulation.clock import VirtualLoop


def gone(*due_at, until=5.0, takes=0.0):
    """When a pace of a tenth of a second lets go what is due at these seconds, in virtual time; going takes `takes`."""

    async def story():
        loop = asyncio.get_running_loop()
        began, times = loop.now, []

        def go():
            times.append(round(loop.now - began, 6))
            loop.now += takes

        pace = Pace(0.1, go)
        for at in due_at:
            loop.call_at(began + at, pace.due)
        running = asyncio.create_task(pace.run())
        await asyncio.sleep(until)
        running.cancel()
        return times

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(lambda _: None)) as runner:
        return runner.run(story())


def test_first_change_goes_at_once_and_so_does_one_after_a_while():
    assert gone(0.0, 3.0) == [0.0, 3.0]


def test_change_that_follows_waits_for_what_is_left_of_the_time():
    assert gone(0.0, 0.03, 0.07) == [0.0, 0.1]


@pytest.mark.parametrize("takes", [0.0, 0.06])
def test_storm_of_changes_goes_ten_times_a_second_however_long_each_takes(takes):
    storm = [millisecond / 1000 for millisecond in range(995)]

    assert gone(*storm, takes=takes) == pytest.approx([tenth / 10 for tenth in range(11)], abs=0.001)


def test_nothing_goes_that_is_not_due():
    assert gone() == []


async def test_bug_ends_it():
    pace = Pace(0.1, lambda: 1 / 0)
    pace.due()

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(pace.run(), 5)
