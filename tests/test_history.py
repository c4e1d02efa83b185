import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.chart import Kept
from poeticoins.config import Settings
from poeticoins.history import History, split
from poeticoins.model import SECOND, Gap, Refill
from poeticoins.record import pack, unpack
from tests.makers import BTC, NOON, make_trade


def placed(item, sequence: int, epoch: int = 7):
    return msgspec.structs.replace(item, sequence=sequence, epoch=epoch)


def history(capacity: int = 100) -> History:
    return History(BTC, Settings(ring_capacity=capacity, bars_1s=100, bars_1m=50, bars_1h=20, bars_1d=10))


def fed(kept: History, items, epoch: int = 7, first: int = 1) -> History:
    for sequence, item in enumerate(items, first):
        kept.message(epoch, sequence, pack(placed(item, sequence, epoch)))
    return kept


def ids(kept: History, limit: int = 1000, **rest) -> list[int]:
    return kept.trades(limit, **rest)[0]["trade_id"].tolist()


def test_trades_are_answered_in_the_markets_order_whatever_order_they_came_in():
    kept = fed(
        history(), [make_trade(3, at=3), make_trade(1, at=1, late=True), make_trade(2, at=2), make_trade(4, at=3)]
    )

    assert ids(kept) == [1, 2, 3, 4]
    assert ids(kept, limit=2) == [3, 4]
    assert kept.last_trade.trade_id == 4


def test_the_newest_trades_can_be_asked_for_by_number_time_and_page():
    kept = fed(history(), [make_trade(n, at=n) for n in range(1, 21)])

    assert ids(kept, limit=3) == [18, 19, 20]
    assert ids(kept, since_ns=NOON + 19 * SECOND) == [19, 20]
    assert ids(kept, limit=2, before=(NOON + 18 * SECOND, 18)) == [16, 17]


def test_the_ring_keeps_the_newest():
    kept = fed(history(capacity=10), [make_trade(n, at=n) for n in range(1, 26)])

    assert ids(kept) == [*range(16, 26)]


def test_a_gap_is_kept_and_is_no_trade():
    gap = Gap(BTC, "skipped ids", NOON, NOON + 1, 2, 4, 3)
    kept = fed(history(), [make_trade(1), gap, make_trade(5, at=1)])

    assert ids(kept) == [1, 5]
    assert list(kept.gaps) == [placed(gap, 2)]


def test_a_hole_is_wanted_and_filled_from_the_journal():
    kept = fed(history(), [make_trade(1)])
    kept.message(7, 4, pack(placed(make_trade(4, at=4), 4)))

    assert kept.wanted == (7, 2, 3)
    records = b"".join(pack(placed(make_trade(n, at=n), n)) for n in (2, 3))
    kept.restore(7, 2, 3, records)

    assert ids(kept) == [1, 2, 3, 4]
    assert kept.wanted is None


def test_what_the_journal_has_lost_is_a_gap_of_known_size():
    kept = fed(history(), [make_trade(1)])
    kept.heartbeat(7, 10)

    kept.restore(7, 9, 10, b"".join(pack(placed(make_trade(n, at=n), n)) for n in (9, 10)))

    assert ids(kept) == [1, 9, 10]
    assert [(gap.reason, gap.missing) for gap in kept.gaps] == [("overrun", 7)]


def test_a_restart_begins_with_the_journal_and_calls_nothing_lost():
    kept = history()

    kept.restore(7, 301, 302, b"".join(pack(placed(make_trade(n, at=n), n)) for n in (301, 302)))

    assert ids(kept) == [301, 302]
    assert not kept.gaps
    assert kept.next == (7, 303)


def test_a_new_journal_that_repeats_trades_adds_none_twice():
    kept = fed(history(), [make_trade(n, at=n) for n in (1, 2, 3)])

    fed(kept, [make_trade(n, at=n) for n in (2, 3, 4)], epoch=9)

    assert ids(kept) == [1, 2, 3, 4]


