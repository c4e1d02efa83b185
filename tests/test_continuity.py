import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.continuity import Continuity
from poeticoins.model import Gap
from poeticoins.sequence import IdWindow
from tests.makers import BTC, NOON, make_trade


def continuity(*, contiguous: bool = True) -> Continuity:
    return Continuity(BTC, contiguous, IdWindow(1000))


def test_trades_in_step_pass_as_they_are():
    known = continuity()

    assert [known.accept(make_trade(n, n)) for n in (5, 6, 7)] == [[make_trade(n, n)] for n in (5, 6, 7)]


def test_a_known_trade_is_dropped():
    known = continuity()
    known.accept(make_trade(5))

    assert known.accept(make_trade(5)) == []


def test_a_jump_of_contiguous_ids_is_a_hole_before_the_trade():
    known = continuity()
    known.accept(make_trade(5, at=1))

    hole, trade = known.accept(make_trade(9, at=3))

    assert isinstance(hole, Gap)
    assert (hole.reason, hole.first_id, hole.last_id, hole.missing) == ("skipped ids", 6, 8, 3)
    assert (hole.from_ns, hole.to_ns) == (NOON + 1_000_000_000, NOON + 3_000_000_000)
    assert trade == make_trade(9, at=3)


def test_a_jump_of_ids_that_are_not_contiguous_says_nothing():
    known = continuity(contiguous=False)
    known.accept(make_trade(5))

    assert known.accept(make_trade(900, at=1)) == [make_trade(900, at=1)]


def test_an_older_trade_that_comes_late_is_flagged_and_makes_no_hole():
    known = continuity()
    known.accept(make_trade(5, at=1))
    known.accept(make_trade(7, at=3))

    assert known.accept(make_trade(6, at=2)) == [make_trade(6, at=2, late=True)]
    assert known.accept(make_trade(8, at=4)) == [make_trade(8, at=4)]


def test_ids_that_begin_anew_are_accepted():
    known = continuity()
    known.accept(make_trade(5000, at=1))

    assert known.accept(make_trade(1, at=2)) == [make_trade(1, at=2)]
    assert known.accept(make_trade(2, at=3)) == [make_trade(2, at=3)]


def test_what_the_journal_holds_is_known_after_a_restart():
    known = continuity()
    known.remember(5, NOON)
    known.remember(6, NOON + 1)

    assert known.accept(make_trade(6)) == []
    assert [type(item) for item in known.accept(make_trade(8, at=1))] == [Gap, type(make_trade(8))]


def test_a_lost_connection_is_a_hole_in_time_only_where_ids_do_not_tell():
    with_ids, without_ids, empty = continuity(), continuity(contiguous=False), continuity(contiguous=False)
    for known in (with_ids, without_ids):
        known.accept(make_trade(5))

    assert with_ids.disconnected(1, 2, died=False) is None
    assert empty.disconnected(1, 2, died=False) is None
    assert without_ids.disconnected(1, 2, died=False) == Gap(BTC, "disconnected", 1, 2)
    assert without_ids.disconnected(1, 2, died=True) == Gap(BTC, "client down", 1, 2)


@given(st.lists(st.integers(1, 60), max_size=80))
def test_every_id_is_delivered_once_and_missing_ones_are_named(ids):
    known = continuity()
    items = [item for n in ids for item in known.accept(make_trade(n, at=n))]

    delivered = [item.trade_id for item in items if not isinstance(item, Gap)]
    named = {n for gap in items if isinstance(gap, Gap) for n in range(gap.first_id, gap.last_id + 1)}
    assert delivered == list(dict.fromkeys(ids))
    if ids:
        assert named | set(ids) >= set(range(ids[0], max(ids) + 1))


