"""
Poeticoins: the trades of several cryptocurrency exchanges, live, in the browser and in Python.

This is the only door for dashboards, notebooks and scripts; the names are explained where they are defined, in
`poeticoins.context`. They are loaded on first use (PEP 562), so that an exchange client need not pay for pandas.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poeticoins.context import (
        Subscription,
        asking,
        available_products,
        get_candles,
        get_gaps,
        get_last_trade,
        get_last_trades,
        get_status,
        get_trades,
        stream_trades,
        subscribe_to_trades,
    )
    from poeticoins.demonstration import demo
    from poeticoins.errors import (
        ConfigurationError,
        FeedUnavailable,
        PoeticoinsError,
        RequestTimeout,
        UnknownProduct,
        WireMismatch,
        WrongAnswer,
    )
    from poeticoins.model import Gap, Product, Trade
    from poeticoins.reports import Status

_HOMES = {
    "context": (
        "Subscription", "asking", "available_products", "get_candles", "get_gaps", "get_last_trade", "get_last_trades",
        "get_status", "get_trades", "stream_trades", "subscribe_to_trades",
    ),
    "demonstration": ("demo",),
    "errors": (
        "ConfigurationError", "FeedUnavailable", "PoeticoinsError", "RequestTimeout", "UnknownProduct", "WireMismatch",
        "WrongAnswer",
    ),
    "model": ("Gap", "Product", "Trade"),
    "reports": ("Status",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ConfigurationError", "FeedUnavailable", "Gap", "PoeticoinsError", "Product", "RequestTimeout", "Status",
    "Subscription", "Trade", "UnknownProduct", "WireMismatch", "WrongAnswer", "asking", "available_products", "demo",
    "get_candles", "get_gaps", "get_last_trade", "get_last_trades", "get_status", "get_trades", "stream_trades",
    "subscribe_to_trades",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'poeticoins' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"poeticoins.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
