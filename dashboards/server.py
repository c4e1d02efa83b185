"""The supervised server: serves `app.py` at `/`, from this host alone, until it is told to stop."""

import asyncio
import errno
import gc
import logging
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

from bokeh.server.server import BaseServer
from bokeh.server.util import bind_sockets
from bokeh.util.warnings import BokehUserWarning
from panel.io.application import build_applications
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

import poeticoins
from dashboards import sharing
from dashboards.admission import OneAtATime
from dashboards.feed import Feed
from dashboards.gate import Door, Gate, room_for_connections
from dashboards.headers import SecurityHeaders
from dashboards.signing import key
from dashboards.source import Source

APP = Path(__file__).with_name("app.py")
TOKEN_S = 30 * 86_400
"""Seconds that an open page may come back to a restarted server: a laptop that slept over the holidays still may."""
UNUSED_MS = 30_000
"""A session without a page ends after so long; a page that comes back later gets a new one, and sees no difference."""
MESSAGE_LIMIT = 256 * 1024
"""Bytes of one message from a browser; it has little to say."""
HEADER_LIMIT = 256 * 1024
"""Bytes of a request's head: an address of 100 kB is nonsense, but the page says so better than a closed connection."""
HTTP_LIMITS: Mapping[str, Any] = {
    "idle_connection_timeout": 30, "body_timeout": 10, "max_header_size": HEADER_LIMIT, "max_body_size": 64 * 1024
}  # fmt: skip
"""Seconds and bytes that a request may take."""


class Settings(Protocol):
    """The settings that the server reads."""

    @property
    def run_dir(self) -> Path: ...

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def allow_origin(self) -> tuple[str, ...]: ...


class Child(Protocol):
    """What the supervisor hands to its child."""

    stopping: asyncio.Event
    facts: Callable[[], dict[str, object]]

    def ready(self) -> None: ...


async def run(settings: Settings, child: Child, source: Source = poeticoins) -> None:
    """
    Serves until `child.stopping` is set, and then ends within a second. source: whom the feed asks.

    Raises ConfigurationError if the address cannot be had; a bug in the feed ends the server too, for its supervisor.
    """
    asks = poeticoins.asking(settings) if source is poeticoins else nullcontext()  # type: ignore[arg-type]  # a child's are whole
    with asks:
        await _serve(settings, child, source)


async def _serve(settings: Settings, child: Child, source: Source) -> None:
    for noisy in ("bokeh", "panel", "tornado"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # at the start they print addresses of their own
    # A page that comes back to a new session tells it the models that it has just been given by it.
    warnings.filterwarnings("ignore", "reference already known", BokehUserWarning)
    asyncio.get_running_loop().set_exception_handler(_excuse_closed_pages)
    server, port = listen(settings)
    feed = Feed(source)
    sharing.share(feed)
    following = asyncio.create_task(feed.run(), name="feed")
    server.start()
    url = f"http://{_shown(settings.host)}:{port}/"
    child.facts = lambda: {"url": url}
    gc.freeze()  # what is loaded stays: the collector need not search it again and again while frames wait
    child.ready()
    stopping = asyncio.create_task(child.stopping.wait())
    try:
        await asyncio.wait({stopping, following}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
    finally:
        stopping.cancel()
        following.cancel()
        sharing.share(None)
        await close(server)


def listen(settings: Settings) -> tuple[BaseServer, int]:
    """A server that listens already but is not started, and its port."""
    try:
        sockets, port = bind_sockets(settings.host, settings.port)
    except OSError as error:
        raise poeticoins.ConfigurationError(_refusal(settings, error)) from None
    applications = build_applications({"/": str(APP)}, location=False)  # the board minds the address itself
    admission = OneAtATime()
    applications["/"].add(admission)
    tornado = Gate(
        applications,
        admission,
        sign_sessions=True,
        secret_key=key(settings.run_dir),
        extra_websocket_origins=list(origins(settings.host, port, settings.allow_origin)),
        session_token_expiration=TOKEN_S,
        unused_session_lifetime_milliseconds=UNUSED_MS,
        websocket_max_message_size_bytes=MESSAGE_LIMIT,
        include_headers=[],  # they would travel back to the browser inside the page's token
        include_cookies=[],
    )
    tornado.transforms.append(SecurityHeaders)
    http = Door(tornado, most=room_for_connections(), **HTTP_LIMITS)
    http.add_sockets(sockets)
    return BaseServer(IOLoop.current(), tornado, http), port


def origins(host: str, port: int, further: Iterable[str]) -> dict[str, None]:
    """The `host:port` names under which a browser may open the page, each once."""
    own = (f"{_shown(host)}:{port}", f"localhost:{port}", f"127.0.0.1:{port}")
    # A browser leaves out the port of http and of https alike, and Bokeh reads that as 80.
    names = (name.removesuffix(":443") for name in further)
    return dict.fromkeys((*own, *(name if ":" in name else f"{name}:80" for name in names)))


def _shown(host: str) -> str:
    """The address to type: "every address" is not one, and one of IPv6 wears brackets."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104  compared with, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _refusal(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port: expected a free port on {settings.host}, but {settings.port} is in use; choose another: --port N"
    return f"host, port: cannot listen on {settings.host}:{settings.port}: {error.strerror or error}"


def _excuse_closed_pages(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """
    A page that is closed while a frame is written to it is no error; Panel leaves its last writes unawaited.

    Nor does any other error in a callback end this server, as it would other children: it is of Bokeh's or Tornado's
    dealing with one page. What is done for all pages is done in the feed's tasks, which end with it.
    """
    if not isinstance(context.get("exception"), WebSocketClosedError | StreamClosedError):
        loop.default_exception_handler(context)


async def close(server: BaseServer) -> None:
    """Stops listening, and lets go of every page, which then tries to come back by itself."""
    server.stop(wait=False)
    await asyncio.wait_for(server._http.close_all_connections(), 1)
