"""
Which frames are due to a subscriber: from the demo's market, or from a recording.

A source is one exchange's, shared by its connections. A connection holds only its position, which it hands in and gets
back; so a slow client costs no memory, and one that comes later is no special case.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Protocol

from poeticoins.errors import BadFrame
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import SECOND, Event, Heartbeat, Product, Subscribed, Trade
from poeticoins.recording import Frame
from poeticoins.simulator import market
from poeticoins.simulator.candles import Bar, Market, candles
from poeticoins.simulator.protocol import Conversation, Send

QUOTES = {"USD", "EUR", "GBP", "BTC", "ETH", "USDT", "USDC"}
"""The demo lists every pair with one of these quotes."""
FARTHEST_BEHIND = 300 * SECOND


class Source(Protocol):
    """Where an exchange's frames come from; `position` means something to the source alone."""

    def now(self) -> int:
        """The newest position."""

    def listed(self, product: Product) -> bool:
        """Whether the exchange knows the product."""

    def welcome(self, to: Conversation, product: Product, position: int) -> list[Send]:
        """What a new subscriber to `product` is sent before anything newer than its position."""

    def due(self, to: Conversation, position: int, newest: int) -> tuple[list[Send], int]:
        """The frames next after `position`, not all at once, and the position after them, at most `newest`."""

    def last_id(self, product: Product, position: int) -> int:
        """The id of the newest trade at a position; 0 for none."""

    def past(self, product: Product, before_id: int | None, since_ns: int, limit: int) -> list[Trade]:
        """The newest `limit` trades up to now, with ids below `before_id`, traded since then; by id."""

    def candles(self, product: Product, length: int, span: tuple[int, int]) -> list[Bar]:
        """The candles of `length` seconds up to now that begin in since <= second < until, oldest first."""

    def too_far_behind(self, position: int) -> bool:
        """Whether a client at this position is to be shown out."""


class MarketSource:
    """The demo. Positions are times, in nanoseconds."""

    def __init__(self, seed: int, pace: int = 1) -> None:
        self._seed, self._pace = seed, pace

    def now(self) -> int:
        return time.time_ns()

    def listed(self, product: Product) -> bool:
        return product.quote in QUOTES and product.base != product.quote

    def welcome(self, to: Conversation, product: Product, position: int) -> list[Send]:
        last = market.last_trade(self._seed, product, position, self._pace)
        frame = to.welcome(last) if last else None
        return [frame] if frame else []

    def due(self, to: Conversation, position: int, newest: int) -> tuple[list[Send], int]:
        until = min(newest, position + market.BLOCK_NS)
        trades = [
            trade
            for product in sorted(to.products)
            for trade in market.trades(self._seed, product, position, until, self._pace)
        ]
        trades.sort(key=lambda trade: trade.traded_at_ns)  # stable: trades of one product stay in their order
        return [to.trade(trade) for trade in trades], until

    def last_id(self, product: Product, position: int) -> int:
        last = market.last_trade(self._seed, product, position, self._pace)
        return last.trade_id if last else 0

    def past(self, product: Product, before_id: int | None, since_ns: int, limit: int) -> list[Trade]:
        return market.newest_trades(self._seed, product, self.now(), limit, before_id, since_ns, self._pace)

    def candles(self, product: Product, length: int, span: tuple[int, int]) -> list[Bar]:
        return candles(Market(self._seed, product, self._pace), length, span, self.now())

    def too_far_behind(self, position: int) -> bool:
        return self.now() - position > FARTHEST_BEHIND


class RecordingSource:
    """
    A replay of one exchange's frames; positions count them. Its time begins with the first subscription.

    A new subscriber gets every older trade of its product at once, so that a restarted client has missed nothing.
    speed: times as fast as recorded; 0: everything is due at once.
    """

    def __init__(self, frames: Sequence[Frame], speed: float) -> None:
        self._frames = [(frame.at, *known) for frame in frames if (known := _known(frame))]
        self._times = [at for at, *_ in self._frames]
        self._speed = speed
        self._began: float | None = None
        self._trades: dict[Product, list[int]] = {}
        for place, (_, frame, _) in enumerate(self._frames):
            if frame.product and frame.trade_id is not None:
                self._trades.setdefault(frame.product, []).append(place)

    def now(self) -> int:
        if self._began is None:
            return 0
        return (
            bisect_right(self._times, (time.monotonic() - self._began) * self._speed)
            if self._speed
            else len(self._times)
        )

    def listed(self, product: Product) -> bool:
        return product in self._trades

    def welcome(self, to: Conversation, product: Product, position: int) -> list[Send]:  # noqa: ARG002  it is verbatim
        if self._began is None:
            self._began = time.monotonic()
        places = self._trades[product]
        return [self._frames[place][1] for place in places[: bisect_left(places, position)]]

    def due(self, to: Conversation, position: int, newest: int) -> tuple[list[Send], int]:
        until = min(newest, position + 1000)
        products = to.products
        return [frame for _, frame, about in self._frames[position:until] if about is None or about in products], until

    def last_id(self, product: Product, position: int) -> int:
        places = self._trades.get(product, [])
        before = bisect_left(places, position)
        return self._frames[places[before - 1]][1].trade_id or 0 if before else 0

    def past(self, product: Product, before_id: int | None, since_ns: int, limit: int) -> list[Trade]:  # noqa: ARG002
        """None: a client that comes back hears the older trades of a replay again, by the socket."""
        return []

    def candles(self, product: Product, length: int, span: tuple[int, int]) -> list[Bar]:  # noqa: ARG002
        return []

    def too_far_behind(self, position: int) -> bool:  # noqa: ARG002  a recording waits for ever
        return False


def _known(frame: Frame) -> tuple[Send, Product | None] | None:
    """A frame, with the product it is about, if it is about one; None if it says nothing of what we follow."""
    try:
        means: list[Trade | Event] = EXCHANGES[frame.exchange].parse(frame.raw)
    except BadFrame:
        return Send(frame.raw), None
    if not means or isinstance(means[0], Subscribed):
        return None
    if isinstance(first := means[0], Trade):
        return Send(frame.raw, first.product, first.trade_id), first.product
    return Send(frame.raw), first.product if isinstance(first, Heartbeat) else None
