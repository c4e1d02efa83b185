"""What a child writes, as lines of the log: whole, escaped, bounded and limited, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.words import KEPT, LINES_A_SECOND, LINES_IN_A_FLOOD, Words

STAMP = "12:30:01"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"12:29:59 coinbase    live products=6\n", "12:29:59 coinbase    live products=6"),
        (b"a print\n", "12:30:01 coinbase    | a print"),
        (b"12:29:59 historical  not its own\n", "12:30:01 coinbase    | 12:29:59 historical  not its own"),
        (b"\x1b[31mred\a\n", r"12:30:01 coinbase    | \x1b[31mred\x07"),
        (b"\xff\xfe\n", r"12:30:01 coinbase    | \xff\xfe"),
        (b"ends with a blank \r\n", "12:30:01 coinbase    | ends with a blank"),
    ],
)
def test_a_line_gets_the_time_and_the_childs_name_unless_it_has_them(data, line):
    assert Words("coinbase").take(data, 0.0, STAMP) == [line]


def test_a_line_that_comes_in_pieces_is_one_line_and_blank_ones_are_none():
    words = Words("coinbase")

    assert words.take(b"\n \nin pie", 0.0, STAMP) == []
    assert words.take(b"ces\nnext", 0.0, STAMP) == ["12:30:01 coinbase    | in pieces"]
    assert words.finish(0.0, STAMP) == ["12:30:01 coinbase    | next"]


def test_a_line_without_end_takes_no_memory_and_is_cut():
    words = Words("coinbase")
    for _ in range(100):
        assert words.take(b"x" * 65_536, 0.0, STAMP) == []

    (line,) = words.take(b"y\nnext", 0.0, STAMP)

    assert len(line) < 4_200
    assert words.finish(0.0, STAMP) == ["12:30:01 coinbase    | next"]


def test_a_flood_is_cut_to_so_many_lines_a_second_and_then_to_fewer_and_the_rest_are_counted():
    words, written, mentioned = Words("coinbase"), [], 0

    for second in range(10):
        for part in range(10):
            for line in words.take(b"again\n" * 1_000, second + part / 10, STAMP):
                if "more lines" in line:
                    mentioned += int(line.split()[-3])
                else:
                    written.append(line)
        assert words.flooding

    for line in words.finish(10.0, STAMP):
        mentioned += int(line.split()[-3])
    assert len(written) == LINES_A_SECOND + 9 * LINES_IN_A_FLOOD
    assert len(written) + mentioned == 100_000


def test_a_child_that_falls_silent_after_a_flood_has_it_mentioned_and_its_next_burst_written():
    words = Words("coinbase")
    words.take(b"again\n" * 1_000, 0.0, STAMP)

    assert words.settle(0.5, STAMP) == []
    assert words.settle(1.0, STAMP) == ["12:30:01 coinbase    … and 800 more lines"]
    assert words.settle(2.0, STAMP) == []
    assert len(words.take(b"again\n" * 150, 3.0, STAMP)) == 150


def test_the_last_lines_are_kept_even_if_they_were_not_written():
    words = Words("coinbase")

    words.take(b"again\n" * 1_000 + b"12:29:59 coinbase    | ZeroDivisionError: a bug\n", 0.0, STAMP)

    assert list(words.kept) == ["again"] * (KEPT - 1) + ["| ZeroDivisionError: a bug"]


def test_of_stacks_the_first_lines_are_kept():
    words = Words("coinbase", keep_first=True)

    for i in range(30):
        words.take(f"frame {i}\n".encode(), 0.0, STAMP)

    assert list(words.kept) == [f"frame {i}" for i in range(KEPT)]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_no_bytes_break_a_line_or_write_another_childs(parts):
    words, lines = Words("coinbase"), []
    for part in parts:
        lines += words.take(part, 0.0, STAMP)
    lines += words.finish(0.0, STAMP)

    for line in lines:
        assert line.isprintable()
        assert line[9:].startswith("coinbase    ")
    assert all(len(kept) <= 200 and kept.isprintable() for kept in words.kept)
