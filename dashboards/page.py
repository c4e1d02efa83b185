"""A page for each session: the shared feed, this session's store, and the board that shows it."""

import asyncio
import re
from functools import cache, partial
from ipaddress import ip_address
from typing import Any

import panel as pn
from bokeh.document import Document
from jinja2 import Environment, Template
from panel.io.state import set_curdoc

from dashboards import broadcast, sharing
from dashboards.admission import OneAtATime
from dashboards.cards import OPENING, SCRIPT, STYLE, Cards, PageCards, asset
from dashboards.headers import CONTENT_POLICY
from dashboards.store import Store
from dashboards.view import addressed

UNNEEDED = re.compile(r"<script[^>]*/bokeh-gl\b[^>]*></script>")
"""Of BokehJS, what nothing of the page is drawn by; all else Panel's own part of it asks for as it begins."""


class NotForOthers(Exception):
    """This server has none of the guards that a page for others needs."""


def serve_board() -> None:
    """Puts the page into the document of the current session. Raises NotForOthers."""
    document = pn.state.curdoc
    assert document is not None  # whoever runs app.py made one
    _refuse_strangers(document)
    document.template = template("page.html")
    document.title = "Poeticoins"
    document.template_variables["policy"] = CONTENT_POLICY
    document.template_variables["theme"] = asset("theme.js")
    document.template_variables["script"] = f"{SCRIPT}\n{asset(OPENING)}"
    document.template_variables["style"] = STYLE
    document.template_variables["first"] = partial(_first, document)
    board(document).servable()


def board(document: Document) -> Cards:
    """The live component, joined to the feed of this process for as long as its session lasts."""
    loop = _loop(document)
    cards = PageCards(lambda message: store.from_page(message))
    store = Store(
        sharing.feed(loop), partial(_send, document, cards, broadcast.Line(document)), loop.call_soon_threadsafe
    )
    document.on_event("connection_lost", lambda _event: store.lost(partial(_connections, document)))
    document.on_session_destroyed(lambda _context: store.close())
    return cards


def _first(document: Document) -> str:
    """What the page draws before its link is there, made when the page is sent: texts of JSON, one a line."""
    context: Any = document.session_context
    request = context.request if context else None
    texts = sharing.feed(_loop(document)).first(addressed(request.arguments if request else {}))
    return "\n".join(texts).replace("<", "\\u003c")  # in JSON it only stands in strings; so no tag begins in the page


def _connections(document: Document) -> int:
    """How many connections the session of `document` has."""
    context: Any = document.session_context
    session = context.session if context else None
    return session.connection_count if session else 0


def _refuse_strangers(document: Document) -> None:
    """`panel serve` listens on every address, without limits, signatures and headers: it serves this machine alone."""
    context: Any = document.session_context
    if not context or not context.server_context or not context.request:
        return
    if any(isinstance(part, OneAtATime) for part in context.server_context.application_context.application.handlers):
        return  # our own server, which has them
    if not ip_address(context.request.remote_ip).is_loopback:
        raise NotForOthers(
            "`panel serve` shows this page to its own machine alone; to serve it to others, start"
            " `python supervisor.py --dashboard --host 0.0.0.0 --allow-origin NAME:8050`"
        )


def _loop(document: Document) -> asyncio.AbstractEventLoop:
    """The server's event loop, also from a worker thread, where Bokeh 3.10 and later may run this."""
    context: Any = document.session_context
    if context is None or context.server_context is None:
        return asyncio.get_running_loop()
    loop: asyncio.AbstractEventLoop = context.server_context.application_context.io_loop.asyncio_loop
    return loop


def _send(document: Document, cards: Cards, line: broadcast.Line, text: str) -> None:
    if line.write(text):
        return
    with set_curdoc(document):  # else Panel would queue the message behind a lock: three times dearer
        cards.send(text)


@cache
def template(name: str) -> Template:
    """A page of `assets/`. Values are escaped unless Bokeh made them, which the page marks with `safe`."""
    environment = Environment(autoescape=True)
    environment.filters["needed"] = partial(UNNEEDED.sub, "")
    return environment.from_string(asset(name))
