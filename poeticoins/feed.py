"""
What one exchange's frames do: trades go to their product's intake, acks and errors make the feed's state. No I/O of its
own, and no clock: the connections tell it what came and when.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from poeticoins.arrivals import Arrivals
from poeticoins.errors import BadFrame
from poeticoins.exchanges import Exchange
from poeticoins.intake import Intake
from poeticoins.link import Link
from poeticoins.log import escaped, say, warn
from poeticoins.model import SECOND, Event, Heartbeat, Product, ReconnectRequested, Refused, Subscribed, Trade

log = logging.getLogger(__name__)
DAY_NS = 86_400 * SECOND
NAMED = 100
"""Products that the facts name at most: they travel in a heartbeat, which has room for 4096 bytes."""
LONGEST_WHY = 120
"""Characters of why the last connection was lost, for the same reason."""


class Feed:
    """
    One exchange, over all its connections, of which two may stand at a time: a product is followed while any of them
    has it confirmed. `strict_time`: a live trade that is not of today is a bad one. `when_opened`: called after each
    connection that was opened.

    Seconds are those of the monotonic clock, `_ns` those of the wall clock.
    """

    def __init__(
        self,
        exchange: Exchange,
        intakes: Mapping[Product, Intake],
        *,
        strict_time: bool,
        when_opened: Callable[[], None] = lambda: None,
    ) -> None:
        self.exchange = exchange
        self.state = "connecting"
        self.problem: str | None = None
        self._intakes = intakes
        self._strict_time, self._when_opened = strict_time, when_opened
        self._links: list[Link] = []
        self._bad_frames = self._unknown = self._reconnects = 0
        self._arrivals = Arrivals()
        self._last_loss: dict[str, object] | None = None

    # -- the life of its connections

    @property
    def products(self) -> list[Product]:
        """What is to be asked for on every connection."""
        return list(self._intakes)

    @property
    def confirmed(self) -> set[Product]:
        """What is followed, on one connection or another."""
        return {product for link in self._links for product in link.acked}

    def _proved_ns(self, product: Product) -> int | None:
        """Up to when nothing is missing, by a connection that has the product confirmed; None if none has."""
        return max((link.proved_ns for link in self._links if product in link.acked), default=None)

    def opened(self, link: Link) -> None:
        """A connection stands, and the subscriptions are being asked for."""
        self._links.append(link)
        self._when_opened()

    def lost(self, link: Link | None, why: str) -> None:
        """A connection is gone, or (None) could not be made."""
        if link in self._links:
            self._links.remove(link)
            self._reconnects += 1
            self._last_loss = {"why": escaped(why, LONGEST_WHY), "heard_at": _iso(link.heard_at_ns)}
            for product in link.acked - self.confirmed:
                self._intakes[product].disconnected(link.proved_ns)
        if not self._links:
            self.state, self.problem = "reconnecting", why
        elif link and link.acked - self.confirmed:
            self._degrade()

    def pause(self) -> None:
        """Notes that from now on trades may be missed."""
        for product, intake in self._intakes.items():
            if (proved_ns := self._proved_ns(product)) is not None:
                intake.disconnected(proved_ns)
        self._links = []

    def check(self, link: Link, now: float) -> None:
        """Products whose subscription is not confirmed in time make the feed degraded; the others go on."""
        if self.state != "live" and self.confirmed and link.overdue(now):
            self._degrade()

    def beat(self) -> None:
        """
        A heartbeat for every product on the bus, and a proof of life in the journal of those that are followed.

        Raises JournalError if a journal has been deleted.
        """
        for product, intake in self._intakes.items():
            if (proved_ns := self._proved_ns(product)) is not None:
                intake.alive(proved_ns)
            intake.published.journal.check()
            intake.published.heartbeat()

    # -- what the frames mean

    def receive(self, link: Link, frame: bytes, now: float, now_ns: int) -> bool:
        """Takes a frame in; True if the exchange asks its clients to reconnect."""
        link.hear(now, now_ns)
        try:
            meanings = self.exchange.parse(frame)
        except BadFrame as error:
            self._bad(error, frame)
            return False
        asked = [self._take(link, meaning, frame, now) for meaning in meanings]  # all of them, whatever one asks
        return any(asked)

    def _take(self, link: Link, meaning: Trade | Event, frame: bytes, now: float) -> bool:
        match meaning:
            case Trade():
                self._trade(link, meaning, frame, now)
            case Subscribed(products=products):
                self._subscribed(link, products)
            case Refused(reason=reason):
                self._refused(link, reason, now)
            case Heartbeat(product=Product() as product, last_trade_id=int(newest)) if product in self._intakes:
                self._intakes[product].newest(newest, now)
            case ReconnectRequested():
                return True
        return False

    def _trade(self, link: Link, trade: Trade, frame: bytes, now: float) -> None:
        intake = self._intakes.get(trade.product)
        if intake is None:
            self._unknown += 1  # not asked for: counted, and nothing is kept about it
        elif self._strict_time and trade.origin == "live" and not _is_of_today(trade, link.heard_at_ns):
            self._bad(BadFrame(f"expected a trade of today, got one of {trade.traded_at:%Y-%m-%d %H:%M} UTC"), frame)
        else:
            if trade.origin == "live":  # what a snapshot repeats was traded before anybody listened
                link.proves(trade.traded_at_ns if self._strict_time else link.heard_at_ns)
                if trade.product not in link.acked:
                    self._subscribed(link, (trade.product,))  # no better confirmation than a trade
                self._arrivals.take(now, link.heard_at_ns - trade.traded_at_ns if self._strict_time else None)
            intake.trade(trade, link.heard_at_ns)

    def _subscribed(self, link: Link, products: Iterable[Product]) -> None:
        for product in {product for product in products if product in self._intakes} - link.acked:
            if (proved_ns := self._proved_ns(product)) is not None:
                # another connection has it, which may have died since it was heard, and nobody knows
                self._intakes[product].disconnected(proved_ns)
            link.acked.add(product)
            self._intakes[product].connected(link.heard_at_ns)
        if len(self.confirmed) == len(self._intakes) and self.state != "live":
            self.state, self.problem = "live", None
            say(log, "live", products=len(self._intakes))
        elif self.state == "degraded":
            self._degrade()

    def _refused(self, link: Link, reason: str, now: float) -> None:
        link.refuse(reason, now)
        warn(log, "the exchange refused", reason=reason)
        if self.state == "degraded":
            self._degrade()
        elif self.state != "live":
            self.problem = link.refusal

    def _degrade(self) -> None:
        confirmed = self.confirmed
        missing = ", ".join(product.pair for product in self._intakes if product not in confirmed)
        refusal = next((link.refusal for link in reversed(self._links) if link.refusal), "")
        problem = f"not confirmed: {missing}" + (f"; {refusal}" if refusal else "")
        if (self.state, self.problem) != ("degraded", problem):
            self.state, self.problem = "degraded", problem
            warn(log, "some subscriptions were not confirmed", products=missing)

    def _bad(self, error: BadFrame, frame: bytes) -> None:
        self._bad_frames += 1
        warn(log, "bad frame dropped", why=error, frame=frame[:150])

    # -- what it tells the supervisor

    def facts(self, now: float) -> dict[str, object]:
        """
        The feed as `status` shows it. trades and gaps count what is in the journals, across restarts of the client;
        bad_frames, unknown_trades and reconnects count since the client began. rate and delay: see Arrivals.
        """
        published = [intake.published for intake in self._intakes.values()]
        newest = max((one.last_trade.traded_at_ns for one in published if one.last_trade), default=None)
        return {
            "exchange": self.exchange.NAME,
            "state": self.state,
            "problem": self.problem and self.problem[:300],
            "products": [product.pair for product in self._intakes][:NAMED],
            "trades": sum(one.journal.trades for one in published),
            "last_trade_at": _iso(newest),
            "rate": round(self._arrivals.rate(now), 1),
            "delay": self._arrivals.delay(now),
            "last_loss": self._last_loss,
            "bad_frames": self._bad_frames,
            "unknown_trades": self._unknown,
            "reconnects": self._reconnects,
            "gaps": sum(one.gaps for one in published),
            "refills": sum(one.refills for one in published),
        }


def _iso(ns: int | None) -> str | None:
    return datetime.fromtimestamp(ns / SECOND, UTC).isoformat() if ns else None


def _is_of_today(trade: Trade, heard_at_ns: int) -> bool:
    """
    Within a day of our clock, which may be wrong by hours: one that keeps local time, or a laptop that has just woken.
    No more: a trade of next week would be the newest until that time has come.
    """
    return abs(trade.traded_at_ns - heard_at_ns) <= DAY_NS
