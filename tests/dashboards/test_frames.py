"""Frames: made once for all that show the same, and never more often than the pace allows."""

import pytest

from dashboards.frames import Frame, Pace
from tests.dashboards.reading import read


@pytest.fixture
def frame():
    return Frame({"a": "0 1.00 1 5", "b": "1 2.00 1 0"}, 5, {"c": "2;=9 0 =3.00 1 b"})


def test_frame_holds_what_changed_of_a_selection_in_its_order(frame):
    assert read(frame.text(("b", "c", "a"))) == {
        "kind": "frame",
        "now": 5,
        "cards": [["1", "2.00", "1", 5], ["0", "1.00", "1", 0]],
        "tape": None,
    }
    assert len(read(frame.text(None))["cards"]) == 2


def test_frame_holds_the_tape_of_the_open_product_shown_or_not(frame):
    assert read(frame.text((), "c")) == {
        "kind": "frame", "now": 5, "cards": [], "tape": ["2", [["9", 5, "3.00", "1", "buy"]]],
    }  # fmt: skip
    assert read(frame.text(("a",), "b"))["tape"] is None


def test_frame_is_empty_for_who_shows_nothing_that_changed(frame):
    assert frame.text(("c",)) == ""
    assert frame.text(()) == ""


def test_frame_is_put_together_once_for_a_selection(frame):
    assert frame.text(("a",)) is frame.text(("a",))


class Timeline:
    """A loop's clock and timers, by hand."""

    def __init__(self):
        self.now, self.timers, self.gone = 100.0, [], []
        self.pace = Pace(0.1, lambda: self.gone.append(round(self.now, 3)), self.later, lambda: self.now)

    def later(self, delay, call):
        self.timers.append((self.now + delay, call))

    def run(self, until):
        while self.timers and min(self.timers)[0] <= until:
            timer = min(self.timers, key=lambda each: each[0])
            self.timers.remove(timer)
            self.now = max(self.now, timer[0])
            timer[1]()
        self.now = until


def test_first_change_goes_at_once():
    line = Timeline()

    line.pace.due()
    line.run(100.0)

    assert line.gone == [100.0]


def test_storm_of_changes_makes_ten_frames_a_second():
    line = Timeline()

    for millisecond in range(1000):
        line.pace.due()
        line.run(100 + millisecond / 1000)

    assert line.gone == [pytest.approx(100 + i / 10, abs=0.002) for i in range(10)]


def test_nothing_runs_while_nothing_changes():
    line = Timeline()
    line.pace.due()
    line.run(105.0)

    assert line.timers == []
    line.pace.due()
    line.run(105.0)
    assert line.gone == [100.0, 105.0]
