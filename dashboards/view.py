"""What one page shows: rules for what a browser says of it. Pure; which products are followed, the feed knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboards.product import INTERVALS

PLACES = ("prices", "compare", "system")
"""A page shows one of them at a time."""

Selection = tuple[str, ...] | None
"""Products by key, in the order shown; None: the first of all there are."""

MOST_PRODUCTS = 60
"""Cards of one page, at most."""
LONGEST_KEY = 64
"""Characters of `exchange:BASE-QUOTE`; what is longer names no product, and is not kept in memory either."""
LONGEST_COIN = 12


@dataclass(frozen=True)
class View:
    """
    The products of one page, the one that is open, and the interval of its candles; where it is, and the coin compared.

    compare: a base, such as "BTC"; None: the first of those that more than one product has.
    watch: the products whose prices its alerts need, shown or not.
    """

    selection: Selection = None
    focus: str | None = None
    interval: str = "1m"
    place: str = "prices"
    compare: str | None = None
    watch: tuple[str, ...] = ()


def turned(view: View, message: Mapping[str, Any]) -> View:
    """
    `view` after {"select": [key, …] or null, "focus": key or null, "interval": "1m", "place": "compare", "compare":
    "BTC" or null}; what is not said stays as it was.

    The message comes from a browser, and so may be anything: whatever cannot be a key is left out, and every key once.
    """
    if "select" in message:
        view = replace(view, selection=_selection(message["select"]))
    if "watch" in message:
        view = replace(view, watch=_selection(message["watch"]) or ())
    if "focus" in message:
        view = replace(view, focus=message["focus"] if _may_be_key(message["focus"]) else None)
    if "compare" in message:
        coin = message["compare"]
        view = replace(view, compare=coin if isinstance(coin, str) and 0 < len(coin) <= LONGEST_COIN else None)
    place = message.get("place")
    if isinstance(place, str) and place in PLACES:
        view = replace(view, place=place)
    interval = message.get("interval")
    if isinstance(interval, str) and interval in INTERVALS:
        view = replace(view, interval=interval)
    return view


def addressed(arguments: Mapping[str, Sequence[bytes]]) -> View:
    """What the query of a page's address asks for, as assets/address.js reads it; this too may be anything."""
    said = {name: values[0].decode(errors="replace") for name, values in arguments.items() if values}
    given = {"select": [key for key in said["products"].split(",") if key]} if "products" in said else {}
    return turned(View(), given | {name: said[name] for name in ("focus", "place") if said.get(name)})


def _selection(said: Any) -> Selection:
    if not isinstance(said, list):
        return None
    return tuple(dict.fromkeys(filter(_may_be_key, said[: MOST_PRODUCTS * 2])))[:MOST_PRODUCTS]


def _may_be_key(said: Any) -> bool:
    return isinstance(said, str) and 0 < len(said) <= LONGEST_KEY
