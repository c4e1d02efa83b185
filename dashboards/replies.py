"""What one page asks for: the past of what it has open, a chart, a file; made beside the frames, off the loop."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from dashboards import charts, comparison_chart
from dashboards.audience import Audience
from dashboards.comparing import Comparing
from dashboards.delivery import Viewer
from dashboards.exports import Exports
from dashboards.histories import Histories
from dashboards.prices import Prices
from dashboards.source import Source
from dashboards.tables import ordered

CHARTS: dict[str, Callable[[], str]] = {"prices": charts.text, "compare": comparison_chart.text}
"""By place. Which one is said by the page, since it asks for the chart of a place before it says that it is there."""


class Replies:
    """On the server's loop only. An answer goes to its page if that is still here, and still shows what it is about."""

    def __init__(self, source: Source, audience: Audience, prices: Prices, comparing: Comparing) -> None:
        self._audience, self._prices, self._comparing = audience, prices, comparing
        self._histories = Histories(source, prices.digits)
        self._exports = Exports(source)
        self._answering: set[asyncio.Task[None]] = set()

    def open(self, viewer: Viewer) -> None:
        """Gets `viewer` the past of what it has open, if that is followed."""
        if viewer.focus in self._prices.quotes:
            self._answer(self._tell_history(viewer, viewer.focus, viewer.interval))
        if viewer.place == "compare":
            self._comparing.show(viewer)
            self._answer(self._comparing.past(viewer))

    def draw(self, viewer: Viewer, which: object) -> None:
        """Gets `viewer` the chart of a place, "prices" or "compare", empty; its browser fills it."""
        if isinstance(which, str) and which in CHARTS:
            self._answer(self._tell_chart(viewer, CHARTS[which]))

    def export(self, viewer: Viewer, said: object) -> None:
        """Gets `viewer` a file of what it shows; anything else than such an order is left unanswered."""
        order = ordered(said)
        if order is None or (order.key and order.key not in self._prices.quotes):
            return
        tell = partial(self._tell, viewer)
        if refusal := self._exports.refusal(viewer):
            tell(refusal)
            return
        newest = [quote.last for quote in self._prices.shown(viewer.selection) if quote.last]
        self._answer(self._exports.tell(viewer, (order, self._prices.mode, newest), tell))

    def exported(self, viewer: Viewer) -> None:
        """`viewer` has read a piece of its file."""
        self._exports.read(viewer)

    def _tell(self, viewer: Viewer, text: str) -> None:
        self._audience.tell(text, [viewer])

    def _answer(self, telling: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(telling)
        self._answering.add(task)  # the loop itself keeps no hold of it
        task.add_done_callback(self._answering.discard)

    async def _tell_history(self, viewer: Viewer, key: str, interval: str) -> None:
        text = await self._histories.text(key, interval)
        if (viewer.focus, viewer.interval) == (key, interval):
            self._tell(viewer, text)

    async def _tell_chart(self, viewer: Viewer, made: Callable[[], str]) -> None:
        self._tell(viewer, await asyncio.to_thread(made))
