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


@given(st.lists(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), min_size=1, max_size=8), max_size=4))
def test_what_is_remembered_at_once_is_as_remembered_one_by_one(runs):
    at_once, one_by_one = (Continuity(BTC, True, IdWindow(10)) for _ in range(2))

    for run in runs:
        ids, times = zip(*run, strict=True)
        at_once.remember_all(ids, times)
        for trade_id, traded_ns in run:
            one_by_one.remember(trade_id, traded_ns)

    assert (at_once.last_id, at_once.last_traded_ns) == (one_by_one.last_id, one_by_one.last_traded_ns)
    assert [n in at_once.ids for n in range(31)] == [n in one_by_one.ids for n in range(31)]
    assert at_once.ids.newest == one_by_one.ids.newest
