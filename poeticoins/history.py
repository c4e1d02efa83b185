"""
What historical keeps of one product, and its answers: the merge, the trades, the bars and the known gaps. No I/O.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from poeticoins.candles import Bars, Deal
from poeticoins.chart import Chart, Kept
from poeticoins.config import Settings
from poeticoins.gaps import Gaps
from poeticoins.model import Product, Trade
from poeticoins.record import LATE, RECORD, RECORD_SIZE, TRADE, unpack
from poeticoins.ring import RECORD_DTYPE, Records, sorted_trades
from poeticoins.sequence import Lost, Merge, Wanted, follows
from poeticoins.window import PAGE, Window, place_of

REPLAY_PAGE = 4_000  # records in one answer to a replay question, so that nobody waits long behind it
LATE_AT_ONCE = 1_000  # late trades whose candles are corrected together, at the latest


class History:
    """One product's window. Feed it what the bus, the journal and the replay say; ask it what it knows."""

    def __init__(self, product: Product, settings: Settings) -> None:
        self.product = product
        self.gaps = Gaps(product)
        self._merge: Merge[bytes] | None = None
        self._window = Window(settings.ring_capacity)
        self.chart = Chart((settings.bars_1s, settings.bars_1m, settings.bars_1h, settings.bars_1d))
        self._kept: Kept | None = None  # what was on disk, until a journal goes on from it
        self._charted = (0, 0)  # up to this trade, what comes late may be in the bars that were on disk
        self._before = (0, 0)  # the newest trade when this journal began, which may repeat all up to there
        self._epoch = 0
        self._complete_from = 1  # from this sequence of the epoch on, nothing that exists is missing
        self._published_before: set[int] = set()  # ids that an earlier epoch brought: a new journal repeats them
        self._repeated: dict[int, bytes] = {}  # by sequence: those repeats, which another reader may not have had
        self._late: list[bytes] = []  # late trades that the candles do not hold yet

    # -- what comes in

    def restore_bars(self, kept: Kept) -> None:
        """What `kept` said, before anything else came in. Raises ValueError, and takes nothing, if that cannot be."""
        gaps = Gaps(self.product)
        gaps.restore(kept.notes)
        self.chart.restore(kept.tiers, kept.began_ns)
        self.gaps = gaps
        self._kept = kept
        self._window.newest = self._charted = kept.newest

    def restore(self, epoch: int, first: int, last: int, records: bytes) -> None:
        """The publisher's journal, or the part of it that was wanted: the sequences `first` to `last` of `epoch`."""
        if self._merge is None:
            self._merge = Merge(epoch=epoch, following=last)
            self._epoch, self._complete_from = epoch, first
            self._load(np.frombuffer(records, RECORD_DTYPE), last)
            return
        if epoch != self._merge.epoch:
            self._merge.heartbeat(epoch, last)
        self._take(self._merge.answer(epoch, first, last, split(records)))

    def message(self, epoch: int, sequence: int, record: bytes) -> None:
        """A live trade or gap."""
        self._take(self._joined().message(epoch, sequence, record))

    def heartbeat(self, epoch: int, last: int) -> None:
        self._joined().heartbeat(epoch, last)

    @property
    def wanted(self) -> Wanted | None:
        """The range that has to be fetched from the publisher's journal."""
        return self._merge.wanted if self._merge else None

    @property
    def next(self) -> tuple[int, int]:
        """(epoch, sequence) that comes next; (0, 1) before anything is known."""
        return (self._merge.epoch or 0, self._merge.next) if self._merge else (0, 1)

    def _joined(self) -> Merge[bytes]:
        if self._merge is None:  # no journal was there: everything is wanted, from the first
            self._merge = Merge(history=2**62)
        return self._merge

    def _take(self, items: Iterable[bytes | Lost]) -> None:
        taken = list(items)
        for item, following in zip(taken, [*taken, None][1:], strict=True):
            if isinstance(item, Lost):
                self._complete_from = item.last + 1
                now = self._window.newest[0]
                until = max(now, RECORD.unpack(following)[2]) if isinstance(following, bytes) else now
                self.gaps.overrun(now, until, item.epoch, item.last - item.first + 1)
            else:
                self._file(item)

    def _file(self, record: bytes) -> None:
        fields = RECORD.unpack(record)
        sequence, trade_id, traded_ns, kind, epoch = fields[0], fields[1], fields[2], fields[8], fields[10]
        if epoch != self._epoch:
            self._begin(epoch, sequence, (traded_ns, trade_id if kind == TRADE else 0))
        if kind != TRADE:
            self._window.note(record)
            self.gaps.note(unpack(record, self.product))
            return
        if trade_id in self._published_before:
            self._repeated[sequence] = record
            return
        if self._window.add((traded_ns, trade_id), record):
            self.chart.add(Deal(traded_ns, _float(fields[4], fields[6]), _float(fields[5], fields[7])))
        else:
            if (traded_ns, trade_id) > self._charted:
                self._late.append(record)
            if len(self._late) >= LATE_AT_ONCE:
                self._chart_late()

    def _load(self, records: Records, last: int) -> None:
        """A whole journal at once, up to `last`, into what is empty but for kept bars: 50,000 records in some 30 ms."""
        self._window.restore(records)
        fresh = self._chart_journal(records, last)
        for record in fresh[fresh["kind"] != TRADE]:
            self.gaps.note(unpack(record.tobytes(), self.product))

    def _chart_journal(self, records: Records, last: int) -> Records:
        """Adds what the kept bars have not got yet, and returns it; of another epoch, that is what is newer."""
        kept, first = self._kept, self._complete_from
        if kept is None:
            self.chart.begin(records, whole=first == 1)
            return records
        goes_on = kept.epoch == self._epoch and kept.sequence <= last
        self._charted = self._before = kept.before if goes_on else kept.newest
        fresh: Records = records[records["sequence"] > kept.sequence] if goes_on else records
        times, ids = fresh["traded_at_ns"], fresh["trade_id"]
        is_newer = (times > self._charted[0]) | ((times == self._charted[0]) & (ids > self._charted[1]))
        fresh = fresh[is_newer | (fresh["kind"] != TRADE)]
        if first > (kept.sequence + 1 if goes_on else 1):
            self._miss(kept, first - kept.sequence - 1 if goes_on else None, fresh)
        elif not goes_on and len(records) and not follows(kept.newest, place_of(records[0])):
            self._miss(kept, None, fresh)
        self.chart.go_on(fresh, records, kept.newest[0])
        return fresh

    def _miss(self, kept: Kept, missing: int | None, fresh: Records) -> None:
        """What the journal no longer had when it was read again is missing in the bars: a gap."""
        on_time = fresh[(fresh["kind"] == TRADE) & (fresh["flags"] & LATE == 0)]
        until = int(on_time["traded_at_ns"][0]) if len(on_time) else kept.newest[0]
        self.gaps.overrun(min(kept.newest[0], until), until, self._epoch, missing)

    def _begin(self, epoch: int, sequence: int, first: tuple[int, int]) -> None:
        """
        A new epoch: its journal may hold trades again that the one before it has published. And it may not go on from
        what is known: `first` is the (traded_at_ns, trade_id) it begins with.
        """
        known = self._window.newest
        if self._epoch:
            self._before = known
            self._published_before = {
                int(trade_id) for trade_id in sorted_trades(self._window.ring.in_order())["trade_id"]
            }
        elif self._kept:  # no journal was there to be read: the bars on disk are all that is known
            self._before = self._kept.before if epoch == self._kept.epoch else known
        if known[0] and not self._goes_on(epoch, sequence, first):
            self.gaps.overrun(known[0], max(known[0], first[0]), epoch)
        self._epoch, self._complete_from, self._repeated = epoch, sequence, {}

    def _goes_on(self, epoch: int, sequence: int, first: tuple[int, int]) -> bool:
        """Whether nothing is missing unnamed between what is known and the first that is heard of an epoch."""
        if self._kept and not self._epoch and epoch == self._kept.epoch:
            return sequence <= self._kept.sequence + 1
        if first[1] in self._published_before:
            return True
        return sequence == 1 and follows(self._window.newest, first)

    def _chart_late(self) -> None:
        """Has late trades correct their candles, together: each by itself would have to look through the whole ring."""
        if self._late:
            late, self._late = np.frombuffer(b"".join(self._late), RECORD_DTYPE), []
            self.chart.correct(late, self._window.ring.in_order())

    # -- what is asked

    @property
    def last_trade(self) -> Trade | None:
        """The newest trade by (traded_at_ns, trade_id)."""
        record = self._window.newest_record
        found = unpack(record, self.product) if record else None
        return found if isinstance(found, Trade) else None

    def trades(self, limit: int, since_ns: int = 0, before: tuple[int, int] | None = None) -> tuple[Records, bool]:
        """The newest `limit` trades, sorted by (traded_at_ns, trade_id), and whether older ones that fit remain."""
        return self._window.trades(limit, since_ns, before, others=len(self.gaps))

    def candles(self, interval_ns: int, limit: int) -> Bars:
        """The newest `limit` candles, oldest first. Raises ValueError for an interval that is not whole seconds."""
        self._chart_late()
        return self.chart.candles(interval_ns, min(limit, PAGE), self.gaps)

    def kept(self) -> Kept:
        """The bars and the known gaps, for the disk."""
        self._chart_late()
        epoch, following = self.next
        return Kept(
            epoch, following - 1, self._window.newest, self.chart.began_ns, self.chart.tiers, self.gaps.records,
            self._before,
        )  # fmt: skip

    def replay(self, epoch: int, first: int, last: int) -> tuple[int, int, int, bytes]:
        """(epoch, first, last, records): the part of the range asked for that is known; see messages.ReplayAnswer."""
        newest = self.next[1] - 1 if self.next[0] == self._epoch else 0
        if epoch != self._epoch:
            return self._epoch, 1, 0, b""  # whoever asked has a new place in this one by now: nothing of it is gone
        if first > newest:
            return epoch, first, first - 1, b""
        tail = self._window.ring.tail(max(0, newest - first + 1))
        records = tail[tail["epoch"] == self._epoch]
        # one of an older journal among them: then all that this one has added is in the ring, the rest was repeated
        is_cut = self._window.ring.came_round and 0 < len(records) == len(tail)
        oldest = int(records["sequence"][0]) if is_cut else first
        first = max(first, self._complete_from, oldest)
        last = max(first - 1, min(last, newest, first + REPLAY_PAGE - 1))
        chosen = records[(records["sequence"] >= first) & (records["sequence"] <= last)].tobytes()
        repeated = [(n, record) for n, record in self._repeated.items() if first <= n <= last]
        if repeated:
            chosen = b"".join(record for _, record in sorted([*split(chosen), *repeated]))
        return self._epoch, first, last, chosen


def split(records: bytes) -> Sequence[tuple[int, bytes]]:
    """(sequence, record) of each record."""
    return [
        (int.from_bytes(records[at : at + 8], "little"), records[at : at + RECORD_SIZE])
        for at in range(0, len(records), RECORD_SIZE)
    ]


def _float(mantissa: int, exponent: int) -> float:
    return mantissa / 10**-exponent if exponent <= 0 else float(mantissa * 10**exponent)
