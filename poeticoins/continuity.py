"""
What a client knows of an exchange's trade ids: which trades are new, and where some are missing. Pure.

Where ids count up by one, a jump is a hole of known size, and no jump proves that nothing was missed. Elsewhere a hole
can only be known by time: from the last sign of life of one connection to the subscription on the next.
"""

from dataclasses import dataclass

from msgspec import structs

from poeticoins.model import Gap, Product, Trade
from poeticoins.sequence import IdWindow


@dataclass
class Continuity:
    """One product of one client. `ids`: those that are in its journal, which a restart must not publish again."""

    product: Product
    contiguous: bool
    ids: IdWindow
    last_id: int | None = None
    last_traded_ns: int = 0
    declared_id: int = 0
    """The newest id that is a hole already, although no later trade has come: the exchange's heartbeat revealed it."""
    _ahead: tuple[int, float] | None = None  # the newest id that the exchange named, and since when it is ahead of ours
    _contradicted: int = 0

    @property
    def known_id(self) -> int:
        """The newest id that has come or is a hole already; 0 if there is none."""
        return max(self.last_id or 0, self.declared_id)

    def accept(self, trade: Trade) -> list[Trade | Gap]:
        """What a parsed trade adds to the stream, in order: nothing if it is known, itself, or a gap and itself."""
        hole = self.hole(trade)
        if not self.ids.add(trade.trade_id):
            return []
        self._doubt(trade)
        if self.is_late(trade):
            trade = structs.replace(trade, late=True)
        self._advance(trade.trade_id, trade.traded_at_ns)
        return [trade] if hole is None else [hole, trade]

    def behind(self, newest_id: int, now: float, patience: float) -> bool:
        """
        Whether trades are missing that no later one has revealed: the exchange has said for `patience` seconds that its
        newest is one that we do not have. `now`: seconds of a monotonic clock.
        """
        if not self.contiguous or self.last_id is None or newest_id <= self.known_id:
            self._ahead = None
            return False
        if self._ahead is None or self._ahead[0] <= self.known_id:
            self._ahead = (newest_id, now)
        waited: float = now - self._ahead[1]
        return waited >= patience * 2.0 ** min(self._contradicted, 10)

    def declare(self, newest_id: int, at_ns: int) -> Gap | None:
        """The hole after our newest trade up to the one that the exchange named, by `at_ns` of our clock."""
        first_id = self.known_id + 1
        if self.last_id is None or newest_id < first_id:
            return None
        self.declared_id = newest_id
        return Gap(
            self.product,
            "skipped ids",
            from_ns=min(self.last_traded_ns, at_ns),
            to_ns=at_ns,
            first_id=first_id,
            last_id=newest_id,
            missing=newest_id - first_id + 1,
        )

    def remember(self, trade_id: int, traded_at_ns: int) -> None:
        """A trade that is in the journal already, in its order: known from now on."""
        self.ids.add(trade_id)
        self._advance(trade_id, traded_at_ns)

    def disconnected(self, from_ns: int, to_ns: int, *, died: bool) -> Gap | None:
        """
        The hole in time that a lost connection may have left, by our clock; None where ids will tell.

        Also None for a product that has no trade yet: its history has not begun.
        """
        if self.contiguous or self.last_id is None:
            return None
        to_ns = max(from_ns, to_ns)  # our clock may have been set back meanwhile: a hole all the same
        return Gap(self.product, "client down" if died else "disconnected", from_ns, to_ns)

    def is_late(self, trade: Trade) -> bool:
        """Whether it is older than the newest that is known."""
        return self._is_late(trade.trade_id, trade.traded_at_ns)

    def _doubt(self, trade: Trade) -> None:
        """A live trade out of a hole that was declared: its exchange was merely slow, and gets longer next time."""
        if trade.origin == "live" and trade.trade_id <= self.declared_id:
            self.declared_id = 0
            self._contradicted += 1

    def _is_late(self, trade_id: int, traded_at_ns: int) -> bool:
        """Older by id and by time. Older by id alone means that the exchange began its ids anew."""
        return self.last_id is not None and trade_id < self.last_id and traded_at_ns <= self.last_traded_ns

    def _advance(self, trade_id: int, traded_at_ns: int) -> None:
        if not self._is_late(trade_id, traded_at_ns):
            self.last_id, self.last_traded_ns = trade_id, max(self.last_traded_ns, traded_at_ns)

    def hole(self, trade: Trade) -> Gap | None:
        """The ids that are missing between the newest that is known and a trade that has come."""
        if not self.contiguous or self.last_id is None:
            return None
        first_id = self.known_id + 1
        if trade.trade_id <= first_id:
            return None
        return Gap(
            self.product,
            "skipped ids",
            from_ns=min(self.last_traded_ns, trade.traded_at_ns),
            to_ns=trade.traded_at_ns,
            first_id=first_id,
            last_id=trade.trade_id - 1,
            missing=trade.trade_id - first_id,
        )
