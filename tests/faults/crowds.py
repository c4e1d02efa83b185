"""
The line under crowds: pages opened and closed, connections and bytes at every socket, while its trades go on unbroken.

    python -m tests.faults.crowds [PAGES CONNECTS]        # make crowds PAGES=… CONNECTS=…

Prints what each crowd has come to, how long it took, and how the memory of each process has grown. Fails if a process
ends, a feed breaks, a connection is not taken, or anything is delivered that was not traded. The tests do the same in
small.
"""

import asyncio
import sys
import time
from urllib.parse import urlsplit

from benchmarks.viewers import Viewer
from poeticoins.config import Settings
from tests.faults.harm import CHILDREN, rss, unharmed
from tests.faults.hostile import Where, connect_only, send_bytes
from tests.faults.world import World, world

SOCKETS = ("coinbase", "coinbase-replay", "bitstamp", "bitstamp-replay", "historical", "control")
AT_ONCE = 200
"""Pages that are open at a time."""
LEFT_FOR_S = 30
"""Seconds after which the server lets go of a page that left without a word."""


async def pages(url: str, count: int) -> None:
    """So many pages at once, until each of them has had some frames; half of them end without a word."""
    viewers = [Viewer(url) for _ in range(count)]
    await asyncio.gather(*(viewer.open() for viewer in viewers))
    async with asyncio.timeout(30 + count):
        while min(viewer.frames for viewer in viewers) < 3:
            await asyncio.sleep(0.05)
    for viewer in viewers[::2]:
        viewer._transport.abort()
    await asyncio.gather(*(viewer.close() for viewer in viewers[1::2]))


def crowded(line: World, most: int, connects: int) -> None:
    """All crowds, one after the other. most: pages in all; connects: at each socket."""
    url = line.status()["url"]
    told = Told(line)
    with unharmed(line, *CHILDREN):
        for done in range(0, most, AT_ONCE):
            asyncio.run(pages(url, min(AT_ONCE, most - done)))
            told.of(f"{min(done + AT_ONCE, most)} pages, {AT_ONCE} at once")
    for name, where in sockets(line).items():
        with unharmed(line, *CHILDREN):
            made = connect_only(where, connects, within=300)
            taken = send_bytes(where, times=connects // 10, seed=1)
        told.of(f"{name}: {made} connects, {taken} times bytes")
        assert made == connects, f"{name} took {made} of {connects} connections"
    assert line.restarts("dashboard") == 0
    time.sleep(LEFT_FOR_S + 10)
    told.of(f"{LEFT_FOR_S + 10} s later")


def sockets(line: World) -> dict[str, Where]:
    """Every socket of the line and its exchange, by name: the page's and the exchange's are ports."""
    ports = {"page": line.status()["url"], "exchange": line.exchange.url}
    found: dict[str, Where] = {name: line.settings.socket(name) for name in SOCKETS}
    return found | {name: ("127.0.0.1", urlsplit(url).port or 0) for name, url in ports.items()}


class Told:
    """Prints how it stands, and how each process has grown since the beginning."""

    def __init__(self, line: World) -> None:
        self._line, self._last = line, time.monotonic()
        self._before = self._now()

    def of(self, what: str) -> None:
        """After `what`, which ends now."""
        grown = ", ".join(f"{name} {size - self._before[name]:+.1f}" for name, size in self._now().items())
        print(f"{what}; {time.monotonic() - self._last:.0f} s; MB since the start: {grown}", flush=True)
        self._last = time.monotonic()

    def _now(self) -> dict[str, float]:
        status = self._line.status()
        pids = {"supervisor": status["pid"], **{child["name"]: child["pid"] for child in status["children"]}}
        return {name: rss(pid) for name, pid in pids.items()}


def main(most: int, connects: int) -> None:
    usual = Settings()  # the other tests' limits are lower: a thousand pages are to be taken with a user's
    limits = {"RSS_LIMIT": str(usual.rss_limit), "HANG_AFTER": str(usual.hang_after)}
    with world(children=["dashboard=dashboards.server:run"], PORT="0", **limits) as line:
        crowded(line, most, connects)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3] or (1000, 10_000)))
