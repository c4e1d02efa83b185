"""
The process of one exchange: it connects, hears trades, journals and publishes them, for ever.

Network trouble is met here, with backoff and no limit of tries. A bug is not: the process dies, and its supervisor
starts another, which goes on from the journal.
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace

from poeticoins import bus, messages, wire
from poeticoins.budget import BudgetFile
from poeticoins.bus import Answerer, Publisher
from poeticoins.child import Child
from poeticoins.config import Settings
from poeticoins.connection import Address
from poeticoins.errors import PoeticoinsError
from poeticoins.exchanges import EXCHANGES, followed
from poeticoins.feed import Feed
from poeticoins.follower import Follower
from poeticoins.intake import Intake
from poeticoins.journal import writing
from poeticoins.liveness import Patience
from poeticoins.log import warn
from poeticoins.model import Product, of_product
from poeticoins.prehistory import Prehistory
from poeticoins.refill import Refills
from poeticoins.rest import Rest
from poeticoins.restarts import ConnectionBackoff

log = logging.getLogger(__name__)
REPLAY_PAGE = 1_000  # records in one answer: 56 kB


async def run(settings: Settings, child: Child, name: str) -> None:
    """Follows the exchange `name` until the supervisor says stop."""
    with writing(settings.run_dir / settings.mode / name):
        client = Client(settings, name)
        child.facts = lambda: {"feed": client.facts()}
        child.ready()
        try:
            async with client.rest:
                works = (client.follow(), client.refill(), client.prehistory.run(), client.beat(settings.beat_interval))
                await child.until_stopped(*works)
        finally:
            child.facts = dict  # the last heartbeats must not ask a closed client
            client.close()


class Client:
    """One exchange's feed, and the sockets that its trades leave by. backoff: another one than usual, for tests."""

    def __init__(self, settings: Settings, name: str, backoff: ConnectionBackoff | None = None) -> None:
        exchange = EXCHANGES[name]
        self._publisher = Publisher(settings.socket(name), self._greet)
        self._replayer = Answerer(settings.socket(f"{name}-replay"), self._answer)
        self._products = followed(settings)[name]
        # one for all that asks the exchange: what it allows a second, and a 429, concern them together
        self.rest = Rest(exchange.REST_PER_SECOND, "none" if settings.embedded_url else settings.proxy)
        self._refills = Refills(exchange, settings, self.rest)
        # a replay has no REST: a client that comes back hears its older trades again, by the socket
        want = self._refills.want if settings.backfill and settings.mode != "replay" else None
        self._intakes = {
            product: Intake(product, settings, exchange.CONTIGUOUS_IDS, self._publisher.send, want)
            for product in self._products
        }
        self._by_name = {str(product): intake for product, intake in self._intakes.items()}
        self._refills.intakes = self._intakes
        self.prehistory = Prehistory(exchange, settings, self._intakes, self.rest)
        self._inherit(settings)
        strict_time = settings.mode != "replay"
        self._feed = Feed(exchange, self._intakes, strict_time=strict_time, when_opened=self._refills.retry)
        self._follower = _follower(settings, self._feed, backoff)
        for intake in self._intakes.values():
            if intake.published.journal.quarantined:
                warn(log, "put a journal aside", file=intake.published.journal.quarantined)

    def _inherit(self, settings: Settings) -> None:
        """
        Asks historical, if it is there, what it remembers of products whose journal is gone. One that is there, yet
        without a trade, may be of a life that was over before it could ask or publish.
        """
        gone = [
            p
            for p, intake in self._intakes.items()
            if intake.published.last_trade is None and not intake.published.journal.inherited
        ]
        if not gone or not settings.socket("historical").is_socket():
            return
        with suppress(PoeticoinsError, ValueError):  # at a first start there is nobody, and nothing to inherit
            question = wire.encode(messages.LastTradesQuestion(products=[str(product) for product in gone]))
            answer = wire.decode_answer(bus.ask(settings.socket("historical"), question, 0.3))
            if isinstance(answer, messages.LastTradesAnswer) and answer.mode == settings.mode:
                for name, trade in answer.trades:
                    product = Product.parse(name)
                    self._intakes[product].inherit(wire.item_of(trade, product))

    async def follow(self) -> None:
        """Connects, listens, and connects again."""
        await self._follower.run()

    async def refill(self) -> None:
        """Fetches what was missed from the exchange's REST, for as long as it runs."""
        await self._refills.run()

    async def beat(self, interval: float) -> None:
        """Heartbeats on the bus, from the loop that does the work."""
        while True:
            self._feed.beat()
            await asyncio.sleep(interval)

    def facts(self) -> dict[str, object]:
        """The feed's facts, and where it is reached; next_try_in: seconds, None while connected."""
        wait = self._follower.next_try_in
        return self._feed.facts(time.monotonic()) | {
            "host": self._follower.host,
            "next_try_in": None if wait is None else round(wait, 1),
        }

    def _greet(self, prefix: bytes) -> None:
        """A new subscriber hears a heartbeat on its topics at once, and so knows that it is connected."""
        for product, intake in self._intakes.items():
            if wire.topic(product).startswith(prefix):
                intake.published.heartbeat()

    def _answer(self, question: bytes) -> bytes:
        try:
            asked = wire.decode_question(question)
            if not isinstance(asked, messages.ReplayQuestion):
                raise ValueError("expected a replay question; historical answers the others")
            intake = of_product(asked.product, self._by_name)
        except (ValueError, LookupError, PoeticoinsError) as error:
            return wire.encode(wire.refusal(error))
        return wire.encode(intake.published.replay(asked, REPLAY_PAGE))

    def close(self) -> None:
        """Lets go of journals and sockets; what was received is in the journals then."""
        self._feed.pause()
        for intake in self._intakes.values():
            intake.close()
        self._publisher.close()
        self._replayer.close()


def _follower(settings: Settings, feed: Feed, backoff: ConnectionBackoff | None) -> Follower:
    name = feed.exchange.NAME
    url = settings.urls.get(name, feed.exchange.URL)
    address = Address(url, None if settings.proxy == "none" else settings.proxy or True)
    if settings.embedded_url:
        address = Address(f"{settings.embedded_url}/{name}")
    kept = BudgetFile(settings.run_dir / settings.mode / name / "connects")
    backoff = backoff or ConnectionBackoff(good_after=settings.good_after)
    backoff = replace(backoff, budget=kept.load(backoff.budget, time.monotonic()))
    return Follower(feed, address, Patience.of(settings), backoff, kept)
