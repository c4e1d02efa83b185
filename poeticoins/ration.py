"""
How much of a loop's time goes into answering: no asker, however many questions it has, holds up the rest. Pure.

Counted in seconds, not in questions: ten thousand for the last trade cost as much as a few for a year of candles.
"""

from dataclasses import dataclass, replace

LONGEST_WAIT = 0.5
"""Seconds that a single answer, however dear it was, makes the next question wait at most."""


@dataclass(frozen=True)
class Ration:
    """
    At most `share` of the time in the long run, and `burst` seconds of it at once: a value, `spend` returns the next.

    left: seconds that may be spent at once, as of `at`; below 0: so many were spent in advance.
    """

    share: float = 0.25
    burst: float = 0.05
    left: float = 0.05
    at: float = float("-inf")

    def spend(self, seconds: float, now: float) -> tuple["Ration", float]:
        """The ration after so many seconds of work that ended at `now`, and how long the next question has to wait."""
        left = min(self.burst, self.left + (now - self.at) * self.share) - seconds
        left = max(left, -LONGEST_WAIT * self.share)
        return replace(self, left=left, at=now), max(0.0, -left / self.share)
