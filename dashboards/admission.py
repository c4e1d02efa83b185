"""When a page is made: one at a time, with a pause between any two, in which those who watch get their frames."""

import asyncio

from bokeh.application.application import SessionContext
from bokeh.application.handlers.handler import Handler
from bokeh.document import Document

PAUSE_S = 0.02
"""Seconds before each page: the loop does all that became due while the page before was made, a frame above all."""
MOST_WAITING = 300
"""Pages that wait to be made: some fifteen seconds' worth, after which nobody waits for them any more."""
MOST_SESSIONS = 1_000
"""Sessions that one server holds at a time."""


class OneAtATime(Handler):
    """
    Part of a Bokeh application. To make a page takes some 30 ms of the loop; two hundred that come at once, after a
    restart say, would otherwise be made in a row, and nobody would see a price for seconds.
    """

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        super().__init__()
        self._pause_s = pause_s
        self._turn = asyncio.Lock()
        self._waiting = self._sessions = 0

    @property
    def is_full(self) -> bool:
        """Whether no further page should be begun: too many wait, or are there."""
        return self._waiting >= MOST_WAITING or self._waiting + self._sessions >= MOST_SESSIONS

    def modify_document(self, doc: Document) -> None:
        """Nothing: it only decides when."""

    async def on_session_created(self, session_context: SessionContext) -> None:  # noqa: ARG002  Bokeh calls it so
        """Bokeh makes the page once this returns, and before the loop comes to the next in the queue."""
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(self._pause_s)
        finally:
            self._waiting -= 1
        self._sessions += 1

    async def on_session_destroyed(self, session_context: SessionContext) -> None:  # noqa: ARG002  Bokeh calls it so
        """A page less."""
        self._sessions -= 1
