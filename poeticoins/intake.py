"""
From an exchange's trades to what is published: each once, in order, and a hole before all that follows it.

One Intake per followed product of a client. It knows the exchange's ids and decides what goes out when: a hole that can
be refilled is asked for first; meanwhile the product's live trades are held, for a moment, so that the order is
perfect. If that takes too long they go out behind a gap record, and what is refilled follows as late.
"""

from collections.abc import Callable, Sequence
from time import time_ns
from typing import NamedTuple

from msgspec import structs

from poeticoins import late
from poeticoins.backfill import Need
from poeticoins.config import Settings
from poeticoins.continuity import Continuity
from poeticoins.model import Gap, Item, Product, Trade
from poeticoins.publication import Publication
from poeticoins.record import unpack
from poeticoins.sequence import IdWindow

MOST_HELD = 20_000
"""Live trades of one product that wait for a refill; with one more, they stop waiting."""


class Hole(NamedTuple):
    """A time since which trades may be missed, where ids do not tell; `died`: by our death, not by the connection's."""

    from_ns: int
    died: bool


class Intake:
    """
    `send(frame)` puts one frame on the bus. `want(need)` begins a search at the exchange's REST, which ends in
    `refilled`; None: there is none, and holes stay gaps. Raises JournalError if there is no space for the journal.
    """

    def __init__(
        self,
        product: Product,
        settings: Settings,
        contiguous: bool,
        send: Callable[[bytes], None],
        want: Callable[[Need], None] | None = None,
    ) -> None:
        self._continuity = Continuity(product, contiguous, IdWindow(settings.journal_capacity))
        self.published = Publication(product, settings, self._continuity, send)
        self._product, self._want = product, want
        self._behind_after = settings.behind_after
        self._held: list[tuple[Trade, int]] = []
        self._waiting: Need | None = None  # what has to come before the held trades may go
        self._searched: Hole | None = None  # the hole in time that this is about
        self._began = False  # whether this process has asked for the past
        self._stands = False  # whether the subscription does
        self._hole = self._hole_since(self.published.proof_of_life, died=True)  # that no search is about yet
        if not self.published.journal.audited_at_ns:
            self.published.journal.audited(time_ns())  # nothing can have been left out before it began
        if self.published.journal.inherited:
            record, alive_at_ns = self.published.journal.inherited
            self.inherit(unpack(record, product), alive_at_ns)

    def inherit(self, before: Item, alive_at_ns: int = 0) -> None:
        """
        The newest trade before a new journal was begun: what has been traded since then is a hole, not a beginning.

        It is published again, first of all: who knows it misses nothing before it, and who does not can tell.
        """
        if isinstance(before, Trade):
            self._continuity.remember(before.trade_id, before.traded_at_ns)
            self.published.add(structs.replace(before, late=False))
            self._hole = self._hole_since(max(alive_at_ns, self.published.proof_of_life), died=True)

    # -- what the connection says

    def trade(self, trade: Trade, received_at_ns: int) -> None:
        """A trade came from the exchange: published unless it is known, or held while what is before it is fetched."""
        if not self._stands:
            self.connected(received_at_ns)  # no better confirmation than a trade
        self._take(trade, received_at_ns)

    def connected(self, at_ns: int) -> None:
        """The exchange confirms the subscription: what it traded while we were away is a hole, to be refilled."""
        self._stands = True
        if self._want is None:
            hole, self._hole = self._hole, None
            self._name(hole, at_ns)
        elif self._waiting is None:
            self._search_hole()

    def newest(self, trade_id: int, now: float) -> None:
        """The exchange says which trade is its newest. `now`: seconds of a monotonic clock."""
        if self._waiting is None and self._continuity.behind(trade_id, now, self._behind_after):
            known = self._continuity
            need = Need(self._product, known.known_id, trade_id + 1, known.last_traded_ns)
            self._wait_for(need)
            if self._want is None:
                self.release(need)

    def alive(self, proved_ns: int) -> None:
        """The subscription stands, and nothing of what was traded until `proved_ns` is missing."""
        if self._hole is None and self._waiting is None:
            self.published.journal.alive(proved_ns)

    def disconnected(self, proved_ns: int) -> None:
        """The connection is gone; `proved_ns` is up to when nothing is missing of what was traded."""
        self.alive(proved_ns)
        if self._hole and self._stands and self._waiting:  # lost, regained and lost: no search can be about both
            self.release(self._waiting)
        self._stands = False
        self._hole = self._hole or self._hole_since(proved_ns, died=False)

    # -- what the exchange's REST says

    def refilled(self, need: Need, trades: Sequence[Trade], *, complete: bool) -> None:
        """The end of a search: what was found, oldest first, and whether it is all there was."""
        if need == self._waiting:
            self._refilled_in_time(need, trades, complete=complete)
        else:
            late.found(self.published, need, trades, time_ns(), complete=complete)

    def _refilled_in_time(self, need: Need, trades: Sequence[Trade], *, complete: bool) -> None:
        """The end of the search that the held trades have waited for."""
        received_at_ns = time_ns()
        if complete:
            self._searched = None
        if self._continuity.last_id is not None:
            self._name_searched(received_at_ns)  # else what was found is the past, and what is missing comes after it
        for trade, at_ns in self._with_held(trades, received_at_ns):
            self.published.accept(trade, at_ns)
        self._name_searched(received_at_ns)
        if self._hole and self._stands:
            self._search_hole()  # the connection was lost and regained meanwhile: the held go on waiting
        else:
            self._let_go(need)

    def _with_held(self, trades: Sequence[Trade], received_at_ns: int) -> list[tuple[Trade, int]]:
        """What was found, and in its place what it should have held: trades that have come by the connection."""
        found = {trade.trade_id: (trade, received_at_ns) for trade in trades}
        newest = max(found, default=0)
        held = {trade.trade_id: (trade, at_ns) for trade, at_ns in self._held if trade.trade_id < newest}
        whole = held | found
        return [whole[trade_id] for trade_id in sorted(whole)]

    @property
    def unaudited_since_ns(self) -> int:
        """Since when nobody has compared our trades with the REST's, over all lives of the client."""
        return self.published.journal.audited_at_ns

    def audited(self, trades: Sequence[Trade], up_to_ns: int) -> int:
        """See late.audited."""
        return late.audited(self.published, trades, up_to_ns, time_ns())

    def release(self, need: Need) -> None:
        """If trades are held for `need`, they go out now, behind a gap record for what is not there yet."""
        if need != self._waiting:
            return
        hole = self._hole
        self._name_searched(hole.from_ns if hole else time_ns())
        if not (hole and self._stands):
            self._let_go(need)
            return
        since = [held for held in self._held if held[1] > hole.from_ns]
        self._held = self._held[: len(self._held) - len(since)]
        self._let_go(need)
        self._name_and_search(hole)
        for trade, received_at_ns in since:
            self._take(trade, received_at_ns)

    def _name_and_search(self, hole: Hole) -> None:
        """A connection was lost and regained while a search was under way that has taken too long."""
        gap = self._name(hole, time_ns())
        if gap is None:  # nothing has been published yet that it could come after
            self._search_hole()
        elif self._want:
            self._hole = None
            self._want(self.published.need_of(gap))

    def _let_go(self, need: Need) -> None:
        """The trades that are held for `need` wait no longer."""
        held, self._held, self._waiting = self._held, [], None
        if not held and need.before_id is not None:  # no trade revealed this hole, and none may for hours
            gap = self._continuity.declare(need.before_id - 1, time_ns())
            if gap is not None:
                self.published.add(gap)
        for trade, received_at_ns in held[:1]:
            self.published.accept(
                trade, received_at_ns
            )  # whatever is still missing before it: it has waited long enough
        for trade, received_at_ns in held[1:]:
            self._take(trade, received_at_ns)

    def close(self) -> None:
        """Lets go of the journal. What is held goes into it first: it has been received, so it is not to be lost."""
        while self._waiting is not None:
            self.release(self._waiting)
        self.published.journal.close()

    # -- what others ask

    @property
    def settled(self) -> bool:
        """Whether it has been connected, and nothing waits for what was missed before."""
        return self._began and self._stands and self._waiting is None and self.published.last_trade is not None

    # -- within

    def _take(self, trade: Trade, received_at_ns: int) -> None:
        if self._waiting is None and self._want and (need := self._need_before(trade)):
            self._wait_for(need)
        if self._waiting is None:
            self.published.accept(trade, received_at_ns)
            return
        self._held.append((trade, received_at_ns))
        if len(self._held) > MOST_HELD:
            self.release(self._waiting)

    def _search_hole(self) -> None:
        """Begins the search for what was traded since the hole began; at the very first, for the past."""
        known = self._continuity
        if not known.contiguous and (self._hole or not self._began):
            self._searched, self._hole = self._hole, None
            from_ns = self._searched.from_ns if self._searched else 0
            self._wait_for(Need(self._product, known.last_id, None, from_ns, after_ns=known.last_traded_ns))
        self._began = True

    def _hole_since(self, from_ns: int, *, died: bool) -> Hole | None:
        return Hole(from_ns, died) if from_ns and not self._continuity.contiguous else None

    def _need_before(self, trade: Trade) -> Need | None:
        """What has to be fetched before `trade` can be published in its place, None if it can be at once."""
        known = self._continuity.last_id
        if not self._continuity.contiguous:
            return None
        if known is None:
            return Need(self._product, before_id=trade.trade_id) if trade.trade_id > 1 else None
        if self._continuity.hole(trade) is None:
            return None
        return Need(self._product, self._continuity.known_id, trade.trade_id, self._continuity.last_traded_ns)

    def _wait_for(self, need: Need) -> None:
        self._waiting = need
        if self._want:
            self._want(need)

    def _name_searched(self, to_ns: int) -> None:
        """Publishes the gap that the hole is which was searched for; at the very first, it comes after a held trade."""
        if self._searched and self._continuity.last_id is None and self._held:
            self.published.accept(*self._held.pop(0))
        self._name(self._searched, to_ns)
        self._searched = None

    def _name(self, hole: Hole | None, to_ns: int) -> Gap | None:
        """Publishes the gap that a hole in time is, up to `to_ns`; None if there is none."""
        gap = hole and self._continuity.disconnected(hole.from_ns, to_ns, died=hole.died)
        return self.published.add(gap) if gap else None
