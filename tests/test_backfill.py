import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.backfill import MOST_PAGES, Need, Search
from poeticoins.model import SECOND
from tests.makers import BTC, LTC, NOON, make_trade


def searched(search: Search, exchange: list[int], page: int = 10) -> Search:
    """Runs a search against an exchange that lists `exchange`'s ids, `page` at a time, newest first from the cursor."""
    more = True
    while more:
        listed = [n for n in exchange if search.cursor is None or n < search.cursor][-page:]
        more = search.page([make_trade(n, at=n) for n in listed])
    return search


def ids(search: Search) -> list[int]:
    return [trade.trade_id for trade in search.trades]


def test_a_hole_of_ids_is_paged_until_each_of_them_is_there():
    search = searched(Search(Need(BTC, after_id=20, before_id=75), (), NOON), [*range(1, 100)])

    assert ids(search) == [*range(21, 75)]
    assert search.complete


@pytest.mark.parametrize(
    ("need", "spans", "most"),
    [
        (Need(BTC, after_id=20, before_id=24), (), 3),
        (Need(BTC, after_id=20, before_id=21), (), 1),
        (Need(BTC, after_id=20, before_id=9000), (), 1000),
        (Need(BTC, before_id=9000), (), 1000),
        (Need(LTC, after_id=20), (60,), 1000),
    ],
)
def test_a_small_hole_asks_for_no_more_than_is_missing(need, spans, most):
    assert Search(need, spans, NOON).most == most


def test_an_id_that_the_exchange_does_not_list_leaves_the_hole_open():
    search = searched(Search(Need(BTC, after_id=20, before_id=40), (), NOON), [n for n in range(1, 100) if n != 33])

    assert ids(search) == [n for n in range(21, 40) if n != 33]
    assert not search.complete


def test_an_exchange_that_has_forgotten_the_past_ends_the_search():
    search = searched(Search(Need(BTC, after_id=20, before_id=75), (), NOON), [*range(60, 100)])

    assert ids(search) == [*range(60, 75)]
    assert not search.complete


def test_who_knows_nothing_gets_the_newest_and_no_more():
    search = searched(Search(Need(BTC, before_id=90, limit=25), (), NOON), [*range(1, 100)])

    assert ids(search) == [*range(65, 90)]
    assert search.complete


def test_an_exchange_that_always_sends_the_same_page_is_not_asked_for_ever():
    search = Search(Need(BTC, after_id=1, before_id=1000), (), NOON)
    pages = 0

    while search.page([make_trade(500), make_trade(501)]):
        pages += 1

    assert pages <= 1
    assert not search.complete


def test_a_hole_too_deep_is_given_up_on():
    search = searched(Search(Need(BTC, after_id=1, before_id=10_000), (), NOON), [*range(1, 10_001)])

    assert len(search.found) == 20 * 10
    assert not search.complete


HOLE, SINCE, NEWEST = Need(BTC, after_id=20, before_id=24), Need(BTC, after_id=20), Need(BTC, before_id=90, limit=2)


@pytest.mark.parametrize(
    ("need", "listed", "found", "more", "complete"),
    [
        (HOLE, [21, 22, 23], [21, 22, 23], False, True),
        (HOLE, [22, 23, 24], [22, 23], True, False),  # 21 may lie further back
        (HOLE, [21, 23], [21, 23], False, False),  # 22 does not
        (HOLE, [20, 23], [23], False, False),
        (HOLE, [], [], False, False),
        (SINCE, [21, 22], [21, 22], False, True),
        (SINCE, [20, 22], [22], False, True),
        (SINCE, [22, 23], [22, 23], True, False),
        (SINCE, [], [], False, False),
        (NEWEST, [88, 89], [88, 89], False, True),
        (NEWEST, [89], [89], True, False),
        (NEWEST, [], [], False, True),
    ],
)
def test_a_page_by_cursor_says_what_is_there_and_whether_to_ask_for_more(need, listed, found, more, complete):
    search = Search(need, (), NOON)
    assert not search.complete

    assert search.page([make_trade(n) for n in listed]) == more
    assert (ids(search), search.complete) == (found, complete)


def test_who_knows_nothing_gets_a_thousand_and_who_misses_more_gets_all():
    exchange = [*range(1, 2501)]

    assert ids(searched(Search(Need(BTC, before_id=2501), (), NOON), exchange, 400)) == [*range(1501, 2501)]
    assert ids(searched(Search(Need(BTC, after_id=0, before_id=2501), (), NOON), exchange, 400)) == exchange


def test_a_span_that_reaches_back_beyond_the_hole_refills_it():
    search = Search(Need(LTC, after_id=40, from_ns=NOON - 600 * SECOND), (3600, 86_400), NOON)

    more = search.page([make_trade(n, at=n - 700, product=LTC) for n in (10, 40, 107, 190)])

    assert not more
    assert ids(search) == [107, 190]
    assert search.complete


