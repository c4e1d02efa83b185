"""
What travels between the processes: messages on the bus, questions and answers. docs/wire.md says the same to others.

On the bus, one ZeroMQ frame a message: `coinbase:BTC-USD`, a zero byte (so that a subscription to `BTC-USD` does not
match `BTC-USDT`), then a msgpack array that begins with its kind and the wire version.
"""

from typing import Annotated, Any, Literal

import msgspec

from poeticoins.errors import WireMismatch
from poeticoins.model import Gap, GapReason, Item, Mode, Origin, Product, Refill, Side, Trade, number

WIRE_VERSION = 1
_CUT = b"\0"
Count = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Sequence = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class TradeMessage(msgspec.Struct, array_like=True, frozen=True, tag="trade"):
    """A trade, as published."""

    wire: int
    epoch: int
    sequence: int
    trade_id: int
    price: str
    size: str
    side: Side
    traded_at_ns: int
    received_at_ns: int
    origin: Origin
    late: bool


class GapMessage(msgspec.Struct, array_like=True, frozen=True, tag="gap"):
    """Trades that are known to be missing; takes a place in the sequence like a trade."""

    wire: int
    epoch: int
    sequence: int
    reason: GapReason
    from_ns: int
    to_ns: int
    first_id: int | None
    last_id: int | None
    missing: int | None
    refilled_at_ns: int | None = None


class RefillMessage(msgspec.Struct, array_like=True, frozen=True, tag="refill"):
    """The trades of the gap at sequence `gap` have been published after all; takes a place in the sequence too."""

    wire: int
    epoch: int
    sequence: int
    gap: int
    at_ns: int


class HeartbeatMessage(msgspec.Struct, array_like=True, frozen=True, tag="heartbeat"):
    """Once a second, and at once to a new subscriber: the last sequence that was published (0: none yet)."""

    wire: int
    epoch: int
    sequence: int
    mode: Mode


BusMessage = TradeMessage | GapMessage | RefillMessage | HeartbeatMessage


class ProductsQuestion(msgspec.Struct, array_like=True, frozen=True, tag="products"):
    """Which products are followed?"""

    wire: int = WIRE_VERSION


class LastTradesQuestion(msgspec.Struct, array_like=True, frozen=True, tag="last_trades"):
    """The last trade of each of these products; None: of all."""

    wire: int = WIRE_VERSION
    products: list[str] | None = None


class TradesQuestion(msgspec.Struct, array_like=True, frozen=True, tag="trades"):
    """The newest `limit` trades of a product since `since_ns` (0: any), older than `before` = (traded_at_ns, id)."""

    wire: int
    product: str
    limit: Count
    since_ns: Time = 0
    before: tuple[Time, int] | None = None


class CandlesQuestion(msgspec.Struct, array_like=True, frozen=True, tag="candles"):
    """The newest `limit` candles of a product, each `interval_ns` long."""

    wire: int
    product: str
    interval_ns: Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
    limit: Count


class GapsQuestion(msgspec.Struct, array_like=True, frozen=True, tag="gaps"):
    """What is known to be missing of a product."""

    wire: int
    product: str


class ReplayQuestion(msgspec.Struct, array_like=True, frozen=True, tag="replay"):
    """The sequences `first` to `last` (both included) of a product's epoch."""

    wire: int
    product: str
    epoch: int
    first: Sequence
    last: Sequence


Question = ProductsQuestion | LastTradesQuestion | TradesQuestion | CandlesQuestion | GapsQuestion | ReplayQuestion


class ProductsAnswer(msgspec.Struct, array_like=True, frozen=True, tag="products"):
    """The products that are followed, and the publishers that they come from."""

    wire: int
    mode: Mode
    products: list[str]


class LastTradesAnswer(msgspec.Struct, array_like=True, frozen=True, tag="last_trades"):
    """Pairs of (product, its last trade); products without a trade are left out."""

    wire: int
    mode: Mode
    trades: list[tuple[str, TradeMessage]]


class TradesAnswer(msgspec.Struct, array_like=True, frozen=True, tag="trades"):
    """Trade records (56 bytes each, see record.py), sorted by (traded_at_ns, trade_id). `more`: older ones follow."""

    wire: int
    mode: Mode
    product: str
    records: bytes
    more: bool


class CandlesAnswer(msgspec.Struct, array_like=True, frozen=True, tag="candles"):
    """Candle records (60 bytes each, see candles.py), oldest first."""

    wire: int
    mode: Mode
    product: str
    interval_ns: int
    records: bytes


class GapsAnswer(msgspec.Struct, array_like=True, frozen=True, tag="gaps"):
    """The gaps of a product that are still in the window, in the order of publication."""

    wire: int
    mode: Mode
    product: str
    gaps: list[GapMessage]


class ReplayAnswer(msgspec.Struct, array_like=True, frozen=True, tag="replay"):
    """
    Records of the sequences `first` to `last` of `epoch`: what lies between and is not among them does not exist.

    first > the one asked for: what came before is gone for good. last < the one asked for: not yet, or more than one
    answer holds; ask again. last < first: nothing of that epoch is known.
    """

    wire: int
    mode: Mode
    product: str
    epoch: int
    first: int
    last: int
    records: bytes


class ErrorAnswer(msgspec.Struct, array_like=True, frozen=True, tag="error"):
    """The question cannot be answered; `code` is for programs, `message` for people."""

    wire: int
    code: Literal["unknown product", "bad request", "wire mismatch"]
    message: str


Answer = ProductsAnswer | LastTradesAnswer | TradesAnswer | CandlesAnswer | GapsAnswer | ReplayAnswer | ErrorAnswer

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
        message = decoder.decode(data)
        version = message.wire
    except msgspec.ValidationError:
        version = _version(data)
        if version == WIRE_VERSION:
            raise
    except RecursionError:
        raise ValueError("expected a message, got one that is nested too deep") from None
    if version != WIRE_VERSION:
        older = "this process" if version > WIRE_VERSION else f"the {sender}"
        raise WireMismatch(f"the {sender} speaks wire version {version}, this process {WIRE_VERSION}: restart {older}")
    return message


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
