"""
A reader of the bus: every trade of some products once and in order, whatever restarts meanwhile.

It draws: the socket is drained when the reader asks for more, so a reader that is too slow loses messages at the
socket, notices by their sequence, and fetches them; only what the publisher itself no longer has is a gap.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Self

from msgspec import structs

from poeticoins import answers, messages, wire
from poeticoins.bus import Asker, Subscriber
from poeticoins.config import Settings
from poeticoins.errors import FeedUnavailable, PoeticoinsError, WireMismatch, WrongAnswer
from poeticoins.log import warn
from poeticoins.messages import WIRE_VERSION
from poeticoins.model import Gap, Item, Mode, Product, Trade
from poeticoins.sequence import IdWindow, Lost, Merge, follows

log = logging.getLogger(__name__)
ASK_AGAIN = 0.25  # seconds without an answer after which the question goes to the publisher, then to historical again
REPUBLISHED = 10_000  # ids remembered a product, against a new journal that repeats what the old one had
IN_A_ROW = 64  # items handed out without letting the loop's other work have its turn
READY_LIMIT = 10_000  # items that wait for a reader; beyond, the socket is left alone until it has caught up


class _Follower:
    """One product's place in the stream."""

    def __init__(self, product: Product, history: int) -> None:
        self.product = product
        self.merge: Merge[Item] = Merge(history=history)
        self.ids = IdWindow(REPUBLISHED)
        self.newest: Trade | None = None
        self.epoch = 0  # of the newest that came
        self.asked_at = 0.0
        self.asked_last = 0
        self.tries = 0

    def delivered(self, items: Sequence[Item | Lost]) -> list[Item]:
        """What the merge lets go, less what an earlier epoch has delivered already."""
        out: list[Item] = []
        for item in items:
            if isinstance(item, Lost):
                now = time.time_ns()
                out.append(Gap(self.product, "overrun", now, now, missing=item.last - item.first + 1, epoch=item.epoch))
            elif not isinstance(item, Trade):
                out.append(item)
            else:
                out += self._unknown_before(item)
                if self.ids.add(item.trade_id):
                    out.append(self._placed(item))
        return out

    def _unknown_before(self, trade: Trade) -> list[Gap]:
        """The gap before a new journal that does not go on from where the reader is: nobody knows what it misses."""
        known, epoch = self.newest, self.epoch
        self.epoch = trade.epoch
        if known is None or epoch == trade.epoch or trade.trade_id in self.ids:
            return []
        place = trade.traded_at_ns, trade.trade_id
        if trade.sequence == 1 and follows((known.traded_at_ns, known.trade_id), place):
            return []
        return [Gap(self.product, "overrun", known.traded_at_ns, trade.traded_at_ns, epoch=trade.epoch)]

    def _placed(self, trade: Trade) -> Trade:
        """`trade`, flagged if it is older than what was delivered: a new journal begins with the exchange's past."""
        if self.newest and trade.trade_id < self.newest.trade_id and trade.traded_at_ns <= self.newest.traded_at_ns:
            return trade if trade.late else structs.replace(trade, late=True)
        self.newest = trade
        return trade