def test_a_hole_longer_than_the_first_span_takes_the_next():
    search = Search(Need(LTC, after_id=40, from_ns=NOON - 7200 * SECOND), (3600, 86_400), NOON)

    assert search.cursor is None
    assert search.page([])
    assert search.cursor == 1
    assert not search.page([make_trade(50, at=-7000, product=LTC)])
    assert ids(search) == [50]
    assert search.complete


@pytest.mark.parametrize(
    ("heard_ns", "now_ns"),
    [(NOON + 3600 * SECOND, NOON + 3630 * SECOND), (NOON + 3600 * SECOND, NOON), (NOON, NOON - 3600 * SECOND)],
    ids=["ahead", "ahead, then right", "right, then behind"],
)
def test_a_clock_of_ours_that_is_wrong_hides_no_trade(heard_ns, now_ns):
    """Trade 40 was the last that was heard; then an outage, in which 41 and 42 were traded."""
    need = Need(LTC, after_id=40, from_ns=heard_ns, after_ns=NOON - 20 * SECOND)
    search = Search(need, (60, 3600, 86_400), now_ns)

    listed = [make_trade(trade_id, at=at, product=LTC) for trade_id, at in [(39, -60), (40, -20), (41, -10), (42, -5)]]
    while search.page(listed):
        pass

    assert [trade.trade_id for trade in search.trades] == [41, 42]


def test_who_knows_nothing_looks_back_an_hour_where_there_is_no_cursor():
    search = Search(Need(LTC, limit=3), (60, 3600, 86_400), NOON)

    assert search.page([make_trade(9, at=-5, product=LTC)])
    assert not search.page([make_trade(n, at=-n, product=LTC) for n in (3, 5, 7, 9)])
    assert ids(search) == [5, 7, 9]
    assert search.complete


def test_a_hole_longer_than_every_span_stays_open():
    search = Search(Need(LTC, after_id=40, from_ns=NOON - 100_000 * SECOND), (3600, 86_400), NOON)

    assert search.page([])
    assert not search.page([make_trade(50, at=-80_000, product=LTC)])
    assert not search.complete


def ago(seconds: float) -> int:
    return NOON - round(seconds * SECOND)


@pytest.mark.parametrize(
    ("need", "listed", "more", "complete"),
    [
        (Need(LTC, after_id=40, from_ns=ago(55)), [], False, True),
        (Need(LTC, after_id=40, from_ns=ago(55.1)), [], True, False),
        (Need(LTC, after_id=40, from_ns=ago(50), after_ns=ago(55)), [], True, False),
        (Need(LTC, after_id=40, from_ns=ago(50), after_ns=ago(55.1)), [], False, True),
        (Need(LTC, after_id=40, from_ns=ago(0), after_ns=ago(100)), [], False, True),
        (Need(LTC, after_id=40, from_ns=ago(-1), after_ns=ago(100)), [], True, False),  # our clock was set back
        (Need(LTC, limit=2), [8, 9], False, True),
        (Need(LTC, limit=2), [9], True, False),
    ],
)
def test_a_span_suffices_if_it_reaches_back_so_far_that_the_clocks_may_differ_by_five_seconds(
    need, listed, more, complete
):
    search = Search(need, (60, 3600), NOON)

    assert search.page([make_trade(n, at=-1, product=LTC) for n in listed]) == more
    assert search.complete == complete


def test_what_was_traded_before_the_hole_by_more_than_the_clocks_may_differ_is_left_out():
    search = Search(Need(LTC, after_id=0, before_id=5, from_ns=ago(600)), (3600,), NOON)
    assert search.cursor is None

    search.page([make_trade(n, at=at, product=LTC) for n, at in ((1, -605.1), (2, -605), (3, -597), (4, -1), (5, 0))])

    assert ids(search) == [2, 3, 4]


def test_who_knows_nothing_looks_no_further_back_than_an_hour_however_little_was_traded():
    search = Search(Need(LTC, limit=3), (60, 3600, 86_400), NOON)

    assert [search.page([]), search.page([])] == [True, False]
    assert search.complete


@pytest.mark.parametrize(("listed", "complete"), [((40, 107), True), ((107, 190), False)])
def test_a_list_that_was_cut_short_before_the_trade_that_we_had_is_not_taken_for_all(listed, complete):
    need = Need(LTC, after_id=40, from_ns=NOON - 600 * SECOND, after_ns=NOON - 660 * SECOND)
    search = Search(need, (3600,), NOON)

    search.page([make_trade(n, at=n - 700, product=LTC) for n in listed])

    assert search.complete == complete


@given(st.sets(st.integers(1, 200)), st.integers(0, 100), st.integers(2, 100), st.integers(1, 50))
def test_whatever_is_listed_of_a_hole_is_found_and_complete_means_all(listed, after, length, page):
    need = Need(BTC, after_id=after, before_id=after + length)

    search = searched(Search(need, (), NOON), sorted(listed), page)

    inside = {n for n in listed if after < n < after + length}
    if len(listed) < MOST_PAGES * page:
        assert set(ids(search)) == inside
    assert search.complete == (set(ids(search)) == set(range(after + 1, after + length)))
