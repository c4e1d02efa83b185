"""
Who gets in, before anything is made for them: how many connections and pages at a time, and how fast.

Whoever comes from this machine, a proxy in front of us among them, counts as many people; any other address as a few.
"""

import resource
import time
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream
from tornado.web import RequestHandler

from dashboards.admission import OneAtATime

MOST_CONNECTIONS = 2_000
"""Open connections in all; a page has one that stays, and up to six for the moment in which it loads."""
MOST_OF_ONE = 300
"""Of these, by one address that is not this machine's: a household, an office behind its router."""
OPENINGS_AT_ONCE, OPENING_EVERY_S = 60, 0.5
"""Pages that one such address may open at once, and one more each so many seconds."""
MOST_ADDRESSES = 10_000
"""Addresses that are remembered for it; more than so many that open pages at a time are not let in."""
OTHER_FILES = 100
"""Files that this process needs for anything else than connections."""
AGAIN_S = 5
"""What Retry-After says."""


def place(address: str) -> str | None:
    """Whose limits hold for `address`: a network of IPv6, an address of IPv4; None: this machine's own, no one's."""
    try:
        found = ip_address(address)
    except ValueError:
        return None  # no address of the internet's: it came by a socket of this machine
    found = (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
    if found.is_loopback:
        return None
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)


class Openings:
    """How fast each place opens pages."""

    def __init__(self) -> None:
        self._due: dict[
            str, float
        ] = {}  # by place: when its next one would be due if it opened one each OPENING_EVERY_S

    def take(self, place: str, now: float) -> bool:
        """Whether `place` may open a page at `now`, in seconds; if so it counts."""
        due = max(self._due.get(place, now), now)
        if due - now > (OPENINGS_AT_ONCE - 1) * OPENING_EVERY_S:
            return False
        if place not in self._due and len(self._due) >= MOST_ADDRESSES:
            self._due = {one: when for one, when in self._due.items() if when > now}
            if len(self._due) >= MOST_ADDRESSES:
                return False
        self._due[place] = due + OPENING_EVERY_S
        return True


class Gate(BokehTornado):
    """The page's application, which refuses what comes too fast or is too much, and what no page of ours asks for."""

    def __init__(self, applications: Any, admission: OneAtATime, **options: Any) -> None:
        self._admission, self._openings = admission, Openings()
        super().__init__(applications, **options)

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> Any:
        status = self._refusal(request)
        if status is None:
            return super().find_handler(request, **more)
        return self.get_handler_delegate(request, _Refusal, {"status": status})

    def _refusal(self, request: HTTPServerRequest) -> HTTPStatus | None:
        if request.path.endswith(("/autoload.js", "/metadata")):
            return HTTPStatus.NOT_FOUND  # for embedding in pages of others, which ours refuses
        if request.path != "/":
            return None
        if (
            request.headers.get("Sec-Fetch-Site") == "cross-site"
            and request.headers.get("Sec-Fetch-Mode") != "navigate"
        ):
            return HTTPStatus.FORBIDDEN  # a link may lead here, but no page of others may have pages made behind it
        if self._admission.is_full:
            return HTTPStatus.SERVICE_UNAVAILABLE
        of = place(request.remote_ip or "")
        if of and not self._openings.take(of, time.monotonic()):
            return HTTPStatus.TOO_MANY_REQUESTS
        return None


class _Refusal(RequestHandler):
    def initialize(self, status: HTTPStatus) -> None:
        self._said = status

    def prepare(self) -> None:
        self.set_status(self._said)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if self._said in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            self.set_header("Retry-After", AGAIN_S)
            self.finish(f"Too many pages are being opened; try again in {AGAIN_S} s.\n")
        else:
            self.finish(f"{self._said.phrase}\n")

    def log_exception(self, *_: Any) -> None:
        """A refusal is no news."""


def room_for_connections() -> int:
    """MOST_CONNECTIONS, or fewer if the system lets this process have fewer files; asks it for as many as it needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(min(MOST_CONNECTIONS, soft - OTHER_FILES), 1)


class Door(HTTPServer):
    """The HTTP server, which hangs up on connections that are too many; nothing has been read of them by then."""

    def initialize(self, *arguments: Any, most: int = MOST_CONNECTIONS, **options: Any) -> None:
        self._most, self._open = most, dict[IOStream, str | None]()
        super().initialize(*arguments, **options)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        of = place(str(address[0]) if address else "")
        if not self._admits(of):
            stream.close()
            return
        self._open[stream] = of
        super().handle_stream(stream, address)

    def _admits(self, of: str | None) -> bool:
        if len(self._open) >= min(self._most, MOST_OF_ONE):  # before, no limit can be reached
            self._open = {stream: one for stream, one in self._open.items() if not stream.closed()}
        few = of is None or sum(one == of for one in self._open.values()) < MOST_OF_ONE
        return few and len(self._open) < self._most
