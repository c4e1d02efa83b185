import struct
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins import record
from poeticoins.model import Gap, Refill, Trade, number
from poeticoins.ring import RECORD_DTYPE
from tests.makers import BTC, make_trade

decimals = st.builds(
    lambda mantissa, exponent: Decimal(mantissa).scaleb(exponent), st.integers(1, 10**12 - 1), st.integers(-18, 0)
)
trades = st.builds(
    Trade,
    product=st.just(BTC),
    trade_id=st.integers(0, 2**63 - 1),
    price=decimals,
    size=decimals,
    side=st.sampled_from(["buy", "sell"]),
    traded_at_ns=st.integers(0, 2**62),
    received_at_ns=st.integers(0, 2**62),
    origin=st.sampled_from(record.ORIGINS),
    late=st.booleans(),
    epoch=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**64 - 1),
)


@given(trades)
def test_a_trade_survives_its_record_digit_for_digit(trade):
    again = record.unpack(record.pack(trade), BTC)

    assert again == trade
    assert (str(again.price), str(again.size)) == (str(trade.price), str(trade.size))


def test_bitstamps_smallest_size_keeps_its_spelling():
    trade = make_trade(1, size=str(number("1E-8")))

    assert str(record.unpack(record.pack(trade), BTC).size) == "1E-8"


def test_a_scripts_own_decimal_context_changes_no_price():
    trade = make_trade(1, price="6782930.12", size="0.123456789")

    with localcontext(prec=3):
        again = record.unpack(record.pack(trade), BTC)

    assert (again.price, again.size) == (trade.price, trade.size)


@pytest.mark.parametrize(
    ("item", "fields"),
    [
        (
            Trade(BTC, 7, Decimal("100.50"), Decimal("25E1"), "sell", 11, 12, "backfill", True, 3, 2**63),
            (2**63, 7, 11, 12, 10050, 25, -2, 1, 0, 1 + 2 + (2 << 2), 3),
        ),
        (Trade(BTC, 7, Decimal(1), Decimal(2), "buy", 11, 12), (0, 7, 11, 12, 1, 2, 0, 0, 0, 0, 0)),
        (Gap(BTC, "skipped ids", 5, 9, 0, 0, 1, epoch=3, sequence=8), (8, 0, 5, 9, 0, 1, 0, 0, 1, 0, 3)),
        (Gap(BTC, "client down", 5, 9, epoch=3, sequence=9), (9, -1, 5, 9, -1, -1, 0, 0, 1, 2, 3)),
        (Refill(BTC, 8, 9, epoch=3, sequence=10), (10, 8, 9, 0, 0, 0, 0, 0, 2, 0, 3)),
    ],
)
def test_a_record_lies_byte_for_byte_as_the_journals_on_disk_have_it(item, fields):
    packed = struct.pack("<QqqqqqbbBBI", *fields)

    assert record.pack(item) == packed
    assert record.unpack(packed, BTC) == item
    assert (record.RECORD.unpack(packed)[record.KIND], [*record.sequences(packed)]) == (fields[8], [fields[0]])


def test_the_rings_columns_are_the_journals_bytes():
    assert RECORD_DTYPE.itemsize == record.RECORD_SIZE == 56
    offsets = [RECORD_DTYPE.fields[name][1] for name in RECORD_DTYPE.names]
    assert offsets == [0, 8, 16, 24, 32, 40, 48, 49, 50, 51, 52]


others = st.builds(Gap, product=st.just(BTC), reason=st.just("disconnected"), from_ns=st.just(1), to_ns=st.just(2))


@given(st.lists(trades | others, max_size=12), st.integers(0, 12))
def test_columns_say_what_the_records_say(items, before):
    records = b"".join(map(record.pack, items))
    kinds = [isinstance(item, Trade) for item in items]

    assert [*record.sequences(records)] == [item.sequence for item in items]
    assert record.trade_ids(records) == [item.trade_id for item in items if isinstance(item, Trade)]
    assert record.other_places(records) == [place for place, is_trade in enumerate(kinds) if not is_trade]
    assert record.newest_id(records) == max((record.RECORD.unpack(record.pack(item))[1] for item in items), default=0)
    for end in {min(before, len(items)), None}:
        in_order = [item for item in items[:end] if isinstance(item, Trade) and not item.late]
        found = record.last_in_order(records, end)
        assert (found and record.unpack(found, BTC)) == (in_order[-1] if in_order else None)