@pytest.mark.parametrize(
    ("said", "overdue"),
    [
        ([(5, 0.0), (5, 9.0)], False),  # it names what we have
        ([(6, 0.0)], False),  # it may be on its way
        ([(6, 0.0), (6, 1.9)], False),
        ([(6, 0.0), (6, 2.0)], True),
        ([(6, 0.0), (7, 1.0), (9, 2.0)], True),  # it goes on, and none of it comes
        ([(6, 0.0), (5, 1.0), (6, 2.0)], False),
    ],
)
def test_an_exchange_that_stays_ahead_of_us_shows_a_hole_that_no_trade_has_revealed(said, overdue):
    known = continuity()
    known.accept(make_trade(5, at=1))

    assert [known.behind(newest, now, 2.0) for newest, now in said][-1] == overdue


def test_what_comes_in_time_is_no_hole():
    known = continuity()
    known.accept(make_trade(5, at=1))
    known.behind(6, 0.0, 2.0)
    known.accept(make_trade(6, at=2))

    assert not known.behind(7, 2.5, 2.0)
    assert known.behind(7, 4.5, 2.0)


def test_an_exchange_without_contiguous_ids_and_a_product_without_trades_are_never_behind():
    by_time, empty = continuity(contiguous=False), continuity()
    by_time.accept(make_trade(5))

    for known in (by_time, empty):
        assert not any(known.behind(9, now, 2.0) for now in (0.0, 10.0))


def test_a_hole_that_was_declared_is_not_declared_again_and_its_trades_are_welcome():
    known = continuity()
    known.accept(make_trade(5, at=1))

    hole = known.declare(7, NOON + 9)

    assert hole is not None
    assert (hole.first_id, hole.last_id, hole.missing, hole.to_ns) == (6, 7, 2, NOON + 9)
    assert known.declare(7, NOON + 10) is None
    assert not known.behind(7, 100.0, 0.0)
    assert known.accept(make_trade(8, at=4)) == [make_trade(8, at=4)]
    late = make_trade(6, at=2, origin="backfill")
    assert known.accept(late) == [make_trade(6, at=2, origin="backfill", late=True)]


def test_only_what_lies_beyond_a_declared_hole_is_a_further_one():
    known = continuity()
    known.accept(make_trade(5, at=1))
    known.declare(7, NOON + 9)

    hole, _ = known.accept(make_trade(10, at=4))

    assert (hole.first_id, hole.last_id) == (8, 9)


def test_an_exchange_that_names_trades_too_soon_hides_no_hole_and_is_given_longer():
    known = continuity()
    known.accept(make_trade(5, at=1))
    known.declare(10**15, NOON + 9)

    known.accept(make_trade(6, at=2))
    hole, _ = known.accept(make_trade(9, at=3))

    assert (hole.first_id, hole.last_id) == (7, 8)
    known.behind(10**15, 100.0, 2.0)
    assert not known.behind(10**15, 103.9, 2.0)
    assert known.behind(10**15, 104.0, 2.0)


@pytest.mark.parametrize(("times", "longer"), [(0, 1), (1, 2), (2, 4), (12, 1024)])
def test_an_exchange_is_given_twice_as_long_each_time_that_it_was_merely_slow(times, longer):
    known = continuity()
    known.accept(make_trade(5, at=1))
    for number in range(6, 6 + times):
        hole = known.declare(number, NOON + 9)
        assert hole is not None
        assert (hole.first_id, hole.last_id, hole.missing) == (number, number, 1)
        assert known.accept(make_trade(number, at=number)) == [make_trade(number, at=number)]

    assert not known.behind(900, 0.0, 2.0)
    assert not known.behind(900, 2.0 * longer - 0.1, 2.0)
    assert known.behind(900, 2.0 * longer, 2.0)


def test_only_what_is_older_than_the_newest_is_late_be_it_of_the_same_instant():
    known = continuity()
    assert known.known_id == 0
    known.accept(make_trade(5, at=1))
    known.accept(make_trade(7, at=3))

    assert not known.is_late(make_trade(7, at=3))
    assert known.is_late(make_trade(6, at=3))
