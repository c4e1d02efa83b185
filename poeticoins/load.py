"""How busy a process is: from the CPU seconds that it says it has spent to its share of a core. Pure."""

from dataclasses import dataclass

WINDOW = 10.0
"""Seconds that the share is a mean over: steady enough to read, quick enough to believe."""
STEP = 0.5
"""Seconds between two figures that are kept, at least; a share over less would be chance."""


@dataclass(frozen=True)
class Load:
    """What one process said, oldest first: (when, CPU seconds spent until then), a value: `take` returns the next."""

    said: tuple[tuple[float, float], ...] = ()

    def take(self, now: float, spent: float) -> "Load":
        """After it said at `now`, in seconds of a monotonic clock, that it has spent so many seconds of CPU."""
        kept = [one for one in self.said if one[0] >= now - WINDOW]
        if len(kept) > 1 and kept[-1][0] - kept[-2][0] < STEP:
            kept.pop()
        return Load((*kept, (now, spent)))

    @property
    def share(self) -> float | None:
        """Of one core: 0.5 is half of one, 2.0 two whole ones. None until it is known for STEP seconds."""
        if not self.said:
            return None
        (began, before), (now, spent) = self.said[0], self.said[-1]
        return None if now - began < STEP else (spent - before) / (now - began)
