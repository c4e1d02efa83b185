"""What happened lately: from two statuses and the gaps to events."""

from copy import deepcopy
from types import SimpleNamespace

import pytest

from dashboards.lately import Event, Lately, changes, ended, gaps, spoken, told
from tests.dashboards.market import status

NOW = 1_788_000_000_000
STACK = ['  File "x.py", line 5 in _spin', '  File "y.py", line 9 in run']
CLOSED = SimpleNamespace(why="closed with 1001", heard_at=None)


def an_exit(how="SIGKILL", ran_for=200.0, words=(), at="2026-01-01T12:30:00.250+00:00"):
    return SimpleNamespace(at=at, how=how, ran_for=ran_for, words=list(words))


def after(**feed):
    """The usual status, with something else about Coinbase's feed."""
    new = status()
    new.feeds[0].__dict__.update(feed)
    return new


@pytest.mark.parametrize(
    ("words", "one"),
    [
        ([], ""),
        (["the last line"], "the last line"),
        (["| Traceback (most recent call last):", '|   File "x.py"', "| KeyError: a bug"], "KeyError: a bug"),
        (["Fatal Python error: Aborted", "", "Current thread 0x1:", *STACK], 'File "x.py", line 5 in _spin'),
        (["Fatal Python error: Aborted"], "Fatal Python error: Aborted"),
        (["a\x1b[31m red <b>line\u202e"], "a [31m red <b>line"),
    ],
)  # fmt: skip
def test_of_last_words_the_line_that_says_most_is_shown(words, one):
    assert spoken(words) == one


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (an_exit(), "ended after 3 min: SIGKILL"),
        (an_exit("asked for; exit 0", 4), "ended after 4 s: asked for; exit 0"),
        (an_exit("exit 1", 4, ["ValueError: x"]), "ended after 4 s: exit 1; last words: ValueError: x"),
        (an_exit("not started: no memory", 0.0), "not started: no memory"),
    ],
)
def test_end_of_a_process_is_told_with_its_reason(one, text):
    assert ended(one) == text


def test_status_alone_tells_when_its_supervisor_began_and_how_its_children_ended():
    one = status()
    one.children[0].exits = [an_exit()]

    events = told(one)

    assert [(event.who, event.what) for event in events] == [
        ("supervisor", "started, as process 99"),
        ("coinbase", "ended after 3 min: SIGKILL"),
    ]
    assert events[1].at - events[0].at == 30 * 60_000 + 250


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        ({}, {}, None),
        ({}, {"reconnects": 1, "last_loss": CLOSED}, "connection lost: closed with 1001"),
        ({"reconnects": 1}, {"reconnects": 4, "problem": "no pong"}, "connection lost 3 times: no pong"),
        ({"reconnects": 4}, {"reconnects": 0}, None),  # its process is another one
        ({}, {"state": "reconnecting", "problem": "name not found"}, "reconnecting: name not found"),
        ({}, {"state": "degraded", "problem": "not confirmed: BTC-EUR"}, "degraded: not confirmed: BTC-EUR"),
        ({"state": "reconnecting"}, {}, "live again"),
        ({"state": "starting"}, {}, "live"),
        ({}, {"state": "restarting"}, None),  # told by its process
    ],
)  # fmt: skip
def test_what_changed_of_an_exchange_is_one_event(before, now, what):
    events = changes(after(**before), after(**now), NOW)

    assert [event.what for event in events] == ([what] if what else [])
    assert all((event.who, event.kind, event.at) == ("coinbase", "connection", NOW) for event in events)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (("ready", 7), ("ready", 7), None),
        (("ready", 7), ("starting", None), None),  # its end is told by itself
        (("ready", 7), ("ready", 8), "ready, as process 8"),
        (("starting", 8), ("ready", 8), "ready, as process 8"),
        (("backoff", None), ("degraded", None), "keeps failing: it is tried again, slowly"),
        (("degraded", None), ("degraded", 9), None),
    ],
)
def test_what_became_of_a_process_is_one_event(old, new, what):
    before, now = status(), status()
    before.children[2].state, before.children[2].pid = old
    now.children[2].state, now.children[2].pid = new

    events = changes(before, now, NOW)

    assert [(event.who, event.what) for event in events] == ([("historical", what)] if what else [])


def test_supervisor_that_goes_is_told_and_another_one_is_compared_with_nothing():
    other = status()
    other.pid, other.children[0].state = 500, "starting"

    assert [event.what for event in changes(status(), None, NOW)] == ["gone: nobody follows the exchanges any more"]
    assert changes(None, status(), NOW) == changes(status(), other, NOW) == []


def test_gap_is_told_when_it_was_found_and_when_it_was_refilled():
    rows = {
        "coinbase:BTC-USD": [
            [1000, 2000, 3, "skipped ids", 9000],
            [5000, 6000, None, "client down", None],
            [1, 2, 1, "overrun", None],
        ]
    }

    events = gaps(rows)

    assert [(event.at, event.what, event.span) for event in events] == [
        (2000, "skipped ids: 3 trades missing", (1000, 2000)),
        (9000, "refilled: 3 trades", (1000, 2000)),
        (6000, "client down: an unknown number of trades missing", (5000, 6000)),
        (2, "overrun: 1 trade missing", (1, 2)),
    ]


def test_events_are_newest_first_each_once_and_a_noisy_kind_hides_no_other():
    lately = Lately(most=3)
    death = Event(1, "process", "coinbase", "ended")

    for at in range(10, 20):
        lately.add([death, Event(at, "connection", "coinbase", "lost"), deepcopy(death)])

    assert [event.at for event in lately.events] == [19, 18, 17, 1]