def test_places_of_records_are_those_of_their_trades():
    trades = [make_trade(n, at=n) for n in (4, 9, 5)]

    assert record.places(b"".join(map(record.pack, trades))) == [(each.traded_at_ns, each.trade_id) for each in trades]
    assert record.places(b"") == []


@pytest.mark.parametrize(
    ("epochs_and_sequences", "named", "are_those"),
    [
        ([(7, 3), (7, 4)], (7, 3, 4), True),
        ([], (7, 3, 2), True),
        ([], (7, 9, 2), True),
        ([(7, 3), (7, 4)], (7, 3, 5), False),
        ([(7, 3), (7, 4)], (7, 2, 3), False),
        ([(7, 4), (7, 3)], (7, 3, 4), False),
        ([(7, 3), (8, 4)], (7, 3, 4), False),
        ([(2**32 - 1, 3)], (2**32 - 1, 3, 3), True),
        ([(7, 3), (7, 4)], (7, 3, 2**62), False),
        ([(7, 3)], (7, 3, 2), False),
    ],
)
def test_records_are_those_that_they_are_said_to_be(epochs_and_sequences, named, are_those):
    trades = [make_trade(n, epoch=epoch, sequence=n) for epoch, n in epochs_and_sequences]
    records = b"".join(map(record.pack, trades))

    assert record.are_those(records, *named) is are_those
    assert not record.are_those(records + b"\0", *named)


def test_records_are_not_those_if_one_is_torn():
    records = bytearray(record.pack(make_trade(3, epoch=7, sequence=3)))
    records[50] = 9

    assert not record.are_those(records, 7, 3, 3)


LEAST = {record.TRADE: (0, 1, 0, 1, 1), record.GAP: (-1, 0, 0, -1, -1), record.REFILL: (-1, 0, 0, -1, -1)}
"""Of each kind: the least that each of the five numbers after the sequence may be."""
LAST_FLAG = {record.TRADE: 11, record.GAP: len(record.REASONS) - 1, record.REFILL: 0}


def made_of(kind: int, numbers, flags: int = 0) -> bytes:
    return record.RECORD.pack(1, *numbers, 0, 0, kind, flags, 7)


ALONE, BESIDE = b"", made_of(record.GAP, LEAST[record.GAP]) + made_of(record.TRADE, LEAST[record.TRADE])


@pytest.mark.parametrize("others", [ALONE, BESIDE], ids=["alone", "beside others"])
@pytest.mark.parametrize("kind", LEAST)
def test_records_are_whole_if_each_number_of_each_is_one_that_may_be_written(kind, others):
    assert record.are_whole(made_of(kind, LEAST[kind], LAST_FLAG[kind]) + others)
    assert not record.are_whole(others + made_of(kind, LEAST[kind], LAST_FLAG[kind] + 1))
    for at in range(5):
        numbers = [least - (place == at) for place, least in enumerate(LEAST[kind])]
        assert not record.are_whole(made_of(kind, numbers) + others)


@pytest.mark.parametrize("others", [ALONE, BESIDE], ids=["alone", "beside others"])
def test_records_of_a_kind_that_there_is_not_or_cut_off_are_not_whole(others):
    assert record.are_whole(others)
    assert not record.are_whole(others + made_of(3, LEAST[record.TRADE]))
    assert not record.are_whole(others + made_of(record.TRADE, LEAST[record.TRADE])[:-1])


def test_all_of_a_record_that_has_a_name_is_where_the_name_says():
    fields = record.RECORD.unpack(record.pack(make_trade(3, side="sell", epoch=9)))

    assert [fields[at] for at in (record.KIND, record.FLAGS, record.EPOCH)] == [record.TRADE, record.SELL, 9]


def test_records_are_unpacked_one_by_one_in_their_order():
    trades = [make_trade(n, epoch=7, sequence=n) for n in (3, 4, 5)]

    assert record.unpacked(b"".join(map(record.pack, trades)), BTC) == trades
    assert record.unpacked(b"", BTC) == []


def test_what_is_no_record_is_refused_and_its_beginning_told():
    with pytest.raises(ValueError, match=f"^expected a record of 56 bytes, got {'07' * 64}$"):
        record.unpack(b"\7" * 70, BTC)
