"""
What a conversation between an exchange and one client is: frames in, frames out, and no sockets.

Each exchange's own is in the module of its name.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from poeticoins.model import Product, Trade


class Send(NamedTuple):
    """A frame for the client; of a trade, with its product and id. is_ack: it confirms a subscription."""

    raw: str
    product: Product | None = None
    trade_id: int | None = None
    is_ack: bool = False


class Close(NamedTuple):
    """End the connection."""

    code: int
    reason: str


class Shop(NamedTuple):
    """
    What a conversation may ask the exchange: is a product listed, what does a new subscriber get at once, and does a
    product that is not listed spoil the whole of this call?
    """

    listed: Callable[[Product], bool]
    welcome: Callable[[Product], list[Send]]
    spoilt: Callable[[], bool]


class Conversation(Protocol):
    """One client's connection: what it has subscribed to, and what is said to it."""

    patience: float | None
    """Seconds after which a client that has subscribed to nothing is shown out; None: it may stay."""

    @property
    def products(self) -> set[Product]:
        """Whose trades it gets."""

    @property
    def heartbeats(self) -> set[Product]:
        """For which products it gets a heartbeat every second."""

    def answer(self, frame: str | bytes, shop: Shop) -> list[Send | Close]:
        """What the exchange answers to a frame, in order."""

    def trade(self, trade: Trade) -> Send:
        """A trade as it is told live."""

    def welcome(self, trade: Trade) -> Send | None:
        """The newest trade as it is told to a new subscriber, if it is."""

    def heartbeat(self, product: Product, last_id: int, now_ns: int) -> Send:
        """The sign of life of one product."""


def say(frame: dict[str, object], trade: Trade | None = None) -> Send:
    """A frame as an exchange writes it: compact JSON."""
    raw = msgspec.json.encode(frame).decode()
    return Send(raw, trade.product, trade.trade_id) if trade else Send(raw)


def from_json(frame: str | bytes) -> object:
    """What a client wrote; None if it is no JSON."""
    try:
        return msgspec.json.decode(frame)
    except (ValueError, RecursionError):
        return None
