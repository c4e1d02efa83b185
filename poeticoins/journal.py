"""
The journal of one product: a ring of 56-byte records in a preallocated file, written before anything is published.

It owns (epoch, sequence). An append is a memory write (about 1 us) and survives `kill -9`, since the pages belong to
the system. One client writes, under its directory's lock; anyone may read the file, also while it is written: the
header's sequence is read before and after the copy, and what may have been overwritten meanwhile is left out.

Layout: a header of 4096 bytes (64 bytes of fixed facts, then four u64: next sequence, alive_at_ns, trades,
audited_at_ns), then the records; the record of sequence s lies at slot (s - 1) % capacity.
"""

import fcntl
import mmap
import os
import struct
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from poeticoins.errors import JournalError
from poeticoins.model import AnyItem, Product, Trade
from poeticoins.record import KIND, RECORD, RECORD_SIZE, TRADE, pack, sequences

_MAGIC = b"poeticoins journal 1"
_HEADER = 4096
_FACTS = struct.Struct("<20s44sII")  # magic, mode and product, epoch, capacity
_NEXT, _ALIVE, _TRADES, _AUDITED = 0, 1, 2, 3  # places of the live counters
_LIVE = struct.Struct("@QQQ")  # native: each is read at one go, so never half-changed
_COUNTERS = 128  # their offset; 8-byte aligned, so that each is one store


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


class Inheritance(NamedTuple):
    """What a new journal has to know of the one before it: its newest trade, and its last proof of life."""

    trade_id: int
    traded_at_ns: int
    alive_at_ns: int


class Journal:
    """The writing end. Close it to let go of the file; nothing need be flushed."""

    def __init__(self, path: Path, product: Product, mode: str, capacity: int) -> None:
        """
        Opens or makes the journal. Raises JournalError if there is no space for it.

        A file that is torn, or not this product's, mode's or capacity's, is put aside as `*.quarantined-N`:
        `self.quarantined` then says where and why, and `self.inherited` what could still be read of it.
        """
        self.product = product
        self._path, self._capacity = path, capacity
        self.quarantined: str | None = None
        self.inherited: Inheritance | None = None
        previous = 0
        if path.exists():
            previous, why = _examine(path, _identity(mode, product), capacity)
            if why:
                self.inherited = _inheritance(path, _identity(mode, product))
                aside = path.with_name(f"{path.name}.quarantined-{time.time_ns()}")
                path.rename(aside)
                self.quarantined = f"{aside}: {why}"
        self.is_new = not path.exists()
        if self.is_new:
            _make(path, _identity(mode, product), max(previous + 1, int(time.time())), capacity)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._map = mmap.mmap(self._descriptor, _HEADER + capacity * RECORD_SIZE)
        self._counters = memoryview(self._map)[_COUNTERS : _COUNTERS + 32].cast("Q")
        self.epoch: int = _FACTS.unpack_from(self._map)[2]
        self.next: int = self._counters[_NEXT]

    @property
    def trades(self) -> int:
        """How many trades have been appended since the journal was made."""
        return int(self._counters[_TRADES])

    @property
    def alive_at_ns(self) -> int:
        """When the writer last said that it was connected and up to date, 0: never."""
        return int(self._counters[_ALIVE])

    def alive(self, at_ns: int) -> None:
        """Proof of life: a hole in time after a death begins here. Raises JournalError if the file has been deleted."""
        self._counters[_ALIVE] = at_ns
        if not os.fstat(self._descriptor).st_nlink:
            raise JournalError(f"the journal {self._path} has been deleted under its client, which begins a new one")

    @property
    def audited_at_ns(self) -> int:
        """Up to when the exchange's REST has been asked whether its socket left anything out, 0: never."""
        return int(self._counters[_AUDITED])

    def audited(self, at_ns: int) -> None:
        """An audit has compared all that was traded up to then: remembered over deaths, so that no span is left out."""
        self._counters[_AUDITED] = at_ns

    def append(self, item: AnyItem) -> AnyItem:
        """Writes a trade, gap or refill and returns it with its epoch and sequence."""
        item = msgspec.structs.replace(item, epoch=self.epoch, sequence=self.next)
        at = _HEADER + (self.next - 1) % self._capacity * RECORD_SIZE
        self._map[at : at + RECORD_SIZE] = pack(item)
        self.next += 1
        if isinstance(item, Trade):
            self._counters[_TRADES] += 1
        self._counters[_NEXT] = self.next  # last: a death before this line leaves no trace of the record
        return item

    def tail(self, first: int = 1, limit: int | None = None) -> Tail:
        """As read_tail, from our own map."""
        return _tail(memoryview(self._map), self._capacity, first, limit)

    def close(self) -> None:
        self._counters.release()
        self._map.close()
        os.close(self._descriptor)


