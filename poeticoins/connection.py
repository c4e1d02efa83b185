"""The door to the exchanges' WebSockets: one connection, from its handshake to its end, and why it ended."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from socket import gaierror
from typing import Literal

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)

from poeticoins.errors import without_secrets
from poeticoins.feed import Feed
from poeticoins.link import Link
from poeticoins.liveness import Patience
from poeticoins.model import Product
from poeticoins.troubles import Ending, retry_after

CLOSE_WITHIN = 1.0
"""Seconds that an exchange may take to answer our close."""
LARGEST_FRAME = 1 << 20
ASK_INTERVAL = 0.15
"""Seconds between two requests for single products; Coinbase takes eight requests a second."""
_TROUBLES = (OSError, WebSocketException, ImportError)  # ImportError: a SOCKS proxy needs a package that is not there
_KEEPALIVE, _TOO_BIG = 1011, 1009  # the codes that websockets closes with by itself


@dataclass(frozen=True)
class Address:
    """Where an exchange is. proxy: None: directly; True: as the environment says; or the proxy's URL."""

    url: str
    proxy: str | Literal[True] | None = None


class Connection:
    """
    Begins at once. `ending` is its task, whose result says why it is over; an exception in it is a bug.

    age: seconds after which it wants to be replaced. awaited: what its predecessor had confirmed.
    leaving: set when it is to be replaced, as the exchange asks or for its age. ready: set once it can take over.
    """

    def __init__(
        self, feed: Feed, address: Address, patience: Patience, *, age: float, awaited: frozenset[Product] = frozenset()
    ) -> None:
        self.link: Link | None = None
        self.leaving = asyncio.Event()
        self.ready = asyncio.Event()
        self._feed, self._address, self._patience = feed, address, patience
        self._age, self._awaited = age, awaited
        self._asked = False
        self.ending = asyncio.create_task(self._run())

    @property
    def why_leaving(self) -> Ending:
        return Ending("asked" if self._asked else "old")

    async def close(self) -> None:
        """Ends it, if it has not ended; what comes meanwhile is not read."""
        self.ending.cancel()
        await asyncio.wait({self.ending})

    def stay(self, seconds: float) -> None:
        """It could not be replaced: it wants that again in so many seconds."""
        self.leaving.clear()
        if self.link:
            self._age = self.link.age(time.monotonic()) + seconds

    async def _run(self) -> Ending:
        try:
            socket = await connect(
                self._address.url,
                open_timeout=self._patience.open_within,
                ping_interval=self._patience.ping_interval,
                ping_timeout=self._patience.ping_interval,
                close_timeout=CLOSE_WITHIN,
                max_size=LARGEST_FRAME,
                max_queue=64,
                compression=None,  # costs more CPU than it saves on trades, and cannot be a bomb
                user_agent_header="poeticoins",
                proxy=self._address.proxy,
                ssl=_verifying() if self._address.url.startswith("wss:") else None,
            )
        except _TROUBLES as error:
            return ending_of(error, self._patience, by_proxy=isinstance(self._address.proxy, str))
        async with socket:
            return await self._conversation(socket)

    async def _conversation(self, socket: ClientConnection) -> Ending:
        link = self.link = Link(self._feed.products, self._patience, time.monotonic())
        self._feed.opened(link)
        works = [asyncio.create_task(work) for work in (self._listen(socket, link), self._watch(socket, link))]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            return next(work.result() for work in reversed(works) if work.done())  # what the watch says, if it does
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _listen(self, socket: ClientConnection, link: Link) -> Ending:
        try:
            for request in self._feed.exchange.subscribe_frames(self._feed.products):
                await socket.send(request)
            while True:
                frame: bytes = await socket.recv(decode=False)
                if self._feed.receive(link, frame, time.monotonic(), time.time_ns()):
                    self._asked = True
                    self.leaving.set()
                if not self.ready.is_set() and link.acked >= self._awaited:
                    self.ready.set()
        except ConnectionClosed as error:
            return self.why_leaving if self._asked else ending_of(error, self._patience)

    async def _watch(self, socket: ClientConnection, link: Link) -> Ending:
        """Returns when the connection is not alive any more; pings, and asks again for what is not confirmed."""
        while True:
            await asyncio.sleep(self._patience.watch_interval)
            now = time.monotonic()
            match link.check(now):
                case "silent":
                    return Ending("silent", text=f"{self._patience.silent_after:g} s")
                case "no ack":
                    return Ending("no ack", text=link.refusal or f"none within {self._patience.ack_within:g} s")
                case "ping" if self._feed.exchange.PING:
                    await self._say(socket, self._feed.exchange.PING)
            self._feed.check(link, now)
            if link.overdue(now):
                self.ready.set()
            if link.age(now) >= self._age:
                self.leaving.set()
            for product in link.to_ask_again(now):
                for request in self._feed.exchange.subscribe_frames([product]):
                    await self._say(socket, request)
                    await asyncio.sleep(ASK_INTERVAL)

    async def _say(self, socket: ClientConnection, frame: str) -> None:
        try:
            await socket.send(frame)
        except ConnectionClosed:
            await asyncio.sleep(CLOSE_WITHIN)  # _listen has seen it, too, and says why


