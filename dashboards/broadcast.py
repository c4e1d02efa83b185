"""
One text to many pages at a tenth of the cost: made a message of Bokeh's protocol once, framed once, written to each.

Leans on what Bokeh and Tornado do not promise: whose connection a document is, when a message of theirs is half on its
way, and how a server's frames look (RFC 6455, section 5.2). Where any of it is not as expected, `write` says False, and
the caller takes the public way; tests/dashboards/test_broadcast.py fails then.
"""

import asyncio
import json
from collections import deque
from functools import lru_cache
from typing import Any

from bokeh.document import Document
from tornado.iostream import StreamClosedError

NAME = "poeticoins"
"""What assets/render.js listens for."""
RETRY_S = 0.005
TEXT_FRAME = 0x81
HEADER = json.dumps({"msgid": NAME, "msgtype": "PATCH-DOC"})
METADATA = "{}"


class Line:
    """The short way to the page of one document, in order: what cannot be written now waits, and nothing overtakes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._waiting: deque[str] = deque()
        self._retry: asyncio.TimerHandle | None = None

    def write(self, text: str) -> bool:
        """Sends `text`, now or as soon as it can go whole. False: never, by this way. On the server's loop."""
        self._waiting.append(text)
        return self._flush()

    def _flush(self) -> bool:
        sockets = _sockets(self._document)
        if not sockets:
            self._waiting.clear()
            return False
        while self._waiting and all(map(_is_free, sockets)):
            _write(sockets, framed(self._waiting.popleft()))
        if self._waiting and not self._retry:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._try_again)
        return True

    def _try_again(self) -> None:
        self._retry = None
        self._flush()


def _sockets(document: Document) -> list[Any]:
    """Of the open pages of `document`; none if there are none, or if they are not as we know them."""
    try:
        connections = document.session_context.session._subscribed_connections  # type: ignore[union-attr]
        sockets = [connection._socket for connection in connections]
        plain = all(
            socket.ws_connection._compressor is None and _is_free(socket) in (True, False) for socket in sockets
        )
    except AttributeError:
        return []
    return sockets if plain else []


def _is_free(socket: Any) -> bool:
    """Whether no message of Bokeh's own is half on its way."""
    return bool(socket.write_lock._block._value > 0)


def _write(sockets: list[Any], frames: bytes) -> None:
    for socket in sockets:
        try:
            socket.ws_connection.stream.write(frames)
        except StreamClosedError:
            continue  # the page is gone, and whoever served it is about to hear so


@lru_cache(maxsize=32)
def framed(text: str) -> bytes:
    """The three frames of the message: header, metadata, content."""
    content = json.dumps({"events": [{"kind": "MessageSent", "msg_type": NAME, "msg_data": text}]})
    return b"".join(_frame(part.encode()) for part in (HEADER, METADATA, content))


def _frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        length = size.to_bytes(1)
    elif size < 1 << 16:
        length = b"\x7e" + size.to_bytes(2)
    else:
        length = b"\x7f" + size.to_bytes(8)
    return bytes([TEXT_FRAME]) + length + payload
