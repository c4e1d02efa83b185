"""The messages to the pages, as text: each product's part is made once, and each selection's text is made once."""

import json
from collections.abc import Iterable, Mapping

from dashboards import terse
from dashboards.view import Selection


class Frame:
    """
    What changed since the frame before: `parts` maps a product's key to its card, `tapes` that of an opened product to
    its tape, both as of dashboards/terse.py.
    """

    def __init__(self, parts: Mapping[str, str], now_ms: int, tapes: Mapping[str, str] | None = None) -> None:
        self._parts, self._tapes = parts, tapes or {}
        self._now_ms = now_ms
        self._texts: dict[tuple[Selection, str | None], str] = {}

    def text(self, selection: Selection, focus: str | None = None) -> str:
        """
        A terse frame: what changed of the products of `selection`, and every trade of `focus`. "" if nothing did.
        """
        shown = selection, focus
        if shown not in self._texts:
            self._texts[shown] = self._made(selection, self._tapes.get(focus or "", ""))
        return self._texts[shown]

    def _made(self, selection: Selection, tape: str) -> str:
        keys = self._parts if selection is None else [key for key in selection if key in self._parts]
        cards = [self._parts[key] for key in keys]
        return terse.frame(self._now_ms, cards, tape) if cards or tape else ""


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
