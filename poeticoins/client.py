"""
The process of one exchange: it connects, hears trades, journals and publishes them, for ever.

Network trouble is met here, with backoff and no limit of tries. A bug is not: the process dies, and its supervisor
starts another, which goes on from the journal.
"""

import asyncio
import logging
import time
from contextlib import suppress
from random import random
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from poeticoins import bus, wire
from poeticoins.bus import Answerer, Publisher
from poeticoins.child import Child
from poeticoins.config import Settings
from poeticoins.errors import PoeticoinsError
from poeticoins.exchanges import EXCHANGES, followed
from poeticoins.feed import Feed
from poeticoins.intake import Intake
from poeticoins.journal import Inheritance, writing
from poeticoins.log import say, warn
from poeticoins.model import Product
from poeticoins.refill import Refills
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
            await child.until_stopped(client.follow(), client.refill(), client.beat(settings.beat_interval))
        finally:
            child.facts = dict  # the last heartbeats must not ask a closed client
            client.close()


class Client:
    """One exchange's connection, and the sockets that its trades leave by."""

    def __init__(self, settings: Settings, name: str) -> None:
        exchange = EXCHANGES[name]
        self._embedded = bool(settings.embedded_url)
        self._url = f"{settings.embedded_url}/{name}" if self._embedded else exchange.URL
        self._publisher = Publisher(settings.socket(name), self._greet)
        self._replayer = Answerer(settings.socket(f"{name}-replay"), self._answer)
        self._products = followed(settings)[name]
        self._refills = Refills(exchange, settings.embedded_url, settings.hold, settings.refill_again)
        # a replay has no REST: a client that comes back hears its older trades again, by the socket
        want = self._refills.want if settings.backfill and settings.mode != "replay" else None
        self._intakes = {
            product: Intake(product, settings, exchange.CONTIGUOUS_IDS, self._publisher.send, want)
            for product in self._products
        }
        self._refills.intakes = self._intakes
        self._inherit(settings)
        self._feed = Feed(exchange, self._intakes, strict_time=settings.mode != "replay")
        self._backoff = ConnectionBackoff(good_after=settings.good_after)
        self._next_try: float | None = None
        for intake in self._intakes.values():
            if intake.journal.quarantined:
                warn(log, "put a journal aside", file=intake.journal.quarantined)

    def _inherit(self, settings: Settings) -> None:
        """Asks historical, if it is there, what it remembers of products whose journal is gone."""
        gone = [p for p, intake in self._intakes.items() if intake.journal.is_new and not intake.journal.inherited]
        if not gone or not settings.socket("historical").is_socket():
            return
        with suppress(PoeticoinsError, ValueError):  # at a first start there is nobody, and nothing to inherit
            question = wire.encode(wire.LastTradesQuestion(products=[str(product) for product in gone]))
            answer = wire.decode_answer(bus.ask(settings.socket("historical"), question, 0.3))
            if isinstance(answer, wire.LastTradesAnswer) and answer.mode == settings.mode:
                for name, trade in answer.trades:
                    before = Inheritance(trade.trade_id, trade.traded_at_ns, trade.received_at_ns)
                    self._intakes[Product.parse(name)].inherit(before)

    async def follow(self) -> None:
        """Connects, listens, and connects again."""
        delay, self._backoff = self._backoff.next_attempt(time.monotonic(), random())
        while True:
            self._next_try = time.monotonic() + delay
            await asyncio.sleep(delay)
            self._next_try = None
            why, asked = await self._connection()
            had = "connection lost" if self._feed.was_open else "cannot connect"
            good = self._feed.lost(why)
            self._backoff = self._backoff.after_good(float("inf") if asked else good)
            delay, self._backoff = self._backoff.next_attempt(time.monotonic(), random())
            (say if asked else warn)(log, had, host=self._host, why=why, next_try_in=f"{delay:.1f}s")

    async def _connection(self) -> tuple[str, bool]:
        """One connection from its opening to its end: why it ended, and whether the exchange had asked for that."""
        try:
            async with connect(
                self._url,
                open_timeout=10,
                ping_interval=5,  # a half-open connection is noticed within 5 + 5 + 1 s
                ping_timeout=5,
                close_timeout=1,
                max_size=2**20,
                max_queue=64,
                compression=None,  # costs more CPU than it saves on trades, and cannot be a bomb
                proxy=None if self._embedded else True,
            ) as socket:
                return await self._conversation(socket)
        except (OSError, WebSocketException) as error:
            return in_words(error), False

    async def _conversation(self, socket: ClientConnection) -> tuple[str, bool]:
        self._feed.opened(time.monotonic())
        for request in self._feed.exchange.subscribe_frames(self._products):
            await socket.send(request)
        self._refills.retry()
        watch = asyncio.create_task(self._watch(socket))
        try:
            while True:
                frame: bytes = await socket.recv(decode=False)
                if self._feed.receive(frame, time.monotonic(), time.time_ns()):
                    return "the exchange asked to reconnect", True
        except ConnectionClosed as error:
            return watch.result() if watch.done() else in_words(error), False
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self, socket: ClientConnection) -> str:
        """Closes a connection that is not alive, and returns why it did."""
        while True:
            await asyncio.sleep(1)
            match self._feed.check(time.monotonic()):
                case "ping" if self._feed.exchange.PING:
                    with suppress(ConnectionClosed):
                        await socket.send(self._feed.exchange.PING)
                case "silent":
                    return await _closed(socket, "connected, but silent for 15 s")
                case "no ack":
                    return await _closed(socket, self._feed.problem or "no subscription was confirmed within 5 s")

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
        wait = None if self._next_try is None else max(0.0, self._next_try - time.monotonic())
        return self._feed.facts() | {"host": self._host, "next_try_in": None if wait is None else round(wait, 1)}

    def _greet(self, prefix: bytes) -> None:
        """A new subscriber hears a heartbeat on its topics at once, and so knows that it is connected."""
        for product, intake in self._intakes.items():
            if wire.topic(product).startswith(prefix):
                intake.heartbeat()

    def _answer(self, question: bytes) -> bytes:
        try:
            asked = wire.decode_question(question)
            if not isinstance(asked, wire.ReplayQuestion):
                raise ValueError("expected a replay question; historical answers the others")
            intake = self._intakes[Product.parse(asked.product)]
        except (ValueError, LookupError, PoeticoinsError) as error:
            return wire.encode(wire.refusal(error))
        return wire.encode(intake.replay(asked, REPLAY_PAGE))

    @property
    def _host(self) -> str:
        return urlsplit(self._url).hostname or self._url

    def close(self) -> None:
        """Lets go of journals and sockets; what was received is in the journals then."""
        self._feed.pause()
        for intake in self._intakes.values():
            intake.close()
        self._publisher.close()
        self._replayer.close()


async def _closed(socket: ClientConnection, why: str) -> str:
    await socket.close()
    return why


def in_words(error: BaseException) -> str:
    """Why a connection failed, in a few words for people."""
    match error:
        case ConnectionClosed(rcvd=close):
            return (
                f"closed by the exchange: {close.code} {close.reason}".strip() if close else "the connection broke off"
            )
        case InvalidStatus(response=response):
            return f"refused with HTTP {response.status_code}"
        case InvalidHandshake():
            return f"the handshake failed: {error}"
        case TimeoutError():
            return "no answer within 10 s"
        case OSError(strerror=str() as text):
            return text[0].lower() + text[1:]
    return f"{type(error).__name__}: {error}"
