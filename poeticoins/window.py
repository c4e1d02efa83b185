"""
The newest trades of one product, in whatever order they were published; asked for in the market's. No I/O.
"""

import numpy as np

from poeticoins.record import TRADE
from poeticoins.ring import Records, Ring, sorted_trades

PAGE = 60_000  # records in one answer: 3.4 MB, under the 4 MiB that a reader accepts


class Window:
    """
    newest: (traded_at_ns, trade_id) of the newest trade that ever came, or that is known from elsewhere; (0, 0) before.
    newest_record: that of the newest that came; empty before.
    """

    def __init__(self, capacity: int) -> None:
        self.ring = Ring(capacity)
        self.newest = (0, 0)
        self.newest_record = b""
        self._disorder_left = 0  # records until the last one that was out of order has left the ring

    def note(self, record: bytes) -> None:
        """One that is no trade, in its place among them."""
        self.ring.append(record)

    def add(self, place: tuple[int, int], record: bytes) -> bool:
        """A trade and its (traded_at_ns, trade_id); whether it is the newest of all."""
        self.ring.append(record)
        self._disorder_left = max(0, self._disorder_left - 1)
        if place > self.newest:
            self.newest, self.newest_record = place, record
            return True
        self._disorder_left = self.ring.capacity
        return False

    def restore(self, records: Records) -> None:
        """A whole journal at once, into what is empty."""
        self.ring.restore(records)
        if len(trades := sorted_trades(records)):
            self.newest, self.newest_record = max(self.newest, place_of(trades[-1])), trades[-1].tobytes()
        in_order = sorted_trades(self.ring.in_order())
        if not np.array_equal(in_order, records[records["kind"] == TRADE][-len(in_order) :]):
            self._disorder_left = self.ring.capacity

    def trades(self, limit: int, since_ns: int, before: tuple[int, int] | None, others: int) -> tuple[Records, bool]:
        """
        The newest `limit` trades, sorted by (traded_at_ns, trade_id), and whether older ones that fit remain. others:
        how many that are no trades may be among the records; a guess, which costs time if it is too small.
        """
        if self._disorder_left or before is not None:
            trades = sorted_trades(self.ring.in_order())
        else:
            tail = self.ring.tail(limit + others + 1)
            trades = sorted_trades(tail)
            if len(trades) < limit and len(tail) < len(self.ring):
                trades = sorted_trades(self.ring.in_order())
        if before is not None:
            times, ids = trades["traded_at_ns"], trades["trade_id"]
            trades = trades[(times < before[0]) | ((times == before[0]) & (ids < before[1]))]
        trades = trades[np.searchsorted(trades["traded_at_ns"], since_ns) :]
        count = min(limit, PAGE)
        return trades[max(0, len(trades) - count) :], len(trades) > count and limit > count


def place_of(record: np.void) -> tuple[int, int]:
    """(traded_at_ns, trade_id): where it stands in the market's order."""
    return int(record["traded_at_ns"]), int(record["trade_id"])
