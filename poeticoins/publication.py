"""
One product's stream as it is published: each item is journalled, then sent. With the gaps in it that are still open.
"""

from collections.abc import Callable, Sequence

from msgspec import structs

from poeticoins import messages, record, wire
from poeticoins.backfill import Need
from poeticoins.config import Settings
from poeticoins.continuity import Continuity
from poeticoins.journal import Journal
from poeticoins.messages import WIRE_VERSION
from poeticoins.model import AnyItem, Gap, Product, Refill, Trade
from poeticoins.record import unpack

REMEMBERED = 1_000
"""Of the journal's oldest records, those among which one is looked for that came in its order."""
RECENT = 1_000
"""Ids that a client knows from its start on without a look into the whole journal: a minute's repeats among them."""


class Publication:
    """
    Owns the product's journal. `send(frame)` puts one frame on the bus. Raises JournalError if there is no space.

    known: learns the journal's ids at the start, and says what came before a gap. gaps, refills: how many of them the
    journal holds. last_trade: the newest that was not late.
    """

    def __init__(self, product: Product, settings: Settings, known: Continuity, send: Callable[[bytes], None]) -> None:
        self.journal = Journal(settings.journal(product), product, settings.mode, settings.journal_capacity)
        self.last_trade: Trade | None = None
        self.gaps = self.refills = 0
        self._product, self._mode = product, settings.mode
        self._topic = wire.topic(product)
        self.known, self._send = known, send
        self._open: dict[int, tuple[Gap, int, int]] = {}  # by sequence: gap, and id and time of the trade before it
        self._restore()

    def add(self, item: AnyItem) -> AnyItem:
        """Journals and sends a trade, a gap or a refill; returns it with its place in the stream."""
        item = self.journal.append(item)
        if isinstance(item, Gap):
            self.gaps += 1
            self._open[item.sequence] = (item, self.known.last_id or 0, self.known.last_traded_ns)
        elif isinstance(item, Refill):
            self.refills += 1
        elif isinstance(item, Trade) and not item.late:
            self.last_trade = item
        self._send(wire.frame(self._topic, wire.message_of(item)))
        return item

    def accept(self, trade: Trade, received_at_ns: int) -> None:
        """A trade from the exchange: nothing if it is known, else itself, behind the hole before it if there is one."""
        for item in self.known.accept(trade):
            self.add(structs.replace(item, received_at_ns=received_at_ns) if isinstance(item, Trade) else item)

    # -- its gaps

    @property
    def open_gaps(self) -> list[Gap]:
        """The journal's gaps that have not been refilled."""
        return [gap for gap, *_ in self._open.values()]

    def open_needs(self, since_ns: int) -> list[Need]:
        """
        What the open gaps that ended since then still want, oldest first: to be searched for again.

        None that the journal has let go of: the ids that were found of it may be forgotten too, and be published twice.
        """
        return [self.need_of(gap) for gap in self._held_gaps if gap.to_ns > since_ns]

    def need_of(self, gap: Gap) -> Need:
        """What an open gap wants to be searched for."""
        _, after_id, after_ns = self._open[gap.sequence]
        if gap.first_id is None or gap.last_id is None:
            return Need(self._product, after_id, None, gap.from_ns, gap.sequence, after_ns=after_ns)
        return Need(self._product, gap.first_id - 1, gap.last_id + 1, gap.from_ns, gap.sequence)

    def close_gaps(self, need: Need, at_ns: int) -> None:
        """A search that came too late has found all: the gaps that it was about are closed by records of their own."""
        for sequence in self._gaps_of(need):
            del self._open[sequence]
            self.add(Refill(self._product, sequence, at_ns))

    def missing(self, need: Need, trades: Sequence[Trade]) -> list[Trade]:
        """
        Those of the trades that a search has found too late that lie in what is still open.

        Another search may have been quicker, or the journal have let go of the gap: then nobody knows any more what of
        it had come. The past of one who knew nothing was no gap.
        """
        if need.after_id is not None and need.before_id is not None:
            spans = [range(gap.first_id or 1, (gap.last_id or 0) + 1) for gap in self._held_gaps]
            trades = [trade for trade in trades if any(trade.trade_id in span for span in spans)]
        elif need.after_id is not None and not self._gaps_of(need):
            return []
        return [trade for trade in trades if trade.trade_id not in self.known.ids]

    @property
    def _held_gaps(self) -> list[Gap]:
        """The open gaps that the journal still has."""
        return [gap for gap in self.open_gaps if gap.sequence >= self.journal.oldest]

    def _gaps_of(self, need: Need) -> list[int]:
        """The sequences of the open gaps that a search is about."""
        return [
            gap.sequence
            for gap in self._held_gaps
            if need.gap == gap.sequence or (need.gap is None and self._lies_in(gap, need))
        ]

    @staticmethod
    def _lies_in(gap: Gap, need: Need) -> bool:
        if gap.first_id is None or need.before_id is None or need.after_id is None:
            return gap.first_id is None and need.before_id is None and gap.from_ns == need.from_ns
        return need.after_id < gap.first_id and (gap.last_id or 0) < need.before_id

    # -- what others ask

    @property
    def proof_of_life(self) -> int:
        """
        Up to when nothing is missing, as far as the journal knows; 0: not known.

        A trade is no proof beyond its own time, whenever it was received: it may have been fetched, or have waited in
        the socket, with more behind it.
        """
        last = self.last_trade
        proved = min(last.received_at_ns, last.traded_at_ns) if last else 0
        return max(self.journal.alive_at_ns, proved)

    @property
    def began_ns(self) -> int | None:
        """When the first trade of all was traded; None if there is none, or the journal has let go of it."""
        tail = self.journal.tail(limit=1)
        first = self._trade(tail.records if tail.first == 1 else None)
        return first.traded_at_ns if first else None

    @property
    def remembers_since_ns(self) -> int:
        """
        When the oldest trade was traded that the journal still has, of those that were not late; 0 if it is not found.
        What was traded before, be it published or missed, is beyond its memory.
        """
        records = self.journal.tail(limit=REMEMBERED).records
        for place in range(len(records) // record.RECORD_SIZE):
            trade = self._trade(record.record_at(records, place))
            if trade and not trade.late:
                return trade.traded_at_ns
        return 0

    def heartbeat(self) -> None:
        """Tells subscribers which sequence was the last."""
        message = messages.HeartbeatMessage(WIRE_VERSION, self.journal.epoch, self.journal.next - 1, self._mode)
        self._send(wire.frame(self._topic, message))

    def replay(self, question: messages.ReplayQuestion, limit: int) -> messages.ReplayAnswer:
        """The journal's part of the range that is asked for, at most `limit` of it; see messages.ReplayAnswer."""
        journal = self.journal
        tail = journal.tail(question.first, min(limit, max(0, question.last - question.first + 1)))
        first, last, records = tail.first, tail.last, tail.records
        if question.epoch != journal.epoch:
            first, last, records = 1, 0, b""  # whoever asked has a new place in ours by now: nothing of it is gone
        return messages.ReplayAnswer(WIRE_VERSION, self._mode, question.product, journal.epoch, first, last, records)

    def _restore(self) -> None:
        """Goes on from the journal: no trade of it is published twice, and its open gaps are still to be refilled."""
        records, known = self.journal.tail().records, self.known
        for trade_id in record.trade_ids(records[-RECENT * record.RECORD_SIZE :]):
            known.ids.add(trade_id)
        known.ids.recall_later(record.newest_id(records), lambda: record.trade_ids(self.journal.tail().records))
        open_gaps: dict[int, tuple[Gap, int]] = {}  # by sequence: gap and place
        for place in record.other_places(records):
            item = unpack(record.record_at(records, place), self._product)
            if isinstance(item, Gap):
                self.gaps += 1
                open_gaps[item.sequence] = item, place
                known.declared_id = max(known.declared_id, item.last_id or 0)
            elif isinstance(item, Refill):
                self.refills += 1
                open_gaps.pop(item.gap, None)
        for sequence, (gap, place) in open_gaps.items():
            before = self._trade(record.last_in_order(records, place))
            self._open[sequence] = (gap, *((before.trade_id, before.traded_at_ns) if before else (0, 0)))
        self.last_trade = self._trade(record.last_in_order(records))
        if self.last_trade:
            known.last_id, known.last_traded_ns = self.last_trade.trade_id, self.last_trade.traded_at_ns

    def _trade(self, found: bytes | None) -> Trade | None:
        """The trade that a record holds; None without one, or if it is of something else."""
        item = unpack(found, self._product) if found else None
        return item if isinstance(item, Trade) else None
