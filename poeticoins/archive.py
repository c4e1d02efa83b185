"""
Historical's bars on disk: a file per product, replaced whole before the journal loses the trades that are not in it.
And the exchange's own candles, which its client leaves in a file beside it.

The journal brings back what is newer than the file, so that a `kill -9` at any moment costs nothing. What is written,
and when, has no effect on any answer; a full disk is a warning, and is tried again.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable

import msgspec

from poeticoins import sealed
from poeticoins.chart import Kept
from poeticoins.config import Settings
from poeticoins.history import History
from poeticoins.log import warn
from poeticoins.model import Product
from poeticoins.told import CANDLES, Told

log = logging.getLogger(__name__)
BARS = "poeticoins bars 1"
FRACTION = 4
"""Bars are written when so many parts of the journal's capacity are new: time enough for a slow disk."""
AT_LEAST = 900.0
"""Seconds after which they are written, however few are new."""
AGAIN = 10.0
"""Seconds until another try after a write that failed."""

_decode = msgspec.msgpack.Decoder(Kept).decode
_decode_told = msgspec.msgpack.Decoder(Told).decode


class Archive:
    """The files of all products that are followed."""

    def __init__(self, settings: Settings, histories: Iterable[History]) -> None:
        self._settings = settings
        self._histories = list(histories)
        self._on_disk = {history.product: (0, 0) for history in self._histories}  # (epoch, sequence) of its file
        self._heard_ns = dict.fromkeys(self._on_disk, 0)
        self._written_at = dict.fromkeys(self._on_disk, time.monotonic())
        self._failed_at: float | None = None
        self._writing = threading.Lock()

    def restore(self, history: History) -> None:
        """Gives `history` what was kept of it. A file that cannot be used is put aside, with one line in the log."""
        path, product = self._settings.bars(history.product), history.product
        try:
            content = sealed.read(path, BARS, self._settings.mode, product)
            if content is not None:
                kept = _decode(content)
                history.restore_bars(kept)
                self._on_disk[product] = kept.epoch, kept.sequence
        except (sealed.BrokenSeal, ValueError) as error:  # ValueError: it is whole, yet not what we write
            warn(log, "put bars aside", file=sealed.put_aside(path), why=error)
        self._hear(history)

    def _hear(self, history: History) -> None:
        """Takes what the exchange tells, if that is new. The file is its client's, which puts a bad one aside."""
        path, product = self._settings.candles(history.product), history.product
        changed_ns = path.stat().st_mtime_ns if path.exists() else 0
        if changed_ns == self._heard_ns[product]:
            return
        self._heard_ns[product] = changed_ns
        try:
            content = sealed.read(path, CANDLES, self._settings.mode, product)
            if content is not None:
                history.chart.hear(_decode_told(content))
        except (sealed.BrokenSeal, ValueError) as error:
            warn(log, "cannot read the exchange's candles", why=error)

    async def follow(self, interval: float) -> None:
        """Looks every `interval` seconds what is to be written and what is new to read, for as long as it runs."""
        while True:
            await asyncio.sleep(interval)
            for history in self._histories:
                self._hear(history)
            now = time.monotonic()
            if self._failed_at is None or now - self._failed_at >= AGAIN:
                for history in self._histories:
                    if self._is_due(history, now):
                        await self._save(history)

    def close(self) -> None:
        """Writes all that is new, before the process ends."""
        for history in self._histories:
            if self._unsaved(history):
                self._write(history.product, history.kept())

    def _is_due(self, history: History, now: float) -> bool:
        fresh = self._unsaved(history)
        if fresh >= max(1, self._settings.journal_capacity // FRACTION):
            return True
        return fresh > 0 and now - self._written_at[history.product] >= AT_LEAST

    def _unsaved(self, history: History) -> int:
        """The number of records that the file does not know of."""
        epoch, following = history.next
        on_disk_epoch, on_disk = self._on_disk[history.product]
        return following - 1 - (on_disk if on_disk_epoch == epoch else 0)

    async def _save(self, history: History) -> None:
        await asyncio.to_thread(self._write, history.product, history.kept())

    def _write(self, product: Product, kept: Kept) -> None:
        """In a thread, and at the end in the main one, which may have to wait for the other."""
        with self._writing:
            epoch, sequence = self._on_disk[product]
            if epoch == kept.epoch and sequence >= kept.sequence:
                return
            try:
                content = msgspec.msgpack.encode(kept)
                sealed.write(self._settings.bars(product), BARS, self._settings.mode, product, content)
            except OSError as error:
                if self._failed_at is None:
                    warn(log, "cannot keep bars on disk, will try again", product=product, why=error.strerror)
                self._failed_at = time.monotonic()
                return
            self._failed_at = None
            self._on_disk[product] = kept.epoch, kept.sequence
            self._written_at[product] = time.monotonic()
