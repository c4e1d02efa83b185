"""The messages to the pages, as JSON text: each product's part is made once, and each selection's text is made once."""

import json
import time
from collections.abc import Callable, Iterable, Mapping

Selection = tuple[str, ...] | None
"""Products by key, in the order shown; None: every one there is."""


class Frame:
    """What changed since the frame before: `parts` maps a product's key to its JSON."""

    def __init__(self, parts: Mapping[str, str], now_ms: int) -> None:
        self._parts = parts
        self._now_ms = now_ms
        self._texts: dict[Selection, str] = {}

    def text(self, selection: Selection) -> str:
        """{"kind": "frame", "now": server clock in ms, "cards": [part, …]}, or "" if nothing of `selection` changed."""
        if selection not in self._texts:
            keys = self._parts if selection is None else [key for key in selection if key in self._parts]
            cards = ",".join(self._parts[key] for key in keys)
            self._texts[selection] = f'{{"kind":"frame","now":{self._now_ms},"cards":[{cards}]}}' if cards else ""
        return self._texts[selection]


def snapshot_text(cards: Iterable[object], status: Mapping[str, object], now_ms: int) -> str:
    """{"kind": "snapshot", "now": …, "status": …, "cards": [whole card, …]}: all that a page needs to draw itself."""
    return _compact({"kind": "snapshot", "now": now_ms, "status": status, "cards": list(cards)})


def status_text(status: Mapping[str, object], now_ms: int) -> str:
    """{"kind": "status", "now": …, "status": …}: badge, rate and the exchanges' troubles, about once a second."""
    return _compact({"kind": "status", "now": now_ms, "status": status})


def _compact(message: Mapping[str, object]) -> str:
    return json.dumps(message, separators=(",", ":"))


class Pace:
    """
    Decides when a frame may go: at once if none went for `interval` seconds, else as soon as that has passed.

    `later` is the event loop's `call_later`; `go` is called at most every `interval`, and only after a `due()`.
    """

    def __init__(
        self,
        interval: float,
        go: Callable[[], None],
        later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval, self._go, self._later, self._clock = interval, go, later, clock
        self._went = -interval
        self._waiting = False

    def due(self) -> None:
        """Something changed."""
        if not self._waiting:
            self._waiting = True
            self._later(max(0.0, self._went + self._interval - self._clock()), self._fire)

    def _fire(self) -> None:
        self._waiting, self._went = False, self._clock()
        self._go()
