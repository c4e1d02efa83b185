"""
What viewers cost the server and what they see, beside the targets: `make bench-dashboard`, or
`python benchmarks/bench_dashboard.py [ROW …]`.

Most rows are of pages without a browser (viewers.py), on a market of 60 products and 2,000 trades a second: each page
shows 12 cards out of 20 different selections, with its own product open, chart and tape. CPU is the server process's
own, from /proc, the market that it makes up and its feed included. What Chromium sees of trades begins in another
process, which publishes them on the bus. Lags and waits hold on a quiet machine only: the driver, the browser and that
process share it with the server. All rows take some eight minutes.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from screens import Screen, chromium
from viewers import Viewer, percentile
from watched_server import PRODUCTS

from benchmarks.report import printed

ROOT = Path(__file__).parents[1]
TRADES = 2_000
SECONDS = 15
SETTLED = 5.0
WATCHING, AT_ONCE = 50, 200
VIEWS = 40
THOUSAND, TOGETHER = 1_000, 8
FRAME_S = 0.1
TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
KEYS = list(map(str, PRODUCTS))
SELECTIONS = [random.Random(number).sample(KEYS, 12) for number in range(20)]
"""The first product of each is the one that is open."""


class Row(NamedTuple):
    """What was found of one claim, in `unit`, and the target that it must not exceed."""

    claim: str
    figure: float
    target: float
    unit: str

    @property
    def passed(self) -> bool:
        return self.figure <= self.target

    def __str__(self) -> str:
        verdict = "pass" if self.passed else "MISS"
        return f"{self.claim:<76}{self.figure:9.2f}   <= {self.target:g} {self.unit}  {verdict}"


class Server:
    """watched_server.py, in a process of its own."""

    def __init__(self, trades: float, *run_dir: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("watched_server.py")), str(trades), *run_dir]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
        )
        self.url = self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss(self) -> float:
        """MB that it holds."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * PAGE / 1e6

    def longest_block(self) -> tuple[float, float]:
        """Of its loop since it was asked last, in seconds: (wall, CPU)."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        wall, cpu = self._answer().split()
        return float(wall), float(cpu)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def served(trades: float = TRADES) -> Iterator[Server]:
    server = Server(trades)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def served_by_bus(trades: float = TRADES) -> Iterator[Server]:
    """The same, on a market that is published on the bus by another process."""
    with tempfile.TemporaryDirectory(prefix="pc-") as run_dir:
        server = Server(trades, run_dir)
        try:
            yield server
        finally:
            server.kill()


@asynccontextmanager
async def opened(server: Server, count: int, *, focus: bool = True) -> AsyncIterator[list[Viewer]]:
    """`count` pages, opened a few at a time; closed at the end."""
    shown = [SELECTIONS[number % len(SELECTIONS)] for number in range(count)]
    viewers = [Viewer(server.url, keys[0] if focus else None, keys) for keys in shown]
    turns = asyncio.Semaphore(TOGETHER)

    async def in_turn(viewer: Viewer) -> None:
        async with turns:
            await viewer.open()

    await asyncio.gather(*map(in_turn, viewers))
    yield viewers
    await asyncio.gather(*(viewer.close() for viewer in viewers))


async def share(server: Server, seconds: float) -> float:
    """The server's CPU over the next `seconds`, as a share of one core."""
    before, began = server.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    return (server.cpu() - before) / (time.monotonic() - began)


# -- rows


async def crowd(server: Server, count: int, most: float) -> list[Row]:
    await asyncio.sleep(SETTLED)
    base = await share(server, SETTLED)
    async with opened(server, count) as viewers:
        await asyncio.sleep(SETTLED)
        for viewer in viewers:
            viewer.forget()
        used = await share(server, SECONDS)
        cuts = {cut for viewer in viewers for cut in viewer.lags}
        lags = [lag * 1000 for viewer in viewers for lag in viewer.lags.values()]
        last = [max(viewer.lags.get(cut, 0) for viewer in viewers) * 1000 for cut in cuts]
        volume = sum(viewer.bytes for viewer in viewers) / count / SECONDS / 1024
        frames = sum(viewer.frames for viewer in viewers) / count / SECONDS
    print(f"  {base:.1%} of a core without pages; {frames:.1f} frames/s; lag p50 {percentile(lags, 0.5):.0f} ms")
    return [
        Row(f"server CPU, {count} sessions", used * 100, most, "% of a core"),
        Row(f"frame lag, cut -> read, {count} sessions, p99", percentile(lags, 0.99), 80, "ms"),
        Row(f"frame lag, cut -> read by the last of {count} sessions, p99", percentile(last, 0.99), 80, "ms"),
        Row(f"volume a viewer, {count} sessions", volume, 12, "KiB/s"),
    ]


def crowds() -> Iterator[Row]:
    for count, most in ((200, 15), (THOUSAND, 50)):
        with served() as server:
            yield from asyncio.run(crowd(server, count, most))


