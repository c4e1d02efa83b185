"""
A file that is written whole and put in its place at once: after any death there is the old one or the new one.

Layout: a header of 128 bytes (what it is, of which mode and product, how long its content is and its CRC-32), then the
content. One process writes a file; any may read it.
"""

import os
import struct
import time
import zlib
from pathlib import Path

from poeticoins import private
from poeticoins.errors import PoeticoinsError
from poeticoins.model import Product

_HEADER = struct.Struct("<20s44sQI52x")  # kind and version, mode and product, length, CRC-32


class BrokenSeal(PoeticoinsError):
    """A file is torn, or not the one that was expected; says which and why."""


def write(path: Path, kind: str, mode: str, product: Product, content: bytes) -> None:
    """
    Puts `content` at `path`. Raises OSError if that cannot be done; what was there is there still.

    kind: what the content is, with its version, such as "poeticoins bars 1"; at most 20 bytes. Waits for the disk, so
    call it in a thread.
    """
    private.directory(path.parent)
    with private.replacing(path) as descriptor, os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(_HEADER.pack(kind.encode(), _identity(mode, product), len(content), zlib.crc32(content)))
        file.write(content)
        file.flush()
        os.fsync(descriptor)  # or a power cut might leave the new name with no content


def read(path: Path, kind: str, mode: str, product: Product) -> bytes | None:
    """The content of such a file, None if there is none. Raises BrokenSeal."""
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(whole) < _HEADER.size:
        raise BrokenSeal(f"{path}: expected a header of {_HEADER.size} bytes, found {len(whole)}")
    found_kind, identity, length, check = _HEADER.unpack_from(whole)
    content = whole[_HEADER.size :]
    if found_kind != kind.encode().ljust(20, b"\0"):
        raise BrokenSeal(f"{path}: expected {kind!r}, found {_text(found_kind)}")
    if identity != _identity(mode, product):
        raise BrokenSeal(f"{path}: expected that of {mode} {product}, found that of {_text(identity)}")
    if (len(content), zlib.crc32(content)) != (length, check):
        raise BrokenSeal(f"{path}: expected {length} bytes as they were written, found {len(content)} or others")
    return content


def put_aside(path: Path) -> Path:
    """Renames a file that cannot be used to `*.quarantined-N`; nothing is ever deleted."""
    return path.rename(path.with_name(f"{path.name}.quarantined-{time.time_ns()}"))


def _identity(mode: str, product: Product) -> bytes:
    return f"{mode} {product}".encode().ljust(44, b"\0")


def _text(found: bytes) -> str:
    return ascii(found.rstrip(b"\0").decode("ascii", "replace"))
