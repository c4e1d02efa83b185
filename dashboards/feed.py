"""
The one feed of a server process: it asks the context, and cuts what changed into frames for every open page.

It lives on the server's event loop. Every question to the context blocks, so each is asked in a thread; nothing here
waits for a page, and no page waits for another.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence

from dashboards import format
from dashboards.audience import Audience
from dashboards.clock import now_ms
from dashboards.comparing import Comparing, standings
from dashboards.days import Days
from dashboards.delivery import Viewer
from dashboards.frames import FRAME_S, Frames
from dashboards.outlook import Outlook
from dashboards.prices import Prices
from dashboards.quote import WINDOW_S
from dashboards.replies import Replies
from dashboards.source import Source, past
from dashboards.texts import status_text
from dashboards.view import Selection, View
from dashboards.watch import Watch
from poeticoins import PoeticoinsError, Product, RequestTimeout, WrongAnswer

POLL_S = 1.0
"""Seconds between two looks at the status, and between two tries to reach a supervisor."""
SIGN_OF_LIFE_S = 5.0
"""Seconds between two statuses that every page hears, hidden or not, news or none: silence looks like a dead link."""
IN_A_ROW, MOST_IN_A_POLL = 50, 4_000
"""Pages that hear in a row what is no frame, and how many at most between two polls: no frame waits for all of them."""


class Feed:
    """`run()` until cancelled; pages `join` and `leave`, and ask `replies`. All on one event loop."""

    def __init__(self, source: Source, *, frame_s: float = FRAME_S, poll_s: float = POLL_S) -> None:
        self._source, self._poll_s = source, poll_s
        self._prices = Prices()
        self._newest: dict[str, int] = {}
        self._audience = Audience()
        self._frames = Frames(self._prices, self._audience, frame_s)
        self._watch = Watch(self._audience)
        self._outlook = Outlook(source)
        self._days = Days(source)
        self._comparing = Comparing(
            source,
            self._audience,
            lambda: standings(self._prices.quotes, self._days, self._outlook.status),
            lambda: self._prices.replayed,
        )
        self.replies = Replies(source, self._audience, self._prices, self._comparing)
        self._heard = 0
        self._alive = 0.0

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
        if viewer.place == "system":
            self._audience.tell(self._outlook.system.text(now_ms()), [viewer])

    def leave(self, viewer: Viewer) -> None:
        self._audience.discard(viewer)

    def turned(self) -> None:
        """Some page may show something else now."""
        self._audience.changed()

    def open(self, viewer: Viewer) -> None:
        """Gets `viewer` the past of what it has open, if that is followed; what follows comes by itself."""
        if viewer.focus in self._prices.quotes:
            self._tell_days((), viewer.focus, [viewer])
        self.replies.open(viewer)

    def watch(self, viewer: Viewer) -> None:
        """Gets `viewer` the last ten minutes of what its alerts need; what follows comes once a second."""
        self._watch.begin(viewer, self._prices.quotes)

    def snapshot(self, selection: Selection) -> str:
        """All that a page needs to draw `selection`."""
        return self._prices.snapshot(selection, self._outlook.status)

    def first(self, view: View) -> list[str]:
        """What a page of `view` is sent with, so that it shows prices before it is joined; nothing follows from it."""
        selection = view.selection if view.place == "prices" else ()
        days = self._days.text(self._prices.keys(selection))
        return [self.snapshot(selection), *([days] if days else [])]

    # -- following the supervisor

    async def run(self) -> None:
        """Follows supervisor after supervisor. Ends only with an error that is none of `poeticoins`': a bug."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._attend())
                group.create_task(self._frames.run())
                group.create_task(self._comparing.run())
        except ExceptionGroup as bugs:
            raise bugs.exceptions[0] from None  # a log, and whoever looks at a child's last words, begins at its end

    async def _attend(self) -> None:
        following: asyncio.Task[None] | None = None
        try:
            while True:
                mode = await self._look()
                await self._tell_new_days()
                self._comparing.due()
                if following and (following.done() or mode != self._prices.mode):
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
        if self._prices.enter(mode):
            self._days.clear()
            self._frames.clear()

    async def _look(self) -> str:
        """Asks how things stand and tells the pages what is new; returns the mode, "" without a supervisor."""
        before, heard, self._heard = self._outlook.status, self._heard, 0
        mode = await self._outlook.look(heard, self._newest, list(self._prices.quotes))
        await self._tell_status(is_new=self._outlook.status != before)
        if viewers := self._audience.at("system"):
            self._audience.tell(self._outlook.system.news(now_ms()), viewers)
        return mode

    async def _tell_status(self, *, is_new: bool) -> None:
        """To who sees it when it is new, and to all, hidden pages too, as a sign of life; frames go first."""
        is_time = time.monotonic() - self._alive > SIGN_OF_LIFE_S
        if is_time:
            self._alive = time.monotonic()
        if is_new or is_time:
            text = status_text(self._outlook.status, now_ms())
            viewers = list(self._audience) if is_time else self._audience.watching()
            for at in range(0, len(viewers), IN_A_ROW):
                self._audience.tell(text, viewers[at : at + IN_A_ROW])
                await asyncio.sleep(self._poll_s * IN_A_ROW / MOST_IN_A_POLL)

    async def _follow(self) -> None:
        """One life of a supervisor: its products, their history, and every trade. Returns when it cannot be reached."""
        try:
            products = format.in_order(await asyncio.to_thread(self._source.available_products))
            self._seat(products)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(products))
                group.create_task(self._fill(products))
                group.create_task(self._days.follow(products))
                group.create_task(self._watch.run())
        except* PoeticoinsError as errors:
            self._outlook.complaint = str(errors.exceptions[0])

    def _seat(self, products: Sequence[Product]) -> None:
        self._prices.seat(products)
        self._days.seat(products)
        self._frames.clear()
        self._newest.clear()
        self._renew()

    def _renew(self) -> None:
        """Every page gets a new snapshot, made once for all that show the same, and with it its open product's past."""
        for (selection, focus), viewers in self._audience.groups().items():
            self._audience.tell(self.snapshot(selection), viewers)
            self._tell_days(selection, focus, viewers)
        for viewer in self._audience.watching():
            self.open(viewer)
        for viewer in self._audience:
            self.watch(viewer)

    async def _listen(self, products: Sequence[Product]) -> None:
        async for trade in self._source.stream_trades(products):
            key, exchange = str(trade.product), trade.product.exchange
            if quote := self._prices.quotes.get(key):
                self._heard += 1
                self._newest[exchange] = max(trade.traded_at_ns, self._newest.get(exchange, 0))
                quote.take(trade)
                self._days.take(trade)
                self._watch.take(trade)
                self._frames.take(key, trade)
                self._comparing.heard(trade.product)

    async def _fill(self, products: Sequence[Product]) -> None:
        """What was before the stream began. Asks until it is answered; meanwhile the pages show what comes."""
        while True:
            try:
                found = await asyncio.to_thread(past, self._source, products, WINDOW_S)
                break
            except (RequestTimeout, WrongAnswer) as error:
                self._outlook.complaint = str(error)
                await asyncio.sleep(self._poll_s)
        for product, (last, closes) in found.items():
            self._prices.quotes[str(product)].fill(last, closes)
        self._outlook.complaint = ""
        self._renew()

    def _tell_days(
        self, selection: Selection, focus: str | None, viewers: Iterable[Viewer], parts: Mapping[str, str] | None = None
    ) -> None:
        keys = (*self._prices.keys(selection), *([focus] if focus else []))
        if text := self._days.text(keys, parts):
            self._audience.tell(text, viewers)

    async def _tell_new_days(self) -> None:
        parts = self._days.news(now_ms())
        for (selection, focus), viewers in self._audience.groups().items():
            self._tell_days(selection, focus, viewers, parts)
            await asyncio.sleep(self._poll_s * len(viewers) / MOST_IN_A_POLL)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancels `task` and waits for it. Raises what it raised of itself: a bug is not to be swallowed."""
    task.cancel()
    await asyncio.wait({task})  # not the task itself: whoever is told to end meanwhile would take that for its end
    if not task.cancelled():
        task.result()
