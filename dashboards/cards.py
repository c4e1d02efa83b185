"""The one component: the whole board, drawn by plain JavaScript and CSS from `assets/`, fed by one message a frame."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from bokeh.document import Document
from bokeh.events import Event
from panel.custom import JSComponent
from panel.models.esm import DataEvent

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = tuple(
    f"{name}.js"
    for name in (
        *("theme", "words", "address", "candles", "terse", "browser", "sparkline", "day", "card", "picker", "grid"),
        *("tape", "crosshair", "timechart", "chart", "readout", "focus", "alerts", "watcher", "alarm", "alertpanel"),
        *("exporter", "lines", "ranking", "side", "compare", "livetable", "system", "navigation"),
        *("status", "connection", "link", "tools", "keys", "sheet", "pause", "meanwhile", "favicon", "unseen", "desk"),
        *("incoming", "board", "render"),
    )
)
"""One module in several files, joined here: so it needs no route of its own and works in a notebook too."""

OPENING = "opening.js"
"""What only a page of its own has after them: it draws the board before there is a component."""

STYLES = ("cards", "tools", "focus", "places", "compare", "system", "alerts", "desk")


def asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


SCRIPT = "\n".join(map(asset, SCRIPTS))
STYLE = "\n".join(asset(f"{name}.css") for name in STYLES)


class Cards(JSComponent):
    """Sends texts of JSON to the browser and hands on what it says; knows nothing of what they mean."""

    owns_page = param.Boolean(default=True, doc="Whether address, history, storage and title of the page are its own.")

    _esm = SCRIPT
    _stylesheets = [STYLE]  # noqa: RUF012  Panel's own way to declare them

    def __init__(self, heard: Callable[[Any], None], **params: Any) -> None:
        super().__init__(sizing_mode="stretch_width", **params)  # type: ignore[no-untyped-call]
        self._heard = heard

    def send(self, text: str) -> None:
        """One message to the browser, whole or not at all."""
        self._send_msg(text)

    def _handle_msg(self, data: Any) -> None:
        self._heard(data)

    def _server_event(self, doc: Document, event: Event) -> None:
        """
        Panel's own way to `_handle_msg`, cut short: it counts every page as busy meanwhile, for which a thousand pages
        that only say what they have read would take most of a core. Where Panel does not call this, it goes that way.
        """
        if isinstance(event, DataEvent):
            self._heard(event.data)
        else:
            super()._server_event(doc, event)


class PageCards(Cards):
    """The same in a page of its own, which brought scripts and styles along and has drawn the board by them already."""

    _esm = "export const render = (panel) => poeticoins.render(panel);"
    _stylesheets = []  # noqa: RUF012  as above
