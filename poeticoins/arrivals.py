"""When an exchange's live trades came, and how long after they were traded: over the last minute. Pure."""

from collections import Counter, deque
from dataclasses import dataclass, field

WINDOW = 60
"""Seconds that the delays are told of."""
RATE_OVER = 10
"""Seconds that the rate is a mean over: quick enough to see an exchange fall silent."""
MILLI_NS = 1_000_000
FINE_MS, COARSE_MS, MOST_MS = 1_000, 100, 600_000


@dataclass
class _Second:
    at: int
    trades: int = 0
    delays: Counter[int] = field(default_factory=Counter)


class Arrivals:
    """
    Seconds are those of a monotonic clock. A trade costs about a microsecond; what is kept is bounded by the number of
    different delays, which are whole milliseconds, tenths of a second from one second on, and at most ten minutes.
    """

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque()
        self._delays: Counter[int] = Counter()  # the sum of those of all seconds
        self._began: int | None = None

    def take(self, now: float, delay_ns: int | None) -> None:
        """
        A live trade has come. delay_ns: how long after it was traded, by two clocks, so it may be less than nothing:
        then the exchange's is ahead of ours. None: that would say nothing, as in a replay.
        """
        second = int(now)
        if not self._seconds or self._seconds[-1].at != second:
            self._turn(second)
        self._seconds[-1].trades += 1
        if delay_ns is not None:
            delay = in_ms(delay_ns)
            self._seconds[-1].delays[delay] += 1
            self._delays[delay] += 1

    def _turn(self, second: int) -> None:
        if self._began is None:
            self._began = second
        self._forget(second)
        self._seconds.append(_Second(second))

    def _forget(self, second: int) -> None:
        while self._seconds and self._seconds[0].at <= second - WINDOW:
            self._delays -= self._seconds.popleft().delays  # which drops what is zero by then

    def rate(self, now: float) -> float:
        """Live trades a second over the last ten whole seconds, or since the first if that is less."""
        if self._began is None:
            return 0.0
        second = int(now)
        recent = sum(one.trades for one in self._seconds if second - RATE_OVER <= one.at < second)
        return recent / min(RATE_OVER, max(1, second - self._began))

    def delay(self, now: float) -> dict[str, int] | None:
        """{"p50", "p99": ms, "trades": how many they are of, "window": s}; None if none came within the window."""
        self._forget(int(now))
        trades = self._delays.total()
        if not trades:
            return None
        ordered = sorted(self._delays.items())
        return {"p50": _at(ordered, trades, 50), "p99": _at(ordered, trades, 99), "trades": trades, "window": WINDOW}


def in_ms(delay_ns: int) -> int:
    """A delay to the nearest millisecond, or tenth of a second if it is a second or more, within ten minutes."""
    ms = (delay_ns + MILLI_NS // 2) // MILLI_NS
    if -FINE_MS < ms < FINE_MS:
        return ms
    return max(-MOST_MS, min(MOST_MS, round(ms / COARSE_MS) * COARSE_MS))


def _at(ordered: list[tuple[int, int]], trades: int, percent: int) -> int:
    """The smallest delay that at least `percent` of the trades do not exceed. ordered: (delay, how many), ascending."""
    wanted, seen = -(-trades * percent // 100), 0
    for delay, count in ordered:
        seen += count
        if seen >= wanted:
            return delay
    raise ValueError(f"expected {trades} delays, got {seen}")
