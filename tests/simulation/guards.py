"""
Guards of the line, broken one at a time: what the simulator must find, or it proves nothing.

    python -m tests.simulation.guards        # how many faults it took, and the shortest story, of each
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import msgspec

from poeticoins import (
    candles,
    continuity,
    intake,
    journal_layout,
    lifecycle,
    link,
    publication,
    restarts,
    stream,
)  # fmt: skip
from poeticoins.backfill import Search
from poeticoins.history import History
from poeticoins.model import AnyItem
from poeticoins.record import pack
from poeticoins.sequence import IdWindow, Merge
from tests.simulation.plan import plan
from tests.simulation.process import SimulatedJournal
from tests.simulation.shrink import shrunk, story
from tests.simulation.world import run


def _anything(self: IdWindow, trade_id: int) -> bool:
    self._order.append(trade_id)
    return True


def _at_once(self: Merge[Any], epoch: int, sequence: int, item: Any) -> Sequence[Any]:
    self._hear(epoch, sequence - 1)
    self._newest = max(self._newest, sequence)
    self.next = max(self.next, sequence + 1)
    return (item,)


def _counter_first(self: SimulatedJournal, item: AnyItem) -> AnyItem:
    item = msgspec.structs.replace(item, epoch=self.epoch, sequence=self.next)
    at = 4096 + (self.next - 1) % self._capacity * 56
    self.next += 1
    self._counters[0] = self.next
    self._map[at : at + 56] = pack(item)
    type(self).noted(item)
    return item


def _not_named(self: intake.Intake, need: Any) -> None:
    held, self._held, self._waiting, self._searched = self._held, [], None, None
    for trade, received_at_ns in held:
        if self._continuity.ids.add(trade.trade_id):
            self._continuity._advance(trade.trade_id, trade.traded_at_ns)
            self.published.add(msgspec.structs.replace(trade, received_at_ns=received_at_ns))


def _file_anything(self: History, record: bytes) -> None:
    self._published_before = set()
    _file(self, record)


def _content(self: Search, trades: Sequence[Any]) -> bool:
    self.complete = True
    return False


def _nothing_there(self: History, epoch: int, first: int, last: int) -> tuple[int, int, int, bytes]:
    epoch, first, last, _ = _replay(self, epoch, first, last)
    return epoch, first, last, b""


def _without_beats(life: lifecycle.Life, settings: Any) -> float | None:
    return life.kill_at if life.running else life.next_try


_file = History._file
_replay = History.replay

GUARDS: dict[str, tuple[Any, str, Callable[..., Any] | Any]] = {
    "the client accepts a trade again": (IdWindow, "add", _anything),
    "a hole is not named when the held trades go": (intake.Intake, "release", _not_named),
    "a reader takes whatever comes": (Merge, "message", _at_once),
    "the journal counts before it writes": (SimulatedJournal, "append", _counter_first),
    "older ids are not recalled": (IdWindow, "recall_later", lambda *_: None),
    "a new journal's repeats are taken": (History, "_file", _file_anything),
    "no trade is late": (continuity.Continuity, "is_late", lambda *_: False),
    "a lost connection leaves no hole": (intake.Intake, "disconnected", lambda self, at_ns: None),
    "a death leaves no hole": (publication.Publication, "proof_of_life", 0),
    "a stream forgets ids over epochs": (stream, "REPUBLISHED", 1),
    "a lost answer is never asked for again": (stream, "ASK_AGAIN", 1e9),
    "heartbeats say nothing": (Merge, "heartbeat", lambda *_: None),
    "a failed search is not repeated": (publication.Publication, "open_needs", lambda *_: []),
    "a search is content with one page": (Search, "_next_page", _content),
    "nobody compares with the REST": (intake.Intake, "audited", lambda *_: 0),
    "a torn journal is written on": (journal_layout, "examine", lambda *_: (0, None)),
    "every journal has the same name": (journal_layout, "new_epoch", lambda *_: 7),
    "historical says that what it has does not exist": (History, "replay", _nothing_there),
    "late trades correct no bar": (History, "_chart_late", lambda self: None),
    "a bar's ends are not corrected": (candles, "take_ends", lambda *_: None),
    "a silent connection counts as alive": (link, "verdict", lambda *_, **__: "alive"),
    "a hung process is not noticed": (lifecycle, "deadline", _without_beats),
    "a hung process is asked and never killed": (lifecycle, "KILL", lifecycle.ABORT),
    "restarts know no delay": (restarts, "_child_delay", lambda *_: 0.0),
    "a process that is well is taken for a hung one": (lifecycle, "_beaten", lambda life, *_: life),
}


@contextmanager
def broken(name: str) -> Iterator[None]:
    """One guard does not hold."""
    place, attribute, instead = GUARDS[name]
    with mock.patch.object(place, attribute, instead):
        yield


def found(name: str, seeds: range) -> tuple[int, str, int] | None:
    """The faults that it took to find a broken guard, its shortest story and that one's length; None if it was not."""
    faults = 0
    with broken(name):
        for seed in seeds:
            outcome = run(plan(seed))
            faults += len(outcome.struck)
            if outcome.wrong:
                shortest = shrunk(outcome, run)
                return faults, story(shortest), len(shortest.struck)
    return None


if __name__ == "__main__":
    for guard in sys.argv[1:] or GUARDS:
        told = found(guard, range(1, 200))
        print(
            f"{guard}: " + (f"after {told[0]} faults, {told[2]} are enough\n{told[1]}\n" if told else "NOT FOUND"),
            flush=True,
        )
