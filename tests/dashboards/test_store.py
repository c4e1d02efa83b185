"""One session, without a browser: hello, acknowledgement, and its end."""

import pytest

from dashboards.store import UNSEEN_LIMIT, Store


class Feed:
    """Answers a join with a snapshot, as the real one does."""

    def __init__(self):
        self.viewers = []

    def join(self, viewer):
        self.viewers.append(viewer)
        viewer.show("snapshot")

    def turned(self):
        pass

    def open(self, viewer):
        if viewer.focus:
            viewer.show(f"history {viewer.focus} {viewer.interval}")

    @property
    def replies(self):
        return self

    def draw(self, viewer, which):
        viewer.show(f"chart of {which}")

    def leave(self, viewer):
        self.viewers = [each for each in self.viewers if each is not viewer]


class Session:
    def __init__(self):
        self.feed, self.sent, self.soon = Feed(), [], []
        self.store = Store(self.feed, self.sent.append, lambda call, *arguments: self.soon.append((call, arguments)))

    def settle(self):
        while self.soon:
            call, arguments = self.soon.pop(0)
            call(*arguments)


@pytest.fixture
def session():
    return Session()


def test_session_that_never_draws_costs_nothing(session):
    assert session.feed.viewers == []


def test_hello_is_answered_on_the_loop_with_everything(session):
    session.store.from_page({"hello": 1})
    assert session.sent == []  # a worker thread may have called: nothing is touched before the loop runs it

    session.settle()

    assert session.sent == ["snapshot"]


@pytest.mark.parametrize("message", [None, 7, "hello", [], {"seen": "many"}, {"seen": None}, {}, {"other": 1}])
def test_nonsense_from_a_browser_is_ignored(session, message):
    session.store.from_page(message)
    session.settle()

    assert session.sent == []
    assert session.feed.viewers == []


def test_browser_that_does_not_read_is_not_written_to(session):
    session.store.hello()

    for _ in range(UNSEEN_LIMIT * 2):
        session.store.show("frame")

    assert len(session.sent) == UNSEEN_LIMIT + 1


def test_browser_that_reads_again_gets_everything_anew(session):
    session.store.hello()
    for _ in range(UNSEEN_LIMIT * 2):
        session.store.show("frame")

    session.store.from_page({"seen": 50})
    session.settle()
    session.store.show("frame")

    assert session.sent[-2:] == ["snapshot", "frame"]


def test_browser_that_keeps_up_is_never_held_back(session):
    session.store.hello()

    for number in range(UNSEEN_LIMIT * 4):
        session.store.show("frame")
        if number % 50 == 0:
            session.store.seen(50)

    assert len(session.sent) == UNSEEN_LIMIT * 4 + 1


def test_lost_connection_stops_the_frames_until_the_next_hello(session):
    session.store.hello()

    session.store.lost(lambda: 0)
    session.settle()
    assert session.feed.viewers == []

    session.store.hello()
    assert session.feed.viewers == [session.store]


def test_a_page_that_is_back_on_another_connection_already_goes_on_getting_frames(session):
    session.store.hello()

    session.store.lost(lambda: 1)
    session.settle()

    assert session.feed.viewers == [session.store]


def test_page_elsewhere_shows_no_cards_and_comes_back_to_the_same(session):
    session.store.from_page({"hello": 1, "select": ["a"], "focus": "a", "place": "system"})
    session.settle()
    assert (session.store.selection, session.store.focus, session.store.place) == ((), None, "system")
    assert session.sent == ["snapshot"]

    session.store.from_page({"hello": 1, "place": "prices"})
    session.settle()

    assert (session.store.selection, session.store.focus) == (("a",), "a")
    assert session.sent[1:] == ["snapshot", "history a 1m"]


def test_hello_after_the_end_is_not_answered(session):
    session.store.from_page({"hello": 1})
    session.store.close()

    session.settle()

    assert session.feed.viewers == []


def test_page_says_what_it_shows_and_gets_the_past_of_what_it_opens(session):
    session.store.from_page({"hello": 1, "select": ["a"], "focus": "a", "interval": "5s"})
    session.settle()
    assert session.sent == ["snapshot", "history a 5s"]

    session.store.from_page({"select": ["b", "a"], "focus": "a", "interval": "1h"})
    session.store.from_page({"again": 1})
    session.store.from_page({"chart": "compare"})
    session.settle()

    assert session.sent[2:] == ["history a 1h", "history a 1h", "chart of compare"]
    assert session.store.selection == ("b", "a")


def test_page_that_is_seen_again_gets_everything_anew(session):
    session.store.from_page({"hello": 1, "select": ["a"], "focus": "a"})
    session.store.from_page({"hidden": True})
    session.settle()
    assert session.store.hidden
    assert session.sent == ["snapshot", "history a 1m"]

    session.store.from_page({"hidden": False})
    session.store.from_page({"hidden": False})
    session.settle()

    assert not session.store.hidden
    assert session.sent[2:] == ["snapshot", "history a 1m"]


@pytest.mark.parametrize("said", ["yes", 1, None, []])
def test_page_is_hidden_only_by_saying_so(session, said):
    session.store.from_page({"hidden": said})
    session.settle()

    assert not session.store.hidden
