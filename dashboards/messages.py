"""The messages to the pages but for frames, as text."""

import json
from collections.abc import Iterable, Mapping


def snapshot_text(
    cards: Iterable[object], catalogue: Iterable[object], status: Mapping[str, object], now_ms: int
) -> str:
    """
    {"kind": "snapshot", "now", "status", "cards": [whole card, …], "catalogue": [names, …]}: a whole page.

    catalogue: the names of every product that is followed, for the picker and for the page to know what is not; and the
    number that frames call it by.
    """
    message = {"kind": "snapshot", "now": now_ms, "status": status, "cards": list(cards), "catalogue": list(catalogue)}
    return _compact(message)


def status_text(status: Mapping[str, object], now_ms: int) -> str:
    """{"kind": "status", "now": …, "status": …}: badge, rate and the exchanges' troubles, about once a second."""
    return _compact({"kind": "status", "now": now_ms, "status": status})


def _compact(message: Mapping[str, object]) -> str:
    return json.dumps(message, separators=(",", ":"))
