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
FOR_EVER = 2**62


class Covered(NamedTuple):
    """An exchange's own candles of one length: all that begin at or after from_ns and end at or before to_ns."""

    from_ns: int
    to_ns: int
    bars: Bars


class Ours(NamedTuple):
    """Our bars of each length in TIERS, and for each from when on none has had to go (0: none has), in ns."""

    tiers: Sequence[Bars]
    reach: Sequence[int]


def joined(ours: Ours, theirs: Mapping[int, Covered], missing: Spans, place: int) -> Bars:
    """
    The bars of the length at `place` in TIERS, oldest first.

    theirs: by their length in ns. missing: where trades may be missing among ours.
    """
    if not theirs or not place:
        return ours.tiers[place]
    nearby = _widened(_lacking(ours.reach[place], missing), TIERS[place])
    shorter: Bars = ours.tiers[0][:0]
    unknown: Spans = [(0, FOR_EVER)]  # no exchange tells seconds: what is missing is not to be had from them
    for at in range(1, place + 1):
        step, covered, lacking = TIERS[at], theirs.get(TIERS[at]), _lacking(ours.reach[at], missing)
        bars = ours.tiers[at] if at == place else _inside(ours.tiers[at], nearby)
        shorter = _tier(step, bars, shorter, covered, (lacking, unknown))
        unknown = common(unknown, _widened(lacking, step))
        if covered:
            unknown = without(unknown, covered.from_ns, covered.to_ns)
    return shorter


def _lacking(reach: int, missing: Spans) -> Spans:
    """Where our bars lack trades: also where they have had to go."""
    return in_order([*missing, (0, reach - 1)]) if reach else missing


def _inside(bars: Bars, spans: Spans) -> Bars:
    """The bars that begin in one of the spans."""
    return bars[touched(bars["start_ns"], 1, spans)]


def _tier(step: int, ours: Bars, shorter: Bars, covered: Covered | None, spans: tuple[Spans, Spans]) -> Bars:
    """shorter: the next shorter bars, joined. spans: where trades are missing, and where those are not known."""

    def split(bars: Bars) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        in_missing, in_unknown = (touched(bars["start_ns"], step, each) for each in spans)
        return in_missing & ~in_unknown, in_missing & in_unknown

    from_shorter, from_elsewhere = split(ours)
    rolled = rolled_up(_inside(shorter, _widened(spans[0], step)), step)
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
