"""
Pages without a browser: what Bokeh's client says and hears, over a WebSocket of our own, and when it came.

A thousand of them read ten frames a second each in one process: so only the ends of messages are looked for (RFC 6455,
section 5.2), and of a message only its beginning.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

FRAME = re.compile(rb'"frame (\d+)')
"""A frame and the server's clock in ms when it was cut: see dashboards/terse.py."""
AGAIN = re.compile(r"HTTP/1\.1 503 .*?\r\nRetry-After: (\d+)\r\n", re.DOTALL)
"""How the server begins to answer when too many pages are there or wait: after so many seconds there may be room."""
ACK_EVERY = 150
OPENED = (b"snapshot", b"history", b"chart")
TEXT, PING = 1, 9
BUFFER = memoryview(bytearray(256 * 1024))
"""Of all viewers: what is read is taken out of it at once."""


class Viewer(asyncio.BufferedProtocol):
    """
    One page at `url`, with the products `select` (by default the first) and `focus` open, if one is given.

    Times are seconds, by the monotonic clock.
    """

    def __init__(self, url: str, focus: str | None = None, select: Sequence[str] | None = None) -> None:
        self.url, self.focus, self.select = url, focus, select
        self.opened_in = 0.0
        self._unseen = self._parts = 0
        self._rest = b""
        self._messages: asyncio.Queue[bytes] | None = asyncio.Queue()
        self._gone = asyncio.get_running_loop().create_future()
        self.forget()

    def forget(self) -> None:
        """Counts from now on."""
        self.bytes = 0
        self.came: list[float] = []
        self.lags: dict[int, float] = {}  # by when the frame was cut

    @property
    def frames(self) -> int:
        return len(self.came)

    @property
    def longest_wait(self) -> float:
        """Between two frames, the time until now included."""
        times = [*self.came, time.monotonic()]
        return max((after - before for before, after in pairwise(times)), default=0.0)

    async def open(self) -> None:
        """Returns once the page has all that it draws: its snapshot, and with a product open the history and chart."""
        began = time.monotonic()
        page = await _page(self.url)
        token = re.search(r'"token":"([^"]+)"', page)
        assert token, f"the page has no token: {page[:500]!r}"
        await self._connect(token[1])
        await self._message()
        self._send("PULL-DOC-REQ", {})
        roots = json.loads(await self._message())["doc"]["roots"]
        self._model = next(root["id"] for root in roots if root["attributes"].get("class_name") == "PageCards")
        self._event("document_ready", [])
        self._say({"hello": 1, "select": self.select, "focus": self.focus, "interval": "1m"})
        if self.focus:
            self._say({"chart": "prices"})
        wanted = list(OPENED if self.focus else OPENED[:1])
        while wanted:
            message = (await self._message())[:200]
            wanted = [kind for kind in wanted if kind not in message]
        self._messages = None
        self.opened_in = time.monotonic() - began

    async def close(self) -> None:
        self._transport.close()
        await self._gone

    async def _connect(self, token: str) -> None:
        where = urlsplit(self.url)
        await asyncio.get_running_loop().create_connection(lambda: self, where.hostname, where.port)
        self._accepted = asyncio.get_running_loop().create_future()
        lines = [
            f"GET {where.path}ws HTTP/1.1",
            f"Host: {where.netloc}",
            f"Origin: {self.url.rstrip('/')}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            f"Sec-WebSocket-Protocol: bokeh, {token}",
        ]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())
        await self._accepted

    # -- what comes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._gone.set_result(error)

    def get_buffer(self, _hint: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, size: int) -> None:
        self._received(bytes(BUFFER[:size]))

    def _received(self, some: bytes) -> None:
        if not self._accepted.done():
            head, end, some = (self._rest + some).partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            assert b" 101 " in head[:20], head
            self._rest = b""
            self._accepted.set_result(None)
        self.bytes += len(some)
        self._rest = self._frames(self._rest + some if self._rest else some)

    def _frames(self, some: bytes) -> bytes:
        """Hands on every whole frame of `some`, and returns the rest."""
        at = 0
        while len(some) - at >= 2:
            length, begins = some[at + 1], at + 2
            if length >= 126:
                begins += 2 if length == 126 else 8
                length = int.from_bytes(some[at + 2 : begins])
            if begins + length > len(some):
                break
            self._hear(some[at] & 15, some[begins : begins + length])
            at = begins + length
        return some[at:]

    def _hear(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self._write(10, payload)
        elif kind == TEXT:
            self._parts = (self._parts + 1) % 3  # a message travels as header, metadata and content
            if self._parts == 0:
                self._read(payload)

    def _read(self, content: bytes) -> None:
        if self._messages:
            self._messages.put_nowait(content)
            return
        self._unseen += 1
        if self._unseen == ACK_EVERY:
            self._unseen = 0
            self._say({"seen": ACK_EVERY})
        if cut := FRAME.search(content, 0, 160):
            self.came.append(time.monotonic())
            self.lags[int(cut[1])] = time.time() - int(cut[1]) / 1000

    async def _message(self) -> bytes:
        assert self._messages
        return await asyncio.wait_for(self._messages.get(), 120)

    # -- what is said

    def _write(self, kind: int, payload: bytes) -> None:
        """A masked frame, as clients must; masked with zeros, which leaves it as it is."""
        size = len(payload)
        length = bytes([128 + size]) if size < 126 else b"\xfe" + size.to_bytes(2)
        self._transport.write(bytes([128 + kind]) + length + b"\0\0\0\0" + payload)

    def _send(self, kind: str, content: object) -> None:
        for part in ({"msgid": "0", "msgtype": kind}, {}, content):
            self._write(TEXT, json.dumps(part).encode())

    def _event(self, name: str, entries: list[object]) -> None:
        event = {"type": "event", "name": name, "values": {"type": "map", "entries": entries}}
        sent = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}
        self._send("PATCH-DOC", {"events": [sent]})

    def _say(self, words: dict[str, object]) -> None:
        data = {"type": "map", "entries": [list(pair) for pair in words.items()]}
        self._event("data_event", [["model", {"id": self._model}], ["data", data]])


async def _page(url: str) -> str:
    """The answer, head and all; whoever is told to come again does, as a person would."""
    async with asyncio.timeout(120):
        while again := AGAIN.match(page := await _get(url)):
            await asyncio.sleep(int(again[1]))
    return page


async def _get(url: str) -> str:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"GET {where.path or '/'} HTTP/1.0\r\nHost: {where.netloc}\r\n\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    return text


def percentile(values: Iterable[float], share: float) -> float:
    """Of `values`, the one that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