class TradeStream:
    """
    An asynchronous iterator over trades and gaps of `products`, in order for each product.

    Begins with at most `history` old items of each. Never ends by itself, and never raises for a restart: it waits.
    """

    def __init__(self, settings: Settings, products: Sequence[Product], history: int = 0) -> None:
        self._settings, self._products, self._history = settings, products, history
        self._followers = {str(product): _Follower(product, history) for product in products}
        self._ready: deque[Item] = deque()
        self._failure: PoeticoinsError | None = None
        self._paused = False
        self._in_a_row = 0
        self._mode: Mode | None = None
        self._woken: asyncio.Event | None = None
        self._subscribers: list[Subscriber] = []
        self._askers: list[dict[str, Asker]] = []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        if self._woken is None:
            self._open()
        assert self._woken is not None
        self._in_a_row += 1
        if self._in_a_row % IN_A_ROW == 0:
            await asyncio.sleep(0)  # a reader that never waits would let nothing else have its turn
        while not self._ready:
            self._pause(False)
            if self._failure:
                raise self._failure
            self._woken.clear()
            self._ask_for_missing()
            try:
                async with asyncio.timeout(ASK_AGAIN):
                    await self._woken.wait()
            except TimeoutError:
                continue
        return self._ready.popleft()

    def _open(self) -> None:
        """Sockets belong to the loop that iterates, so they are made at its first step."""
        self._woken = asyncio.Event()
        exchanges = sorted({product.exchange for product in self._products})
        historical = Asker(self._settings.socket("historical"), lambda data: self._answered(data, of_publisher=False))
        publishers = {
            name: Asker(self._settings.socket(f"{name}-replay"), lambda data: self._answered(data, of_publisher=True))
            for name in exchanges
        }
        self._askers = [dict.fromkeys(exchanges, historical), publishers]
        for name in exchanges:
            topics = [wire.topic(product) for product in self._products if product.exchange == name]
            self._subscribers.append(Subscriber(self._settings.socket(name), topics, self._received))

    def _received(self, frame: bytes) -> None:
        try:
            name, message = wire.decode_frame(frame)
            follower = self._followers[name]
            item = None if isinstance(message, messages.HeartbeatMessage) else wire.item_of(message, follower.product)
        except WireMismatch as error:
            self._fail(error)
            return
        except (ValueError, KeyError):
            return  # not ours: no publisher of Poeticoins sent it
        if item is not None:
            self._deliver(follower, follower.merge.message(message.epoch, message.sequence, item))
        elif isinstance(message, messages.HeartbeatMessage):
            if not self._is_our_mode(message.mode):
                return
            follower.merge.heartbeat(message.epoch, message.sequence)
        if follower.merge.wanted and not follower.asked_at:
            self._ask(follower)

    def _answered(self, data: bytes, *, of_publisher: bool) -> None:
        try:
            answer = wire.decode_answer(data)
            if not isinstance(answer, messages.ReplayAnswer):
                log.debug("no replay: %s", answer)  # a publisher that is new to its products; asked again in a moment
                return
            follower = self._followers[answer.product]
            items = answers.replayed(answer, follower.product)
        except WireMismatch as error:
            self._fail(error)
            return
        except (ValueError, KeyError, WrongAnswer) as error:
            warn(log, "dropped an answer that cannot be", why=error)  # asked again in a moment, another one
            return
        if of_publisher:
            if not self._is_our_mode(answer.mode):
                return
        elif answer.last > follower.asked_last or answer.mode != (self._mode or answer.mode):
            # what there is, and whose prices it is, is the publisher's to say
            warn(log, "dropped an answer that cannot be", product=follower.product, last=answer.last, mode=answer.mode)
            return
        if answer.first > follower.merge.next and follower.merge.following and not of_publisher:
            self._ask(follower)  # only the publisher can say that something is gone for good
            return
        before = follower.merge.next
        self._deliver(
            follower,
            follower.merge.answer(answer.epoch, answer.first, answer.last, [(item.sequence, item) for item in items]),
        )
        if follower.merge.next > before:
            follower.asked_at, follower.tries = 0.0, 0
            if follower.merge.wanted:
                self._ask(follower)

    def _is_our_mode(self, mode: Mode) -> bool:
        """A stream that began with the market's prices never goes on with made-up ones."""
        self._mode = self._mode or mode
        if mode != self._mode:
            self._fail(
                FeedUnavailable(f"this stream began in mode {self._mode}, but the supervisor now runs in {mode}")
            )
        return mode == self._mode

    def _fail(self, error: PoeticoinsError) -> None:
        """Ends the stream with `error` once all that came before is read; nothing that it could wait for would help."""
        self._failure = error
        if self._woken is not None:
            self._woken.set()

    def _pause(self, paused: bool) -> None:
        if paused != self._paused:
            self._paused = paused
            for subscriber in self._subscribers:
                subscriber.pause(paused)

    def _deliver(self, follower: _Follower, items: Sequence[Item | Lost]) -> None:
        self._ready += follower.delivered(items)
        if self._ready and self._woken is not None:
            self._woken.set()
        if len(self._ready) >= READY_LIMIT:
            self._pause(True)

    def _ask_for_missing(self) -> None:
        now = time.monotonic()
        for follower in self._followers.values():
            if follower.merge.wanted is None:
                follower.asked_at, follower.tries = 0.0, 0
            elif now - follower.asked_at >= ASK_AGAIN:
                self._ask(follower)

    def _ask(self, follower: _Follower) -> None:
        """Asks historical; every second time, since it may be starting, the publisher itself."""
        wanted = follower.merge.wanted
        if wanted is None:
            return
        question = messages.ReplayQuestion(WIRE_VERSION, str(follower.product), *wanted)
        askers = self._askers[follower.tries % len(self._askers)]
        askers[follower.product.exchange].ask(wire.encode(question))
        follower.asked_at, follower.asked_last = time.monotonic(), wanted.last
        follower.tries += 1

    def close(self) -> None:
        """Lets go of the sockets. To be called in the loop that iterated."""
        for subscriber in self._subscribers:
            subscriber.close()
        for asker in {asker for askers in self._askers for asker in askers.values()}:
            asker.close()
        self._subscribers, self._askers = [], []
