"""
What a child writes to its stdout and stderr, as lines of the log: cut from bytes, escaped, bounded and limited.

Most of it comes from the child's own log and has the log's form already. The rest (a print, a library's warning, the
stacks of a hung child) gets the time and the child's name in front, and a bar: `12:30:01 coinbase    | Segmentation …`.
"""

import re
from collections import deque

from poeticoins.log import LINE_LIMIT, NAME_WIDTH, Allowance, escaped

KEPT = 8
"""Lines that are kept for `last_words`."""
LINES_A_SECOND, LINES_IN_A_FLOOD = 200, 2
"""Enough for some tracebacks at once; but what never ends gets two lines a second, some 20 MB a day."""


class Words:
    """
    The lines of one pipe from the child `name`.

    kept: the last ones, without time and name; with `keep_first`, the first ones: stacks begin with what matters.
    """

    def __init__(self, name: str, *, keep_first: bool = False) -> None:
        self._name = f"{name:<{NAME_WIDTH}} "
        self._own = re.compile(rf"\d\d:\d\d:\d\d {re.escape(self._name)}")
        self._keep_first = keep_first
        self._rest = b""
        self._allowance = Allowance(LINES_A_SECOND, in_flood=LINES_IN_A_FLOOD)
        self.kept: deque[str] = deque(maxlen=KEPT)

    @property
    def flooding(self) -> bool:
        """Whether more came within this second than is written."""
        return self._allowance.held_back > 0

    def take(self, data: bytes, now: float, stamp: str) -> list[str]:
        """The lines to write when `data` has come; now: seconds of a monotonic clock; stamp: the time to show."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:LINE_LIMIT]
        return self._limited([line for line in lines if line.strip()], now, stamp)

    def finish(self, now: float, stamp: str) -> list[str]:
        """The lines to write when nothing more will come: an unfinished one, and how many were held back."""
        lines = self.take(b"\n", now, stamp)
        return lines + self._mention(self._allowance.held_back, stamp)

    def settle(self, now: float, stamp: str) -> list[str]:
        """The line that mentions what was held back in a second that is over."""
        self._allowance, more = self._allowance.settle(now)
        return self._mention(more, stamp)

    def _limited(self, lines: list[bytes], now: float, stamp: str) -> list[str]:
        found: list[str] = []
        for i, line in enumerate(lines):
            self._allowance, allowed, more = self._allowance.take(now)
            found += self._mention(more, stamp)
            if not allowed:  # nor are those after it, which may be thousands
                self._allowance = self._allowance.hold_back(len(lines) - i - 1)
                break
            found.append(self._shown(line, stamp))
        self._keep(lines)
        return found

    def _shown(self, line: bytes, stamp: str) -> str:
        text = _text(line)
        return text if self._own.match(text) else f"{stamp} {self._name}| {text}"

    def _keep(self, lines: list[bytes]) -> None:
        room = KEPT - len(self.kept) if self._keep_first else KEPT
        for line in lines[:room] if self._keep_first else lines[-room:]:
            self.kept.append(escaped(self._own.sub("", _text(line), count=1)))

    def _mention(self, more: int, stamp: str) -> list[str]:
        return [f"{stamp} {self._name}… and {more} more lines"] if more else []


def _text(line: bytes) -> str:
    return escaped(line[:LINE_LIMIT].decode("utf-8", "backslashreplace").rstrip(), LINE_LIMIT)
