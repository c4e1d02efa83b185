"""What is fuzzed: one place where bytes come in, with good inputs to begin from and the promise that must hold."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from poeticoins import record, wire
from poeticoins.model import Trade
from poeticoins.record import pack, unpack
from tests.fuzz.mutation import SEAM

LONGEST = 2.0
"""Seconds of processor time that an input may take: the dearest is some fifty milliseconds, but for a chart's first."""


@dataclass(frozen=True)
class Target:
    """
    seeds: good inputs. take: lets one input in, whatever it is; raises only if a promise is broken. modules: whose
    code it is about, for the report. short: how many inputs it is given in the suite of tests.
    """

    seeds: Sequence[bytes]
    take: Callable[[bytes], None]
    modules: tuple[str, ...]
    short: int = 500

    def let_in(self, data: bytes) -> None:
        """Lets `data` in, and holds it to the promise that no input holds anybody up."""
        began = time.process_time()
        self.take(data)
        assert time.process_time() - began < LONGEST


def series(take: Callable[[list[bytes]], None]) -> Callable[[bytes], None]:
    """From a place that takes messages one after the other to one that takes a single input."""
    return lambda data: take(data.split(SEAM))


@cache
def directory() -> Path:
    """A directory of this process for what has to lie in files; in memory, where that can be had."""
    fast = Path("/dev/shm")
    kept = tempfile.TemporaryDirectory(prefix="fuzz", dir=fast if fast.is_dir() else None)
    _kept.append(kept)
    return Path(kept.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def is_told_of(error: Exception, start: str = "") -> None:
    """A refusal says where and why, in few words, whatever was refused."""
    assert str(error).startswith(start)
    assert len(str(error)) < 3000


def is_whole(trade: Trade) -> None:
    """A trade that was let in can be kept and sent, and comes back as it was, digit by digit."""
    found = unpack(pack(trade), trade.product)
    assert (found, str(found.price), str(found.size)) == (trade, str(trade.price), str(trade.size))
    name, message = wire.decode_frame(wire.frame(wire.topic(trade.product), wire.trade_message(trade)))
    assert isinstance(message, msgspec.Struct)
    assert (name, wire.item_of(message, trade.product)) == (str(trade.product), trade)
    assert len(pack(trade)) == record.RECORD_SIZE
