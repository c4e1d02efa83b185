"""What processes say to each other: the bus, questions and answers, the control socket, heartbeats of children."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import cache, partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np

import poeticoins
from poeticoins import bus, context, control, messages, questions, wire
from poeticoins.client import Client
from poeticoins.config import Settings
from poeticoins.errors import PoeticoinsError
from poeticoins.historical import Historical
from poeticoins.intake import Intake
from poeticoins.load import Load
from poeticoins.log import LineFormatter
from poeticoins.messages import WIRE_VERSION
from poeticoins.model import Gap, Refill
from poeticoins.record import pack
from poeticoins.reports import status_of
from poeticoins.status import Itself, status
from poeticoins.stream import TradeStream
from poeticoins.supervised import Supervised
from poeticoins.supervision import Supervisor
from poeticoins.tree import ChildSpec
from tests.fuzz.mutation import SEAM
from tests.fuzz.target import Target, directory, series
from tests.makers import BTC, LTC, make_settings, make_trade

EPOCH = 1_790_000_000
TOPIC = wire.topic(BTC)
ITEMS = [
    *(make_trade(n, at=n, epoch=EPOCH, sequence=n) for n in range(1, 4)),
    Gap(BTC, "skipped ids", 1, 2, 4, 5, 2, EPOCH, 4),
    make_trade(9, at=9, origin="backfill", late=True, epoch=EPOCH, sequence=5),
    Refill(BTC, 4, 7, EPOCH, 6),
]
ON_THE_BUS = [
    *(wire.frame(TOPIC, wire.message_of(item)) for item in ITEMS),
    wire.frame(TOPIC, messages.HeartbeatMessage(WIRE_VERSION, EPOCH, 6, "demo")),
]
SMALL: dict[str, Any] = {
    "products": {product.exchange: (product,) for product in (BTC, LTC)},
    **{"journal_capacity": 16, "ring_capacity": 16, "answer_timeout": 0.01},
    **{f"bars_1{unit}": 100 for unit in "smhd"},
}
"""Settings under which a historical is made in no time."""
QUESTIONS = [
    wire.encode(question)
    for question in (
        messages.ProductsQuestion(),
        messages.LastTradesQuestion(),
        messages.LastTradesQuestion(products=[str(BTC)]),
        messages.TradesQuestion(WIRE_VERSION, str(BTC), 10, 0, (10**18, 5)),
        messages.CandlesQuestion(WIRE_VERSION, str(BTC), 60_000_000_000, 100),
        messages.GapsQuestion(WIRE_VERSION, str(BTC)),
        messages.ReplayQuestion(WIRE_VERSION, str(BTC), EPOCH, 1, 5),
    )
]
RECORDS = b"".join(pack(item) for item in ITEMS)


@cache
def settings() -> Settings:
    made = make_settings(directory() / "run", **SMALL)
    for product in (BTC, LTC):
        made.journal(product).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return made


@cache
def loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def in_loop(call: Callable[[], Any]) -> Any:
    """Calls on an event loop, as a socket would; what that has made due is done, too."""

    async def called() -> Any:
        made = call()
        await asyncio.sleep(0)
        return made

    return loop().run_until_complete(called())


# -- the bus


class Deaf:
    """An Asker that nobody answers."""

    def ask(self, question: bytes) -> None:
        wire.decode_question(question)


def stream() -> TradeStream:
    made = TradeStream(settings(), [BTC, LTC], history=3)
    made._askers = [dict.fromkeys(("coinbase", "bitstamp"), Deaf())] * 2
    return made


def read(parts: Sequence[bytes]) -> None:
    """Frames at a reader: what it hands out is typed and never twice; it goes on, or ends with an error of ours."""
    reader = stream()
    for part in parts:
        reader._received(part)
    handed_out(reader)


def handed_out(reader: TradeStream) -> None:
    trades = [(item.product, item.trade_id) for item in reader._ready if isinstance(item, poeticoins.Trade)]
    assert len(trades) == len(set(trades))
    assert reader._failure is None or isinstance(reader._failure, PoeticoinsError)


def hear(parts: Sequence[bytes]) -> None:
    """Frames at historical: it goes on, and answers every question about what it took."""
    historical = Historical(settings())
    in_loop(lambda: [historical._receive(part) for part in parts])
    for question in QUESTIONS:
        answered(historical, question)


# -- questions and answers


def answered(historical: Historical, question: bytes) -> None:
    answer = historical._answer(question)
    assert len(answer) <= bus.MAX_ANSWER
    assert isinstance(wire.decode_answer(answer), messages.Answer)


@cache
def remembering() -> Historical:
    historical = Historical(settings())
    in_loop(lambda: [historical._receive(frame) for frame in ON_THE_BUS])
    return historical


def ask_historical(data: bytes) -> None:
    answered(remembering(), data)


@cache
def client() -> Client:
    intake = Intake(BTC, settings(), True, lambda frame: None)
    intake.connected(1)
    for n in range(1, 5):
        intake.trade(make_trade(n, at=n), 7)
    made = Client.__new__(Client)  # without its sockets
    made._by_name = {str(BTC): intake}
    return made


def ask_client(data: bytes) -> None:
    answer = wire.decode_answer(Client._answer(client(), data))
    assert isinstance(answer, messages.ReplayAnswer | messages.ErrorAnswer)


def answer_reader(parts: Sequence[bytes]) -> None:
    """Answers at a reader that has asked."""
    reader = stream()
    reader._received(ON_THE_BUS[-1])
    for part in parts:
        reader._answered(part, of_publisher=False)
        reader._answered(part, of_publisher=True)
    handed_out(reader)


ASKED: list[Callable[[], object]] = [
    poeticoins.available_products,
    lambda: poeticoins.get_last_trades([BTC]),
    lambda: poeticoins.get_trades(BTC, limit=5),
    lambda: poeticoins.get_candles(BTC, "1m", limit=5),
    lambda: poeticoins.get_gaps(BTC),
]


def answer_context(data: bytes) -> None:
    """An answer at whoever asked through the context: DataFrames and values, or an error of ours or ValueError."""
    with ExitStack() as stack:
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(context.asking(settings()))
        stack.enter_context(patch.object(questions, "require_supervisor", lambda settings: None))
        stack.enter_context(patch.object(questions.bus, "ask", lambda *_: data))
        for ask in ASKED:
            with suppress(PoeticoinsError, ValueError):
                ask()


@cache
def answers() -> list[bytes]:
    return [remembering()._answer(question) for question in QUESTIONS]


# -- the supervisor


def control_line(data: bytes) -> None:
    """A line on the control socket: an answer that is JSON, and only a verb that there is does anything."""
    done: list[str] = []
    it = SimpleNamespace(
        places={"historical": "its place"},
        status=lambda: done.append("status") or {"mode": "demo"},
        _loop=SimpleNamespace(call_soon=lambda _: done.append("stop")),
        stop=None,
        _keeper=SimpleNamespace(happened=lambda place, event: done.append(place)),
    )
    answer = json.loads(control._line(control._answered(data, partial(Supervisor.answer, it))))
    assert ("error" in answer) != bool(done)


def supervised(data: bytes) -> None:
    """Whatever a child writes into its pipe: the supervisor goes on, and its status is JSON and of its type."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    place = Supervised(ChildSpec("coinbase", "none:none", follows="coinbase"))
    place.beats = SimpleNamespace(fileno=lambda: reading)  # type: ignore[assignment]
    try:
        os.write(writing, data[:60_000].replace(SEAM, b"\n") + b"\n")
        with patch("poeticoins.supervised._write", printable):
            place.listen()
    finally:
        os.close(reading)
        os.close(writing)
    it = status(settings(), [place], Itself(datetime.now(UTC), 0.0, Load()), 0.0)
    told = msgspec.json.decode(msgspec.json.encode(it))
    status_of(told)