def test_candles_follow_late_trades():
    kept = fed(history(), [make_trade(2, at=0.5, price="10"), make_trade(3, at=1.5, price="30"),
                           make_trade(1, at=0.25, price="20", late=True)])  # fmt: skip

    first, second = kept.candles(SECOND, 10)

    assert (first["open"], first["high"], first["close"], first["trades"]) == (20, 20, 10, 2)
    assert (second["open"], second["trades"]) == (30, 1)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(1, 30, (16, 25)), (20, 22, (20, 22)), (26, 30, (26, 25)), (24, 99, (24, 25))],
)
def test_a_replay_answers_what_it_has_and_says_which_part_that_is(first, last, expected):
    kept = fed(history(capacity=10), [make_trade(n, at=n) for n in range(1, 26)])

    epoch, begins, ends, records = kept.replay(7, first, last)

    assert (epoch, begins, ends) == (7, *expected)
    assert [sequence for sequence, _ in split(records)] == [*range(begins, ends + 1)]


def test_a_replay_of_another_epoch_is_empty_and_names_ours():
    kept = fed(history(), [make_trade(1)])

    assert kept.replay(6, 1, 5) == (7, 1, 0, b"")


def test_a_replay_never_covers_what_was_lost_on_the_way():
    kept = fed(history(), [make_trade(1)])
    kept.heartbeat(7, 10)
    kept.restore(7, 9, 10, b"".join(pack(placed(make_trade(n, at=n), n)) for n in (9, 10)))

    assert kept.replay(7, 1, 10)[1:3] == (9, 10)


