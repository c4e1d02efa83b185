"""Pages without a browser: what Bokeh's client says and hears, over a plain WebSocket, and when it came."""

import asyncio
import json
import re
import time
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

FRAME = '\\"kind\\":\\"frame\\"'
NOW = re.compile(r'\\"now\\":(\d+)')
ACK_EVERY = 50


class Viewer:
    """One page at `url`, with the product `focus` open if one is given. Times are seconds, by the monotonic clock."""

    def __init__(self, url: str, focus: str | None = None) -> None:
        self.url, self.focus = url, focus
        self.opened_in = 0.0
        self._unseen = 0
        self.forget()

    def forget(self) -> None:
        """Counts from now on."""
        self.bytes = 0
        self.came: list[float] = []
        self.lags: list[float] = []

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
        token = re.search(r'"token":"([^"]+)"', await _get(self.url))
        assert token, "the page has no token"
        address = self.url.replace("http", "ws") + "ws"
        self._socket = await connect(
            address, subprotocols=["bokeh", token[1]], max_size=None, origin=self.url.rstrip("/"), open_timeout=120
        )
        await self._message()
        await self._send("PULL-DOC-REQ", {})
        roots = json.loads(await self._message())["doc"]["roots"]
        self._model = next(root["id"] for root in roots if root["attributes"].get("class_name") == "Cards")
        await self._event("document_ready", [])
        await self._say({"hello": 1, "select": None, "focus": self.focus, "interval": "1m"})
        if self.focus:
            await self._say({"chart": 1})
        wanted = ["snapshot", "history", "chart"] if self.focus else ["snapshot"]
        while wanted:
            text = await self._message()
            wanted = [kind for kind in wanted if f'\\"kind\\":\\"{kind}\\"' not in text[:8000]]
        self.opened_in = time.monotonic() - began
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        self._reading.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        while True:
            text = await self._message()
            self._unseen += 1
            if self._unseen == ACK_EVERY:
                self._unseen = 0
                await self._say({"seen": ACK_EVERY})
            if FRAME in text[:2000]:
                self.came.append(time.monotonic())
                cut = NOW.search(text)
                assert cut
                self.lags.append(time.time() - int(cut[1]) / 1000)

    async def _message(self) -> str:
        """The content of the next message, which travels as header, metadata and content."""
        parts = [str(await self._socket.recv()) for _ in range(3)]
        self.bytes += sum(map(len, parts))
        return parts[2]

    async def _send(self, kind: str, content: object) -> None:
        for part in ({"msgid": "0", "msgtype": kind}, {}, content):
            await self._socket.send(json.dumps(part))

    async def _event(self, name: str, entries: list[object]) -> None:
        event = {"type": "event", "name": name, "values": {"type": "map", "entries": entries}}
        sent = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}
        await self._send("PATCH-DOC", {"events": [sent]})

    async def _say(self, words: dict[str, object]) -> None:
        data = {"type": "map", "entries": [list(pair) for pair in words.items()]}
        await self._event("data_event", [["model", {"id": self._model}], ["data", data]])


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