def read_tail(path: Path, product: Product, mode: str, first: int = 1, limit: int | None = None) -> Tail | None:
    """
    The records from sequence `first` on (the oldest that are left, if those are gone), at most `limit` of them.

    None if there is no journal of this product and mode at `path`. Safe while the file is written.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            if len(mapped) < _HEADER:
                return None
            magic, identity, _, capacity = _FACTS.unpack_from(mapped)
            if (magic, identity) != (_MAGIC, _identity(mode, product)):
                return None
            if len(mapped) != _HEADER + capacity * RECORD_SIZE:
                return None
            view = memoryview(mapped)
            try:
                return _tail(view, capacity, first, limit)
            finally:
                view.release()
    except (FileNotFoundError, ValueError):  # ValueError: an empty file cannot be mapped
        return None


@contextmanager
def writing(directory: Path, patience: float = 5.0) -> Iterator[None]:
    """
    Holds the directory's lock, so that two clients never write one journal or bind one socket.

    Waits up to `patience` seconds for a predecessor that is just dying. Raises JournalError if it does not.
    """
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # `mode` is not for the parents that it makes
        directory.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"cannot make the journals' directory {directory}: {error.strerror}") from None
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise JournalError(f"{directory}: another client holds the lock; stop it first") from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _identity(mode: str, product: Product) -> bytes:
    return f"{mode} {product}".encode().ljust(44, b"\0")


def _make(path: Path, identity: bytes, epoch: int, capacity: int) -> None:
    """Makes the file whole under another name first, so that a death midway leaves nothing half-made behind."""
    half_made = path.with_name(path.name + ".new")
    descriptor = -1
    try:
        descriptor = os.open(half_made, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        # without the reservation, a full disk would show as SIGBUS on some later write to the map
        os.posix_fallocate(descriptor, 0, _HEADER + capacity * RECORD_SIZE)
        os.pwrite(descriptor, struct.pack("<Q", 1), _COUNTERS)
        os.pwrite(descriptor, _FACTS.pack(_MAGIC, identity, epoch, capacity), 0)
        half_made.rename(path)
    except OSError as error:
        half_made.unlink(missing_ok=True)
        need = (_HEADER + capacity * RECORD_SIZE) / 1e6
        raise JournalError(f"cannot make the journal {path} ({need:.1f} MB): {error.strerror}") from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _examine(path: Path, identity: bytes, capacity: int) -> tuple[int, str | None]:
    """The epoch of an existing file and, if it cannot be used, why."""
    with path.open("rb") as file:
        head = file.read(_COUNTERS + 24)
        size = os.fstat(file.fileno()).st_size
        if len(head) < _COUNTERS + 24 or not head.startswith(_MAGIC):
            return 0, "expected a journal of version 1"
        _, found_identity, epoch, found_capacity = _FACTS.unpack_from(head)
        if found_identity != identity:
            return 0, f"expected the journal of {_text(identity)}, found that of {_text(found_identity)}"
        if found_capacity != capacity:
            return epoch, f"its capacity is {found_capacity}, the settings say {capacity}"
        if size != _HEADER + capacity * RECORD_SIZE:
            return epoch, f"expected {_HEADER + capacity * RECORD_SIZE} bytes, found {size}"
        following = _LIVE.unpack_from(head, _COUNTERS)[_NEXT]
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped)[_HEADER:] as slots:
            if not _is_whole(sequences(slots), following):
                return epoch, "some of its records are not those that its header names"
    return epoch, None


def _is_whole(found: "array[int]", following: int) -> bool:
    """Whether the slots hold the sequences that they must; the one that is written next may hold anything."""
    capacity, newest = len(found), following - 1
    if newest < capacity:
        return found[:newest] == array("Q", range(1, following))
    slot = (newest - 1) % capacity
    older = array("Q", range(following + 1 - capacity, newest - slot))
    return found[: slot + 1] == array("Q", range(newest - slot, following)) and found[slot + 2 :] == older


def _inheritance(path: Path, identity: bytes) -> Inheritance | None:
    """The newest trade that a file put aside still holds whole; None if it is not of this product and mode."""
    content = path.read_bytes()
    if len(content) < _HEADER or _FACTS.unpack_from(content)[:2] != (_MAGIC, identity):
        return None
    capacity = _FACTS.unpack_from(content)[3]
    records = content[_HEADER : len(content) - (len(content) - _HEADER) % RECORD_SIZE]
    whole = [
        row
        for slot, row in enumerate(RECORD.iter_unpack(records))
        if row[KIND] == TRADE and row[0] and (row[0] - 1) % max(capacity, 1) == slot
    ]
    if not whole:
        return None
    newest = max(whole)
    return Inheritance(newest[1], newest[2], max(newest[3], _LIVE.unpack_from(content, _COUNTERS)[_ALIVE]))


def _text(identity: bytes) -> str:
    return ascii(identity.rstrip(b"\0").decode("ascii", "replace"))


def _tail(view: memoryview, capacity: int, first: int, limit: int | None) -> Tail:
    epoch = _FACTS.unpack_from(view)[2]
    following, alive_at_ns, _ = _LIVE.unpack_from(view, _COUNTERS)
    last = following - 1
    first = max(first, following + 1 - capacity)  # the writer may be in the midst of the one that `following` replaces
    if limit is not None:
        last = min(last, first + limit - 1)
    copy = _copy(view, capacity, first, last)
    untouched = _LIVE.unpack_from(view, _COUNTERS)[0] + 1 - capacity
    if untouched > first:
        copy, first = copy[(untouched - first) * RECORD_SIZE :], untouched
    return Tail(epoch, first, max(last, first - 1), copy, alive_at_ns)


def _copy(view: memoryview, capacity: int, first: int, last: int) -> bytes:
    """The records `first` to `last`, which may lie around the ring's end."""
    if last < first:
        return b""
    start, end = (first - 1) % capacity, (last - 1) % capacity + 1
    slots = view[_HEADER:]
    if start < end:
        return bytes(slots[start * RECORD_SIZE : end * RECORD_SIZE])
    return bytes(slots[start * RECORD_SIZE :]) + bytes(slots[: end * RECORD_SIZE])