def ending_of(error: Exception, patience: Patience, *, by_proxy: bool = False) -> Ending:
    """What the exception means that ended or prevented a connection. by_proxy: through one that the settings name."""
    ending = _of_socket(error, patience) if isinstance(error, OSError) else _of_protocol(error)
    if by_proxy and ending.kind in ("refused", "unknown host"):
        return Ending("proxy", text=f"it cannot be reached ({ending.text or 'refused'})")
    return Ending(ending.kind, ending.code, without_secrets(ending.text)[:200], ending.retry_after)


def _of_protocol(error: Exception) -> Ending:
    match error:
        case ConnectionClosed(rcvd=received) if received and (error.rcvd_then_sent or not error.sent):
            return Ending("closed", received.code, received.reason)
        case ConnectionClosed(sent=sent) if sent and sent.code == _KEEPALIVE:
            return Ending("no pong")
        case ConnectionClosed(sent=sent) if sent and sent.code == _TOO_BIG:
            return Ending("network", text=f"it sent a frame of more than {LARGEST_FRAME} bytes")
        case ConnectionClosed(sent=sent) if sent:
            return Ending("network", text=f"it broke the protocol: {sent.code} {sent.reason}")
        case ConnectionClosed():
            return Ending("broken off")
        case InvalidStatus(response=response):
            wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
            return Ending("http", response.status_code, retry_after=wait)
        case InvalidProxyStatus(response=response):
            return Ending("proxy", text=f"it refused with HTTP {response.status_code}")
        case ProxyError() | InvalidProxy() | ImportError():
            return Ending("proxy", text=str(error))
        case InvalidMessage():
            return Ending("no websocket", text=str(error.__cause__ or error))
        case InvalidHandshake():
            return Ending("no websocket", text=str(error))
    return Ending("network", text=f"{type(error).__name__}: {error}")


def _of_socket(error: OSError, patience: Patience) -> Ending:
    match error:
        case ssl.SSLCertVerificationError():
            return Ending("certificate", text=error.verify_message)
        case ssl.SSLError():
            return Ending("tls", text=error.reason or str(error))
        case TimeoutError():
            return Ending("no answer", text=f"{patience.open_within:g} s")
        case gaierror():
            return Ending("unknown host", text=error.strerror or "")
        case ConnectionRefusedError():
            return Ending("refused")
        case ConnectionResetError() | BrokenPipeError():
            return Ending("broken off")
    text = error.strerror or str(error)
    return Ending("network", text=text[:1].lower() + text[1:])


def _verifying() -> ssl.SSLContext:
    """TLS that checks the certificate and the host's name against it."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
