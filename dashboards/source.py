"""Whom the feed asks: the context, by its own names, or whatever a test puts in its place."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol

from poeticoins import Product, Trade

Closes = list[tuple[int, float]]
"""(second since 1970, closing price), oldest first; seconds without a trade are left out."""


class Source(Protocol):
    """The part of the context that the page uses. All but the stream block, for up to some seconds."""

    def available_products(self) -> list[Product]: ...
    def get_last_trades(self, products: Iterable[Product], /) -> list[Trade]: ...
    def get_candles(self, product: Product, interval: str, /, *, limit: int) -> Any: ...
    def get_trades(self, product: Product, /, *, limit: int) -> Any: ...
    def get_gaps(self, product: Product, /) -> Any: ...
    def stream_trades(self, products: Iterable[Product], /) -> AsyncIterator[Trade]: ...
    def get_status(self) -> Any: ...


def past(source: Source, products: Sequence[Product], seconds: int) -> dict[Product, tuple[Trade | None, Closes]]:
    """Each product's last trade, and the closing prices of at most its last `seconds` with a trade. Blocks."""
    lasts = {trade.product: trade for trade in source.get_last_trades(products)}
    return {product: (lasts.get(product), _closes(source, product, seconds)) for product in products}


def _closes(source: Source, product: Product, seconds: int) -> Closes:
    candles = source.get_candles(product, "1s", limit=seconds)
    starts = [int(start.timestamp()) for start in candles.index]
    return list(zip(starts, map(float, candles["close"]), strict=True))
