"""A report's rows: those that the command line names, or all, each printed as soon as it is known."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol


class Row(Protocol):
    """A claim with its figures; as text, a line under the report's heading."""

    @property
    def passed(self) -> bool: ...


def printed(heading: str, rows: Mapping[str, Callable[[], Iterable[Row]]]) -> int:
    """The exit status: 1 if any row was missed."""
    print(heading, flush=True)
    missed = 0
    for name in sys.argv[1:] or [*rows]:
        for row in rows[name]():
            missed += not row.passed
            print(row, flush=True)
    return 1 if missed else 0
