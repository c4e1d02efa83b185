"""A short run of the fuzzer, the same each time; `make fuzz` is a long one, guided by what code it reaches."""

import logging
from random import Random

import msgspec
import pytest

from poeticoins import messages, wire
from tests.fuzz import files, processes
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS
from tests.makers import BTC


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_in_is_taken_or_refused_as_promised_and_at_once(name, caplog):
    caplog.set_level(logging.CRITICAL)
    target, chance = TARGETS[name], Random(1)
    for seed in target.seeds:
        target.let_in(seed)

    for _ in range(target.short):
        target.let_in(mutated(chance.choice(target.seeds), target.seeds, chance))


DEEP = b"\x91" * 5000
TRADE = processes.ON_THE_BUS[0]
HUGE_ID = msgspec.msgpack.encode(
    [2**64 - 1 if at == 4 else part for at, part in enumerate(msgspec.msgpack.decode(TRADE[len(processes.TOPIC) :]))]
)
REPLAY = wire.decode_answer(processes.answers()[-1])
FOUND = {
    "an exchange asks to wait until a year without end": (
        "retry-after",
        b"Wed, 21 Oct 18446744073709551616 07:28:00 GMT",
    ),
    "an exchange asks to wait in a time zone without end": (
        "retry-after",
        b"Wed, 21 Oct 2026 07:28:00 -18446744073709551616",
    ),
    "a refusal quotes what was sent, however long": (
        "coinbase frame",
        b'{"type":"match","side":"' + b"x" * 3000 + b'"}',
    ),
    "a question to historical is nested too deep": ("question to historical", b"\x93\xablast_trades\x01" + DEEP),
    "a question to a client is nested too deep": ("question to a client", b"\x96\xa6replay\x01" + DEEP),
    "a message at a reader is nested too deep": ("bus at a reader", processes.TOPIC + DEEP),
    "a message at historical is nested too deep": ("bus at historical", processes.TOPIC + DEEP),
    "a trade on the bus has a price that is none, at a reader": (
        "bus at a reader",
        TRADE.replace(b"100.50", b"1e9999"),
    ),
    "a trade on the bus has a price that is none, at historical": (
        "bus at historical",
        TRADE.replace(b"100.50", b"1e9999"),
    ),
    "a trade on the bus has an id that no record has room for": ("bus at historical", processes.TOPIC + HUGE_ID),
    "an answer at a reader is none": ("answer to a reader", b"\xc1"),
    "an answer at a reader is about a product that nobody asked for": (
        "answer to a reader",
        wire.encode(msgspec.structs.replace(REPLAY, product="coinbase:NO-SUCH")),
    ),
    "an answer at a reader has records that are none": (
        "answer to a reader",
        wire.encode(msgspec.structs.replace(REPLAY, records=b"\xff" * 57)),
    ),
    "an answer says that more trades follow those that it has not": (
        "answer to the context",
        wire.encode(messages.TradesAnswer(1, "demo", str(BTC), b"", True)),
    ),
    "a status is nested too deep": ("status", b'{"mode":' + b"[" * 5000),
    "a child says what is no text": ("heartbeat", processes.BEAT.replace(b"live", b"\xff\xfe")),
    "a child counts its trades in words": ("heartbeat", processes.BEAT.replace(b'"trades": 5', b'"trades": "many"')),
    "a record of a journal is of a kind that there is not": (
        "journal records",
        files.a_journal()[4096 : 4096 + 50] + b"\1\x7f" + files.a_journal()[4096 + 52 :],
    ),
    "a record of a journal has the sequence of none": (
        "journal records",
        files.a_journal()[4096:][: 5 * 56] + b"\xff" * 8 + files.a_journal()[4096:][5 * 56 + 8 :],
    ),
    "bars with a good seal have gaps that are none": (
        "bars",
        msgspec.msgpack.encode([1, 1, [0, 0], 0, [b"", b"", b"", b""], b"\1\x7f" * 28]),
    ),
    "a settings file is nested too deep": ("settings file", b"port = " + b"[" * 5000),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), FOUND.values(), ids=FOUND)
def test_what_has_broken_a_promise_once_does_not_again(name, data, caplog):
    caplog.set_level(logging.CRITICAL)

    TARGETS[name].let_in(data)
