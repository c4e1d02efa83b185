"""
The door to ZeroMQ: the sockets that the processes speak over, and how an event loop drains them.

A socket is drained when its file descriptor is ready: `zmq.asyncio` costs ten times as much CPU a message. That
descriptor signals edges only, and any call on the socket may swallow one: hence Drain.poke after every send.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import zmq

from poeticoins.errors import RequestTimeout
from poeticoins.ration import Ration

Socket = zmq.Socket[bytes]
MAX_MESSAGE = 64 * 1024  # bytes; a trade is 70
MAX_ANSWER = 4 * 1024 * 1024  # bytes; answers are paged below this
_AT_ONCE = 500  # messages drained before the loop's other work has its turn
_TO_RECEIVE = 5e-6  # seconds that a question costs before anyone looks at it


class Drain:
    """Calls `receive(frames)` on the event loop for every message that arrives on a socket."""

    def __init__(self, socket: Socket, receive: Callable[[list[bytes]], None]) -> None:
        self._socket, self._receive = socket, receive
        self._loop = asyncio.get_running_loop()
        self._pending = self._closed = self._paused = False
        self._loop.add_reader(socket.FD, self.poke)
        self.poke()

    def poke(self) -> None:
        """To be called after any other call on the socket, since that may have taken the signal."""
        if not (self._pending or self._closed or self._paused):
            self._pending = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._pending = False
        for _ in range(_AT_ONCE):
            if self._closed or self._paused:
                return
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._receive(frames)
        self.poke()

    def pause(self, paused: bool) -> None:
        """While paused, messages stay in the socket; beyond its high-water mark they are lost."""
        if paused == self._paused or self._closed:
            return
        self._paused = paused
        if paused:
            self._loop.remove_reader(self._socket.FD)  # which stays ready, and would be looked at all the time
        else:
            self._loop.add_reader(self._socket.FD, self.poke)
            self.poke()

    def close(self) -> None:
        """Stops listening and closes the socket; what was not sent yet is dropped."""
        self._closed = True
        self._loop.remove_reader(self._socket.FD)
        self._socket.close(linger=0)


def _bound(kind: int, path: Path, **options: int) -> Socket:
    """A socket bound to an ipc path; the caller holds the lock that makes the path its own."""
    socket: Socket = zmq.Context.instance().socket(kind)
    _set(socket, options)
    old_mask = os.umask(0o177)  # nobody else may connect, even if the directory were opened up
    try:
        socket.bind(f"ipc://{path}")
    finally:
        os.umask(old_mask)
    return socket


def _connected(kind: int, path: Path, **options: int) -> Socket:
    socket: Socket = zmq.Context.instance().socket(kind)
    _set(socket, {"RECONNECT_IVL": 10, "RECONNECT_IVL_MAX": 250} | options)
    socket.connect(f"ipc://{path}")
    return socket


def _set(socket: Socket, options: dict[str, int]) -> None:
    for name, value in ({"LINGER": 0, "MAXMSGSIZE": MAX_MESSAGE, "HANDSHAKE_IVL": 5000} | options).items():
        socket.setsockopt(getattr(zmq, name), value)


class Publisher:
    """
    A PUB socket that also sees who subscribes (XPUB).

    `joined(prefix)` is called for every new subscription, so that a heartbeat can tell the subscriber at once that it
    is connected. Never blocks: to a subscriber that does not keep up, messages are lost, and it fetches them later.
    """

    def __init__(self, path: Path, joined: Callable[[bytes], None]) -> None:
        self._socket = _bound(zmq.XPUB, path, XPUB_VERBOSE=1, SNDHWM=10_000, RCVHWM=1_000)
        self._joined = joined
        self._drain = Drain(self._socket, self._notice)

    def send(self, frame: bytes) -> None:
        with suppress(zmq.Again):
            self._socket.send(frame, zmq.NOBLOCK)
        self._drain.poke()

    def _notice(self, frames: list[bytes]) -> None:
        if frames[0].startswith(b"\1"):
            self._joined(frames[0][1:])

    def close(self) -> None:
        self._drain.close()


class Subscriber:
    """A SUB socket on one publisher; `receive(frame)` is called for every message. Survives the publisher's deaths."""

    def __init__(self, path: Path, topics: list[bytes], receive: Callable[[bytes], None]) -> None:
        socket = _connected(zmq.SUB, path, RCVHWM=20_000)
        for topic in topics:
            socket.subscribe(topic)
        self._drain = Drain(socket, lambda frames: receive(frames[0]))

    def pause(self, paused: bool) -> None:
        """While paused nothing is received: for a reader that has enough to do."""
        self._drain.pause(paused)

    def close(self) -> None:
        self._drain.close()


class Answerer:
    """
    Answers REQ sockets through a ROUTER, which survives any client's death.

    `answer(question) -> bytes` is called on the event loop and must not block. All askers together get their ration of
    the loop's time, in turns; what they ask beyond it waits in the socket, and at last in their own.
    """

    def __init__(self, path: Path, answer: Callable[[bytes], bytes], ration: Ration | None = None) -> None:
        self._socket = _bound(zmq.ROUTER, path, SNDHWM=64, RCVHWM=100)
        self._answer = answer
        self._ration = ration or Ration()
        self._loop = asyncio.get_running_loop()
        self._drain = Drain(self._socket, self._asked)

    def _asked(self, frames: list[bytes]) -> None:
        began = time.monotonic()
        *envelope, question = frames  # identity, REQ's empty delimiter, and whatever a DEALER puts between
        with suppress(zmq.Again, zmq.ZMQError):  # the asker is gone, or does not read
            self._socket.send_multipart([*envelope, self._answer(question)], zmq.NOBLOCK)
        self._drain.poke()
        now = time.monotonic()  # not processor time: where others have the processor, answers must not take all of ours
        self._ration, wait = self._ration.spend(now - began + _TO_RECEIVE, now)
        if wait:
            self._drain.pause(True)
            self._loop.call_later(wait, self._drain.pause, False)

    def close(self) -> None:
        self._drain.close()


class Asker:
    """Asks one Answerer from an event loop: `ask(question)`, and `receive(answer)` is called when there is one."""

    def __init__(self, path: Path, receive: Callable[[bytes], None]) -> None:
        self._socket = _connected(zmq.DEALER, path, MAXMSGSIZE=MAX_ANSWER, SNDHWM=64)
        self._drain = Drain(self._socket, lambda frames: receive(frames[-1]))

    def ask(self, question: bytes) -> None:
        with suppress(zmq.Again):
            self._socket.send_multipart([b"", question], zmq.NOBLOCK)
        self._drain.poke()

    def close(self) -> None:
        self._drain.close()


def ask(path: Path, question: bytes, timeout: float) -> bytes:
    """
    Asks an Answerer and waits up to `timeout` seconds for its answer. Blocks; safe in any thread.

    A fresh socket for each call, so that no answer to an earlier question can be taken for this one's.
    Raises RequestTimeout.
    """
    with _connected(zmq.REQ, path, MAXMSGSIZE=MAX_ANSWER) as socket:
        socket.send(question)
        if not socket.poll(round(timeout * 1000)):
            raise RequestTimeout(f"no answer from {path.stem} within {timeout:g} s")
        return socket.recv()
