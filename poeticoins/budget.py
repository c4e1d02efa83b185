"""
The connect budget on disk, so that a client that crashes again and again does not connect as often: one small file.

Written before each connect, whole under another name first; it survives `kill -9`. A power cut may lose it: then, as
after a reboot, the budget is full.
"""

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from poeticoins import private
from poeticoins.log import warn
from poeticoins.restarts import Budget

log = logging.getLogger(__name__)


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    tokens: Annotated[float, msgspec.Meta(ge=0)]
    at: float


class BudgetFile:
    """The file at `path`; times are of the monotonic clock, which all processes share until the next boot."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, full: Budget, now: float) -> Budget:
        """What the process before us had left; `full` if there was none, or nothing that can be read."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return full
        except (OSError, ValueError) as error:
            warn(log, "the connect budget cannot be read and counts as full", file=self._path, why=error)
            return full
        if kept.at > now:
            return full  # of another boot: the clock has begun anew
        return replace(full, tokens=min(kept.tokens, full.burst), at=kept.at)

    def save(self, budget: Budget) -> None:
        """To be called before each connect; what cannot be written is logged, and nothing else."""
        try:
            with private.replacing(self._path) as descriptor:
                os.write(descriptor, msgspec.json.encode(_Kept(budget.tokens, budget.at)))
        except OSError as error:
            warn(log, "the connect budget cannot be written", file=self._path, why=error.strerror)
