"""
What to ask an exchange's REST for, and when the answers suffice. Pure: pages go in, the next question comes out.

Where ids count by one, a hole is refilled when each of its ids is there. Elsewhere the answers cover spans of time, and
a hole is refilled when a span reaches back beyond its beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from poeticoins.model import SECOND, Product, Trade

MOST_PAGES = 20
"""Pages that one hole is worth: 20,000 trades. What is older stays a gap."""
FIRST_SPAN = 3600
"""Seconds that one who knows nothing yet looks back at most, where there is no cursor."""
MARGIN_NS = 5 * SECOND
"""The exchange's clock and ours may differ by as much."""


@dataclass(frozen=True)
class Need:
    """
    Trades of `product` that may be missing: those with after_id < id < before_id, traded since from_ns.

    after_id None: nothing is known yet, and only the newest `limit` are wanted. after_ns: when the trade after_id was
    traded, by the exchange's clock; 0: not known. before_id None: up to now.
    gap: the sequence of the gap record that says so already, None if none does.
    """

    product: Product
    after_id: int | None = None
    before_id: int | None = None
    from_ns: int = 0
    gap: int | None = None
    limit: int = 1000
    after_ns: int = 0


@dataclass
class Search:
    """
    The search for one need. `spans`: how far back the exchange's answers reach, in seconds, nearest first; empty: it
    takes a cursor, and its ids count by one.
    """

    need: Need
    spans: Sequence[int]
    now_ns: int
    found: dict[int, Trade] = field(default_factory=dict)
    complete: bool = False
    _cursor: int | None = None
    _pages: int = 0

    def __post_init__(self) -> None:
        self._cursor = None if self.spans else self.need.before_id

    @property
    def cursor(self) -> int | None:
        """What to hand to the exchange's backfill_url for the next page."""
        return self._cursor

    @property
    def most(self) -> int:
        """How many trades the next page need not exceed: a small hole is no reason to ask for a thousand."""
        after, oldest = self.need.after_id, self._cursor
        return 1000 if self.spans or after is None or oldest is None else max(1, min(1000, oldest - after - 1))

    @property
    def trades(self) -> list[Trade]:
        """What was found, oldest first; for one who knows nothing yet, the newest of it."""
        ordered = [self.found[trade_id] for trade_id in sorted(self.found)]
        return ordered[-self.need.limit :] if self.need.after_id is None else ordered

    def page(self, trades: Sequence[Trade]) -> bool:
        """Takes a page, oldest first; True if another one is to be asked for."""
        self._pages += 1
        self.found |= {trade.trade_id: trade for trade in trades if self._is_wanted(trade)}
        more = self._next_span(trades) if self.spans else self._next_page(trades)
        return more and self._pages < MOST_PAGES

    @property
    def _since_ns(self) -> int:
        """Since when trades may be missing. Our clock may have been set back since: then the exchange's own tells."""
        need = self.need
        return need.after_ns if need.after_ns and need.from_ns > self.now_ns else need.from_ns

    @property
    def _oldest_ns(self) -> int:
        """Before that, nothing is missing: when the newest trade was traded that we had, if our clock was ahead."""
        since = self._since_ns - MARGIN_NS
        return min(since, self.need.after_ns) if self.need.after_ns else since

    def _is_wanted(self, trade: Trade) -> bool:
        after, before = self.need.after_id, self.need.before_id
        if self.spans and trade.traded_at_ns < self._oldest_ns:
            return False
        return (after is None or trade.trade_id > after) and (before is None or trade.trade_id < before)

    def _next_page(self, trades: Sequence[Trade]) -> bool:
        after, before = self.need.after_id, self.need.before_id
        if after is None:
            self.complete = not trades or len(self.found) >= self.need.limit
        elif before is not None:
            self.complete = len(self.found) == before - after - 1
        else:
            self.complete = bool(trades) and trades[0].trade_id <= after + 1
        if self.complete or not trades:
            return False
        oldest, known = trades[0].trade_id, self._cursor
        if (known is not None and oldest >= known) or (after is not None and oldest <= after + 1):
            return False  # no way further back, yet some ids are missing: the exchange does not list them (yet)
        self._cursor = oldest
        return True

    def _next_span(self, trades: Sequence[Trade]) -> bool:
        span = self.spans[self._pages - 1]
        reached = self.now_ns - span * SECOND + MARGIN_NS
        if self.need.after_id is None:
            self.complete = span >= FIRST_SPAN or len(self.found) >= self.need.limit
        elif reached <= self.need.after_ns:  # then the trade that we had is listed too, unless the list was cut short
            self.complete = any(trade.trade_id == self.need.after_id for trade in trades)
        else:
            self.complete = reached <= self._since_ns
        if self.complete or self._pages >= len(self.spans):
            return False
        self._cursor = self._pages
        return True
