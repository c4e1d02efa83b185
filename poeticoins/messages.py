"""
The messages that travel between the processes: on the bus, and as questions and answers. docs/wire.md says the same to
others; wire.py has them as bytes.

Each is a msgpack array that begins with its kind and the wire version.
"""

from typing import Annotated, Literal

import msgspec

from poeticoins.model import GapReason, Mode, Origin, Side

WIRE_VERSION = 1
Count = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # ids, times and places: what a record has room for
Time = Whole
Epoch = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Sequence = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class TradeMessage(msgspec.Struct, array_like=True, frozen=True, tag="trade"):
    """A trade, as published."""

    wire: int
    epoch: Epoch
    sequence: Whole
    trade_id: Whole
    price: str
    size: str
    side: Side
    traded_at_ns: Whole
    received_at_ns: Whole
    origin: Origin
    late: bool


class GapMessage(msgspec.Struct, array_like=True, frozen=True, tag="gap"):
    """Trades that are known to be missing; takes a place in the sequence like a trade."""

    wire: int
    epoch: Epoch
    sequence: Whole
    reason: GapReason
    from_ns: Whole
    to_ns: Whole
    first_id: Whole | None
    last_id: Whole | None
    missing: Whole | None
    refilled_at_ns: Whole | None = None


class RefillMessage(msgspec.Struct, array_like=True, frozen=True, tag="refill"):
    """The trades of the gap at sequence `gap` have been published after all; takes a place in the sequence too."""

    wire: int
    epoch: Epoch
    sequence: Whole
    gap: Whole
    at_ns: Whole


class HeartbeatMessage(msgspec.Struct, array_like=True, frozen=True, tag="heartbeat"):
    """Once a second, and at once to a new subscriber: the last sequence that was published (0: none yet)."""

    wire: int
    epoch: Epoch
    sequence: Whole
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
    before: tuple[Time, Whole] | None = None


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
    epoch: Epoch
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
    interval_ns: Whole
    records: bytes


class GapsAnswer(msgspec.Struct, array_like=True, frozen=True, tag="gaps"):
    """The gaps of a product that are still in the window, in the order of publication."""

    wire: int
    mode: Mode
    product: str
    gaps: list[GapMessage]


class ReplayAnswer(msgspec.Struct, array_like=True, frozen=True, tag="replay"):
    """
    Records of the sequences `first` to `last` of `epoch`, each of them, in their order.

    first > the one asked for: what came before is gone for good. last < the one asked for: not yet, or more than one
    answer holds; ask again. last < first: nothing of the range is known; first 1 and last 0 also if it was of another
    epoch.
    """

    wire: int
    mode: Mode
    product: str
    epoch: Epoch
    first: Whole
    last: Whole
    records: bytes


class ErrorAnswer(msgspec.Struct, array_like=True, frozen=True, tag="error"):
    """The question cannot be answered; `code` is for programs, `message` for people."""

    wire: int
    code: Literal["unknown product", "bad request", "wire mismatch"]
    message: str


Answer = ProductsAnswer | LastTradesAnswer | TradesAnswer | CandlesAnswer | GapsAnswer | ReplayAnswer | ErrorAnswer
