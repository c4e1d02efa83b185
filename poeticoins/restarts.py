"""
When to try again: the policy for a child that exited and the one for a connection that was lost.

Pure: time (seconds of a monotonic clock) and chance (a number from 0 to 1) are arguments, a decision is a value. Both
policies never give up; they only grow slower, up to a ceiling.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class RestartPolicy:
    """How a child that exits is started again; all times in seconds."""

    first_delay: float = 1.0
    longest_delay: float = 25.0
    degraded_after: int = 5
    """Consecutive exits, none of them after `stable_after` seconds of being ready, that make a child degraded."""
    stable_after: float = 60.0


@dataclass(frozen=True)
class Restart:
    """Start the child again in `delay` seconds; `degraded`: it keeps failing, and whoever asks should be told so."""

    delay: float
    degraded: bool


def on_exit(exits: int, ready_for: float, policy: RestartPolicy, random: float) -> tuple[int, Restart]:
    """
    What to do about an exit: the new count of consecutive exits, and the decision.

    exits: the count so far. ready_for: how long this run had been ready, in seconds; 0 if it never was.
    The first restart is immediate, then 1 s doubling to 25 s, each times 0.8 to 1.
    """
    exits = 1 if ready_for >= policy.stable_after else exits + 1
    return exits, Restart(_child_delay(exits, policy, random), exits >= policy.degraded_after)


def _child_delay(exits: int, policy: RestartPolicy, random: float) -> float:
    if exits <= 1:
        return 0.0
    doublings = min(exits - 2, 60)  # a child may fail for months: 2.0**1100 would be an OverflowError
    return min(policy.longest_delay, policy.first_delay * 2.0**doublings) * (0.8 + 0.2 * random)


@dataclass(frozen=True)
class Budget:
    """
    At most `burst` at once and one more every `refill` seconds, in any span of time: a value, `take` returns the next.

    tokens: how many were left at `at`, in seconds of the clock that `take` is asked by.
    """

    burst: float = 5.0
    refill: float = 2.0
    tokens: float = 5.0
    at: float = float("-inf")

    def take(self, earliest: float) -> tuple[float, "Budget"]:
        """When the next one may be, not before `earliest`, and the budget after it."""
        when = max(earliest, self.at)
        tokens = min(self.burst, self.tokens + (when - self.at) / self.refill)
        if tokens < 1.0:
            when += (1.0 - tokens) * self.refill
            tokens = 1.0
        return when, replace(self, tokens=tokens - 1.0, at=when)


@dataclass(frozen=True)
class ConnectionBackoff:
    """
    The state of one exchange's connects, a value: each method returns the next one.

    The first attempt is immediate, then 0.5 s doubling to 30 s, each times 0.5 to 1; and whatever the delays say, never
    more than the budget of 5 attempts plus one every 2 s, so that no run of good luck becomes a storm.
    """

    first_delay: float = 0.5
    longest_delay: float = 30.0
    budget: Budget = Budget()
    good_after: float = 30.0
    """Seconds of good frames after which the delays begin anew."""
    attempts: int = 0

    def next_attempt(
        self, now: float, random: float, least: float = 0.0, most: float = 0.0
    ) -> tuple[float, "ConnectionBackoff"]:
        """
        How long to wait before connecting, in seconds, and the state once that attempt is made.

        least, most: what the last trouble asks for, whatever the number of attempts.
        """
        delay = max(self._delay(random), least + (most - least) * random if most > least else least)
        when, budget = self.budget.take(now + delay)
        return when - now, replace(self, attempts=self.attempts + 1, budget=budget)

    def after_good(self, seconds: float, *, wanted: bool = False) -> "ConnectionBackoff":
        """
        The state after a connection that gave good frames for `seconds`, from its first one to its last.

        A connection that opens and closes, or opens and stays silent, is no good one: only frames count. wanted: the
        exchange asked for a new connection, so the first try is immediate, too.
        """
        if seconds < self.good_after:
            return self
        return replace(self, attempts=0 if wanted else min(self.attempts, 1))

    def _delay(self, random: float) -> float:
        if self.attempts == 0:
            return 0.0
        doublings = min(self.attempts - 1, 60)
        return min(self.longest_delay, self.first_delay * 2.0**doublings) * (0.5 + 0.5 * random)
