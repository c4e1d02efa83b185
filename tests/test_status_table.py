"""The status as people read it."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from poeticoins.status_table import in_words, problem_of, shown

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


def text_of(feed: dict[str, object], child: dict[str, object]) -> list[str]:
    """The lines that a terminal of 80 columns shows of a tree with this feed and this child."""
    feed = {
        "exchange": "coinbase", "state": "live", "trades": 12_345_678, "rate": 123.4, "delay": {"p50": 42, "p99": 1234},
        "last_trade_at": (NOW - timedelta(hours=2, minutes=10)).isoformat(), "bad_frames": 0, "reconnects": 12,
        "gaps": 3, "host": "a.b", "problem": None, "next_try_in": None, **feed,
    }  # fmt: skip
    child = {
        "name": "historical", "state": "ready", "pid": 4_194_304, "uptime": 7_800.0, "cpu": 0.123, "rss": 123_456_789,
        "restarts": 12, "last_exit": None, "next_try_in": None, "last_words": [], **child,
    }  # fmt: skip
    status = {
        "mode": "live", "run_dir": "/run/user/1000/poeticoins", "uptime": 7_800.0, "pid": 4_194_303, "cpu": 0.001,
        "rss": 28_000_000, "children": [child], "feeds": [feed],
    }  # fmt: skip
    console = Console(width=80)
    with console.capture() as captured:
        console.print(*shown(status, NOW), sep="\n", highlight=False)
    return captured.get().splitlines()


def test_everything_of_a_long_run_fits_into_80_columns():
    lines = text_of({}, {})

    assert not [line for line in lines if "…" in line]
    row = next(line for line in lines if "coinbase" in line)
    assert row.split() == [
        "coinbase",
        "live",
        "12,345,678",
        "123.4",
        "42",
        "/",
        "1234",
        "2",
        "h",
        "10",
        "min",
        "ago",
        "0",
        "12",
        "3",
    ]


def test_a_child_that_waits_says_why_and_when_and_what_it_said_last():
    lines = text_of({}, {"state": "backoff", "last_exit": "exit 1", "next_try_in": 4.0, "last_words": ["a", "[b] c"]})

    row = next(line for line in lines if "historical" in line)
    assert "exit 1" in row
    assert "in 4 s" in row
    assert lines[-1] == "historical: [b] c"


def test_a_feed_of_which_nothing_is_known_yet_has_empty_places():
    lines = text_of({"state": "starting", "trades": 0, "rate": None, "delay": None, "last_trade_at": None}, {})

    row = next(line for line in lines if "coinbase" in line)
    assert " ".join(row.split()) == "coinbase starting 0 none yet 0 12 3"


@pytest.mark.parametrize(
    ("state", "next_try_in", "end"),
    [("reconnecting", 2.4, "; next try in 2 s"), ("reconnecting", None, "; trying now"), ("live", None, "no host")],
)
def test_a_problem_says_where_why_and_when_it_is_tried_again(state, next_try_in, end):
    feed = {"exchange": "coinbase", "host": "a.b", "state": state, "problem": "no host", "next_try_in": next_try_in}

    assert problem_of(feed).startswith("coinbase: a.b: no host")
    assert problem_of(feed).endswith(end)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 s"), (0.4, "0.4 s"), (5.9, "5 s"), (150, "2 min"), (7_800, "2 h 10 min"), (400_000, "4 days")],
)
def test_durations_are_told_in_words(seconds, words):
    assert in_words(seconds) == words
