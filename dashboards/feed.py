"""
The one feed of a server process: it asks the context, and cuts what changed into frames for every open page.

It lives on the server's event loop. Every question to the context blocks, so each is asked in a thread; nothing here
waits for a page, and no page waits for another.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice

from dashboards import charts, format, terse
from dashboards.audience import Audience
from dashboards.days import Days
from dashboards.delivery import Viewer
from dashboards.exports import Exports
from dashboards.frames import Frame, Pace, snapshot_text, status_text
from dashboards.histories import Histories
from dashboards.outlook import Outlook
from dashboards.product import digits_of, tape_row
from dashboards.quote import WINDOW_S, Quote
from dashboards.source import Source, past
from dashboards.tables import ordered
from dashboards.view import Selection
from dashboards.watching import Watching, begun, part, watched_text
from poeticoins import PoeticoinsError, Product, RequestTimeout, Trade

FRAME_S = 0.1
"""Seconds between two frames, at least."""
POLL_S = 1.0
"""Seconds between two looks at the status, and between two tries to reach a supervisor."""
SIGN_OF_LIFE_S = 5.0
"""Seconds between two statuses that every page hears, hidden or not, news or none: silence looks like a dead link."""
WATCH_S = 1.0
"""Seconds between two tellings of what alerts need."""
DEFAULT_CARDS = 12
"""Cards of a page that asks for no products in particular."""


class Feed:
    """`run()` until cancelled; pages `join` and `leave`. All on one event loop."""

    def __init__(self, source: Source, *, frame_s: float = FRAME_S, poll_s: float = POLL_S) -> None:
        self._source, self._frame_s, self._poll_s = source, frame_s, poll_s
        self._quotes: dict[str, Quote] = {}
        self._numbers: dict[str, int] = {}
        self._fresh: dict[str, list[Trade]] = {}
        self._newest: dict[str, int] = {}
        self._audience = Audience()
        self._outlook = Outlook(source)
        self._days = Days(source)
        self._watching = Watching()
        self._histories = Histories(source, self._digits)
        self._exports = Exports(source)
        self._answering: set[asyncio.Task[None]] = set()
        self._mode = ""
        self._heard = 0
        self._alive = 0.0
        self._pace: Pace | None = None

    # -- pages

    @property
    def viewers(self) -> int:
        return len(self._audience)

    def join(self, viewer: Viewer) -> None:
        """From now on `viewer` gets every frame; a whole snapshot first. Joining again only gets it a new snapshot."""
        self._audience.add(viewer)
        self._audience.tell(self.snapshot(viewer.selection), [viewer])
        self._tell_days(viewer.selection, viewer.focus, [viewer])
        self.watch(viewer)

    def leave(self, viewer: Viewer) -> None:
        self._audience.discard(viewer)

    def open(self, viewer: Viewer) -> None:
        """Gets `viewer` the past of the product that it has open, if that is followed; frames bring its trades."""
        if viewer.focus in self._quotes:
            self._tell_days((), viewer.focus, [viewer])
            self._answer(self._tell_history(viewer, viewer.focus, viewer.interval))

    def watch(self, viewer: Viewer) -> None:
        """Gets `viewer` the last ten minutes of what its alerts need; what follows comes once a second."""
        quotes = [self._quotes[key] for key in viewer.watch if key in self._quotes]
        parts = {str(quote.product): part(str(quote.product), begun(quote.last)) for quote in quotes if quote.last}
        lines = {str(quote.product): quote.snapshot(replayed=False)["points"] for quote in quotes}
        if text := watched_text(viewer.watch, parts, _now_ms(), lines):
            self._audience.tell(text, [viewer])

    def export(self, viewer: Viewer, said: object) -> None:
        """Gets `viewer` a file of what it shows; anything else than such an order is left unanswered."""
        order = ordered(said)
        if order is None or (order.key and order.key not in self._quotes):
            return
        tell = partial(self._tell_one, viewer)
        if refusal := self._exports.refusal(viewer):
            tell(refusal)
            return
        shown = (self._quotes[key].last for key in self._keys(viewer.selection) if key in self._quotes)
        self._answer(self._exports.tell(order, self._mode, [last for last in shown if last], tell))

    def _tell_one(self, viewer: Viewer, text: str) -> None:
        self._audience.tell(text, [viewer])

    def draw(self, viewer: Viewer) -> None:
        """Gets `viewer` the chart, empty; its browser fills it."""
        self._answer(self._tell_chart(viewer))

    def snapshot(self, selection: Selection) -> str:
        """All that a page needs to draw `selection`; a product that nobody follows (any more) is left out."""
        quotes = [self._quotes[key] for key in self._keys(selection) if key in self._quotes]
        cards = [quote.snapshot(replayed=self._replayed) for quote in quotes]
        catalogue = [quote.names() for quote in self._quotes.values()]
        return snapshot_text(cards, catalogue, self._outlook.status, _now_ms())

    def _keys(self, selection: Selection) -> tuple[str, ...]:
        return tuple(islice(self._quotes, DEFAULT_CARDS)) if selection is None else selection

    @property
    def _replayed(self) -> bool:
        return self._mode == "replay"

    def _digits(self, key: str) -> int:
        quote = self._quotes.get(key)
        return digits_of(quote.last.price) if quote and quote.last else 0

    def _answer(self, telling: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(telling)
        self._answering.add(task)  # the loop itself keeps no hold of it
        task.add_done_callback(self._answering.discard)

    async def _tell_history(self, viewer: Viewer, key: str, interval: str) -> None:
        text = await self._histories.text(key, interval)
        if (viewer.focus, viewer.interval) == (key, interval):
            self._audience.tell(text, [viewer])

    async def _tell_chart(self, viewer: Viewer) -> None:
        self._audience.tell(await asyncio.to_thread(charts.text), [viewer])

    # -- following the supervisor

    async def run(self) -> None:
        """Follows supervisor after supervisor. Ends only with an error that is none of `poeticoins`': a bug."""
        self._pace = Pace(self._frame_s, self._send_frame, asyncio.get_running_loop().call_later)
        following: asyncio.Task[None] | None = None
        try:
            while True:
                mode = await self._look()
                self._tell_new_days()
                if following and (following.done() or mode != self._mode):
                    await _end(following)
                    following = None
                if mode and not following:
                    self._enter(mode)
                    following = asyncio.create_task(self._follow(), name="feed")
                await asyncio.sleep(self._poll_s)
        finally:
            if following:
                await _end(following)

    def _enter(self, mode: str) -> None:
        """Prices of one mode are never shown as another's; a supervisor that comes back finds its cards as they are."""
        if mode != self._mode:
            self._mode, self._quotes = mode, {}
            self._days.clear()

    async def _look(self) -> str:
        """Asks how things stand and tells the pages what is new; returns the mode, "" without a supervisor."""
        before, heard, self._heard = self._outlook.status, self._heard, 0
        mode = await self._outlook.look(heard, self._newest, list(self._quotes))
        self._tell_status(is_new=self._outlook.status != before)
        return mode

    def _tell_status(self, *, is_new: bool) -> None:
        """To who sees it when it is new, and to all, hidden pages too, as a sign of life."""
        is_time = time.monotonic() - self._alive > SIGN_OF_LIFE_S
        if is_time:
            self._alive = time.monotonic()
        if is_new or is_time:
            text = status_text(self._outlook.status, _now_ms())
            self._audience.tell(text, self._audience if is_time else self._audience.watching())

    async def _follow(self) -> None:
        """One life of a supervisor: its products, their history, and every trade. Returns when it cannot be reached."""
        try:
            products = format.in_order(await asyncio.to_thread(self._source.available_products))
            self._seat(products)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(products))
                group.create_task(self._fill(products))
                group.create_task(self._days.follow(products))
                group.create_task(self._tell_watched())
        except* PoeticoinsError as errors:
            self._outlook.complaint = str(errors.exceptions[0])

    def _seat(self, products: Sequence[Product]) -> None:
        self._quotes = {str(product): self._quotes.get(str(product)) or self._quote(product) for product in products}
        self._days.seat(products)
        self._fresh.clear()
        self._newest.clear()
        self._renew()

    def _quote(self, product: Product) -> Quote:
        """With a number that is kept for good: a page may still hear of those that were followed before."""
        return Quote(product, self._numbers.setdefault(str(product), len(self._numbers)))

    def _renew(self) -> None:
        """Every page gets a new snapshot, made once for all that show the same, and with it its open product's past."""
        for (selection, focus), viewers in self._audience.groups().items():
            self._audience.tell(self.snapshot(selection), viewers)
            self._tell_days(selection, focus, viewers)
        for viewer in self._audience.watching():
            self.open(viewer)
        for viewer in self._audience:
            self.watch(viewer)

    async def _tell_watched(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            parts, now_ms = self._watching.news(), _now_ms()
            texts = {viewer.watch: watched_text(viewer.watch, parts, now_ms) for viewer in self._audience}
            for viewer in self._audience:
                if text := texts[viewer.watch]:
                    self._audience.tell(text, [viewer])

    async def _listen(self, products: Sequence[Product]) -> None:
        assert self._pace  # run() made it
        async for trade in self._source.stream_trades(products):
            key, exchange = str(trade.product), trade.product.exchange
            if key in self._quotes:
                self._heard += 1
                self._newest[exchange] = max(trade.traded_at_ns, self._newest.get(exchange, 0))
                self._quotes[key].take(trade)
                self._days.take(trade)
                self._watching.take(trade)
                self._fresh.setdefault(key, []).append(trade)
                self._pace.due()

    async def _fill(self, products: Sequence[Product]) -> None:
        """What was before the stream began. Asks until it is answered; meanwhile the pages show what comes."""
        while True:
            try:
                found = await asyncio.to_thread(past, self._source, products, WINDOW_S)
                break
            except RequestTimeout as error:
                self._outlook.complaint = str(error)
                await asyncio.sleep(self._poll_s)
        for product, (last, closes) in found.items():
            self._quotes[str(product)].fill(last, closes)
        self._outlook.complaint = ""
        self._renew()

    def _tell_days(
        self, selection: Selection, focus: str | None, viewers: Iterable[Viewer], parts: Mapping[str, str] | None = None
    ) -> None:
        keys = (*self._keys(selection), *([focus] if focus else []))
        if text := self._days.text(keys, parts):
            self._audience.tell(text, viewers)

    def _tell_new_days(self) -> None:
        parts = self._days.news(_now_ms())
        for (selection, focus), viewers in self._audience.groups().items():
            self._tell_days(selection, focus, viewers, parts)

    # -- frames

    def _send_frame(self) -> None:
        fresh, self._fresh = self._fresh, {}
        if not self._audience:
            return
        now, numbers, opened = _now_ms(), self._numbers, self._audience.opened()
        changed = {key: self._quotes[key].part(replayed=self._replayed) for key in fresh if key in self._quotes}
        parts = {key: terse.card(numbers[key], part, now) for key, part in changed.items()}
        rows = {key: map(tape_row, trades) for key, trades in fresh.items() if key in opened}
        frame = Frame(parts, now, {key: terse.tape(numbers[key], each, now) for key, each in rows.items()})
        for (selection, focus), viewers in self._audience.groups().items():
            if text := frame.text(self._keys(selection), focus):
                self._audience.tell(text, viewers)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancels `task` and waits for it. Raises what it raised of itself: a bug is not to be swallowed."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
