"""
Joining our bars with an exchange's own candles where trades are missing. Pure numpy; nothing is ever guessed.

A bar in which no trade is missing is ours. One in which some are is put together from the bars of the next shorter
length, if all of those are known, and else is the exchange's own; where that is not known either, ours stands as it is.
So the bar in which our trades begin is partly the exchange's, partly ours, at every length.

An exchange's candle tells neither turnover nor number: its `turnover` is NaN and its `trades` are 0. A bar made of both
has NaN too, and counts our trades.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poeticoins.candles import TIERS, Bars, rolled_up

Spans = list[tuple[int, int]]
"""Spans of time in ns, in order, apart from each other, both ends included."""


class Covered(NamedTuple):
    """An exchange's own candles of one length: all that begin at or after from_ns and end at or before to_ns."""

    from_ns: int
    to_ns: int
    bars: Bars


class Ours(NamedTuple):
    """Our bars of each length in TIERS, and for each from when on none has had to go (0: none has), in ns."""

    tiers: Sequence[Bars]
    reach: Sequence[int]


def joined(ours: Ours, theirs: Mapping[int, Covered], missing: Spans, count: int = len(TIERS)) -> list[Bars]:
    """
    The bars of the first `count` lengths in TIERS, oldest first.

    theirs: by their length in ns. missing: where trades may be missing among ours.
    """
    if not theirs:
        return list(ours.tiers[:count])
    tiers: list[Bars] = [ours.tiers[0]]
    unknown = in_order([*missing, *_gone(ours.reach[0])])
    for step, bars, reach in list(zip(TIERS, ours.tiers, ours.reach, strict=True))[1:count]:
        covered = theirs.get(step)
        tiers.append(_tier(step, bars, rolled_up(tiers[-1], step), covered, (missing, unknown)))
        unknown = in_order([*common(unknown, _widened(missing, step)), *_gone(reach)])
        if covered:
            unknown = without(unknown, covered.from_ns, covered.to_ns)
    return tiers


def _tier(step: int, ours: Bars, rolled: Bars, covered: Covered | None, spans: tuple[Spans, Spans]) -> Bars:
    """spans: where trades are missing, and where the next shorter bars are not known."""

    def split(bars: Bars) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        in_missing, in_unknown = (touched(bars["start_ns"], step, each) for each in spans)
        return in_missing & ~in_unknown, in_missing & in_unknown

    from_shorter, from_elsewhere = split(ours)
    parts = [ours[~(from_shorter | from_elsewhere)], rolled[split(rolled)[0]]]
    rest = ours[from_elsewhere]
    if covered:
        parts.append(covered.bars[split(covered.bars)[1]])
        rest = rest[~np.isin(rest["start_ns"], parts[-1]["start_ns"])]
    whole = np.concatenate([*parts, rest])
    return whole[np.argsort(whole["start_ns"], kind="stable")]


def touched(starts: NDArray[np.int64], step: int, spans: Spans) -> NDArray[np.bool_]:
    """Which of the bars that begin at `starts` and last for `step` a span lies in, at least in part."""
    if not spans:
        return np.zeros(len(starts), np.bool_)
    begins, ends = np.array(spans, np.int64).T
    following = np.searchsorted(ends, starts)  # the first span that does not end before the bar begins
    begins = np.append(begins, np.iinfo(np.int64).max)  # after the last there is none
    return np.asarray(begins[following] < starts + step)


def in_order(spans: Iterable[tuple[int, int]]) -> Spans:
    """`spans` in order, those that overlap or meet made one."""
    out: Spans = []
    for begins, ends in sorted(spans):
        if out and begins <= out[-1][1] + 1:
            out[-1] = out[-1][0], max(out[-1][1], ends)
        else:
            out.append((begins, ends))
    return out


def common(one: Spans, other: Spans) -> Spans:
    """What lies in both."""
    out: Spans = []
    i = j = 0
    while i < len(one) and j < len(other):
        begins, ends = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if begins <= ends:
            out.append((begins, ends))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return out


def without(spans: Spans, from_ns: int, to_ns: int) -> Spans:
    """`spans` without what lies in from_ns <= t < to_ns."""
    cut = [part for b, e in spans for part in ((b, min(e, from_ns - 1)), (max(b, to_ns), e))]
    return [(begins, ends) for begins, ends in cut if begins <= ends]


def _widened(spans: Spans, step: int) -> Spans:
    """`spans`, widened to whole bars."""
    return in_order((begins // step * step, ends // step * step + step - 1) for begins, ends in spans)


def _gone(reach: int) -> Spans:
    return [(0, reach - 1)] if reach else []
