"""
One text to many pages at a tenth of the cost: made a message of Bokeh's protocol once, framed once, written to each.

Leans on what Bokeh and Tornado do not promise: whose connection a document is, when a message of theirs is half on its
way, what of theirs waits to be written, and how a server's frames look (RFC 6455, section 5.2). Where any of it is not
as expected, `write` says False, and the caller takes the public way; tests/dashboards/test_broadcast.py fails then.
"""

import asyncio
import json
from collections import deque
from contextlib import suppress
from functools import lru_cache
from typing import Any

from bokeh.document import Document
from tornado.iostream import IOStream, StreamClosedError

NAME = "poeticoins"
"""What assets/render.js listens for."""
RETRY_S, LONGEST_RETRY_S = 0.005, 0.1
MOST_WAITING = 1024 * 1024
"""Bytes that wait in this process for a page; an honest one that reads too slowly is left alone long before that."""
TEXT_FRAME = 0x81
HEADER = '{"msgid":"0","msgtype":"PATCH-DOC"}'
METADATA = "{}"


class Line:
    """The short way to the page of one document, in order: what cannot be written now waits, and nothing overtakes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._waiting: deque[str] = deque()
        self._size = 0
        self._retry: asyncio.TimerHandle | None = None
        self._retry_s = RETRY_S

    def write(self, text: str) -> bool:
        """Sends `text`, now or as soon as it can go whole. False: never, by this way. On the server's loop."""
        self._waiting.append(text)
        self._size += len(text)
        return self._flush()

    def _flush(self) -> bool:
        streams, free = _streams(self._document)
        if not streams:
            self._forget()
            return False
        while self._waiting and free:
            text = self._waiting.popleft()
            self._size -= len(text)
            for stream in streams:
                _write(stream, framed(text))
        if self._size > MOST_WAITING:  # a message of Bokeh's own has been half on its way for all that time
            self._forget()
            for stream in streams:
                stream.close()
        if not self._waiting:
            self._retry_s = RETRY_S
        elif not self._retry:
            self._retry = asyncio.get_running_loop().call_later(self._retry_s, self._try_again)
        return True

    def _forget(self) -> None:
        self._waiting.clear()
        self._size = 0

    def _try_again(self) -> None:
        self._retry = None
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        self._flush()


def _streams(document: Document) -> tuple[list[Any], bool]:
    """
    To the open pages of `document`, and whether no message of Bokeh's own is half on its way to any of them.

    None if there are none, or if they are not as we know them. A page that does not read, whatever it says, is let go.
    """
    streams, free = [], True
    try:
        for connection in document.session_context.session._subscribed_connections:  # type: ignore[union-attr]
            socket = connection._socket
            stream = socket.ws_connection.stream
            if socket.ws_connection._compressor is not None:
                return [], False
            if stream._write_buffer and len(stream._write_buffer) > MOST_WAITING:
                stream.close()
            free = free and socket.write_lock._block._value > 0
            streams.append(stream)
    except AttributeError:
        return [], False
    return streams, free


def _write(stream: Any, frames: bytes) -> None:
    """Past Tornado's buffer, which costs more than the system's call, unless something waits in it already."""
    sent = 0
    if type(stream) is IOStream and not stream.writing() and not stream.closed():
        with suppress(OSError):  # full, or gone: Tornado minds both
            sent = stream.socket.send(frames)
    if sent < len(frames):
        with suppress(StreamClosedError):  # the page is gone, and whoever served it is about to hear so
            stream.write(frames[sent:])


@lru_cache(maxsize=32)
def framed(text: str) -> bytes:
    """The three frames of the message: header, metadata, content."""
    content = f'{{"events":[{{"kind":"MessageSent","msg_type":"{NAME}","msg_data":{json.dumps(text)}}}]}}'
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
