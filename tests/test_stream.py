"""What a reader is told of a new journal; the rest of a stream's life is told by the line's tests."""

import pytest

from poeticoins.model import SECOND, Gap
from poeticoins.stream import _Follower
from tests.makers import BTC, NOON, make_trade


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        ([3, 4, 5], [4, 5]),  # it begins with what is known
        ([2, 3, 9], [9]),  # the journal itself would name what is missing
        ([0, 1, 4], ["0 late", 4]),
        ([4, 5], [4, 5]),
        ([5, 6], [("overrun", None, NOON + 3 * SECOND, NOON + 5 * SECOND), 5, 6]),
    ],
)
def test_a_new_journal_that_does_not_go_on_from_where_the_reader_is_comes_after_a_gap(journal, expected):
    follower = _Follower(BTC, history=0)
    for epoch, numbers in ((7, [1, 2, 3]), (9, journal)):
        trades = [make_trade(n, at=n, epoch=epoch, sequence=at) for at, n in enumerate(numbers, 1)]
        delivered = follower.delivered(trades)

    assert [told(item) for item in delivered] == expected


@pytest.mark.parametrize(("first", "named"), [(3, 0), (4, 1)])
def test_a_new_journal_whose_beginning_is_lost_comes_after_a_gap_unless_it_repeats_what_is_known(first, named):
    follower = _Follower(BTC, history=0)
    follower.delivered([make_trade(n, at=n, epoch=7, sequence=n) for n in (1, 2, 3)])

    delivered = follower.delivered([make_trade(first, at=first, epoch=9, sequence=2)])

    assert [type(item) for item in delivered].count(Gap) == named


def test_a_reader_that_knows_nothing_misses_nothing():
    trade = make_trade(5, epoch=9, sequence=1)

    assert _Follower(BTC, history=0).delivered([trade]) == [trade]


def told(item):
    if isinstance(item, Gap):
        return item.reason, item.missing, item.from_ns, item.to_ns
    return f"{item.trade_id} late" if item.late else item.trade_id