def printable(lines: list[str]) -> None:
    assert all(line.isprintable() for line in lines)


def status_answer(data: bytes) -> None:
    """An answer of a supervisor, of this version or another, at who asks for the status."""
    with suppress(PoeticoinsError):
        status_of(control.answer_of(data))


BEAT = json.dumps(
    {"ready": True, "nursery": 7, "rss": 10**8, "cpu": 1.5,
     "facts": {"url": "http://127.0.0.1:1/", "feed": {
         "exchange": "coinbase", "state": "live", "problem": None, "products": ["BTC-USD"], "trades": 5,
         "last_trade_at": None, "rate": 1.0, "delay": {"p50": 1, "p99": 2, "trades": 3, "window": 60},
         "last_loss": None, "bad_frames": 0, "unknown_trades": 0, "reconnects": 0, "gaps": 0, "refills": 0}}}
).encode()  # fmt: skip


@cache
def a_status() -> bytes:
    place = Supervised(ChildSpec("coinbase", "none:none", follows="coinbase"))
    return msgspec.json.encode(status(settings(), [place], Itself(datetime.now(UTC), 0.0, Load()), 0.0))


def log_line(data: bytes) -> None:
    """Foreign text in a line of the log stays in its line, and brings no sign that a terminal would obey."""
    text = data.decode("utf-8", "backslashreplace")
    record = logging.makeLogRecord({"msg": text, "facts": {"why": text, "frame": data}, "about": text})
    assert LineFormatter("coinbase").format(record).isprintable()


WIRE = ("poeticoins/wire.py", "poeticoins/messages.py")
TARGETS = {
    "bus at a reader": Target(
        [SEAM.join(ON_THE_BUS)], series(read), (*WIRE, "poeticoins/stream.py", "poeticoins/sequence.py")
    ),
    "bus at historical": Target(
        [SEAM.join(ON_THE_BUS)], series(hear), (*WIRE, "poeticoins/historical.py", "poeticoins/history.py"), short=100
    ),
    "question to historical": Target(
        QUESTIONS, ask_historical, (*WIRE, "poeticoins/historical.py", "poeticoins/history.py"), short=3000
    ),
    "question to a client": Target(QUESTIONS[-1:], ask_client, (*WIRE, "poeticoins/publication.py")),
    "answer to a reader": Target(
        [SEAM.join(answers()), answers()[-1]], series(answer_reader), (*WIRE, "poeticoins/stream.py")
    ),
    "answer to the context": Target(
        answers(),
        answer_context,
        (*WIRE, "poeticoins/context.py", "poeticoins/dataframes.py", "poeticoins/questions.py"),
    ),
    "control request": Target(
        [b'{"verb":"status"}\n', b'{"verb":"restart","name":"historical"}\n', b'{"verb":"stop"}\n'],
        control_line,
        ("poeticoins/control.py", "poeticoins/supervision.py"),
    ),
    "status": Target([a_status()], status_answer, ("poeticoins/reports.py", "poeticoins/control.py")),
    "heartbeat": Target(
        [BEAT, b"Current thread 0x1 (most recent call first):\n  File x" + SEAM + BEAT],
        supervised,
        ("poeticoins/supervised.py", "poeticoins/status.py", "poeticoins/reports.py", "poeticoins/words.py"),
    ),
    "log line": Target([b"plain", "é\x1b[2J\x9b".encode()], log_line, ("poeticoins/log.py", "poeticoins/errors.py")),
}
