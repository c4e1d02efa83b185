"""
The process that remembers: it hears every publisher, keeps each product's window, and answers questions about it.

What it did not hear it reads from the publisher's journal: at its start, when a sequence is missing, and while a
publisher is silent. So history depends on no client being alive, and there is no hand-over between old and new.
"""

import asyncio
import logging
import time

from poeticoins import messages, wire
from poeticoins.archive import Archive
from poeticoins.bus import Answerer, Subscriber
from poeticoins.child import Child
from poeticoins.config import Settings
from poeticoins.errors import PoeticoinsError, WireMismatch
from poeticoins.exchanges import followed
from poeticoins.history import History
from poeticoins.journal import read_tail
from poeticoins.log import warn
from poeticoins.messages import WIRE_VERSION
from poeticoins.model import of_product
from poeticoins.ration import Ration
from poeticoins.record import pack

log = logging.getLogger(__name__)
READ_AT_ONCE = 500  # records read from a journal before the loop's other work has its turn
QUIET = 2.5  # heartbeats missed before a publisher counts as down
ANSWERS = Ration(share=0.5)  # it is there to answer; the rest is for what it hears


async def run(settings: Settings, child: Child) -> None:
    """Keeps and answers until the supervisor says stop."""
    historical = Historical(settings)
    await historical.restore()
    historical.open()  # not before: half a window would be taken for all there is
    child.ready()
    try:
        await child.until_stopped(historical.follow_journals(settings.beat_interval), historical.keep_bars())
    finally:
        historical.close()


class Historical:
    """The windows of all products that are followed, and the sockets by which they are filled and asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        exchanges = followed(settings)
        self._histories = {str(p): History(p, settings) for products in exchanges.values() for p in products}
        self._archive = Archive(settings, self._histories.values())
        self._heard = dict.fromkeys(exchanges, 0.0)
        self._wanting: set[str] = set()
        self._subscribers: list[Subscriber] = []
        self._answerer: Answerer | None = None

    def open(self) -> None:
        """Begins to listen and to answer."""
        self._subscribers = [
            Subscriber(self._settings.socket(name), [f"{name}:".encode()], self._receive) for name in self._heard
        ]
        self._answerer = Answerer(self._settings.socket("historical"), self._answer, ANSWERS)

    # -- what comes in

    def _receive(self, frame: bytes) -> None:
        try:
            name, message = wire.decode_frame(frame)
            history = self._histories[name]
            record = b""
            if not isinstance(message, messages.HeartbeatMessage):
                record = pack(wire.item_of(message, history.product))
        except (ValueError, KeyError, WireMismatch) as error:
            warn(log, "dropped what is no message of ours", why=error)
            return
        self._heard[history.product.exchange] = time.monotonic()
        if record:
            history.message(message.epoch, message.sequence, record)
        else:
            history.heartbeat(message.epoch, message.sequence)
        if history.wanted:
            self._want(name)

    def _want(self, name: str) -> None:
        """Reads what is missing from the journal, once for all that came in this turn of the loop."""
        if name not in self._wanting:
            self._wanting.add(name)
            asyncio.get_running_loop().call_soon(self._read_wanted, name)

    def _read_wanted(self, name: str) -> None:
        self._wanting.discard(name)
        history = self._histories[name]
        if history.wanted and self._read(history) and history.wanted:
            self._want(name)

    def _read(self, history: History, limit: int | None = READ_AT_ONCE) -> bool:
        """Reads the next part of a product's journal; True if it held anything new."""
        epoch, following = history.next
        path = self._settings.journal(history.product)
        tail = read_tail(path, history.product, self._settings.mode, following, limit)
        if tail is not None and tail.epoch != epoch and epoch:
            tail = read_tail(path, history.product, self._settings.mode, 1, limit)
        if tail is None or tail.last < tail.first:
            return False
        history.restore(tail.epoch, tail.first, tail.last, tail.records)
        return history.next > (epoch, following) or history.next[0] != epoch

    async def restore(self) -> None:
        """The whole window: what was kept of the bars, and the journals, each of them at once."""
        for history in self._histories.values():
            self._archive.restore(history)
            self._read(history, limit=None)
            await asyncio.sleep(0)  # for the heartbeat

    async def follow_journals(self, interval: float) -> None:
        """Follows the journals of publishers that are down: one may have written what it could not send any more."""
        while True:
            await asyncio.sleep(interval)
            for history in self._histories.values():
                silent = time.monotonic() - self._heard[history.product.exchange] > QUIET * interval
                if history.wanted or silent:
                    while self._read(history):
                        await asyncio.sleep(0)

    async def keep_bars(self) -> None:
        """Puts bars on disk before the journals lose their trades, for as long as it runs."""
        await self._archive.follow(self._settings.beat_interval)

    # -- what is asked

    def _answer(self, question: bytes) -> bytes:
        try:
            return wire.encode(self._answered(wire.decode_question(question)))
        except (ValueError, PoeticoinsError) as error:
            return wire.encode(wire.refusal(error))

    def _answered(self, asked: messages.Question) -> messages.Answer:
        version, mode = WIRE_VERSION, self._settings.mode
        match asked:
            case messages.ProductsQuestion():
                return messages.ProductsAnswer(version, mode, list(self._histories))
            case messages.LastTradesQuestion():
                return messages.LastTradesAnswer(version, mode, self._last_trades(asked.products))
            case messages.TradesQuestion():
                records, more = of_product(asked.product, self._histories).trades(
                    asked.limit, asked.since_ns, asked.before
                )
                return messages.TradesAnswer(version, mode, asked.product, records.tobytes(), more)
            case messages.CandlesQuestion():
                bars = of_product(asked.product, self._histories).candles(asked.interval_ns, asked.limit)
                return messages.CandlesAnswer(version, mode, asked.product, asked.interval_ns, bars.tobytes())
            case messages.GapsQuestion():
                gaps = [wire.gap_message(gap) for gap in of_product(asked.product, self._histories).gaps]
                return messages.GapsAnswer(version, mode, asked.product, gaps)
            case messages.ReplayQuestion():
                history = of_product(asked.product, self._histories)
                return messages.ReplayAnswer(
                    version, mode, asked.product, *history.replay(asked.epoch, asked.first, asked.last)
                )

    def _last_trades(self, names: list[str] | None) -> list[tuple[str, messages.TradeMessage]]:
        chosen = self._histories if names is None else {name: of_product(name, self._histories) for name in names}
        lasts = {name: history.last_trade for name, history in chosen.items()}
        return [(name, wire.trade_message(trade)) for name, trade in lasts.items() if trade is not None]

    def close(self) -> None:
        """Puts the bars on disk and lets go of the sockets; the journals are the clients'."""
        for subscriber in self._subscribers:
            subscriber.close()
        if self._answerer:
            self._answerer.close()
        self._archive.close()
