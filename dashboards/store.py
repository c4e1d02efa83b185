"""One session's state: which products its page shows, in which order, and how far behind its browser is."""

from collections.abc import Callable
from typing import Any

import param

from dashboards.feed import Feed

UNSEEN_LIMIT = 300
"""Messages (about 30 s) that a page may leave unread: after that it gets none until it says something again."""


class Store(param.Parameterized):
    """
    A viewer of the feed. All its methods run on the server's loop; `from_page` may be called from any thread.

    The page keeps no state that counts: whenever it draws itself anew it says hello and gets everything.
    """

    selection = param.Parameter(default=None, doc="The products shown, a tuple of keys in order; None: every one.")

    def __init__(self, feed: Feed, send: Callable[[str], None], soon: Callable[..., object]) -> None:
        """send: hands one message to the browser. soon: the loop's `call_soon_threadsafe`."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._feed, self._send, self._soon = feed, send, soon
        self._unseen = 0
        self._closed = False

    def from_page(self, message: Any) -> None:
        """A message from the browser, and so anything at all: {"hello": 1} when it draws, {"seen": n} as it reads."""
        if not isinstance(message, dict):
            return
        if message.get("hello"):
            self._soon(self.hello)
        elif isinstance(seen := message.get("seen"), int):
            self._soon(self.seen, seen)

    def hello(self) -> None:
        if not self._closed:
            self._unseen = 0
            self._feed.join(self)

    def seen(self, count: int) -> None:
        """The browser has read `count` messages since it last said so."""
        was_behind = self._unseen > UNSEEN_LIMIT
        self._unseen = max(0, self._unseen - max(0, count))
        if was_behind:
            self.hello()

    def show(self, text: str) -> None:
        """Sends `text`, unless the browser reads too slowly: its unread messages would pile up in this server."""
        if self._unseen <= UNSEEN_LIMIT:
            self._unseen += 1
            self._send(text)

    def lost(self) -> None:
        """The connection is gone; the session waits for it to come back, and then hears hello. From any thread."""
        self._soon(self._feed.leave, self)

    def close(self) -> None:
        """The session is over. May be called from any thread."""
        self._closed = True
        self._soon(self._feed.leave, self)
