"""What may be done to the line without harm: nobody ends or grows of it, and nothing false is delivered."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from tests.faults.world import PRODUCTS, World

CHILDREN = ("historical", "coinbase", "bitstamp")
FALSE = Decimal("666.6")
"""The price of the trades that tests/faults/hostile.py forges."""


def rss(pid: int) -> float:
    """Resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def unharmed(line: World, *children: str) -> Iterator[None]:
    """Whatever is done meanwhile: no process ends or grows by 20 MB, no feed is broken, nothing false is delivered."""
    supervisor = line.status()["pid"]
    before = {pid: rss(pid) for pid in (supervisor, *map(line.pid, children))}
    yield
    line.goes_on()

    assert {name: line.restarts(name) for name in children} == dict.fromkeys(children, 0)
    assert line.status()["pid"] == supervisor
    assert max(rss(pid) - size for pid, size in before.items()) < 20
    assert not any(trade.price == FALSE for product in PRODUCTS for trade in line.heard(product))
    line.unbroken("coinbase", "bitstamp")
    line.whole()
