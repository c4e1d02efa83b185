"""
What the bytes of a journal's file mean, and which of them may be trusted. Pure.

A header of 4096 bytes (72 bytes of fixed facts; from byte 128 on four u64: next sequence, alive_at_ns, trades,
audited_at_ns), then the ring of 56-byte records: that of sequence s lies at slot (s - 1) % capacity.
"""

import struct
from typing import NamedTuple

from poeticoins.model import Product
from poeticoins.record import EPOCH, FLAGS, KIND, LATE, RECORD, RECORD_SIZE, TRADE, are_those, are_whole

HEADER = 4096
COUNTERS = 128
"""Where the live counters lie; 8-byte aligned, so that each is one store."""
NEXT, ALIVE, TRADES, AUDITED = 0, 1, 2, 3  # their places
_MAGIC = b"poeticoins journal 1"
_FACTS = struct.Struct("<20s44sII")  # magic, mode and product, epoch, capacity
_LIVE = struct.Struct("@QQQ")  # native: each is read at one go, so never half-changed


class Tail(NamedTuple):
    """
    A copy out of a journal: the sequences `first` to `last` of `epoch`, and the last proof of life.

    first is greater than the one asked for if what was before is gone; last = first - 1 if there is nothing.
    """

    epoch: int
    first: int
    last: int
    records: bytes
    alive_at_ns: int

    @property
    def is_whole(self) -> bool:
        """Whether the records are those that it names, and none of them is torn."""
        return are_those(self.records, self.epoch, self.first, self.last)


class Inheritance(NamedTuple):
    """What is left of a journal before a new one: the record of its newest trade in order, its last proof of life."""

    record: bytes
    alive_at_ns: int
    """0: not known, since trades may have been cut off that were published before it."""


def size_of(capacity: int) -> int:
    """The bytes of a file that holds so many records."""
    return HEADER + capacity * RECORD_SIZE


def place_of(sequence: int, capacity: int) -> int:
    """Where in the file the record of a sequence lies."""
    return HEADER + (sequence - 1) % capacity * RECORD_SIZE


def identity_of(mode: str, product: Product) -> bytes:
    return f"{mode} {product}".encode().ljust(44, b"\0")


def new_epoch(previous: int, drawn: int) -> int:
    """
    The name of a new journal, out of 32 bits that were drawn by lot: no clock that is set back, nor the loss of the
    journal before it, makes it an old one's. Never 0, nor that of the one before it, if that is known.
    """
    epoch = drawn % 2**32
    return epoch if epoch not in (0, previous) else epoch % (2**32 - 1) + 1


def new_header(identity: bytes, epoch: int, capacity: int) -> bytes:
    """The header of a journal that holds nothing yet."""
    return _FACTS.pack(_MAGIC, identity, epoch, capacity).ljust(COUNTERS, b"\0") + struct.pack("<Q", 1)


def epoch_of(view: memoryview) -> int:
    """Of a journal that is known to be one."""
    epoch: int = _FACTS.unpack_from(view)[2]
    return epoch


def is_journal(view: memoryview, identity: bytes) -> bool:
    """Whether this is a file of that mode and product, of the length that its header names."""
    if len(view) < HEADER:
        return False
    magic, found, _, capacity = _FACTS.unpack_from(view)
    return (magic, found, len(view)) == (_MAGIC, identity, size_of(capacity))


def examine(content: bytes, identity: bytes, capacity: int) -> tuple[int, str | None]:
    """The epoch of an existing file and, if it cannot be written on, why."""
    if len(content) < COUNTERS + 24 or not content.startswith(_MAGIC):
        return 0, "expected a journal of version 1"
    _, found_identity, epoch, found_capacity = _FACTS.unpack_from(content)
    if found_identity != identity:
        return 0, f"expected the journal of {_text(identity)}, found that of {_text(found_identity)}"
    if found_capacity != capacity:
        return epoch, f"its capacity is {found_capacity}, the settings say {capacity}"
    if len(content) != size_of(capacity):
        return epoch, f"expected {size_of(capacity)} bytes, found {len(content)}"
    if not tail(memoryview(content), 1, None).is_whole:
        return epoch, "some of its records are not those that its header names"
    return epoch, None


def inheritance(content: bytes, identity: bytes) -> Inheritance | None:
    """What a file put aside still holds whole; None if that is no trade, or not of this product and mode."""
    if len(content) < HEADER or _FACTS.unpack_from(content)[:2] != (_MAGIC, identity):
        return None
    _, _, epoch, capacity = _FACTS.unpack_from(content)
    records = content[HEADER : len(content) - (len(content) - HEADER) % RECORD_SIZE]
    whole = [
        row
        for slot, row in enumerate(RECORD.iter_unpack(records))
        if row[KIND] == TRADE
        and not row[FLAGS] & LATE
        and row[0]
        and (row[0] - 1) % max(capacity, 1) == slot
        and row[EPOCH] == epoch
    ]
    newest = next((row for row in sorted(whole, reverse=True) if are_whole(RECORD.pack(*row))), None)
    if newest is None:
        return None
    live = _LIVE.unpack_from(content, COUNTERS)
    return Inheritance(RECORD.pack(*newest), live[ALIVE] if newest[0] == live[NEXT] - 1 else 0)


def tail(view: memoryview, first: int, limit: int | None) -> Tail:
    """The records from sequence `first` on, at most `limit`, out of a journal that may be written meanwhile."""
    *_, epoch, capacity = _FACTS.unpack_from(view)
    following, alive_at_ns, _ = _LIVE.unpack_from(view, COUNTERS)
    last = following - 1
    first = max(first, following + 1 - capacity)  # the writer may be in the midst of the one that `following` replaces
    if limit is not None:
        last = min(last, first + limit - 1)
    copy = _copy(view, capacity, first, last)
    untouched = _LIVE.unpack_from(view, COUNTERS)[NEXT] + 1 - capacity
    if untouched > first:
        copy, first = copy[(untouched - first) * RECORD_SIZE :], untouched
    return Tail(epoch, first, max(last, first - 1), copy, alive_at_ns)


def _text(identity: bytes) -> str:
    return ascii(identity.rstrip(b"\0").decode("ascii", "replace"))


def _copy(view: memoryview, capacity: int, first: int, last: int) -> bytes:
    """The records `first` to `last`, which may lie around the ring's end."""
    if last < first:
        return b""
    start, end = place_of(first, capacity), place_of(last, capacity) + RECORD_SIZE
    if start < end:
        return bytes(view[start:end])
    return bytes(view[start:]) + bytes(view[HEADER:end])
