"""
One product's candles: bars of our own trades, joined where trades are missing with the exchange's own. No I/O.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from poeticoins.backfill import MARGIN_NS
from poeticoins.candles import BAR_DTYPE, TIERS, Bars, Candles, Deal, bars_of, base_of, newest, rolled_up
from poeticoins.joining import FOR_EVER, Covered, Ours, Spans, in_order, joined
from poeticoins.model import SECOND, Gap
from poeticoins.record import LATE, TRADE
from poeticoins.ring import Records, floats, sorted_trades
from poeticoins.told import Told

LATER = 2**62
"""A time that no trade's is newer than."""


class Kept(msgspec.Struct, array_like=True):
    """
    What a product's bars are on disk: good up to the record (epoch, sequence) of its journal.

    newest: (traded_at_ns, trade_id) of the newest trade in them. began_ns: see Chart. tiers: the bars of each of TIERS.
    notes: the records of the known gaps, and of those that have been refilled. before: what `newest` was when that
    journal was begun, which may repeat all up to there.
    """

    epoch: int
    sequence: int
    newest: tuple[int, int]
    began_ns: int
    tiers: list[bytes]
    notes: bytes
    before: tuple[int, int] = (0, 0)


class Chart:
    """
    began_ns: from when on our trades are complete, but for the known gaps; 0: there is none yet. theirs: the exchange's
    own candles, by their length in ns.
    """

    def __init__(self, capacities: tuple[int, int, int, int]) -> None:
        self.began_ns = 0
        self.theirs: Mapping[int, Covered] = {}
        self._ours = Candles(capacities)

    def add(self, deal: Deal) -> None:
        """The newest trade of all."""
        self._begin(deal.traded_at_ns)
        self._ours.add(deal)

    def correct(self, late: Records, known: Records) -> None:
        """Adds late trades, of which `known` holds as many as are at hand of their seconds, these too."""
        self.go_on(late, known, LATER)

    def begin(self, records: Records, *, whole: bool) -> None:
        """Takes a journal's records in place of all there is; `whole`: none that it ever held has had to go."""
        known = _bars(records)
        self._ours.restore([rolled_up(known, step) for step in TIERS])
        trades = sorted_trades(records)
        if not whole:  # what had to go was older than the first that is not late
            trades = trades[trades["flags"] & LATE == 0]
            trades = trades[np.argsort(trades["sequence"], kind="stable")]
        if len(trades):
            self._begin(int(trades["traded_at_ns"][0]))

    def go_on(self, fresh: Records, known: Records, newest_ns: int) -> None:
        """Adds the trades of `fresh`, which `known` holds too; newest_ns: the newest trade's time before them."""
        more = _bars(fresh)
        if len(more):
            self._begin(int(fresh["traded_at_ns"][fresh["kind"] == TRADE].min()))
            self._ours.extend(more, _bars(known[known["traded_at_ns"] >= more["start_ns"][0]]), newest_ns)

    def hear(self, told: Told) -> None:
        """Takes what the exchange itself tells, in place of what it told before."""
        self.theirs = {
            length * SECOND: Covered(found.from_ns, found.to_ns, np.frombuffer(found.bars, BAR_DTYPE))
            for length, found in told.tellings.items()
        }

    def restore(self, tiers: Sequence[bytes], began_ns: int) -> None:
        """Takes what was kept on disk."""
        self.began_ns = began_ns
        self._ours.restore([np.frombuffer(bars, BAR_DTYPE) for bars in tiers])

    @property
    def tiers(self) -> list[bytes]:
        """The bars of each of TIERS, for the disk."""
        return [bars.tobytes() for bars in self._ours.tiers]

    def candles(self, interval_ns: int, limit: int, gaps: Iterable[Gap]) -> Bars:
        """The newest `limit` candles, oldest first. Raises ValueError unless interval_ns is whole seconds."""
        place = base_of(interval_ns)
        bars = self._ours.tiers[place]
        enough = (limit + 1) * (interval_ns // TIERS[place])
        since_ns = int(bars["start_ns"][-enough]) if len(bars) >= enough else 0
        return newest(self._joined(place, since_ns, gaps), interval_ns, limit)

    def _joined(self, place: int, since_ns: int, gaps: Iterable[Gap]) -> Bars:
        """The bars of the length at `place` in TIERS that begin at or after since_ns, where one of them begins."""

        def newer(bars: Bars) -> Bars:
            return bars[np.searchsorted(bars["start_ns"], since_ns) :]

        ours = Ours([newer(bars) for bars in self._ours.tiers], self._ours.reach)
        theirs = {step: covered._replace(bars=newer(covered.bars)) for step, covered in self.theirs.items()}
        missing = [span for span in self._missing(gaps) if span[1] >= since_ns]
        return joined(ours, theirs, missing, place)

    def _begin(self, traded_ns: int) -> None:
        self.began_ns = min(self.began_ns or traded_ns, traded_ns)

    def _missing(self, gaps: Iterable[Gap]) -> Spans:
        """Where trades may be missing: before our first, and in gaps that have not been refilled."""
        before = (0, self.began_ns or FOR_EVER)
        return in_order([before, *(_span(gap) for gap in gaps if gap.refilled_at_ns is None)])


def _span(gap: Gap) -> tuple[int, int]:
    """A gap's bounds: wider where they are times of our clock, for the exchange's is another."""
    margin = MARGIN_NS if gap.first_id is None else 0
    return gap.from_ns - margin, gap.to_ns + margin


def _bars(records: Records) -> Bars:
    """One-second bars of the trades among `records`."""
    trades = sorted_trades(records)
    prices = floats(trades["price_mantissa"], trades["price_exponent"])
    sizes = floats(trades["size_mantissa"], trades["size_exponent"])
    return bars_of(trades["traded_at_ns"], prices, sizes)
