"""What every page is told but for frames, as texts of JSON."""

import json
from collections.abc import Iterable, Mapping


def compact(message: object) -> str:
    """As JSON, without spaces."""
    return json.dumps(message, separators=(",", ":"))


def snapshot_text(
    cards: Iterable[object], catalogue: Iterable[object], status: Mapping[str, object], now_ms: int
) -> str:
    """
    {"kind": "snapshot", "now", "status", "cards": [whole card, …], "catalogue": [names, …]}: a whole page.

    catalogue: the names of every product that is followed, for the picker and for the page to know what is not; and the
    number that frames call it by.
    """
    message = {"kind": "snapshot", "now": now_ms, "status": status, "cards": list(cards), "catalogue": list(catalogue)}
    return compact(message)


def status_text(status: Mapping[str, object], now_ms: int) -> str:
    """{"kind": "status", "now": …, "status": …}: badge, rate and the exchanges' troubles, about once a second."""
    return compact({"kind": "status", "now": now_ms, "status": status})
