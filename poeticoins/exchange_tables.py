"""What a settings file says of single exchanges: `[exchanges.NAME]` with products, url and rest_url."""

from typing import Any
from urllib.parse import urlsplit

from poeticoins.errors import ConfigurationError, UnknownProduct, without_secrets
from poeticoins.model import Product


def of_exchanges(file: str, tables: dict[str, Any]) -> dict[str, Any]:
    """What the tables [exchanges.NAME] say: products, urls and rest_urls, each by exchange."""
    products: dict[str, tuple[Product, ...]] = {}
    urls: dict[str, str] = {}
    rest_urls: dict[str, str] = {}
    for exchange, table in tables.items():
        where = f"{file}: [exchanges.{exchange}]"
        if not isinstance(table, dict):
            raise ConfigurationError(f"{where}: expected a table with products = ['BTC-USD', ...], got {table!r}")
        for key in table.keys() - {"products", "url", "rest_url"}:
            raise ConfigurationError(f"{where} {key}: not a known key; expected products, url or rest_url")
        products[exchange] = _products(exchange, table["products"], where) if "products" in table else ()
        if "url" in table:
            urls[exchange] = url(table["url"], ("wss", "ws"), f"{where} url")
        if "rest_url" in table:
            rest_urls[exchange] = url(table["rest_url"], ("https", "http"), f"{where} rest_url")
    return {"products": products, "urls": urls, "rest_urls": rest_urls}


def _products(exchange: str, pairs: object, where: str) -> tuple[Product, ...]:
    if not isinstance(pairs, list) or not pairs:
        raise ConfigurationError(f"{where} products: expected a list such as ['BTC-USD'], got {pairs!r}")
    return tuple(dict.fromkeys(_product(exchange, pair, f"{where} products") for pair in pairs))


def url(text: object, schemes: tuple[str, ...], where: str) -> str:
    """`text`, if it is the URL of a host, without a slash at its end."""
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
        usable = parts.scheme in schemes and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not isinstance(text, str) or not text.isprintable() or " " in text:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ConfigurationError(f"{where}: expected {expected} and a host, got {without_secrets(repr(text))}")
    return text.rstrip("/")


def _product(exchange: str, pair: object, where: str) -> Product:
    try:
        return Product.parse(f"{exchange}:{pair}")
    except UnknownProduct:
        raise ConfigurationError(
            f"{where}: expected pairs spelled 'BASE-QUOTE' such as 'BTC-USD', got {pair!r}"
        ) from None
