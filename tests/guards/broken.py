"""How a guard is broken."""

from typing import NamedTuple


class Break(NamedTuple):
    """
    In `file`, `text`, which is there once, becomes `instead`, and `test` must go red: a name, at need with its file
    before it and the parameters of one case behind it.

    guard: of docs/guards.md what somebody could do; of docs/faults.md "row N".
    """

    guard: str
    file: str
    text: str
    instead: str
    test: str
