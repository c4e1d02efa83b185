"""Those who mean harm: bytes that are no message, on any socket, and more connections than anyone needs."""

import random
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from poeticoins import wire
from tests.makers import BTC, make_trade

Where = Path | tuple[str, int]
"""A socket's path, or a host and a port."""
PATIENCE = 5
"""Seconds that a connection is waited for."""

GREETING_1 = b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f"
GREETING_3 = GREETING_1 + b"\x03\x00NULL" + b"\0" * 48
READY = b"\x04\x26\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0"
TRADE = wire.frame(wire.topic(BTC), wire.trade_message(make_trade(1, price="666.6", epoch=1, sequence=1)))
"""A trade as it would be published, by one who is no publisher."""
EDGES = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: bokeh, e30\r\n\r\n\x81\xff",
    b"GET /" + b"a" * 200_000,
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100_000,
    GREETING_1 + b"\x01\x00" + bytes([len(TRADE) + 1, 0]) + TRADE,  # ZMTP 1: no handshake, a message at once
    GREETING_3 + b"\x02\xff\xff\xff\xff\xff\xff\xff\xff",  # a message of 2**64 bytes is announced
    GREETING_3 + READY + bytes([0, len(TRADE)]) + TRADE,
    GREETING_3 + READY + b"\x01\x00\x02\0\0\0\0\0\x10\0\0" + b"\0" * 1_048_576,  # a question of 1 MiB
    GREETING_3 + READY + b"\x01\x00\x00\x03\xdd\xff\xff" * 1000,
    b'{"verb":"stop"', b'{"verb":["stop"]}\n', b'{"verb":"restart","name":"../../etc"}\n', b"[" * 4000 + b"\n",
    b"\0" * 100_000,
    bytes(range(256)) * 4096,
]  # fmt: skip


def bytes_without_end(seed: int) -> Iterator[bytes]:
    """EDGES, and between them chance, some of it behind a greeting; the same for the same seed."""
    chance = random.Random(seed)
    while True:
        yield from EDGES
        for _ in range(10):
            yield chance.choice([b"", GREETING_1, GREETING_3, GREETING_3 + READY]) + chance.randbytes(
                chance.choice([1, 60, 4000, 70_000])
            )


def connected(to: Where) -> socket.socket:
    """A connection, once there is room in the queue; a socket that does not block would be refused at once there."""
    peer = socket.socket(socket.AF_UNIX if isinstance(to, Path) else socket.AF_INET)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", PATIENCE, 0))
    try:
        peer.connect(str(to) if isinstance(to, Path) else to)
    except OSError:
        peer.close()
        raise
    peer.settimeout(0.2)
    return peer


def send_bytes(to: Where, times: int, seed: int) -> int:
    """Sends so many pieces, each on a connection of its own; returns how many found anyone who took some of it."""
    taken = 0
    for _, data in zip(range(times), bytes_without_end(seed), strict=False):
        with suppress(OSError), closing(connected(to)) as peer:
            taken += 1
            peer.sendall(data)
    return taken


def connect_only(to: Where, times: int, at_once: int = 200, within: float = 10) -> int:
    """
    Connects so often, for `within` seconds at most, and says nothing; `at_once` stay open. How many were let in.
    """
    held: list[socket.socket] = []
    made, end = 0, time.monotonic() + within
    for _ in range(times):
        if time.monotonic() > end:
            break
        with suppress(OSError):
            held.append(connected(to))
            made += 1
        if len(held) > at_once:
            held.pop(0).close()
    for peer in held:
        peer.close()
    return made
