"""Against bytes that are spelled out here, since journals of earlier versions lie on disks."""

import struct

import pytest

from poeticoins import journal_layout as layout
from poeticoins.model import Gap
from poeticoins.record import pack, unpack
from tests.makers import BTC, NOON, make_trade

OURS = layout.identity_of("demo", BTC)
EPOCH = 2**32 - 1
ALIVE = NOON + 77


def file_of(trades: range, capacity: int = 5, identity: bytes = b"demo coinbase:BTC-USD") -> bytearray:
    """A journal of which these trades were the last; each was received 3 ns after its id."""
    content = bytearray(4096 + 56 * capacity)
    struct.pack_into("<20s44sII", content, 0, b"poeticoins journal 1", identity, EPOCH, capacity)
    struct.pack_into("<QQQQ", content, 128, trades.stop, ALIVE, len(trades), 0)
    for n in trades:
        at = 4096 + (n - 1) % capacity * 56
        struct.pack_into("<Qqqqqq4xI", content, at, n, n + 100, NOON + n, n + 3, 1, 1, EPOCH)
    return content


def put(content: bytearray, slot: int, record: bytes) -> bytearray:
    content[4096 + slot * 56 : 4096 + (slot + 1) * 56] = record
    return content


def test_a_new_journal_lies_byte_for_byte_as_those_on_disk():
    empty = file_of(range(1, 1))
    empty[136:144] = bytes(8)  # nobody has lived yet

    header = layout.new_header(OURS, EPOCH, 5)

    assert header == empty[: len(header)]
    assert not any(empty[len(header) :])
    assert layout.size_of(5) == len(empty) == 4376
    assert [layout.place_of(sequence, 5) for sequence in (1, 5, 6)] == [4096, 4320, 4096]


FOREIGN = b"live \xff\nX"


@pytest.mark.parametrize(
    ("content", "capacity", "expected"),
    [
        (file_of(range(3, 8)), 5, (EPOCH, None)),
        (file_of(range(1, 4))[:151], 5, (0, "expected a journal of version 1")),
        (b"POETICOINS" + file_of(range(1, 4))[10:], 5, (0, "expected a journal of version 1")),
        (file_of(range(1, 4))[:152], 5, (EPOCH, "expected 4376 bytes, found 152")),
        (file_of(range(1, 4)), 6, (EPOCH, "its capacity is 5, the settings say 6")),
        (
            file_of(range(1, 4), identity=FOREIGN), 5,
            (0, r"expected the journal of 'demo coinbase:BTC-USD', found that of 'live \ufffd\nX'"),
        ),
        (
            put(file_of(range(1, 4)), 0, bytes(56)), 5,
            (EPOCH, "some of its records are not those that its header names"),
        ),
    ],
)  # fmt: skip
def test_a_file_is_examined_before_it_is_written_on(content, capacity, expected):
    assert layout.examine(bytes(content), OURS, capacity) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (file_of(range(3, 8)), (107, ALIVE)),
        (file_of(range(8, 9), capacity=1), (108, ALIVE)),
        (put(file_of(range(3, 8)), 2, pack(Gap(BTC, "disconnected", 1, 2, sequence=8))), (107, ALIVE)),
        (put(file_of(range(3, 8)), 1, pack(Gap(BTC, "disconnected", 1, 2, sequence=7))), (106, 0)),
        (put(file_of(range(3, 8)), 1, pack(make_trade(9, sequence=7, epoch=EPOCH, late=True))), (106, 0)),
        (put(file_of(range(3, 8)), 0, pack(make_trade(9, sequence=77, epoch=EPOCH))), (107, ALIVE)),  # torn
        (put(file_of(range(3, 8)), 1, pack(make_trade(9, sequence=7, epoch=7))), (106, 0)),  # torn too
        (put(file_of(range(1, 3)), 1, pack(make_trade(0, at=4, sequence=2, epoch=EPOCH))), (0, ALIVE)),
        (file_of(range(3, 8))[: 4096 + 56 + 30], (106, 0)),
        (put(file_of(range(1, 1)), 4, pack(make_trade(9, sequence=0, epoch=EPOCH))), None),
        (file_of(range(1, 1)), None),
        (file_of(range(3, 8))[:4095], None),
        (file_of(range(3, 8), identity=FOREIGN), None),
    ],
)  # fmt: skip
def test_of_a_file_that_is_put_aside_the_newest_whole_trade_in_order_is_inherited(content, expected):
    found = layout.inheritance(bytes(content), OURS)

    assert (found and (unpack(found.record, BTC).trade_id, found.alive_at_ns)) == expected


@pytest.mark.parametrize(
    ("first", "limit", "expected"),
    [(1, None, [4, 5, 6, 7]), (6, None, [6, 7]), (5, 1, [5]), (5, 2, [5, 6]), (8, None, []), (12, 3, [])],
)
def test_a_tail_holds_what_was_asked_for_as_far_as_it_is_there(first, limit, expected):
    tail = layout.tail(memoryview(file_of(range(3, 8))), first, limit)  # 3 may be overwritten at any moment

    assert [number for number, *_ in struct.iter_unpack("<Q48x", tail.records)] == expected
    assert (tail.epoch, tail.alive_at_ns) == (EPOCH, ALIVE)
    assert (tail.first, tail.last) == ((expected[0], expected[-1]) if expected else (first, first - 1))


@pytest.mark.parametrize(("written", "left"), [(0, [4, 5, 6, 7]), (1, [5, 6, 7]), (3, [7]), (9, [])])
def test_what_the_writer_may_have_reached_during_the_copy_is_left_out(monkeypatch, written, left):
    content, copy = file_of(range(3, 8)), layout._copy

    def copy_meanwhile(*arguments):
        struct.pack_into("<Q", content, 128, 8 + written)
        return copy(*arguments)

    monkeypatch.setattr(layout, "_copy", copy_meanwhile)
    tail = layout.tail(memoryview(content), 1, None)

    assert [number for number, *_ in struct.iter_unpack("<Q48x", tail.records)] == left
    assert tail.first == 4 + written
    assert tail.last == max(7, tail.first - 1)


@pytest.mark.parametrize(
    ("content", "is_ours"),
    [
        (file_of(range(3, 8)), True),
        (file_of(range(3, 8))[:-1], False),
        (file_of(range(3, 8))[:60], False),
        (file_of(range(3, 8), identity=FOREIGN), False),
    ],
)
def test_only_a_whole_file_of_the_mode_and_product_is_read(content, is_ours):
    assert layout.is_journal(memoryview(content), OURS) == is_ours
