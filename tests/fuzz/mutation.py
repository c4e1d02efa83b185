"""
Good inputs made bad: at the level of bytes, of words, and of the structure that JSON, msgpack or a series has.

Bytes alone seldom get past the first decoder; a frame with one value changed does. Pure: chance is an argument.
"""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

SEAM = b"\0<seam>\0"
"""Between the parts of an input that is a series: messages that come one after the other."""
LARGEST = 100_000
"""Bytes of an input, at most: a socket takes 64 KiB."""
_WORD = re.compile(rb"[0-9]+|[A-Za-z_]+|[^0-9A-Za-z_\s]")
_EDGES = [2**n + d for n in (7, 8, 15, 16, 31, 32, 53, 63, 64) for d in (-1, 0)]
ODD: list[Any] = [
    None, True, False, 0, 1, -1, *_EDGES, *(-edge for edge in _EDGES), 10**18, 0.0, -0.5, 1e308, 1e-320, "", "0", "-1",
    "NaN", "Infinity", "1e99", "1e20000000", "0." + "0" * 17 + "1", "9" * 400, "999999999999.999999999", "1_000", "١٢",
    "\x1b[2J\r\n", "\x9b31m\u2028", "\u202e", "<img src=x onerror=alert(1)>", "../../etc/passwd", "a" * 3000,
    "__proto__", "coinbase:BTC-USD", "bitstamp:LTC-EUR", "2026-02-30T25:61:61Z", "0001-01-01T00:00:00Z", [], {}, [[]],
    {"": None}, "live", "replay", "buy", "sell",
]  # fmt: skip
ODD_WORDS = [
    b"0", b"-1", b"9" * 25, b"18446744073709551616", b"1e999", b"NaN", b"null", b"{}", b"[]", b'"', b"\\u0000",
    b"\\ud800", b"\xff", b"\0", b"\x1b[2J", b"\n", b"[" * 5000, b'{"a":' * 2000, b"\x91" * 5000,
    b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc1", b"%00", b"&", b"=", b",", b":", b"e", b".",
]  # fmt: skip


def mutated(data: bytes, others: Sequence[bytes], chance: Random) -> bytes:
    """`data` after one to four changes; what is put into it may come from `others`."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 4))):
        parts = data.split(SEAM)
        if chance.random() < 0.15:
            parts = _rearranged(parts, others, chance)
        else:
            at = chance.randrange(len(parts))
            parts[at] = chance.choice((_structure, _structure, _words, _bytes))(parts[at], chance)
        data = SEAM.join(parts)[:LARGEST]
    return data


def _rearranged(parts: list[bytes], others: Sequence[bytes], chance: Random) -> list[bytes]:
    """A series that lacks a part, has one twice or one of another series, or is in another order."""
    found = list(parts)
    match chance.randrange(4):
        case 0:
            del found[chance.randrange(len(found))]
        case 1:
            found.insert(chance.randrange(len(found) + 1), chance.choice(found))
        case 2 if others:
            found.insert(chance.randrange(len(found) + 1), chance.choice(chance.choice(others).split(SEAM)))
        case _:
            chance.shuffle(found)
    return found or [b""]


def _structure(data: bytes, chance: Random) -> bytes:
    """One value of a JSON or msgpack document changed; of anything else, some bytes."""
    head, body = b"", data
    if b"\0" in data[:40]:
        head, body = data[: data.index(b"\0") + 1], data[data.index(b"\0") + 1 :]  # a topic of the bus
    readers: list[tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = [
        (json.loads, lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
        (msgspec.msgpack.decode, msgspec.msgpack.encode),
    ]
    for read, write in readers:
        try:
            return head + write(_changed(read(body), chance))
        except (ValueError, TypeError, RecursionError, OverflowError):
            continue
    return _bytes(data, chance)


def _changed(value: Any, chance: Random) -> Any:
    """`value`, of which one element, however deep, is another, there twice, or gone."""
    if not isinstance(value, list | dict) or not value or chance.random() < 0.1:
        return _odd(value, chance)
    at = chance.choice(range(len(value)) if isinstance(value, list) else list(value))
    found: Any = value.copy()
    match chance.randrange(8):
        case 0:
            del found[at]
        case 1 if isinstance(value, list):
            found.insert(at, found[at])
        case 1:
            found[chance.choice(["", "id", "type", "trade_id", "x" * 100])] = found[at]
        case 2 if isinstance(value, list):
            found[:] = found[:1000] * 4
        case 3:
            found[at] = chance.choice(list(value.values()) if isinstance(value, dict) else value)
        case _:
            found[at] = _changed(found[at], chance)
    return found


def _odd(value: Any, chance: Random) -> Any:
    if isinstance(value, bytes):
        return _bytes(value, chance)
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.3:
        return value + chance.choice((-1, 1, -1000, 1000, -(10**9), 10**9))
    if isinstance(value, str) and value and chance.random() < 0.3:
        return _words(value.encode("utf-8", "surrogatepass"), chance).decode("utf-8", "replace")
    return chance.choice(ODD)


def _words(data: bytes, chance: Random) -> bytes:
    """One word or sign replaced, left out, or doubled."""
    words = list(_WORD.finditer(data[:20_000]))
    if not words:
        return data + chance.choice(ODD_WORDS)
    found = chance.choice(words)
    new = chance.choice((chance.choice(ODD_WORDS), b"", found[0] * 2, chance.choice(words)[0]))
    return data[: found.start()] + new + data[found.end() :]


def _bytes(data: bytes, chance: Random) -> bytes:
    """Some bytes changed, cut off, left out, put in, or there twice."""
    begin = chance.randrange(len(data) + 1)
    end = min(len(data), begin + chance.choice((1, 1, 2, 4, 8, 64)))
    match chance.randrange(6):
        case 0:
            return data[:begin]
        case 1:
            return data[:begin] + data[end:]
        case 2:
            return data[:end] + data[begin:]
        case 3:
            return data[:begin] + chance.randbytes(end - begin) + data[end:]
        case 4:
            return data[:begin] + chance.choice((b"\0", b"\xff", b"\x80", b"\x7f")) * (end - begin) + data[end:]
    return data[:begin] + chance.randbytes(chance.choice((1, 4, 56))) + data[begin:]
