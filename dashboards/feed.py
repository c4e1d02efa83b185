"""
The one feed of a server process: it asks the context, and cuts what changed into frames for every open page.

It lives on the server's event loop. Every question to the context blocks, so each is asked in a thread; nothing here
waits for a page, and no page waits for another.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence

from dashboards import format
from dashboards.delivery import Viewer, deliver
from dashboards.frames import Frame, Pace, Selection, snapshot_text, status_text
from dashboards.health import describe, no_supervisor, opening
from dashboards.quote import WINDOW_S, Quote
from dashboards.source import Source, past
from poeticoins import FeedUnavailable, PoeticoinsError, Product, RequestTimeout

FRAME_S = 0.1
"""Seconds between two frames, at least."""
POLL_S = 1.0
"""Seconds between two looks at the status, and between two tries to reach a supervisor."""
RATE_POLLS = 3
"""The rate is the mean over so many looks: steady enough to read, quick enough to believe."""


class Feed:
    """`run()` until cancelled; pages `join` and `leave`. All on one event loop."""

    def __init__(self, source: Source, *, frame_s: float = FRAME_S, poll_s: float = POLL_S) -> None:
        self._source, self._frame_s, self._poll_s = source, frame_s, poll_s
        self._quotes: dict[str, Quote] = {}
        self._changed: set[str] = set()
        self._viewers: set[Viewer] = set()
        self._status = opening()
        self._mode = ""
        self._complaint = ""
        self._heard = 0
        self._rates: deque[float] = deque(maxlen=RATE_POLLS)
        self._pace: Pace | None = None

    # -- pages

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def join(self, viewer: Viewer) -> None:
        """From now on `viewer` gets every frame; a whole snapshot first. Joining again only gets it a new snapshot."""
        self._viewers.add(viewer)
        self._deliver(self.snapshot(viewer.selection), [viewer])

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def snapshot(self, selection: Selection) -> str:
        """All that a page needs to draw `selection`; a product that nobody follows (any more) is left out."""
        keys = self._quotes if selection is None else [key for key in selection if key in self._quotes]
        cards = [self._quotes[key].snapshot(replayed=self._replayed) for key in keys]
        return snapshot_text(cards, self._status, _now_ms())

    @property
    def _replayed(self) -> bool:
        return self._mode == "replay"

    # -- following the supervisor

    async def run(self) -> None:
        """Follows supervisor after supervisor. Ends only with an error that is none of `poeticoins`': a bug."""
        self._pace = Pace(self._frame_s, self._send_frame, asyncio.get_running_loop().call_later)
        following: asyncio.Task[None] | None = None
        polled = time.monotonic()
        try:
            while True:
                mode = await self._look(time.monotonic() - polled)
                polled = time.monotonic()
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

    async def _look(self, elapsed: float) -> str:
        """Asks for the status and tells the pages; returns the mode, "" without a supervisor."""
        try:
            answer = await asyncio.to_thread(self._source.get_status)
        except FeedUnavailable as error:
            self._rates.clear()
            self._tell(no_supervisor(str(error)))
            return ""
        except PoeticoinsError as error:  # mostly RequestTimeout: it is starting, and what was known still holds
            self._complaint = str(error)
            self._tell(self._status | {"notices": [format.clean(self._complaint)]})
            return self._mode
        self._rates.append(self._heard / max(elapsed, 0.001))
        self._heard = 0
        self._tell(describe(answer, rate=sum(self._rates) / len(self._rates), complaint=self._complaint))
        return str(answer.mode)

    def _tell(self, status: dict[str, object]) -> None:
        if status != self._status:
            self._status = status
            self._deliver(status_text(status, _now_ms()), self._viewers)

    async def _follow(self) -> None:
        """One life of a supervisor: its products, their history, and every trade. Returns when it cannot be reached."""
        try:
            products = format.in_order(await asyncio.to_thread(self._source.available_products))
            self._seat(products)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(products))
                group.create_task(self._fill(products))
        except* PoeticoinsError as errors:
            self._complaint = str(errors.exceptions[0])

    def _seat(self, products: Sequence[Product]) -> None:
        self._quotes = {str(product): self._quotes.get(str(product)) or Quote(product) for product in products}
        self._changed.clear()
        self._renew()

    def _renew(self) -> None:
        """Every page gets a new snapshot, made once for all that show the same."""
        for selection, viewers in self._by_selection().items():
            self._deliver(self.snapshot(selection), viewers)

    async def _listen(self, products: Sequence[Product]) -> None:
        assert self._pace  # run() made it
        async for trade in self._source.stream_trades(products):
            key = str(trade.product)
            if key in self._quotes:
                self._heard += 1
                self._quotes[key].take(trade)
                self._changed.add(key)
                self._pace.due()

    async def _fill(self, products: Sequence[Product]) -> None:
        """What was before the stream began. Asks until it is answered; meanwhile the pages show what comes."""
        while True:
            try:
                found = await asyncio.to_thread(past, self._source, products, WINDOW_S)
                break
            except RequestTimeout as error:
                self._complaint = str(error)
                await asyncio.sleep(self._poll_s)
        for product, (last, closes) in found.items():
            self._quotes[str(product)].fill(last, closes)
        self._complaint = ""
        self._renew()

    # -- frames

    def _send_frame(self) -> None:
        if not self._viewers:
            self._changed.clear()
            return
        parts = {key: self._quotes[key].part(replayed=self._replayed) for key in self._changed}
        self._changed.clear()
        frame = Frame(parts, _now_ms())
        for selection, viewers in self._by_selection().items():
            if text := frame.text(selection):
                self._deliver(text, viewers)

    def _by_selection(self) -> dict[Selection, list[Viewer]]:
        groups: dict[Selection, list[Viewer]] = {}
        for viewer in self._viewers:
            groups.setdefault(viewer.selection, []).append(viewer)
        return groups

    def _deliver(self, text: str, viewers: Iterable[Viewer]) -> None:
        self._viewers.difference_update(deliver(text, list(viewers)))


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
