"""
One connection to an exchange as the feed knows it: when it was heard, what it has confirmed, what it still owes. Pure.

A feed may have two for a moment, when a new connection takes over from an old one.
"""

from collections.abc import Sequence

from poeticoins.liveness import Patience, Verdict, verdict
from poeticoins.model import SECOND, Product

LONGEST_PAUSE = 300.0
"""Seconds between two requests for what an exchange does not confirm, at most."""


class Link:
    """
    The state of one connection, from its opening on. Seconds are those of the monotonic clock, `_ns` the wall's.

    heard_at_ns: when a frame came last. proved_ns: up to when nothing is missing. It is earlier, for a frame may have
    waited, with more behind it: a trade proves what was traded until then, anything else what was until we asked last.
    """

    def __init__(self, products: Sequence[Product], patience: Patience, now: float) -> None:
        self.acked: set[Product] = set()
        self.refusal = ""
        self.heard_at_ns = self.proved_ns = 0
        self._products, self._patience = products, patience
        self._opened = self._heard = self._pinged = now
        self._pause = patience.ack_within
        self._ask_at = now + self._pause

    @property
    def missing(self) -> list[Product]:
        """What has been asked for and is not confirmed."""
        return [product for product in self._products if product not in self.acked]

    @property
    def good_for(self) -> float:
        """For how many seconds it gave good frames."""
        return self._heard - self._opened if self.acked else 0.0

    def hear(self, now: float, now_ns: int) -> None:
        """A frame has come."""
        self._heard, self.heard_at_ns = now, now_ns
        asked_ns = now_ns - round((now - self._pinged) * SECOND)
        self.proved_ns = min(max(self.proved_ns, asked_ns), now_ns)  # our clock may have been set back

    def proves(self, traded_at_ns: int) -> None:
        """The frame was a live trade."""
        self.proved_ns = max(self.proved_ns, min(traded_at_ns, self.heard_at_ns))

    def refuse(self, reason: str, now: float) -> None:
        """The exchange refused something; if it may have been all, each product is soon asked for by itself."""
        if not self.refusal and not self.acked:
            self._ask_at = min(self._ask_at, now + self._patience.watch_interval / 2)
        self.refusal = f"refused: {reason}"

    def overdue(self, now: float) -> bool:
        """Whether something should have been confirmed by now, and is not."""
        return bool(self.missing) and now - self._opened >= self._patience.ack_within

    def age(self, now: float) -> float:
        """For how many seconds it has been open."""
        return now - self._opened

    def check(self, now: float) -> Verdict:
        """To be asked about once a second: whether it lives, or wants a ping."""
        judged = verdict(
            self._patience,
            now=now,
            opened=self._opened,
            heard=self._heard,
            pinged=self._pinged,
            acked=bool(self.acked),
        )
        if judged == "ping":
            self._pinged = now
        return judged

    def to_ask_again(self, now: float) -> list[Product]:
        """What to ask for once more, product by product, at growing intervals: one bad one may spoil a whole call."""
        if now < self._ask_at or not self.missing:
            return []
        self._ask_at = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return self.missing
