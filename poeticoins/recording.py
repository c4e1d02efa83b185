"""
Recordings: the frames that exchanges sent, kept as they came, to be replayed.

A file holds one JSON object a line: {"t": epoch seconds, "dir": "in" | "out", "url": ..., "raw": the text frame}, in
the order of their coming; one file may hold several connections, one after the other.
"""

import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from poeticoins.errors import BadFrame, ConfigurationError
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import Product, Subscribed, Trade

LINE_LIMIT = 1 << 20
"""Bytes of the longest line; no exchange sends frames as long."""
TOTAL_LIMIT = 256 << 20
"""Bytes of all recordings of one replay, which holds their frames in memory: some hundred hours of a busy product."""
LONGEST_PAUSE = 1.0
"""Seconds that remain of the time between two connections, be it minutes or months."""
SILENCE = 60.0
"""Seconds after which a silence must be the end of a connection: every exchange shows signs of life more often."""


class Frame(msgspec.Struct, frozen=True):
    """
    A frame that came in. at: seconds since the recording's first frame of the same exchange, pauses between two
    connections cut to LONGEST_PAUSE; never less than that of the frame before.
    """

    exchange: str
    at: float
    raw: str


class _Line(msgspec.Struct):
    t: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    dir: Literal["in", "out"]
    url: str
    raw: str


class _Clock:
    """Recorded seconds to replayed seconds, for one exchange."""

    def __init__(self) -> None:
        self.at = 0.0
        self._last: float | None = None
        self._connected = False  # frames have come in since the last one that went out

    def sent(self) -> None:
        self._connected = False

    def received(self, t: float) -> float:
        if self._last is not None:
            step = t - self._last
            same_connection = self._connected and -LONGEST_PAUSE <= step <= SILENCE
            # A step back within a connection is the recorder's clock being set; one between two is another recording.
            self.at += max(step, 0.0) if same_connection else LONGEST_PAUSE if step < 0 else min(step, LONGEST_PAUSE)
        self._last, self._connected = t, True
        return self.at


_decode = msgspec.json.Decoder(_Line).decode
_HOSTS = {host: exchange.NAME for exchange in EXCHANGES.values() for host in exchange.HOSTS}


def read_frames(paths: Iterable[Path], skipped: dict[str, int] | None = None) -> list[Frame]:
    """
    The frames that came in, in the order of the files and of their lines; a directory stands for its *.jsonl files.

    A link in a directory that leads out of it is refused, and what is no file, and more than TOTAL_LIMIT bytes.

    Left out: what was sent to the exchange; acks, since the embedded exchange makes its own; and exchanges that are not
    known, whose lines are counted in `skipped`, by host. Raises ConfigurationError, naming file and line.
    """
    clocks = {name: _Clock() for name in EXCHANGES}
    frames = []
    for file in _bounded(_files(paths)):
        for line, host in _lines(file):
            name = _HOSTS.get(host)
            if name is None:
                if skipped is not None:
                    skipped[host] = skipped.get(host, 0) + 1
            elif line.dir == "out":
                clocks[name].sent()
            else:
                frame = Frame(name, clocks[name].received(line.t), line.raw)
                if not _is_ack(frame):
                    frames.append(frame)
    return frames


def products_in(frames: Iterable[Frame]) -> dict[str, tuple[Product, ...]]:
    """The products whose trades the frames hold, by exchange, each sorted; an exchange without any is not there."""
    found: dict[str, set[Product]] = {}
    for frame in frames:
        for trade in trades_in(frame):
            found.setdefault(frame.exchange, set()).add(trade.product)
    return {name: tuple(sorted(products)) for name, products in sorted(found.items())}


def trades_in(frame: Frame) -> list[Trade]:
    """The trades that a frame means; none if it is one that its exchange's module refuses."""
    try:
        return [meaning for meaning in EXCHANGES[frame.exchange].parse(frame.raw) if isinstance(meaning, Trade)]
    except BadFrame:
        return []


def _is_ack(frame: Frame) -> bool:
    try:
        means = EXCHANGES[frame.exchange].parse(frame.raw)
    except BadFrame:
        return False  # kept: a replay shows the bad frames too
    return bool(means) and all(isinstance(meaning, Subscribed) for meaning in means)


def _bounded(files: Iterable[Path]) -> list[Path]:
    """The files, if all of them together are no more than can be held."""
    found = [*files]
    size = sum(map(_size, found))
    if size > TOTAL_LIMIT:
        raise ConfigurationError(
            f"{found[0]} …: expected recordings of at most {TOTAL_LIMIT >> 20} MiB in all, got {size >> 20} MiB;"
            " replay fewer of them"
        )
    return found


def _size(file: Path) -> int:
    try:
        found = file.stat()
    except OSError as error:
        raise _unreadable(file, error) from None
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for, a device has no end
        raise ConfigurationError(f"{file}: expected a recording, but it is no file")
    return found.st_size


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = sorted(path.glob("*.jsonl"))
        if not files:
            raise ConfigurationError(f"{path}: expected a directory with recordings (*.jsonl), found none in it")
        for file in files:
            if not file.resolve().is_relative_to(path.resolve()):  # whoever filled the directory does not choose for us
                raise ConfigurationError(f"{file}: expected a recording, but it is a link that leads out of {path}")
        yield from files


def _lines(file: Path) -> Iterator[tuple[_Line, str]]:
    """Each line with its URL's host, or with what there is in place of a URL."""
    try:
        with file.open("rb") as opened:
            number = 0
            while text := opened.readline(LINE_LIMIT + 1):
                number += 1
                if len(text) > LINE_LIMIT:
                    raise ConfigurationError(f"{file}:{number}: expected a line of at most 1 MiB, got a longer one")
                if text.strip():
                    yield _line(text, f"{file}:{number}")
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{file}: expected a recording, but it cannot be read: {error.strerror}")


def _line(text: bytes, where: str) -> tuple[_Line, str]:
    try:
        line = _decode(text)
        return line, urlsplit(line.url).hostname or line.url[:80]
    except (ValueError, RecursionError) as error:  # msgspec's errors, those of encodings and of URLs are ValueErrors
        shown = json.dumps(text[:60].decode("utf-8", "replace"))
        raise ConfigurationError(
            f'{where}: expected {{"t": seconds, "dir": "in" or "out", "url": ..., "raw": ...}}, got {shown}: {error}'
        ) from None
