"""Frames in few characters: whatever is told is read back exactly, and nothing of it needs escaping."""

import json

from hypothesis import given
from hypothesis import strategies as some

from dashboards import terse
from dashboards.format import number_text, size_text
from tests.dashboards.reading import read

NOW = 1_788_000_000_000

moments = some.integers(NOW - 400 * 86_400_000, NOW + 5_000)
numbers = some.integers(0, 999)
decimals = some.decimals("0.00000001", "99999999", places=8) | some.decimals("1", "99999", places=2)
prices, sizes = decimals.map(number_text), decimals.map(size_text)
ids = some.integers(0, 2**64).map(str)
sides = some.sampled_from(["buy", "sell"])
parts = some.tuples(some.just("key"), prices, sizes, moments) | some.tuples(
    some.just("key"), prices, sizes, moments, moments
)
rows = some.tuples(ids, moments, prices, sizes, sides) | some.tuples(
    ids, moments, prices, sizes, sides, some.just(True)
)


@given(cards=some.lists(some.tuples(numbers, parts)), number=numbers, trades=some.lists(rows))
def test_what_is_told_is_read_back_exactly(cards, number, trades):
    told = [terse.card(each, part, NOW) for each, part in cards]
    tape = terse.tape(number, trades, NOW) if trades else ""

    text = terse.frame(NOW, told, tape)

    frame = read(text)
    assert frame["now"] == NOW
    assert frame["cards"] == [[str(each), *part[1:]] for each, part in cards]
    assert frame["tape"] == ([str(number), [list(row) for row in trades]] if trades else None)
    assert json.dumps(text) == f'"{text}"'


def test_row_tells_only_the_ends_of_what_the_row_before_has_too():
    trades = [
        ["720109998", NOW - 70, "67,829.30", "0.0119", "buy"],
        ["720109999", NOW - 69, "67,829.30", "0.5", "sell"],
        ["720110000", NOW - 2, "67,828.99", "1", "sell", True],
        ["99", NOW, "9.5", "1", "buy"],
    ]

    assert terse.tape(7, trades, NOW) == (
        "7;=720109998 70 =67,829.30 0.0119 b;9 69  0.5 s;10000 2 8.99 1 sl;=99 0 =9.5 1 b"
    )
