"""One session's state: which products its page shows, in which order, and how far behind its browser is."""

from collections.abc import Callable
from typing import Any

from dashboards.feed import Feed
from dashboards.view import Selection, View, turned

UNSEEN_LIMIT = 300
"""Messages (about 30 s) that a page may leave unread: after that it gets none until it says something again."""


class Store:
    """
    A viewer of the feed. All its methods run on the server's loop; `from_page` may be called from any thread.

    The page keeps no state that counts: whenever it draws itself anew it says hello and gets everything.
    """

    def __init__(self, feed: Feed, send: Callable[[str], None], soon: Callable[..., object]) -> None:
        """send: hands one message to the browser. soon: the loop's `call_soon_threadsafe`."""
        self.view = View()
        self._feed, self._send, self._soon = feed, send, soon
        self._unseen = 0
        self._closed = False
        self.hidden = False

    @property
    def selection(self) -> Selection:
        """No cards are shown but at the prices: none are sent to a page that is elsewhere."""
        return self.view.selection if self.place == "prices" else ()

    @property
    def focus(self) -> str | None:
        return self.view.focus if self.place == "prices" else None

    @property
    def interval(self) -> str:
        return self.view.interval

    @property
    def place(self) -> str:
        return self.view.place

    @property
    def watch(self) -> tuple[str, ...]:
        return tuple(self.view.watch)

    @property
    def compare(self) -> str | None:
        return str(self.view.compare) if self.view.compare else None

    def from_page(self, message: Any) -> None:
        """
        A message from the browser, and so anything at all.

        {"hello": 1} when it draws, {"seen": n} as it reads, {"chart": place} when it needs that one, {"again": 1}
        for the past of what is open anew, {"export": order} for a file, see dashboards/tables.py, {"exported": n}
        as it reads its pieces; with the first or alone, what it shows: see dashboards/view.py.

        {"hidden": true} when nobody sees it any more: it gets nothing but a sign of life. {"hidden": false} when it is
        seen again: it gets everything anew. A page that needs prices unseen, for an alert say, keeps that to itself.
        """
        if not isinstance(message, dict):
            return
        if isinstance(seen := message.get("seen"), int):
            self._soon(self.seen, seen)
        else:
            self._soon(self.turn, message)

    def turn(self, message: dict[str, Any]) -> None:
        """The page shows something else, or draws itself anew."""
        if self._closed:
            return
        before, self.view = self.view, turned(self.view, message)
        is_new = self._is_seen_again(message.get("hidden")) or bool(message.get("hello"))
        self._feed.turned()
        if is_new:
            self.hello()
        if message.get("chart"):
            self._feed.replies.draw(self, message["chart"])
        if message.get("watch") and not message.get("hello"):
            self._feed.watch(self)
        if "exported" in message:
            self._feed.replies.exported(self)
        if "export" in message:
            self._feed.replies.export(self, message["export"])
        if not is_new and (_open(self.view) != _open(before) or message.get("again")):
            self._feed.open(self)

    def _is_seen_again(self, hidden: Any) -> bool:
        """Notes whether the page is hidden, if that is what it says."""
        was_hidden = self.hidden
        if isinstance(hidden, bool):
            self.hidden = hidden
        return was_hidden and not self.hidden

    def hello(self) -> None:
        """Everything anew."""
        if not self._closed:
            self._unseen = 0
            self._feed.join(self)
            self._feed.open(self)

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

    def lost(self, connections: Callable[[], int]) -> None:
        """
        A connection is gone; without any, the session waits for one, and then hears hello. From any thread.

        A page that has changed its network is back on a new connection before the server notices that the old is dead.
        """
        self._soon(self._leave_without, connections)

    def _leave_without(self, connections: Callable[[], int]) -> None:
        if not connections():
            self._feed.leave(self)

    def close(self) -> None:
        """The session is over. May be called from any thread."""
        self._closed = True
        self._soon(self._feed.leave, self)


def _open(view: View) -> tuple[str | None, str | None, str]:
    """What a page is told the past of."""
    return view.focus, view.compare, view.interval
