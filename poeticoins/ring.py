"""
The last trades of one product in memory: a numpy ring of the 56-byte records of record.py.

Sequence order inside, which is the order of publication; answers are sorted by (traded_at_ns, trade_id), which is the
order of the market. A million trades are 56 MB, an append costs 0.2 us.
"""

import numpy as np
from numpy.typing import NDArray

from poeticoins.record import RECORD_SIZE, TRADE

RECORD_DTYPE = np.dtype(
    [
        ("sequence", "<u8"), ("trade_id", "<i8"), ("traded_at_ns", "<i8"), ("received_at_ns", "<i8"),
        ("price_mantissa", "<i8"), ("size_mantissa", "<i8"), ("price_exponent", "i1"), ("size_exponent", "i1"),
        ("kind", "u1"), ("flags", "u1"), ("epoch", "<u4"),
    ]
)  # fmt: skip
assert RECORD_DTYPE.itemsize == RECORD_SIZE

Records = NDArray[np.void]
_POWERS = 10.0 ** np.arange(0, 23)  # powers of ten that float64 holds exactly


class Ring:
    """The newest `capacity` records, as many as have been appended at most."""

    def __init__(self, capacity: int) -> None:
        self._records: Records = np.zeros(capacity, RECORD_DTYPE)  # zeros: the system hands pages out on first use
        self._bytes = self._records.view(np.uint8).data
        self.capacity = capacity
        self._appended = 0

    def __len__(self) -> int:
        return min(self._appended, self.capacity)

    @property
    def came_round(self) -> bool:
        """Whether older records have been overwritten."""
        return self._appended > self.capacity

    def append(self, record: bytes) -> None:
        at = self._appended % self.capacity * RECORD_SIZE
        self._bytes[at : at + RECORD_SIZE] = record
        self._appended += 1

    def restore(self, records: Records) -> None:
        """Takes the newest of `records`, in sequence order, in place of all there is."""
        kept = records[-self.capacity :]
        self._records[: len(kept)] = kept
        self._appended = len(kept)

    def in_order(self) -> Records:
        """All records in sequence order: a copy once the ring has come round, else a view."""
        if self._appended <= self.capacity:
            return self._records[: self._appended]
        return np.roll(self._records, -(self._appended % self.capacity))

    def tail(self, count: int) -> Records:
        """The newest `count` records, in sequence order."""
        count = min(count, len(self))
        end = self._appended % self.capacity
        if count <= end:
            return self._records[end - count : end]
        return np.concatenate([self._records[self.capacity - (count - end) :], self._records[:end]])


def sorted_trades(records: Records) -> Records:
    """The trades among `records` (not the gaps), sorted by (traded_at_ns, trade_id)."""
    trades: Records = records[records["kind"] == TRADE]
    times = trades["traded_at_ns"]
    if len(trades) < 2 or bool(np.all(times[1:] > times[:-1])):
        return trades
    order = np.lexsort((trades["trade_id"], times))
    return np.take(trades, order)


def floats(mantissa: NDArray[np.int64], exponent: NDArray[np.int8]) -> NDArray[np.float64]:
    """
    mantissa × 10**exponent as float64: here exactness ends.

    One division by an exact power of ten, so equal to float(text) wherever the mantissa is below 2**53.
    """
    values = mantissa.astype(np.float64)
    down = np.clip(-exponent.astype(np.int64), 0, 22)
    up = np.clip(exponent.astype(np.int64), 0, 22)
    return np.asarray(values / _POWERS[down] * _POWERS[up], np.float64)
