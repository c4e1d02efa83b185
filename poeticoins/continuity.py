"""
What a client knows of an exchange's trade ids: which trades are new, and where some are missing. Pure.

Where ids count up by one, a jump is a hole of known size, and no jump proves that nothing was missed. Elsewhere a hole
can only be known by time: from the last sign of life of one connection to the subscription on the next.
"""

from collections.abc import Sequence
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

    def accept(self, trade: Trade) -> list[Trade | Gap]:
        """What a parsed trade adds to the stream, in order: nothing if it is known, itself, or a gap and itself."""
        hole = self.hole(trade)
        if not self.ids.add(trade.trade_id):
            return []
        if self.is_late(trade):
            trade = structs.replace(trade, late=True)
        self._advance(trade.trade_id, trade.traded_at_ns)
        return [trade] if hole is None else [hole, trade]

    def remember(self, trade_id: int, traded_at_ns: int) -> None:
        """A trade that is in the journal already, in its order: known from now on."""
        self.ids.add(trade_id)
        self._advance(trade_id, traded_at_ns)

    def remember_all(self, ids: Sequence[int], times_ns: Sequence[int]) -> None:
        """As `remember` for each in turn, at once where ids ascend."""
        if (self.last_id is None or ids[0] > self.last_id) and list(ids) == sorted(ids):
            self.ids.extend(ids)
            self.last_id, self.last_traded_ns = ids[-1], max(self.last_traded_ns, *times_ns)
            return
        for trade_id, traded_at_ns in zip(ids, times_ns, strict=True):
            self.remember(trade_id, traded_at_ns)

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

    def _is_late(self, trade_id: int, traded_at_ns: int) -> bool:
        """Older by id and by time. Older by id alone means that the exchange began its ids anew."""
        return self.last_id is not None and trade_id < self.last_id and traded_at_ns <= self.last_traded_ns

    def _advance(self, trade_id: int, traded_at_ns: int) -> None:
        if not self._is_late(trade_id, traded_at_ns):
            self.last_id, self.last_traded_ns = trade_id, max(self.last_traded_ns, traded_at_ns)

    def hole(self, trade: Trade) -> Gap | None:
        """The ids that are missing between the newest that is known and a trade that has come."""
        if not self.contiguous or self.last_id is None or trade.trade_id <= self.last_id + 1:
            return None
        return Gap(
            self.product,
            "skipped ids",
            from_ns=min(self.last_traded_ns, trade.traded_at_ns),
            to_ns=trade.traded_at_ns,
            first_id=self.last_id + 1,
            last_id=trade.trade_id - 1,
            missing=trade.trade_id - self.last_id - 1,
        )
