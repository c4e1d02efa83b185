"""What a historical might answer that cannot be: its answers, made wrong one way or another."""

from collections.abc import Callable
from typing import Any

import msgspec

from poeticoins import messages, wire
from poeticoins.candles import BAR_DTYPE
from poeticoins.record import RECORD_SIZE, pack
from tests.makers import make_trade

FORGED = pack(make_trade(1, price="666.6", epoch=1, sequence=1))
"""A record of the trade that nobody made; see tests/faults/hostile.py."""


def _other_product(answer: Any) -> dict[str, Any]:
    if isinstance(answer, messages.LastTradesAnswer):
        return {"trades": [(f"{name}X", trade) for name, trade in answer.trades]}
    if isinstance(answer, messages.ProductsAnswer):
        return {"products": ["coinbase:<script>"]}
    return {"product": "bitstamp:XRP-USD" if "coinbase" in answer.product else "coinbase:BTC-USD"}


def _replay(**changes: Callable[[messages.ReplayAnswer], Any]) -> Callable[[Any], dict[str, Any]]:
    """A lie about what is replayed, and about nothing else."""

    def lie(answer: Any) -> dict[str, Any]:
        if not isinstance(answer, messages.ReplayAnswer):
            return {}
        return {name: change(answer) for name, change in changes.items()}

    return lie


def _records(change: Callable[[bytes, int], bytes]) -> Callable[[Any], dict[str, Any]]:
    """A lie about records; `change` is told their size, too."""

    def lie(answer: Any) -> dict[str, Any]:
        size = BAR_DTYPE.itemsize if isinstance(answer, messages.CandlesAnswer) else RECORD_SIZE
        return {"records": change(answer.records, size)} if getattr(answer, "records", b"") else {}

    return lie


def _reversed(records: bytes, size: int) -> bytes:
    return b"".join(records[at : at + size] for at in range(len(records) - size, -1, -size))


LIES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "another product": _other_product,
    "an epoch that never was": _replay(epoch=lambda answer: answer.epoch + 1),
    "another mode": _replay(mode=lambda _: "live"),
    "records of another epoch": _replay(records=lambda answer: answer.records[:-4] + b"\1\0\0\0"),
    "more than there is": _replay(last=lambda answer: answer.last + 1000),
    "nothing is left": _replay(first=lambda answer: answer.last + 1, records=lambda _: b""),
    "a place without its record": _replay(records=lambda answer: answer.records[RECORD_SIZE:]),
    "other places": _replay(first=lambda answer: answer.first + 1, last=lambda answer: answer.last + 1),
    "a trade beyond the newest": _replay(
        last=lambda answer: answer.last + 1,
        records=lambda answer: answer.records + (answer.last + 1).to_bytes(8, "little") + FORGED[8:52]
        + answer.epoch.to_bytes(4, "little"),
    ),
    "out of order": _records(_reversed),
    "each twice": _records(lambda records, _: records + records),
    "torn": _records(lambda records, _: records[:-7]),
    "no trades": _records(lambda records, _: b"\xff" * len(records)),
    "huge": _records(lambda records, size: records[:size] * (5_000_000 // size)),
}  # fmt: skip
"""By name: the fields of an answer that are other than they were."""


def lied(name: str, question: bytes, data: bytes) -> bytes:
    """What a lie makes of the answer to a question; "no answer": bytes that are none; "nothing": the answer itself."""
    if name == "no answer":
        return b"\xc1" * 100
    answer = wire.decode_answer(data)
    if isinstance(answer, messages.ErrorAnswer) or name == "nothing":
        return data
    if isinstance(answer, messages.ReplayAnswer) and answer.last < wire.decode_question(question).last:
        return data  # not all of it is there yet: one more, made up, would be a lie without a flaw
    return wire.encode(msgspec.structs.replace(answer, **LIES[name](answer)))
