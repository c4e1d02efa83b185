"""The products that are followed and what is known of each, and the texts that are made of it for the pages."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from dashboards import terse
from dashboards.clock import now_ms
from dashboards.product import digits_of, tape_row
from dashboards.quote import Quote
from dashboards.texts import snapshot_text
from dashboards.view import Selection
from poeticoins import Product, Trade

DEFAULT_CARDS = 12
"""Cards of a page that asks for no products in particular."""


class Prices:
    """Of one mode's market: `quotes` by key, in the order in which they are shown. On the server's loop only."""

    def __init__(self) -> None:
        self.quotes: dict[str, Quote] = {}
        self.mode = ""
        self._numbers: dict[str, int] = {}

    @property
    def replayed(self) -> bool:
        return self.mode == "replay"

    def enter(self, mode: str) -> bool:
        """Another mode's prices are another market's: the old ones are forgotten, and it says True."""
        if mode == self.mode:
            return False
        self.mode, self.quotes = mode, {}
        return True

    def seat(self, products: Sequence[Product]) -> None:
        """Follows `products` from now on; what is known of them stays."""
        self.quotes = {str(product): self.quotes.get(str(product)) or self._quote(product) for product in products}

    def _quote(self, product: Product) -> Quote:
        """With a number that is kept for good: a page may still hear of those that were followed before."""
        return Quote(product, self._numbers.setdefault(str(product), len(self._numbers)))

    def keys(self, selection: Selection) -> tuple[str, ...]:
        """The products of a page that shows `selection`, be they followed or not."""
        return tuple(islice(self.quotes, DEFAULT_CARDS)) if selection is None else selection

    def shown(self, selection: Selection) -> list[Quote]:
        """Those of them that are followed."""
        return [self.quotes[key] for key in self.keys(selection) if key in self.quotes]

    def digits(self, key: str) -> int:
        """The decimals that the product's exchange writes; 0 before its first trade."""
        quote = self.quotes.get(key)
        return digits_of(quote.last.price) if quote and quote.last else 0

    def snapshot(self, selection: Selection, status: Mapping[str, Any]) -> str:
        """All that a page needs to draw `selection`; a product that nobody follows (any more) is left out."""
        cards = [quote.snapshot(replayed=self.replayed) for quote in self.shown(selection)]
        catalogue = [quote.names() for quote in self.quotes.values()]
        return snapshot_text(cards, catalogue, status, now_ms())

    def card(self, key: str, now_ms: int) -> str:
        """The card of a product that has traded, as frames tell it."""
        quote = self.quotes[key]
        return terse.card(quote.number, quote.part(replayed=self.replayed), now_ms)

    def tape(self, key: str, trades: Iterable[Trade], now_ms: int) -> str:
        """`trades` of the product `key`, oldest first, as frames tell them."""
        return terse.tape(self.quotes[key].number, map(tape_row, trades), now_ms)