@given(st.lists(st.integers(1, 40), max_size=60, unique=True), st.integers(1, 20), st.integers(1, 30))
def test_any_order_of_arrival_gives_the_same_answers(arrival, limit, capacity):
    kept = fed(history(capacity), [make_trade(n, at=n // 3) for n in arrival])

    kept_ids = sorted(arrival[-capacity:])

    assert ids(kept, limit=limit) == kept_ids[-limit:]
    assert (kept.last_trade.trade_id if arrival else None) == max(arrival, default=None)


@given(st.lists(st.integers(1, 40), max_size=60, unique=True), st.integers(1, 30))
def test_a_window_restored_at_once_is_the_one_that_was_filled_one_by_one(arrival, capacity):
    items = [make_trade(n, at=n // 3, late=n % 2 == 0) for n in arrival]
    grown = fed(history(capacity), items)
    records = b"".join(pack(placed(item, sequence)) for sequence, item in enumerate(items, 1))

    restored = history(capacity)
    if items:
        restored.restore(7, 1, len(items), records)

    assert ids(restored) == ids(grown)
    assert restored.next == grown.next or not items
    assert (restored.last_trade or grown.last_trade) is None or restored.last_trade.trade_id == max(arrival)
    if len(items) <= capacity:  # bars outlive the ring's trades
        assert restored.candles(SECOND, 99).tolist() == grown.candles(SECOND, 99).tolist()


def test_a_window_of_the_default_size_stays_within_ten_megabytes():
    kept = History(BTC, Settings())
    arrays = [kept._window.ring._records, *(tier._bars for tier in kept.chart._ours._tiers)]

    used = kept._window.ring.capacity * 56 + sum(capacity * 60 for capacity in (86_400, 10_080, 8_784, 3_660))

    assert used <= 10e6
    assert sum(array.nbytes for array in arrays) <= 10e6  # with the room in which bars slide


def test_records_survive_the_way_through_history():
    trade = placed(make_trade(9, price="0.00001234", size="1E-8", side="sell"), 1)
    kept = history()
    kept.message(7, 1, pack(trade))

    assert kept.last_trade == unpack(pack(trade), BTC) == trade


def tiers(kept: History) -> list[list]:
    return [kept.candles(interval, 999).tolist() for interval in (SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND)]


def restarted(on_disk: Kept | None, items, first: int = 1, epoch: int = 7) -> History:
    """What a new process knows: `on_disk`, and a journal that holds `items` from the sequence `first` on."""
    kept = history()
    if on_disk:
        kept.restore_bars(msgspec.msgpack.decode(msgspec.msgpack.encode(on_disk), type=Kept))
    records = b"".join(pack(placed(item, sequence, epoch)) for sequence, item in enumerate(items, first))
    kept.restore(epoch, first, first + len(items) - 1, records)
    return kept


@given(st.lists(st.integers(1, 400), min_size=2, max_size=60, unique=True), st.data())
def test_bars_on_disk_and_a_journal_that_reaches_back_to_them_are_all_there_was(arrival, data):
    saved = data.draw(st.integers(1, len(arrival)), label="saved")
    oldest = data.draw(st.integers(1, saved + 1), label="oldest")
    # a second has one trade, or all of them are in the journal still: no bar could tell the order of others
    items = [make_trade(n, at=n if n % 3 else n + 0.5, price=str(100 + n % 7), late=n % 2 == 0) for n in arrival]
    grown = fed(history(), items)

    kept = restarted(fed(history(), items[:saved]).kept(), items[oldest - 1 :], oldest)
    after = make_trade(500, at=500)
    for each in (grown, kept):
        each.message(7, len(items) + 1, pack(placed(after, len(items) + 1)))

    assert tiers(kept) == tiers(grown)
    assert kept.chart.began_ns == grown.chart.began_ns
    assert kept.last_trade == grown.last_trade
    assert not kept.gaps


def test_what_the_journal_had_lost_when_it_was_read_again_is_a_gap_in_the_bars():
    on_disk = fed(history(), [make_trade(n, at=n) for n in range(1, 11)]).kept()

    kept = restarted(on_disk, [make_trade(n, at=n) for n in range(15, 21)], first=15)

    assert kept.candles(SECOND, 99)["trades"].sum() == 16
    gap, *others = kept.gaps
    assert (gap.reason, gap.missing, others) == ("overrun", 4, [])
    assert (gap.from_ns, gap.to_ns) == (NOON + 10 * SECOND, NOON + 15 * SECOND)


def test_a_new_journal_that_repeats_trades_adds_none_twice_to_bars_on_disk():
    on_disk = fed(history(), [make_trade(n, at=n) for n in (1, 2, 3)]).kept()

    kept = restarted(on_disk, [make_trade(n, at=n) for n in (2, 3, 4)], epoch=9)
    fed(kept, [make_trade(1, at=1, late=True), make_trade(5, at=5)], epoch=9, first=4)

    assert kept.candles(86_400 * SECOND, 9)["trades"].tolist() == [5]


def test_a_new_journal_repeats_nothing_in_bars_that_were_kept_since_it_began():
    """The past comes last, after the first live trade; historical is restarted in between, more than once."""
    before = fed(history(), [make_trade(n, at=n) for n in (1, 2, 3)])
    journal = [make_trade(4, at=4), *(make_trade(n, at=n, late=True) for n in (3, 2, 1))]

    kept = fed(before, journal[:1], epoch=9)
    for there in (2, 3):
        kept = restarted(kept.kept(), journal[:there], epoch=9)
    fed(kept, journal[3:], epoch=9, first=4)

    assert kept.candles(86_400 * SECOND, 9)["trades"].tolist() == [4]


@pytest.mark.parametrize(
    ("first", "expected"),
    [(2, []), (3, []), (4, []), (5, [("overrun", None, NOON + 3 * SECOND, NOON + 5 * SECOND)])],
)
@pytest.mark.parametrize("restart", [False, True])
def test_a_new_journal_that_does_not_go_on_from_what_is_known_leaves_a_gap_of_unknown_size(first, expected, restart):
    before = fed(history(), [make_trade(n, at=n) for n in (1, 2, 3)])
    journal = [make_trade(n, at=n) for n in range(first, 8)]

    kept = restarted(before.kept(), journal, epoch=9) if restart else fed(before, journal, epoch=9)

    assert [(gap.reason, gap.missing, gap.from_ns, gap.to_ns) for gap in kept.gaps] == expected


@pytest.mark.parametrize(
    ("epoch", "first", "named"),
    [(7, 1, False), (7, 3, False), (7, 4, False), (7, 5, True), (9, 1, False), (9, 5, True)],
)
def test_bars_whose_journal_was_gone_end_in_a_gap_if_what_is_heard_next_does_not_go_on_from_them(epoch, first, named):
    kept = history()
    kept.restore_bars(fed(history(), [make_trade(n, at=n) for n in (1, 2, 3)]).kept())
    trade = make_trade(first, at=first)

    kept._file(pack(placed(trade, first, epoch)))

    assert [gap.reason for gap in kept.gaps] == ["overrun"] * named


def test_what_a_new_journal_repeats_after_two_restarts_is_in_the_bars_once():
    """The first time there was no journal yet, and nobody to be heard but its client."""
    first = fed(history(), [make_trade(n, at=n) for n in (1, 2, 3)])
    second = history()
    second.restore_bars(first.kept())
    journal = [make_trade(3, at=3), make_trade(4, at=4)]
    fed(second, journal, epoch=9)

    third = restarted(second.kept(), journal, epoch=9)
    fed(third, [make_trade(n, at=n, late=True) for n in (1, 2)], epoch=9, first=3)

    assert [bar[-1] for bar in third.candles(SECOND, 9).tolist()] == [1, 1, 1, 1]


def test_known_gaps_survive_with_the_bars_also_those_that_the_journal_has_lost():
    gap = Gap(BTC, "skipped ids", NOON, NOON + 1, 2, 4, 3)
    refill = Refill(BTC, 2, NOON + 9)
    items = [make_trade(1), gap, refill, gap, make_trade(9, at=9)]
    before = fed(history(), items)

    kept = restarted(before.kept(), items[3:], first=4)

    assert list(kept.gaps) == list(before.gaps)
    assert [each.refilled_at_ns for each in kept.gaps] == [NOON + 9, None]


def test_a_days_late_trades_hold_up_no_answer_for_long():
    kept = History(BTC, Settings())
    fed(kept, [make_trade(20_000 + n, at=2000 + n / 10) for n in range(20_000)])
    late = [make_trade(n, at=n / 10, late=True) for n in range(20_000)]

    began = time.process_time()
    fed(kept, late, first=20_001)
    candles = kept.candles(SECOND, 10_000)
    took = time.process_time() - began

    assert candles["trades"].sum() == 40_000
    assert took < 2  # each looked through the ring by itself: 6 s, in which historical counts as hung


def test_a_replay_tells_others_what_a_new_journal_repeats_although_it_is_kept_once():
    kept = fed(history(), [make_trade(n, at=n) for n in (1, 2, 3)])
    fed(kept, [make_trade(n, at=n) for n in (2, 3, 4)], epoch=9)

    epoch, begins, ends, records = kept.replay(9, 1, 5)

    assert (epoch, begins, ends) == (9, 1, 3)
    assert [unpack(record, BTC).trade_id for _, record in split(records)] == [2, 3, 4]


def test_what_a_new_journal_repeats_is_told_also_by_a_ring_that_has_come_round():
    kept = fed(history(capacity=10), [make_trade(n, at=n) for n in range(1, 21)])
    fed(kept, [make_trade(n, at=n) for n in range(16, 24)], epoch=9)

    epoch, begins, ends, records = kept.replay(9, 1, 8)

    assert (epoch, begins, ends) == (9, 1, 8)
    assert [unpack(record, BTC).trade_id for _, record in split(records)] == [*range(16, 24)]
