"""What a single setting may be: the kind of its default and its bounds, whether a file or a variable says it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from poeticoins.errors import ConfigurationError
from poeticoins.exchange_tables import url

_WORDS: Mapping[type, str] = {
    int: "a whole number",
    float: "a number of seconds or a factor",
    str: "text",
    bool: "true or false",
    Path: "a path",
}
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "ring_capacity": (1, 1e8),
    "journal_capacity": (10, 1e8),
    "bars_1s": (1, 1e7),
    "bars_1m": (1, 1e7),
    "bars_1h": (1, 1e7),
    "bars_1d": (1, 1e7),
    "beat_interval": (0.01, 60),
    "restart_delay": (0.01, 25),
    "audit": (0, 50),
    "refill_again": (0.01, 3600),
    "open_timeout": (0.01, 3600),
    "ping_interval": (0.01, 3600),
    "ack_within": (0.01, 3600),
    "silent_after": (0.01, 3600),
    "behind_after": (0.01, 3600),
    "renew_after": (1, 1e7),
    "seed": (0, 2**63),
}


def converted(key: str, kind: Any, value: Any, where: str) -> Any:
    """
    `value` as the setting `key`, whose default is of type `kind`; a variable's text counts as what it spells.

    Raises ConfigurationError, which begins with `where` and says what was expected and what came.
    """
    try:
        if kind is tuple:
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(str(part).strip() for part in parts if str(part).strip())
        if issubclass(kind, Path):
            if not value or not isinstance(value, str):
                raise ValueError
            return Path(value)
        if kind is bool:
            return _truth(value)
        if isinstance(value, bool | list | dict) or (kind is int and isinstance(value, float)):
            raise ValueError
        plain = kind(value)
    except (TypeError, ValueError, KeyError, AttributeError):
        raise ConfigurationError(f"{where}: expected {_WORDS.get(kind, 'a path')}, got {value!r}") from None
    if key == "proxy" and plain not in ("", "none"):
        return url(plain, ("http", "https", "socks5", "socks5h"), where)
    least, most = _BOUNDS.get(key, (0, 1e6))
    if isinstance(plain, int | float) and not least <= plain <= most:
        raise ConfigurationError(f"{where}: expected a number from {least:g} to {most:g}, got {value!r}")
    return plain


def _truth(value: Any) -> bool:
    """A TOML boolean, or the words that a variable says it with."""
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if isinstance(value, bool):
        return value
    return words[value.lower()]
