"""
What one exchange's frames do: trades go to their product's intake, acks and errors make the feed's state. No I/O of its
own, and no clock: the client's connection tells it what came and when.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from poeticoins.errors import BadFrame
from poeticoins.exchanges import Exchange
from poeticoins.intake import Intake
from poeticoins.liveness import Patience, Verdict, verdict
from poeticoins.log import say, warn
from poeticoins.model import SECOND, Event, Heartbeat, Product, ReconnectRequested, Refused, Subscribed, Trade

log = logging.getLogger(__name__)
DAY_NS = 86_400 * SECOND
NAMED = 100
"""Products that the facts name at most: they travel in a heartbeat, which has room for 4096 bytes."""
AHEAD_NS = 600 * SECOND


class Feed:
    """
    One exchange, over all its connections. `strict_time`: a live trade that is not of today is a bad one.

    Seconds are those of the monotonic clock, `_ns` those of the wall clock.
    """

    def __init__(self, exchange: Exchange, intakes: Mapping[Product, Intake], *, strict_time: bool) -> None:
        self.exchange = exchange
        self.state = "connecting"
        self.problem: str | None = None
        self.was_open = False
        self._intakes = intakes
        self._strict_time = strict_time
        self._patience = Patience()
        self._acked: set[Product] = set()
        self._refusal = ""
        self._opened = self._heard = self._pinged = 0.0
        self._heard_at_ns = 0
        self._bad_frames = self._unknown = self._reconnects = 0

    # -- the life of a connection

    def opened(self, now: float) -> None:
        """A connection stands, and the subscriptions have been asked for."""
        self._opened = self._heard = self._pinged = now
        self._acked, self._refusal, self.was_open = set(), "", True

    def lost(self, why: str) -> float:
        """The connection is gone, or could not be made; returns for how many seconds it gave good frames."""
        good = self._heard - self._opened if self._acked else 0.0
        self.pause()
        self._acked = set()
        self._reconnects += self.was_open
        self.was_open = False
        self.state, self.problem = "reconnecting", why
        return good

    def pause(self) -> None:
        """Notes that from the last frame on trades may be missed."""
        for product in self._acked:
            self._intakes[product].disconnected(self._heard_at_ns)

    def check(self, now: float) -> Verdict:
        """To be asked about once a second while connected: whether the connection lives, or wants a ping."""
        self._name_missing(now)
        judged = verdict(
            self._patience,
            now=now,
            opened=self._opened,
            heard=self._heard,
            pinged=self._pinged,
            acked=bool(self._acked),
        )
        if judged == "ping":
            self._pinged = now
        return judged

    def beat(self) -> None:
        """A heartbeat for every product on the bus, and a proof of life in the journal of those that are followed."""
        for product, intake in self._intakes.items():
            if product in self._acked:
                intake.alive(self._heard_at_ns)
            intake.heartbeat()

    # -- what the frames mean

    def receive(self, frame: bytes, now: float, now_ns: int) -> bool:
        """Takes a frame in; True if the exchange asks its clients to reconnect."""
        self._heard, self._heard_at_ns = now, now_ns
        try:
            meanings = self.exchange.parse(frame)
        except BadFrame as error:
            self._bad(error, frame)
            return False
        asked = [self._take(meaning, frame) for meaning in meanings]  # all are taken, whatever one of them asks
        return any(asked)

    def _take(self, meaning: Trade | Event, frame: bytes) -> bool:
        match meaning:
            case Trade():
                self._trade(meaning, frame)
            case Subscribed(products=products):
                self._subscribed(products)
            case Refused(reason=reason):
                self._refusal = self.problem = f"refused: {reason}"
                warn(log, "the exchange refused", reason=reason)
            case Heartbeat():
                pass  # a sign of life, as every frame is
            case ReconnectRequested():
                return True
        return False

    def _trade(self, trade: Trade, frame: bytes) -> None:
        intake = self._intakes.get(trade.product)
        if intake is None:
            self._unknown += 1  # not asked for: counted, and nothing is kept about it
        elif self._strict_time and trade.origin == "live" and not self._is_of_today(trade):
            self._bad(BadFrame(f"expected a trade of today, got one of {trade.traded_at:%Y-%m-%d %H:%M} UTC"), frame)
        else:
            intake.trade(trade, self._heard_at_ns)

    def _is_of_today(self, trade: Trade) -> bool:
        """At most a day old; and hardly ahead of our clock, or it would be the newest until that time has come."""
        return self._heard_at_ns - DAY_NS <= trade.traded_at_ns <= self._heard_at_ns + AHEAD_NS

    def _subscribed(self, products: Iterable[Product]) -> None:
        for product in products:
            if product in self._intakes and product not in self._acked:
                self._acked.add(product)
                self._intakes[product].connected(self._heard_at_ns)
        if len(self._acked) == len(self._intakes) and self.state != "live":
            self.state, self.problem = "live", None
            say(log, "live", products=len(self._acked))

    def _name_missing(self, now: float) -> None:
        """Products whose subscription is not confirmed in time make the feed degraded; the others go on."""
        missing = [product.pair for product in self._intakes if product not in self._acked]
        overdue = now - self._opened >= self._patience.ack_within
        if self._acked and missing and overdue and self.state != "degraded":
            self.state = "degraded"
            self.problem = f"not confirmed: {', '.join(missing)}" + (f"; {self._refusal}" if self._refusal else "")
            warn(log, "some subscriptions were not confirmed", products=", ".join(missing))

    def _bad(self, error: BadFrame, frame: bytes) -> None:
        self._bad_frames += 1
        warn(log, "bad frame dropped", why=error, frame=frame[:150])

    # -- what it tells the supervisor

    def facts(self) -> dict[str, object]:
        """
        The feed as `status` shows it. trades and gaps count what is in the journals, across restarts of the client;
        bad_frames, unknown_trades and reconnects count since the client began.
        """
        newest = max((i.last_trade.traded_at_ns for i in self._intakes.values() if i.last_trade), default=None)
        return {
            "exchange": self.exchange.NAME,
            "state": self.state,
            "problem": self.problem and self.problem[:300],
            "products": [product.pair for product in self._intakes][:NAMED],
            "trades": sum(intake.journal.trades for intake in self._intakes.values()),
            "last_trade_at": datetime.fromtimestamp(newest / SECOND, UTC).isoformat() if newest else None,
            "bad_frames": self._bad_frames,
            "unknown_trades": self._unknown,
            "reconnects": self._reconnects,
            "gaps": sum(intake.gaps for intake in self._intakes.values()),
            "refills": sum(intake.refills for intake in self._intakes.values()),
        }
