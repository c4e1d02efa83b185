import struct
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins import wire
from poeticoins.candles import BAR_DTYPE
from poeticoins.errors import BadFrame, WireMismatch
from poeticoins.model import Gap
from tests.makers import BTC, make_trade


@pytest.mark.parametrize(
    "item",
    [
        make_trade(5, size="1E-8", side="sell", received_at_ns=7, origin="snapshot", late=True, epoch=3, sequence=9),
        Gap(BTC, "skipped ids", 5, 9, 100, 104, 5, epoch=3, sequence=8),
        Gap(BTC, "client down", 5, 9, epoch=3, sequence=8),
    ],
)
def test_what_is_published_is_read_again(item):
    frame = wire.frame(wire.topic(BTC), wire.message_of(item))

    name, message = wire.decode_frame(frame)

    assert name == "coinbase:BTC-USD"
    assert wire.item_of(message, BTC) == item


def test_a_trade_is_an_array_that_any_msgpack_reads():
    trade = make_trade(5, price="67829.30", size="0.01", received_at_ns=7, epoch=3, sequence=9)

    topic, _, body = wire.frame(wire.topic(BTC), wire.message_of(trade)).partition(b"\0")

    assert topic == b"coinbase:BTC-USD"
    assert msgspec.msgpack.decode(body) == [
        "trade", 1, 3, 9, 5, "67829.30", "0.01", "buy", trade.traded_at_ns, 7, "live", False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (wire.decode_question, ["products", 2]),
        (wire.decode_question, ["weather", 2, "tomorrow"]),
        (wire.decode_answer, ["products", 2, "demo", []]),
        (lambda data: wire.decode_frame(b"coinbase:BTC-USD\0" + data), ["heartbeat", 2, 1, 1]),
        (lambda data: wire.decode_frame(b"coinbase:BTC-USD\0" + data), ["trade", 2, "another shape"]),
    ],
)
def test_another_version_says_which_side_to_restart(decode, body):
    with pytest.raises(WireMismatch, match="speaks wire version 2, this process 1: restart this process"):
        decode(msgspec.msgpack.encode(body))


def test_an_older_version_says_to_restart_the_other_side():
    with pytest.raises(WireMismatch, match="restart the publisher"):
        wire.decode_frame(b"x\0" + msgspec.msgpack.encode(["heartbeat", 0, 1, 1]))


@pytest.mark.parametrize(
    "question",
    [
        ["trades", 1, "coinbase:BTC-USD", 0, 0, None],
        ["trades", 1, "coinbase:BTC-USD", -5],
        ["trades", 1, "coinbase:BTC-USD", 10**9],
        ["trades", 1, "coinbase:BTC-USD", 5, -1],
        ["candles", 1, "coinbase:BTC-USD", 0, 5],
        ["replay", 1, "coinbase:BTC-USD", 1, 0, 5],
        ["replay", 1, "coinbase:BTC-USD"],
        ["weather", 1],
        {},
        None,
    ],
)
def test_a_question_out_of_bounds_is_refused(question):
    with pytest.raises(ValueError, match=r"\w"):
        wire.decode_question(msgspec.msgpack.encode(question))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_clean_refusal(data):
    for decode in (wire.decode_question, wire.decode_answer, wire.decode_frame):
        for message in (data, b"x\0" + data):
            with suppress(ValueError, WireMismatch):
                decode(message)


def test_a_price_from_the_bus_is_checked_like_one_from_an_exchange():
    message = wire.trade_message(make_trade(1))
    with pytest.raises(BadFrame):
        wire.trade_of(msgspec.structs.replace(message, price="1e20000000"), BTC)


def test_candles_lie_on_the_wire_as_documented():
    assert BAR_DTYPE.itemsize == struct.calcsize("<q6dI") == 60
