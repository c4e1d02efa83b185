"""
The line under crowds: pages opened and closed, connections and bytes at every socket, while its trades go on unbroken.

    python -m tests.faults.crowds [PAGES CONNECTS]        # make crowds PAGES=… CONNECTS=…

Prints what each crowd has come to and how the memory of each process has grown. Fails if a process ends, a feed breaks,
or anything is delivered that was not traded. The tests do the same in small.
"""

import asyncio
import sys
import time

from benchmarks.viewers import Viewer
from tests.faults.harm import CHILDREN, rss, unharmed
from tests.faults.hostile import connect_only, send_bytes
from tests.faults.world import World, world

SOCKETS = ("coinbase", "coinbase-replay", "bitstamp", "bitstamp-replay", "historical", "control")
AT_ONCE = 200
"""Pages that are open at a time."""


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


def crowded(line: World, url: str, most: int, connects: int) -> None:
    """All crowds, one after the other. most: pages in all; connects: at each socket."""
    names = (*CHILDREN, "dashboard")
    before = {name: rss(line.pid(name)) for name in names}
    with unharmed(line, *CHILDREN):
        for done in range(0, most, AT_ONCE):
            asyncio.run(pages(url, min(AT_ONCE, most - done)))
    told(f"{most} pages, {AT_ONCE} at once", line, before)
    for name in SOCKETS:
        with unharmed(line, *CHILDREN):
            made = connect_only(line.settings.socket(name), connects, within=120)
            taken = send_bytes(line.settings.socket(name), times=connects // 10, seed=1)
        told(f"{name}: {made} connects, {taken} times bytes", line, before)
    assert line.restarts("dashboard") == 0


def told(what: str, line: World, before: dict[str, float]) -> None:
    grown = ", ".join(f"{name} {rss(line.pid(name)) - size:+.1f} MB" for name, size in before.items())
    print(f"{time.strftime('%H:%M:%S')} {what}; since the start: {grown}", flush=True)


def main(most: int, connects: int) -> None:
    with world(children=["dashboard=dashboards.server:run"], PORT="0") as line:
        crowded(line, line.status()["url"], most, connects)
        time.sleep(40)  # a page that left without a word is let go of after thirty
        told("40 s later", line, dict.fromkeys((*CHILDREN, "dashboard"), 0.0))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3] or (1000, 10_000)))
