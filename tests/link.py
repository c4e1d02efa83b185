"""A link between two that speak by TCP, which can be cut, or go silent, as a network does."""

import socket
import struct
import threading
from contextlib import suppress


class Link:
    """
    Passes all that comes to `port` on to the port `target`; `cut()` resets everything, `silence()` only holds it back.
    """

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self._flows = threading.Event()
        self._flows.set()
        self._is_cut = False
        self._ends: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for end in self._ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # an RST, not a FIN
            end.close()
        self._ends.clear()

    def silence(self) -> None:
        self._flows.clear()

    def mend(self) -> None:
        self._is_cut = False
        self._flows.set()

    def _listen(self) -> None:
        while True:
            near, _ = self._server.accept()
            if self._is_cut:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # the server is not there, and so nobody is on this link either
                near.close()
                continue
            for end in (near, far):
                end.settimeout(0.1)  # so that no thread holds on to a socket that is closed elsewhere
            self._ends += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while some := self._received(source):
                self._flows.wait()
                self._send(some, sink)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _send(self, some: bytes, sink: socket.socket) -> None:
        while some:  # not sendall without a limit: for as long, the other thread would receive without one too
            with suppress(TimeoutError):
                some = some[sink.send(some) :]

    def _received(self, source: socket.socket) -> bytes:
        while True:
            with suppress(TimeoutError):
                return source.recv(65_536)
