"""
The log: one line a record to stderr, `12:30:01 coinbase    reconnecting host=… next_try_in=1.2`.

It begins with the time (of the local zone) and the child that it is about. What comes from outside is escaped and cut,
so that no exchange writes lines of its own into it. A line is at most 4096 bytes and written at once, so that lines of
several processes do not mix. It never blocks: what a full or closed stderr does not take is dropped. Nor does it fill
a disk: each level has so many lines a second, and the rest are counted.
"""

import functools
import logging
import os
import select
import sys
import time
import traceback
from dataclasses import dataclass, replace
from typing import TextIO

from poeticoins.errors import without_secrets

VALUE_LIMIT = 200
LONGEST_SECRET = 256
"""Characters behind a cut that are looked at, too: a password is known by the sign that ends it."""
LINE_LIMIT = 4096  # PIPE_BUF: a pipe takes so much in one piece or not at all
NAME_WIDTH = 11
LINES_A_SECOND = {logging.INFO: 50, logging.WARNING: 10, logging.ERROR: 10, logging.CRITICAL: 10}
"""Records of each level that are written in one second; the rest are counted. A large tree may start in one second."""
OURS = ("poeticoins", "dashboards")
"""The packages whose INFO is written."""


@dataclass(frozen=True)
class Allowance:
    """
    At most `per_second` lines in any second that begins with a line; a value, `take` returns the next one.

    in_flood: if given, at most so many in a second that follows one in which some were held back.
    """

    per_second: int = 10
    in_flood: int | None = None
    since: float = float("-inf")
    left: int = 0
    overrun: bool = False
    """Whether some were held back in this second."""
    held_back: int = 0
    """How many, as far as they were not mentioned yet."""

    def take(self, now: float) -> tuple["Allowance", bool, int]:
        """Whether a line may be written at `now`, and how many were held back and are to be mentioned first."""
        if now - self.since >= 1.0:
            flood = self.overrun and now - self.since < 2.0
            left = self.in_flood if flood and self.in_flood else self.per_second
            return replace(self, since=now, left=left - 1, overrun=False, held_back=0), True, self.held_back
        if self.left:
            return replace(self, left=self.left - 1), True, 0
        return self.hold_back(1), False, 0

    def hold_back(self, number: int) -> "Allowance":
        """After so many further lines that were not written."""
        return replace(self, overrun=True, held_back=self.held_back + number)

    def settle(self, now: float) -> tuple["Allowance", int]:
        """How many were held back in a second that is over: to be mentioned although nothing follows."""
        if self.held_back and now - self.since >= 1.0:
            return replace(self, held_back=0), self.held_back
        return self, 0


def escaped(value: object, limit: int = VALUE_LIMIT) -> str:
    """
    `value` as text that stays on its line: what is not printable is escaped as `repr` does, then cut at `limit`.

    Every text of the log, the status and the terminal goes through here, so here secrets are left out, too.
    """
    text = without_secrets(str(value)[: limit + LONGEST_SECRET])[: limit + 1]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def fact(key: str, value: object) -> str:
    """`key=value`; a value with blanks or quotes in it is quoted, so that a line can be taken apart again."""
    text = f"{value:.3g}" if isinstance(value, float) else escaped(value)
    return f"{key}={text!r}" if not text or any(c in text for c in " '\"=") else f"{key}={text}"


class LineFormatter(logging.Formatter):
    """A record as its lines; `name` is what they are about unless the record says otherwise."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def format(self, record: logging.LogRecord) -> str:
        """One line for the record, and one for each line of its traceback, each with the time and the name."""
        about = escaped(getattr(record, "about", None) or self.name, 40)
        start = f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {about:<{NAME_WIDTH}} "
        facts = getattr(record, "facts", {})
        lines = [" ".join([escaped(record.getMessage(), 1000), *(fact(k, v) for k, v in facts.items())])]
        if record.exc_info:
            trace = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            lines += ["| " + escaped(line) for line in trace.split("\n")]
        return "\n".join(start + line for line in lines)


class StderrHandler(logging.Handler):
    """Writes to stderr in whole lines, never blocks and never raises; each level has its Allowance of lines."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.formatter = LineFormatter(name)
        self._allowances: dict[int, Allowance] = {}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            allowance = self._allowances.get(record.levelno) or Allowance(LINES_A_SECOND.get(record.levelno, 10))
            self._allowances[record.levelno], allowed, more = allowance.take(time.monotonic())
            self._mention(more)
            if allowed:
                write(self.format(record))
        except Exception:  # noqa: S110  # a log that cannot be written must not end the work that it is about
            pass

    def settle(self) -> None:
        """Mentions what was held back, once its second is over."""
        for level, allowance in self._allowances.items():
            self._allowances[level], more = allowance.settle(time.monotonic())
            self._mention(more)

    def _mention(self, more: int) -> None:
        if more:
            write(self.format(logging.makeLogRecord({"msg": f"… and {more} more"})))


def write(text: str, stream: TextIO | None = None) -> None:
    """
    Writes the lines of `text` to `stream`, by default stderr, each in one piece, cut to 4096 bytes. Never blocks.

    What is not taken at once is dropped. Raises OSError or ValueError if the stream is closed.
    """
    file = _unblocking((stream or sys.stderr).fileno())
    for line in text.split("\n"):
        data = line.encode("utf-8", "backslashreplace")
        if len(data) >= LINE_LIMIT:
            data = data[: LINE_LIMIT - 4].decode("utf-8", "ignore").encode() + "…".encode()
        if not select.select([], [file], [], 0)[1]:
            return  # nobody reads: a log that blocks would look like a hung process
        os.write(file, data + b"\n")


@functools.cache
def _unblocking(file: int) -> int:
    """`file`; or if it is a terminal, an own way to it: a paused one has room for a byte, and a whole line waits."""
    if not os.isatty(file):
        return file
    try:
        return os.open(os.ttyname(file), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)  # the shell's own stays as it is
    except OSError:
        return file


def set_up(name: str) -> None:
    """
    Sends this process's records to stderr, in lines about `name`. Replaces what was set up before.

    Ours from INFO on, those of libraries from WARNING on: websockets alone has three lines to say of each connection.
    """
    logging.basicConfig(level=logging.WARNING, handlers=[StderrHandler(name)], force=True)
    for package in OURS:
        logging.getLogger(package).setLevel(logging.INFO)


def settle() -> None:
    """Mentions what was held back in a second that is over; to be called about once a second."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, StderrHandler):
            handler.settle()


def say(logger: logging.Logger, message: str, *, about: str | None = None, **facts: object) -> None:
    """An INFO line, one of at most fifty a second; `about`: whose line it is, if not this process's own."""
    logger.info("%s", message, extra={"facts": facts, "about": about})


def warn(logger: logging.Logger, message: str, *, about: str | None = None, **facts: object) -> None:
    """A WARNING line, one of at most ten a second; the rest are counted."""
    logger.warning("%s", message, extra={"facts": facts, "about": about})
