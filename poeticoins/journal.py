"""
The journal of one product: a ring of records in a preallocated file, written before anything is published.

It owns (epoch, sequence). An append is a memory write (about 1 us) and survives `kill -9`, since the pages belong to
the system. One client writes, under its directory's lock; anyone may read the file, also while it is written: the
header's sequence is read before and after the copy, and what may have been overwritten meanwhile is left out.
"""

import fcntl
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import randbits

import msgspec

from poeticoins import journal_layout as layout
from poeticoins import private
from poeticoins.errors import JournalError
from poeticoins.journal_layout import ALIVE, AUDITED, COUNTERS, NEXT, TRADES, Inheritance, Tail
from poeticoins.model import AnyItem, Product, Trade
from poeticoins.record import RECORD_SIZE, pack


class Journal:
    """The writing end. Close it to let go of the file; nothing need be flushed."""

    def __init__(self, path: Path, product: Product, mode: str, capacity: int) -> None:
        """
        Opens or makes the journal. Raises JournalError if there is no space for it.

        A file that is torn, or not this product's, mode's or capacity's, is put aside as `*.quarantined-N`:
        `self.quarantined` then says where and why, and `self.inherited` what could still be read of it.
        """
        self._path, self._capacity = path, capacity
        self.quarantined: str | None = None
        self.inherited: Inheritance | None = None
        previous, identity = 0, layout.identity_of(mode, product)
        if path.exists():
            content = path.read_bytes()
            previous, why = layout.examine(content, identity, capacity)
            if why:
                self.inherited = layout.inheritance(content, identity)
                aside = path.with_name(f"{path.name}.quarantined-{time.time_ns()}")
                path.rename(aside)
                self.quarantined = f"{aside}: {why}"
        self.is_new = not path.exists()
        if self.is_new:
            _make(path, identity, layout.new_epoch(previous, randbits(32)), capacity)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._map = mmap.mmap(self._descriptor, layout.size_of(capacity))
        self._counters = memoryview(self._map)[COUNTERS : COUNTERS + 32].cast("Q")
        self.epoch = layout.epoch_of(memoryview(self._map))
        self.next: int = self._counters[NEXT]

    @property
    def oldest(self) -> int:
        """The sequence of the oldest record that is not lost to the ring."""
        return max(1, self.next + 1 - self._capacity)

    @property
    def trades(self) -> int:
        """How many trades have been appended since the journal was made."""
        return int(self._counters[TRADES])

    @property
    def alive_at_ns(self) -> int:
        """When the writer last said that it was connected and up to date, 0: never."""
        return int(self._counters[ALIVE])

    def alive(self, at_ns: int) -> None:
        """Proof of life: a hole in time after a death begins here."""
        self._counters[ALIVE] = at_ns

    def check(self) -> None:
        """Raises JournalError if the file has been deleted: nobody else can read what is written to it."""
        if not os.fstat(self._descriptor).st_nlink:
            raise JournalError(f"the journal {self._path} has been deleted under its client, which begins a new one")

    @property
    def audited_at_ns(self) -> int:
        """Up to when the exchange's REST has been asked whether its socket left anything out, 0: never."""
        return int(self._counters[AUDITED])

    def audited(self, at_ns: int) -> None:
        """An audit has compared all that was traded up to then: remembered over deaths, so that no span is left out."""
        self._counters[AUDITED] = at_ns

    def append(self, item: AnyItem) -> AnyItem:
        """Writes a trade, gap or refill and returns it with its epoch and sequence."""
        item = msgspec.structs.replace(item, epoch=self.epoch, sequence=self.next)
        at = layout.place_of(self.next, self._capacity)
        self._map[at : at + RECORD_SIZE] = pack(item)
        self.next += 1
        if isinstance(item, Trade):
            self._counters[TRADES] += 1
        self._counters[NEXT] = self.next  # last: a death before this line leaves no trace of the record
        return item

    def tail(self, first: int = 1, limit: int | None = None) -> Tail:
        """As read_tail, from our own map."""
        return layout.tail(memoryview(self._map), first, limit)

    def close(self) -> None:
        self._counters.release()
        self._map.close()
        os.close(self._descriptor)


def read_tail(path: Path, product: Product, mode: str, first: int = 1, limit: int | None = None) -> Tail | None:
    """
    The records from sequence `first` on (the oldest that are left, if those are gone), at most `limit` of them.

    None if there is no journal of this product and mode at `path`, or if any of them is torn: its client puts it aside
    when it starts. Safe while the file is written.
    """
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as view,
        ):
            if not layout.is_journal(view, layout.identity_of(mode, product)):
                return None
            tail = layout.tail(view, first, limit)
            return tail if tail.is_whole else None
    except (FileNotFoundError, ValueError):  # ValueError: an empty file cannot be mapped
        return None


@contextmanager
def writing(directory: Path, patience: float = 5.0) -> Iterator[None]:
    """
    Holds the directory's lock, so that two clients never write one journal or bind one socket.

    Waits up to `patience` seconds for a predecessor that is just dying. Raises JournalError if it does not.
    """
    try:
        private.directory(directory)
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


def _make(path: Path, identity: bytes, epoch: int, capacity: int) -> None:
    try:
        with private.replacing(path) as descriptor:
            # without the reservation, a full disk would show as SIGBUS on some later write to the map
            os.posix_fallocate(descriptor, 0, layout.size_of(capacity))
            os.pwrite(descriptor, layout.new_header(identity, epoch, capacity), 0)
    except OSError as error:
        need = layout.size_of(capacity) / 1e6
        raise JournalError(f"cannot make the journal {path} ({need:.1f} MB): {error.strerror}") from None
