"""
One text to many viewers: the only place where a frame leaves the feed.

How a text gets to one page is the viewer's: dashboards/broadcast.py where that is possible, else the public way.
"""

import logging
from collections.abc import Iterable
from typing import Protocol

log = logging.getLogger("poeticoins.dashboard")


class Viewer(Protocol):
    """One open page."""

    @property
    def selection(self) -> tuple[str, ...] | None:
        """The products it shows, in its order; None: the first of all there are."""

    @property
    def focus(self) -> str | None:
        """The product that it has open."""

    @property
    def interval(self) -> str:
        """Of that product's candles."""

    @property
    def place(self) -> str:
        """Where it is: one of dashboards.view.PLACES."""

    @property
    def hidden(self) -> bool:
        """Whether nobody sees it, as a tab in the background: it gets signs of life alone until it is seen again."""

    @property
    def watch(self) -> tuple[str, ...]:
        """The products whose prices its alerts need, shown or not."""

    def show(self, text: str) -> None:
        """Send one message of JSON. On the server's loop only; never blocks."""


def deliver(text: str, viewers: Iterable[Viewer]) -> list[Viewer]:
    """Show `text` to all, and return those that failed: one broken session must not hold up the others."""
    broken = []
    for viewer in viewers:
        try:
            viewer.show(text)
        except Exception:  # whatever a dying session raises, it concerns that session alone
            log.exception("a page could not be updated and is left out until it reloads")
            broken.append(viewer)
    return broken
