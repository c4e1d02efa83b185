"""How fast an exchange's trades come, and how late: over the last minute, by two clocks."""

import random

import pytest

from poeticoins.arrivals import Arrivals, in_ms

MS = 1_000_000


def heard(*trades: tuple[float, int | None]) -> Arrivals:
    """trades: (when it came in s, delay in ms or None), each."""
    arrivals = Arrivals()
    for now, delay in trades:
        arrivals.take(now, None if delay is None else delay * MS)
    return arrivals


@pytest.mark.parametrize(
    ("delays", "p50", "p99"),
    [
        ([40], 40, 40),
        ([10, 20, 30, 40], 20, 40),
        (list(range(1, 101)), 50, 99),
        ([5] * 99 + [900], 5, 5),
        ([5] * 98 + [900] * 2, 5, 900),
        ([-30, -20, 4], -20, 4),  # the exchange's clock is ahead of ours
        ([1_234, 1_260, 59_949], 1_300, 59_900),
        ([86_000_000], 600_000, 600_000),
        ([-86_000_000], -600_000, -600_000),
    ],
)
def test_percentiles_are_of_the_delays_as_they_were(delays, p50, p99):
    arrivals = heard(*((100.0, delay) for delay in delays))

    told = arrivals.delay(101.0)

    assert told == {"p50": p50, "p99": p99, "trades": len(delays), "window": 60}


@pytest.mark.parametrize(("ns", "ms"), [(0, 0), (499_999, 0), (500_000, 1), (-500_001, -1), (999_499_999, 999)])
def test_delay_is_told_to_the_nearest_millisecond(ns, ms):
    assert in_ms(ns) == ms


def test_what_came_before_the_window_counts_no_more():
    arrivals = heard((100.0, 900), (130.0, 5))

    assert arrivals.delay(159.9)["p99"] == 900
    assert arrivals.delay(160.0)["p99"] == 5
    assert arrivals.delay(190.0) is None
    assert heard((100.0, 900), (160.0, 5)).delay(160.0)["trades"] == 1


def test_trades_whose_delay_says_nothing_count_for_the_rate_alone():
    arrivals = heard((100.0, None), (100.5, None))

    assert arrivals.delay(101.0) is None
    assert arrivals.rate(101.0) == 2


@pytest.mark.parametrize(
    ("times", "now", "rate"),
    [
        ([], 100, 0),
        ([100.1], 100.2, 0),  # its second is not over
        ([100.1, 100.9], 101, 2),
        ([100.1, 100.9], 104, 0.5),  # since the first one
        ([i / 4 for i in range(400, 480)], 120, 4),
        ([i / 4 for i in range(400, 480)], 125, 2),  # it has fallen silent
        ([i / 4 for i in range(400, 480)], 131, 0),
    ],
)
def test_rate_is_a_mean_over_ten_whole_seconds(times, now, rate):
    assert heard(*((at, 1) for at in times)).rate(now) == pytest.approx(rate)


def test_what_is_kept_is_bounded_however_many_trades_come():
    chance, arrivals = random.Random(1), Arrivals()

    for trade in range(200_000):
        arrivals.take(trade / 1_000, round(chance.lognormvariate(4, 2)) * MS)

    assert arrivals.delay(200.0)["trades"] == 59_000  # those of the last minute, without the second that begins
    assert len(arrivals._delays) < 1_000 + 6_000
    assert sum(arrivals._delays.values()) == sum(one.trades for one in arrivals._seconds)
