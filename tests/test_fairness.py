"""Nobody who asks, however much, holds up the others or the work of the process that is asked."""

import asyncio
import threading
import time
from contextlib import contextmanager

import pytest
import zmq

from poeticoins import bus, control
from tests.makers import make_settings

COST = 0.002  # seconds of a dear answer


def dear(question: bytes) -> bytes:
    end = time.thread_time() + COST
    while time.thread_time() < end:
        pass
    return question


class Flood:
    """A DEALER that asks without end and reads nothing, in a thread."""

    def __init__(self, path) -> None:
        self._path, self._over = path, threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Flood":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        with zmq.Context.instance().socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(f"ipc://{self._path}")
            while not self._over.is_set():
                if socket.poll(10, zmq.POLLOUT):
                    for _ in range(100):
                        try:
                            socket.send_multipart([b"", b"more"], zmq.NOBLOCK)
                        except zmq.Again:
                            break


@contextmanager
def answering(path):
    answerer = bus.Answerer(path, dear)
    try:
        yield
    finally:
        answerer.close()


async def longest_pause(seconds: float) -> float:
    """Seconds that a task which wants its turn every millisecond waited for it at most."""
    longest, end = 0.0, time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - now)
    return longest


async def test_who_asks_without_end_holds_up_neither_the_process_nor_the_others(run_dir):
    path = make_settings(run_dir).socket("historical")
    with answering(path), Flood(path):
        await asyncio.sleep(0.3)  # until the socket is full of questions
        asked, used = time.monotonic(), time.thread_time()
        pausing = asyncio.create_task(longest_pause(2))
        answers = [await asyncio.to_thread(bus.ask, path, b"mine", 5) for _ in range(5)]

        assert answers == [b"mine"] * 5
        assert time.monotonic() - asked < 3
        assert await pausing < 1.5  # of the 2 s that it would be without a turn
        assert (time.thread_time() - used) / (time.monotonic() - asked) < 0.5


async def test_who_asks_the_supervisor_without_end_leaves_it_its_time(run_dir):
    settings = make_settings(run_dir)
    server = await control.serve(settings.socket("control"), lambda _: {"is": dear(b"").decode()})
    reader, writer = await asyncio.open_unix_connection(settings.socket("control"))
    reading = asyncio.create_task(reader.read(1 << 20))
    writer.write(b'{"verb":"status"}\n' * 20_000)
    began, used = time.monotonic(), time.thread_time()

    pause = await longest_pause(2)

    assert pause < 0.5
    assert (time.thread_time() - used) / (time.monotonic() - began) < 0.5
    writer.close()
    reading.cancel()
    server.close()


@pytest.mark.parametrize("kind", ["PUB", "SUB", "ROUTER", "DEALER", "REQ"])
async def test_every_socket_bounds_what_it_takes_and_lets_nobody_but_its_owner_in(run_dir, kind, monkeypatch):
    made = []
    monkeypatch.setattr(zmq.Context, "socket", lambda self, type: made.append(zmq.Socket(self, type)) or made[-1])
    path = make_settings(run_dir).socket("any")
    match kind:
        case "PUB":
            opened = bus.Publisher(path, lambda _: None)
        case "SUB":
            opened = bus.Subscriber(path, [b""], lambda _: None)
        case "ROUTER":
            opened = bus.Answerer(path, dear)
        case "DEALER":
            opened = bus.Asker(path, lambda _: None)
        case "REQ":
            opened = None
            monkeypatch.setattr(zmq.Socket, "__exit__", lambda *_: None)
            with pytest.raises(bus.RequestTimeout):
                bus.ask(path, b"", 0.01)

    (socket,) = made
    assert 0 < socket.MAXMSGSIZE <= bus.MAX_ANSWER
    assert socket.HANDSHAKE_IVL == 5000
    assert socket.LINGER == 0
    assert 0 < socket.SNDHWM <= 10_000
    assert 0 < socket.RCVHWM <= 20_000
    if kind in ("PUB", "ROUTER"):
        assert socket.MAXMSGSIZE == bus.MAX_MESSAGE
        assert path.stat().st_mode & 0o777 == 0o600
    if opened:
        opened.close()
    else:
        socket.close()
