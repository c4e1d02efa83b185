"""
Bars of one second, rolled up to longer ones: open, high, low, close, volume and turnover by time. Pure numpy.

A bar is labelled by its left edge in UTC nanoseconds; spans without a trade have no bar. Prices are float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poeticoins.model import SECOND

BAR_DTYPE = np.dtype(
    [
        ("start_ns", "<i8"), ("open", "<f8"), ("high", "<f8"), ("low", "<f8"), ("close", "<f8"),
        ("volume", "<f8"), ("turnover", "<f8"), ("trades", "<u4"),
    ]
)  # fmt: skip
Bars = NDArray[np.void]
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
TIERS = (SECOND, MINUTE, HOUR, DAY)


@dataclass(frozen=True)
class Deal:
    """What a bar needs of a trade."""

    traded_at_ns: int
    price: float
    size: float


class Tier:
    """The newest `capacity` bars of one length, oldest first in a sliding array."""

    def __init__(self, interval_ns: int, capacity: int) -> None:
        self.interval_ns = interval_ns
        self._capacity = capacity
        self._bars: Bars = np.zeros(
            capacity + max(64, capacity // 16), BAR_DTYPE
        )  # room to slide, untouched until used
        self._from = self._to = 0

    @property
    def bars(self) -> Bars:
        """All bars, oldest first: a view that is good until the next change."""
        return self._bars[self._from : self._to]

    @property
    def full(self) -> bool:
        """Whether an older bar has had to go, or will with the next one."""
        return self._to - self._from == self._capacity

    def add(self, deal: Deal) -> None:
        """The newest trade of all, which is its bar's close."""
        start = deal.traded_at_ns // self.interval_ns * self.interval_ns
        bars = self.bars
        if not len(bars) or start != int(bars["start_ns"][-1]):
            self._append(start, deal)
            return
        bar = bars[-1]
        bar["high"], bar["low"] = max(bar["high"], deal.price), min(bar["low"], deal.price)
        bar["close"] = deal.price
        bar["volume"] += deal.size
        bar["turnover"] += deal.price * deal.size
        bar["trades"] += 1

    def restore(self, bars: Bars) -> None:
        """Takes the newest of `bars`, oldest first, in place of all there is."""
        bars = bars[-self._capacity :]
        self._from, self._to = 0, len(bars)
        self._bars[: len(bars)] = bars

    def _append(self, start: int, deal: Deal) -> None:
        if self.full:
            self._from += 1
        if self._to == len(self._bars):
            kept = self.bars.copy()
            self._from, self._to = 0, len(kept)
            self._bars[: len(kept)] = kept
        price, size = deal.price, deal.size
        self._bars[self._to] = (start, price, price, price, price, size, price * size, 1)
        self._to += 1


def are_candles(records: bytes, interval_ns: int, most: int) -> bool:
    """Whether these can be at most so many candles of that length, in order, each once, of numbers that are some."""
    if len(records) % BAR_DTYPE.itemsize or len(records) > most * BAR_DTYPE.itemsize:
        return False
    bars = np.frombuffer(records, BAR_DTYPE)
    starts, prices = bars["start_ns"], np.stack([bars[name] for name in ("open", "high", "low", "close")])
    are_in_place = not (starts % interval_ns).any() and (np.diff(starts, prepend=-1) > 0).all()
    are_numbers = np.isfinite(prices).all() and np.isfinite(bars["volume"]).all()
    return bool(are_in_place and are_numbers and (prices > 0).all() and (bars["volume"] >= 0).all())


def rolled_up(bars: Bars, interval_ns: int) -> Bars:
    """`bars`, ordered by their starts, as bars of `interval_ns`, a multiple of theirs; several may start together."""
    if not len(bars):
        return bars
    starts = bars["start_ns"] // interval_ns * interval_ns
    first = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
    last = np.append(first[1:], len(bars)) - 1
    out = np.zeros(len(first), BAR_DTYPE)
    out["start_ns"] = starts[first]
    out["open"], out["close"] = bars["open"][first], bars["close"][last]
    out["high"], out["low"] = np.maximum.reduceat(bars["high"], first), np.minimum.reduceat(bars["low"], first)
    for name in ("volume", "turnover", "trades"):
        out[name] = np.add.reduceat(bars[name], first)
    return out


