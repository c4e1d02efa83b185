"""Frames: made once for all that show the same."""

import pytest
from dashboards.frames import Frame

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
