"""
The line's children with a hook: what a test orders is done inside of them, as a bug or a machine would do it.

An order is a file of the run directory, `NAME.order`, and a SIGUSR1: the process takes the file away and obeys. It also
looks for `NAME.elsewhere` when it starts: {"url": …, "environment": {…}}, another address of its exchange.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import poeticoins.archive
import poeticoins.client
import poeticoins.historical
from poeticoins.child import Child
from poeticoins.config import Settings
from tests.faults.lies import lied

_TIME, _TIME_NS, _GETADDRINFO = time.time, time.time_ns, socket.getaddrinfo
_held: list[bytes] = []


async def client(settings: Settings, child: Child, name: str) -> None:
    _obey(settings.run_dir / f"{name}.order")
    await poeticoins.client.run(_moved(settings, name), child, name)


async def historical(settings: Settings, child: Child) -> None:
    _obey(settings.run_dir / "historical.order")
    poeticoins.archive.AGAIN = 1.0
    poeticoins.historical.Historical = _Lying  # type: ignore[misc]
    await poeticoins.historical.run(settings, child)


class _Lying(poeticoins.historical.Historical):
    """Answers with the lie that it was ordered to tell; see lies.py."""

    lie = "nothing"

    def _answer(self, question: bytes) -> bytes:
        return lied(self.lie, question, super()._answer(question))


def _obey(file: Path) -> None:
    def take() -> None:
        word, *values = file.read_text().split()
        file.unlink()
        ORDERS[word](*values)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, take)


def _moved(settings: Settings, name: str) -> Settings:
    file = settings.run_dir / f"{name}.elsewhere"
    if not file.exists():
        return settings
    elsewhere = json.loads(file.read_text())
    os.environ.update(elsewhere["environment"])
    return replace(settings, embedded_url=elsewhere["url"])


def _block() -> None:
    time.sleep(60)


def _spin() -> None:
    while True:
        pass


def _fail() -> None:
    raise ZeroDivisionError("a bug in a callback")


def _grow(megabytes: str) -> None:
    _held.append(b"x" * (int(megabytes) * 1_000_000))


def _set_clock(seconds: str) -> None:
    """The wall clock of this process is so many seconds ahead of what it is."""
    ahead = int(seconds)
    time.time = lambda: _TIME() + ahead
    time.time_ns = lambda: _TIME_NS() + ahead * 1_000_000_000
    for name, module in list(sys.modules.items()):
        if name.startswith("poeticoins") and "time_ns" in vars(module):
            module.time_ns = time.time_ns  # type: ignore[attr-defined]


def _lose_resolver(*_: object, **__: object) -> Any:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _resolve(how: str) -> None:
    socket.getaddrinfo = _lose_resolver if how == "never" else _GETADDRINFO


def _begin_to_lie(*words: str) -> None:
    _Lying.lie = " ".join(words)


ORDERS: dict[str, Callable[..., None]] = {
    "block": _block,
    "spin": _spin,
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda code: os._exit(int(code)),
    "fail": _fail,
    "grow": _grow,
    "deafen": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "clock": _set_clock,
    "resolve": _resolve,
    "lie": _begin_to_lie,
}
