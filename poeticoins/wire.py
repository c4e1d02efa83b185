"""
The messages between the processes as bytes, and as trades and gaps. docs/wire.md says the same to others.

On the bus, one ZeroMQ frame a message: `coinbase:BTC-USD`, a zero byte (so that a subscription to `BTC-USD` does not
match `BTC-USDT`), then a msgpack array that begins with its kind and the wire version.
"""

from typing import Any, Literal

import msgspec

from poeticoins.errors import WireMismatch
from poeticoins.messages import (
    WIRE_VERSION,
    Answer,
    BusMessage,
    ErrorAnswer,
    GapMessage,
    Question,
    RefillMessage,
    TradeMessage,
)
from poeticoins.model import Gap, Item, Product, Refill, Trade, number

_CUT = b"\0"
_encoder = msgspec.msgpack.Encoder()
_bus_decoder = msgspec.msgpack.Decoder(BusMessage)
_question_decoder = msgspec.msgpack.Decoder(Question)
_answer_decoder = msgspec.msgpack.Decoder(Answer)


def topic(product: Product) -> bytes:
    """What to subscribe to in order to hear `product` alone: its name and a zero byte."""
    return str(product).encode() + _CUT


def trade_message(trade: Trade) -> TradeMessage:
    """A trade as it travels: its numbers as the exchange's own text."""
    return TradeMessage(
        WIRE_VERSION, trade.epoch, trade.sequence, trade.trade_id, str(trade.price), str(trade.size), trade.side,
        trade.traded_at_ns, trade.received_at_ns, trade.origin, trade.late,
    )  # fmt: skip


def gap_message(gap: Gap) -> GapMessage:
    """A gap as it travels."""
    return GapMessage(
        WIRE_VERSION, gap.epoch, gap.sequence, gap.reason, gap.from_ns, gap.to_ns, gap.first_id, gap.last_id,
        gap.missing, gap.refilled_at_ns,
    )  # fmt: skip


def message_of(item: Item) -> TradeMessage | GapMessage | RefillMessage:
    """An item of the stream as it travels."""
    if isinstance(item, Refill):
        return RefillMessage(WIRE_VERSION, item.epoch, item.sequence, item.gap, item.at_ns)
    return gap_message(item) if isinstance(item, Gap) else trade_message(item)


def trade_of(message: TradeMessage, product: Product) -> Trade:
    """The trade that a message is about. Raises BadFrame if its numbers are none."""
    return Trade(
        product, message.trade_id, number(message.price), number(message.size), message.side, message.traded_at_ns,
        message.received_at_ns, message.origin, message.late, message.epoch, message.sequence,
    )  # fmt: skip


def item_of(message: TradeMessage | GapMessage | RefillMessage, product: Product) -> Item:
    """The item that a message is about. Raises BadFrame if a trade's numbers are none."""
    if isinstance(message, TradeMessage):
        return trade_of(message, product)
    if isinstance(message, RefillMessage):
        return Refill(product, message.gap, message.at_ns, message.epoch, message.sequence)
    return Gap(
        product, message.reason, message.from_ns, message.to_ns, message.first_id, message.last_id,
        message.missing, message.epoch, message.sequence,
    )  # fmt: skip


def encode(value: Question | Answer | BusMessage) -> bytes:
    return _encoder.encode(value)


def frame(topic: bytes, message: BusMessage) -> bytes:
    """One frame for the bus."""
    return topic + _encoder.encode(message)


def decode_frame(data: bytes) -> tuple[str, BusMessage]:
    """The product's name and the message of a frame from the bus. Raises WireMismatch, or ValueError for no frame."""
    name, cut, body = data.partition(_CUT)
    if not cut:
        raise ValueError(f"expected a topic ended by a zero byte, got {data[:40]!r}")
    return name.decode(), _checked(_bus_decoder, body, "publisher")


def decode_question(data: bytes) -> Question:
    """Raises WireMismatch, or ValueError (a msgspec.ValidationError) for what is no question."""
    question: Question = _checked(_question_decoder, data, "asker")
    return question


def decode_answer(data: bytes) -> Answer:
    """Raises WireMismatch, or ValueError (a msgspec.ValidationError) for what is no answer."""
    answer: Answer = _checked(_answer_decoder, data, "supervisor")
    return answer


def _checked(decoder: msgspec.msgpack.Decoder[Any], data: bytes, sender: str) -> Any:
    try:
        message, version = _read(decoder, data)
    except RecursionError:
        raise ValueError("expected a message, got one that is nested too deep") from None
    if version != WIRE_VERSION:
        older = "this process" if version > WIRE_VERSION else f"the {sender}"
        raise WireMismatch(f"the {sender} speaks wire version {version}, this process {WIRE_VERSION}: restart {older}")
    return message


def _read(decoder: msgspec.msgpack.Decoder[Any], data: bytes) -> tuple[Any, int]:
    """The message and its version; None and the version if that is another than ours, and the message so too."""
    try:
        message = decoder.decode(data)
        return message, message.wire
    except msgspec.ValidationError:
        version = _version(data)
        if version == WIRE_VERSION:
            raise
        return None, version


def _version(data: bytes) -> int:
    """The version in a message of a kind or shape that we do not know; ours if there is none."""
    parts = msgspec.msgpack.decode(data)
    found = parts[1] if isinstance(parts, list) and len(parts) > 1 else None
    return found if isinstance(found, int) else WIRE_VERSION


def refusal(error: Exception) -> ErrorAnswer:
    """The answer to a question that raised `error`."""
    code: Literal["unknown product", "bad request", "wire mismatch"] = "bad request"
    if isinstance(error, WireMismatch):
        code = "wire mismatch"
    elif isinstance(error, LookupError):
        code = "unknown product"
    return ErrorAnswer(WIRE_VERSION, code, str(error)[:500])
