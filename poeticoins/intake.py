"""
From an exchange's trades to the bus: what is new is journalled, then published, a hole before all that follows it.

One Intake per followed product of a client. It owns the product's journal and knows the exchange's ids.
"""

from collections.abc import Callable

from msgspec import structs

from poeticoins import wire
from poeticoins.config import Settings
from poeticoins.continuity import Continuity
from poeticoins.journal import Journal
from poeticoins.model import Gap, Product, Trade
from poeticoins.record import KIND, RECORD, TRADE, unpack
from poeticoins.sequence import IdWindow


class Intake:
    """`send(frame)` puts one frame on the bus. Raises JournalError if there is no space for the journal."""

    def __init__(self, product: Product, settings: Settings, contiguous: bool, send: Callable[[bytes], None]) -> None:
        self.journal = Journal(settings.journal(product), product, settings.mode, settings.journal_capacity)
        self.last_trade: Trade | None = None
        self._topic = wire.topic(product)
        self._send = send
        self._continuity = Continuity(product, contiguous, IdWindow(settings.journal_capacity))
        self._mode = settings.mode
        self._restore()
        self._hole_from_ns = self._proof_of_life()
        self._died = True

    @property
    def gaps(self) -> int:
        """Gaps published since the journal was made."""
        return self.journal.next - 1 - self.journal.trades

    def trade(self, trade: Trade, received_at_ns: int) -> None:
        """A trade came from the exchange: published unless it is known."""
        for item in self._continuity.accept(trade):
            if isinstance(item, Gap):
                self._publish(item)
            else:
                self._close_hole_in_time(received_at_ns)
                self.last_trade = item = structs.replace(item, received_at_ns=received_at_ns)
                self._publish(item)

    def connected(self, at_ns: int) -> None:
        """The exchange confirms the subscription: what it traded while we were away, if anything, is a hole."""
        self._close_hole_in_time(at_ns)

    def alive(self, heard_at_ns: int) -> None:
        """The subscription stands and the exchange was heard at `heard_at_ns`: until then nothing is missing."""
        if not self._hole_from_ns:
            self.journal.alive(heard_at_ns)

    def disconnected(self, heard_at_ns: int) -> None:
        """The connection is gone; `heard_at_ns` is when the exchange was last heard on it."""
        if not self._hole_from_ns:
            self._hole_from_ns, self._died = heard_at_ns, False
            self.journal.alive(heard_at_ns)

    def heartbeat(self) -> None:
        """Tells subscribers which sequence was the last."""
        message = wire.HeartbeatMessage(wire.WIRE_VERSION, self.journal.epoch, self.journal.next - 1)
        self._send(wire.frame(self._topic, message))

    def replay(self, question: wire.ReplayQuestion, limit: int) -> wire.ReplayAnswer:
        """The journal's part of the range that is asked for, at most `limit` of it; see wire.ReplayAnswer."""
        journal = self.journal
        tail = journal.tail(question.first, min(limit, max(0, question.last - question.first + 1)))
        first, last, records = tail.first, tail.last, tail.records
        if question.epoch != journal.epoch or last < first:
            first, last, records = question.first, question.first - 1, b""
        return wire.ReplayAnswer(wire.WIRE_VERSION, self._mode, question.product, journal.epoch, first, last, records)

    def _restore(self) -> None:
        """Learns the ids of the journal's trades, so that none of them is published twice."""
        records = self.journal.tail().records
        fields = [fields for fields in RECORD.iter_unpack(records) if fields[KIND] == TRADE]
        self._continuity.remember((trade_id, traded_ns) for _, trade_id, traded_ns, *_ in fields)
        if fields:
            last = unpack(RECORD.pack(*fields[-1]), self.journal.product)
            self.last_trade = last if isinstance(last, Trade) else None

    def _proof_of_life(self) -> int:
        received = self.last_trade.received_at_ns if self.last_trade else 0
        return max(self.journal.alive_at_ns, received)

    def _close_hole_in_time(self, to_ns: int) -> None:
        if not self._hole_from_ns:
            return
        gap = self._continuity.disconnected(self._hole_from_ns, to_ns, died=self._died)
        self._hole_from_ns = 0
        if gap is not None:
            self._publish(gap)

    def _publish(self, item: Trade | Gap) -> None:
        item = self.journal.append(item)
        self._send(wire.frame(self._topic, wire.message_of(item)))
