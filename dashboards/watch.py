"""Tells each page, once a second, what its alerts need: be it hidden, or at another place than the prices."""

import asyncio
from collections.abc import Mapping

from dashboards.audience import Audience
from dashboards.clock import now_ms
from dashboards.delivery import Viewer
from dashboards.quote import Quote
from dashboards.watching import Watching, begun, part, watched_text
from poeticoins import Trade

WATCH_S = 1.0


class Watch:
    """`run()` until cancelled; on the server's loop."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._watching = Watching()

    def take(self, trade: Trade) -> None:
        self._watching.take(trade)

    def begin(self, viewer: Viewer, quotes: Mapping[str, Quote]) -> None:
        """The last ten minutes of what `viewer` watches, as far as it is among `quotes`."""
        found = {key: quotes[key] for key in viewer.watch if key in quotes}
        parts = {key: part(key, begun(quote.last)) for key, quote in found.items() if quote.last}
        lines = {key: quote.snapshot(replayed=False)["points"] for key, quote in found.items()}
        if text := watched_text(viewer.watch, parts, now_ms(), lines):
            self._audience.tell(text, [viewer])

    async def run(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            parts, now = self._watching.news(), now_ms()
            wanted = {viewer.watch for viewer in self._audience}
            texts = {watch: watched_text(watch, parts, now) for watch in wanted}
            for viewer in self._audience:
                if text := texts[viewer.watch]:
                    self._audience.tell(text, [viewer])