def bars_of(times_ns: NDArray[np.int64], prices: NDArray[np.float64], sizes: NDArray[np.float64]) -> Bars:
    """One-second bars of trades, which are given in the market's order."""
    single = np.zeros(len(times_ns), BAR_DTYPE)
    single["start_ns"], single["trades"] = times_ns, 1
    for name in ("open", "high", "low", "close"):
        single[name] = prices
    single["volume"], single["turnover"] = sizes, prices * sizes
    return rolled_up(single, SECOND)


def with_more(bars: Bars, more: Bars) -> Bars:
    """`bars` with those of later trades: where both have one, it is one of all trades, with the close of `more`."""
    both = np.concatenate([bars, more])
    return rolled_up(both[np.argsort(both["start_ns"], kind="stable")], 1)


def take_ends(bars: Bars, source: Bars) -> None:
    """Corrects open and close of those `bars` of which `source` has all trades too."""
    _, ours, theirs = np.intersect1d(bars["start_ns"], source["start_ns"], assume_unique=True, return_indices=True)
    alike = bars["trades"][ours] == source["trades"][theirs]
    for name in ("open", "close"):
        bars[name][ours[alike]] = source[name][theirs[alike]]


class Candles:
    """One product's bars of a second, a minute, an hour and a day; `capacities` in that order."""

    def __init__(self, capacities: tuple[int, int, int, int]) -> None:
        self._tiers = [Tier(interval, capacity) for interval, capacity in zip(TIERS, capacities, strict=True)]

    @property
    def tiers(self) -> list[Bars]:
        """The bars of each tier, as in TIERS: views that are good until the next change."""
        return [tier.bars for tier in self._tiers]

    @property
    def reach(self) -> list[int]:
        """For each tier, from when on no bar has had to go, in ns; 0: none has."""
        return [int(tier.bars["start_ns"][0]) if tier.full else 0 for tier in self._tiers]

    def restore(self, tiers: Sequence[Bars]) -> None:
        """Takes the bars of each tier, oldest first, in place of all there is."""
        for tier, bars in zip(self._tiers, tiers, strict=True):
            tier.restore(bars)

    def extend(self, more: Bars, known: Bars, newest_ns: int) -> None:
        """
        Many trades at once, late ones too: `more`, their bars of one second; at least one.

        known: bars of one second of all trades that are at hand, these too; whose opens and closes hold where they are
        all of a bar's. newest_ns: the newest trade's time before these; what is older than its bar has come late.
        """
        source = known
        for tier in self._tiers:
            step = tier.interval_ns
            came = rolled_up(more, step)
            old, there = tier.bars, np.searchsorted(tier.bars["start_ns"], came["start_ns"][0])
            before, old = old[:there].copy(), old[there:].copy()  # none of the former is touched
            merged = with_more(old, came)
            late = np.isin(merged["start_ns"], old["start_ns"][old["start_ns"] < newest_ns // step * step])
            for name in ("open", "close"):
                merged[name][late] = old[name][np.searchsorted(old["start_ns"], merged["start_ns"][late])]
            take_ends(merged, rolled_up(source[np.searchsorted(source["start_ns"], came["start_ns"][0]) :], step))
            tier.restore(np.concatenate([before, merged]))
            source = tier.bars

    def add(self, deal: Deal) -> None:
        """One more trade; no other of the product is newer."""
        for tier in self._tiers:
            tier.add(deal)


def base_of(interval_ns: int) -> int:
    """
    The place in TIERS of the longest bars that candles of `interval_ns` can be made of.

    Raises ValueError unless it is whole seconds.
    """
    if interval_ns <= 0 or interval_ns % SECOND:
        raise ValueError(f"expected an interval of whole seconds, got {interval_ns} ns")
    return next(place for place in reversed(range(len(TIERS))) if interval_ns % TIERS[place] == 0)


def newest(bars: Bars, interval_ns: int, limit: int) -> Bars:
    """The newest `limit` candles of `interval_ns`, oldest first, of the bars that `base_of` says."""
    per_candle = interval_ns // TIERS[base_of(interval_ns)]
    if limit:
        bars = bars[-(limit + 1) * per_candle :]
    return (bars if per_candle == 1 else rolled_up(bars, interval_ns))[-limit:] if limit else bars[:0]