async def view(server: Server, *, focus: bool) -> float:
    """CPU of a page view, in ms, on a quiet market: from the first request until all is there that is drawn."""
    async with opened(server, TOGETHER, focus=focus):  # what is made once, is made
        await asyncio.sleep(SETTLED)
    base = await share(server, SETTLED)
    before, began = server.cpu(), time.monotonic()
    async with opened(server, VIEWS, focus=focus):
        return (server.cpu() - before - base * (time.monotonic() - began)) / VIEWS * 1000


def views() -> Iterator[Row]:
    with served(1) as server:
        cards = asyncio.run(view(server, focus=False))
    with served(1) as server:
        chart = asyncio.run(view(server, focus=True))
    yield Row("a page view, CPU, with 12 cards", cards, 90, "ms")
    yield Row("the chart, when first shown, more", chart - cards, 80, "ms")


async def thousand(server: Server) -> float:
    """RSS in MB once a thousand pages more were opened, a hundred at a time, and closed."""
    for _ in range(THOUSAND // 100):
        async with opened(server, 100):
            pass
    await asyncio.sleep(25)  # the server looks for sessions without a page every 17 s
    return server.rss()


def memory() -> Iterator[Row]:
    with served(10) as server:
        first, second = asyncio.run(thousand(server)), asyncio.run(thousand(server))
    print(f"  {first:.0f} MB after the first thousand")
    yield Row("a second thousand sessions opened and closed, RSS kept", second - first, 20, "MB")


async def opening_at_once(server: Server) -> list[Row]:
    """Two hundred pages opened in the same moment, while fifty watch."""
    async with opened(server, WATCHING) as watching:
        await asyncio.sleep(SETTLED)
        for viewer in watching:
            viewer.forget()
        server.longest_block()
        chosen = [SELECTIONS[number % len(SELECTIONS)] for number in range(AT_ONCE)]
        crowd = [Viewer(server.url, keys[0], keys) for keys in chosen]
        await asyncio.gather(*(viewer.open() for viewer in crowd))
        delay = max(viewer.longest_wait for viewer in watching) - FRAME_S
        wall, cpu = server.longest_block()
        waits = [viewer.opened_in for viewer in crowd]
        await asyncio.gather(*(viewer.close() for viewer in crowd))
    print(
        f"  opened after p50/max {percentile(waits, 0.5):.1f}/{max(waits):.1f} s; longest delay of a frame for others "
        f"{delay * 1000:.0f} ms; the loop was held for at most {wall * 1000:.0f} ms, {cpu * 1000:.0f} ms of it CPU"
    )
    return []


def at_once() -> Iterator[Row]:
    with served() as server:
        yield from asyncio.run(opening_at_once(server))


def browser() -> Iterator[Row]:
    keys = SELECTIONS[0]
    query = f"?products={','.join(keys)}&focus={keys[0]}"
    with chromium() as engine:
        if engine is None:
            print("  no Chromium is here: make browser")
            return
        with served() as server:
            time.sleep(SETTLED)
            screens = []
            for _ in range(9):  # one after the other: each open page has its share of the processor
                screens.append(Screen(engine, server.url))
                screens[-1].close()
            del screens[0]  # the first one warms the server
            waits, moved = [screen.first_price for screen in screens], [screen.live for screen in screens]
            print(f"  first price p50 {percentile(waits, 0.5):.2f} s, then at most "
                  f"{max(screen.age for screen in screens):.1f} s old; moved by the live stream after "
                  f"p50/max {percentile(moved, 0.5):.2f}/{max(moved):.2f} s")  # fmt: skip
            yield Row("first price on screen after navigation, worst of 8", max(waits), 1, "s")
        with served_by_bus() as server:
            time.sleep(SETTLED)
            screen = Screen(engine, server.url, query)
            ages, busy = screen.follow(20)
            yield from followed(ages, f"{TRADES:,}/s")
            yield Row("main thread of the page, no GPU", busy * 100, 40, "%")
            yield Row("requests to any other host", sum(len(s.foreign) for s in [*screens, screen]), 0, "requests")
        with served_by_bus(len(KEYS) / len(keys)) as server:  # one a second of those that are shown
            yield from followed(Screen(engine, server.url, query).follow(60)[0], "1/s")


def followed(ages: Sequence[float], rate: str) -> list[Row]:
    return [
        Row(f"published on the bus -> text changed in Chromium, {rate}, p{share * 100:g} of {len(ages)}",
            percentile(ages, share), most, "ms")
        for share, most in ((0.5, 40), (0.99, 120))
    ]  # fmt: skip


ROWS = {"crowds": crowds, "views": views, "memory": memory, "at-once": at_once, "browser": browser}


if __name__ == "__main__":
    sys.exit(printed(f"{'claim':<76}{'figure':>9}   target", ROWS))
