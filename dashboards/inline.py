"""
The page's own cards in a notebook: the same component on the same feed, on the kernel's event loop, over its comm.

Run `pn.extension()` in a cell of its own before. Address, title and storage of JupyterLab's page are left alone.
"""

import asyncio
from typing import Any

from bokeh.document import Document
from bokeh.model import Model
from panel.io.state import state

import poeticoins
from dashboards.cards import Cards
from dashboards.feed import Feed
from dashboards.store import Store
from dashboards.view import View
from poeticoins import Product

LEAVE_AFTER_S = 30.0
"""Seconds that cards which nobody looks at any more are kept for: a moved or redrawn cell comes back sooner."""
LOOK_S = 1.0


class LiveCards(Cards):
    """
    What live_cards returns: shown by being a cell's last expression, in as many cells as you like.

    A feed of its own runs from the first drawing until close(), until another live_cards() of the same products
    replaces it, or until no cell has shown it for LEAVE_AFTER_S.
    """

    def __init__(self, *products: Product | str) -> None:
        super().__init__(self._from_page, owns_page=False)
        self._products = tuple(str(Product.parse(str(product))) for product in products)
        self._loop = asyncio.get_running_loop()
        self._store: Store | None = None
        self._following: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether a feed runs for these cards."""
        return self._following is not None and not self._following.done()

    def close(self) -> None:
        """Ends the feed; what is drawn stays, and tells its age. May be called twice; shown again, they start anew."""
        for task in (self._following, self._watching):
            if task:
                task.cancel()
        if self._store:
            self._store.close()
        if _open.get(self._products) is self:
            del _open[self._products]

    def _get_model(
        self, doc: Document, root: Model | None = None, parent: Model | None = None, comm: Any = None
    ) -> Model:
        model: Model = super()._get_model(doc, root, parent, comm)
        self._start()
        return model

    def _start(self) -> None:
        if self.running:
            return
        feed = Feed(poeticoins)
        self._store = Store(feed, self.send, self._loop.call_soon_threadsafe)
        self._store.view = View(selection=self._products or None)
        self._following = self._loop.create_task(feed.run(), name="inline feed")
        self._watching = self._loop.create_task(self._watch(), name="inline cards")
        _open[self._products] = self

    def _from_page(self, message: Any) -> None:
        if self._store:
            self._store.from_page(message)

    async def _watch(self) -> None:
        """Closes the cards once no cell shows them: JupyterLab tells Panel when an output is cleared or run again."""
        unseen = 0.0
        while unseen < LEAVE_AFTER_S:
            await asyncio.sleep(LOOK_S)
            unseen = 0.0 if any(ref in state._views for ref in self._models) else unseen + LOOK_S
        self.close()


_open: dict[tuple[str, ...], LiveCards] = {}
"""The cards of this kernel by what they show: a cell that is run again replaces its own."""


def live_cards(*products: Product | str) -> LiveCards:
    """
    Live cards of `products`, in their order (by default of the first twelve that are followed), for a notebook cell.

    Works with whatever the context works with: a running supervisor, or a poeticoins.demo() that is entered. To be
    called in the kernel's event loop, where every cell runs. Raises ValueError for what is no `exchange:BASE-QUOTE`.
    """
    cards = LiveCards(*products)
    if before := _open.get(cards._products):
        before.close()
    _open[cards._products] = cards
    return cards
