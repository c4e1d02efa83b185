"""How busy a process is, from what it says of itself."""

from itertools import pairwise

import pytest

from poeticoins.load import STEP, WINDOW, Load


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ([], None),
        ([(100, 3.0)], None),
        ([(100, 3.0), (100.1, 3.1)], None),  # too short to tell
        ([(100, 3.0), (101, 3.25)], 0.25),
        ([(100, 3.0), (101, 5.0)], 2.0),  # two threads, two cores
        ([(100, 0.0), (101, 1.0), (102, 1.0)], 0.5),
        ([(100, 0.0), (101, 1.0), *((102 + i, 1.0) for i in range(12))], 0.0),  # what was before the window is over
        ([(100, 7.0), (200, 8.0)], None),  # it was silent for longer than the window, and begins anew
    ],
)
def test_share_of_a_core_is_a_mean_over_the_window(said, share):
    load = Load()

    for now, spent in said:
        load = load.take(now, spent)

    assert load.share == (None if share is None else pytest.approx(share))


def test_what_is_kept_is_bounded_however_often_it_speaks():
    load = Load()

    for beat in range(10_000):
        load = load.take(beat / 100, beat / 400)

    assert len(load.said) <= WINDOW / STEP + 2
    assert all(later > earlier for earlier, later in pairwise(when for when, _ in load.said))
    assert load.share == pytest.approx(0.25)
