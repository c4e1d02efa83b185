"""
What viewers cost the server: pages without a browser, on a market of 12 products and 2,000 trades a second.

`python benchmarks/bench_dashboard.py [VIEWERS …]` prints, for each number of viewers, first with the cards alone and
then with a product open on every page: server CPU, CPU per session and frame, the lag of frames, bytes, and the CPU of
opening a page; and at the end what happens to those who watch while two hundred pages are opened at once. CPU is the
server process's own, from /proc, and holds on a busy machine too; lags and waits hold on a quiet one only.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from viewers import Viewer, percentile

ROOT = Path(__file__).parents[1]
TRADES = 2_000
SECONDS = 10
WATCHING, AT_ONCE = 50, 200
FRAME_S = 0.1
TICK = os.sysconf("SC_CLK_TCK")
PRODUCTS = [f"{where}:{pair}" for where in ("coinbase", "bitstamp") for pair in ("BTC-USD", "ETH-EUR", "LTC-USD")]


class Server:
    """watched_server.py, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("watched_server.py")), str(TRADES)]
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
def served() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.kill()


async def share(server: Server, seconds: float) -> float:
    """The server's CPU over the next `seconds`, as a share of one core."""
    before, began = server.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    return (server.cpu() - before) / (time.monotonic() - began)


async def following(server: Server, count: int, focus: Callable[[int], str | None]) -> str:
    base = await share(server, 3)
    before, began = server.cpu(), time.monotonic()
    viewers = [Viewer(server.url, focus(number)) for number in range(count)]
    for viewer in viewers:
        await viewer.open()
    # Of the CPU meanwhile, about half of the viewers were being followed: their frames are no part of an opening.
    elapsed = time.monotonic() - began
    used_meanwhile = server.cpu() - before - base * elapsed
    await asyncio.sleep(2)
    for viewer in viewers:
        viewer.forget()
    used = await share(server, SECONDS)
    frames = sum(viewer.frames for viewer in viewers)
    opening = (used_meanwhile - (used - base) * elapsed / 2) / count
    lags = [lag * 1000 for viewer in viewers for lag in viewer.lags]
    volume = sum(viewer.bytes for viewer in viewers) / count / SECONDS / 1024
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    return (
        f"{used:.1%} of a core ({base:.1%} without viewers), {(used - base) * SECONDS / frames * 1e6:.0f} µs a session "
        f"and frame; {frames / count / SECONDS:.1f} frames/s, {volume:.1f} KiB/s a viewer; lag p50/p99 "
        f"{percentile(lags, 0.5):.0f}/{percentile(lags, 0.99):.0f} ms; a page opened for {opening * 1000:.0f} ms CPU"
    )


async def opening_at_once(server: Server, focus: Callable[[int], str | None]) -> str:
    """Two hundred pages opened in the same moment, while fifty watch."""
    watching = [Viewer(server.url) for _ in range(WATCHING)]
    for viewer in watching:
        await viewer.open()
    await asyncio.sleep(2)
    for viewer in watching:
        viewer.forget()
    server.longest_block()
    before, crowd = server.cpu(), [Viewer(server.url, focus(number)) for number in range(AT_ONCE)]
    await asyncio.gather(*(viewer.open() for viewer in crowd))
    used = server.cpu() - before
    delay = max(viewer.longest_wait for viewer in watching) - FRAME_S
    wall, cpu = server.longest_block()
    waits = [viewer.opened_in for viewer in crowd]
    await asyncio.gather(*(viewer.close() for viewer in [*watching, *crowd]))
    return (
        f"opened after p50/max {percentile(waits, 0.5):.1f}/{max(waits):.1f} s, {used:.1f} s CPU in all; worst delay "
        f"of a frame of the {WATCHING} who watch {delay * 1000:.0f} ms; the loop was held for at most "
        f"{wall * 1000:.0f} ms, {cpu * 1000:.0f} ms of it CPU"
    )


def opened(number: int) -> str:
    return PRODUCTS[number % len(PRODUCTS)]


def main() -> None:
    for count in [int(text) for text in sys.argv[1:]] or [50, 200]:
        for name, focus in (("cards", lambda _: None), ("with chart and tape", opened)):
            with served() as server:
                print(f"{count} viewers, {name}: {asyncio.run(following(server, count, focus))}", flush=True)
    for name, focus in (("cards", lambda _: None), ("with chart and tape", opened)):
        with served() as server:
            print(f"{AT_ONCE} opened at once, {name}: {asyncio.run(opening_at_once(server, focus))}", flush=True)


if __name__ == "__main__":
    main()
