"""
What a viewer costs the server: N pages without a browser, opened over raw WebSockets, on a market of 12 products.

`python benchmarks/bench_dashboard.py [VIEWERS …]` prints, for each number of viewers: server CPU of opening a page, CPU
of following (with and without viewers), CPU per session and frame, frames and bytes a second for each viewer.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).parents[1]
MARKET = ROOT / "tests" / "dashboards" / "market.py"
TRADES = 2_000
SECONDS = 10
TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Seconds of CPU that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Viewer:
    """One page: what it has received, in frames and in bytes, and the age of each frame in ms."""

    def __init__(self) -> None:
        self.frames, self.bytes, self.unseen, self.lags = 0, 0, 0, []

    async def open(self, url: str) -> None:
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
        token = re.search(r'"token":"([^"]+)"', page)[1]
        address = url.replace("http", "ws") + "ws"
        self.socket = await connect(address, subprotocols=["bokeh", token], max_size=None, origin=url.rstrip("/"))
        await self._message()
        await self._send("PULL-DOC-REQ", {})
        document = await self._message()
        roots = json.loads(document)["doc"]["roots"]
        self.model = next(root["id"] for root in roots if root["attributes"].get("class_name") == "Cards")
        await self._event("document_ready", [])
        await self._say({"hello": 1})
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            text = await self._message()
            if '\\"kind\\":\\"frame\\"' not in text:
                continue
            self.frames += 1
            self.unseen += 1
            self.lags.append(time.time() * 1000 - int(re.search(r'\\"now\\":(\d+)', text)[1]))
            if self.unseen == 50:
                self.unseen = 0
                await self._say({"seen": 50})

    async def _message(self) -> str:
        """The content of the next message, which travels as header, metadata and content."""
        parts = [await self.socket.recv() for _ in range(3)]
        self.bytes += sum(map(len, parts))
        return parts[2]

    async def _send(self, kind: str, content: object) -> None:
        for part in ({"msgid": "0", "msgtype": kind}, {}, content):
            await self.socket.send(json.dumps(part))

    async def _event(self, name: str, entries: list) -> None:
        event = {"type": "event", "name": name, "values": {"type": "map", "entries": entries}}
        sent = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}
        await self._send("PATCH-DOC", {"events": [sent]})

    async def _say(self, words: dict[str, int]) -> None:
        data = {"type": "map", "entries": [list(pair) for pair in words.items()]}
        await self._event("data_event", [["model", {"id": self.model}], ["data", data]])

    socket: ClientConnection


async def measure(url: str, pid: int, count: int) -> str:
    idle = cpu(pid), time.monotonic()
    await asyncio.sleep(3)
    base = (cpu(pid) - idle[0]) / (time.monotonic() - idle[1])
    before, began = cpu(pid), time.monotonic()
    viewers = [Viewer() for _ in range(count)]
    for viewer in viewers:
        await viewer.open(url)
    opened = (cpu(pid) - before - base * (time.monotonic() - began)) / count
    await asyncio.sleep(2)
    for viewer in viewers:
        viewer.frames, viewer.bytes, viewer.lags = 0, 0, []
    before, began = cpu(pid), time.monotonic()
    await asyncio.sleep(SECONDS)
    elapsed = time.monotonic() - began
    used = (cpu(pid) - before) / elapsed
    frames = sum(viewer.frames for viewer in viewers)
    lags = sorted(lag for viewer in viewers for lag in viewer.lags)
    volume = sum(viewer.bytes for viewer in viewers) / count / elapsed / 1024
    for viewer in viewers:
        viewer.reading.cancel()
        await viewer.socket.close()
    each = (used - base) * elapsed / frames * 1e6
    return (
        f"{count:5} viewers: open {opened * 1000:.0f} ms CPU; {used:.1%} of a core ({base:.1%} without viewers), "
        f"{each:.0f} µs a session and frame; {frames / count / elapsed:.1f} frames/s, {volume:.1f} KiB/s a viewer; "
        f"lag p50/p99 {lags[len(lags) // 2]:.0f}/{lags[len(lags) * 99 // 100]:.0f} ms"
    )


def main() -> None:
    counts = [int(text) for text in sys.argv[1:]] or [1, 20, 50]
    for count in counts:
        command = [sys.executable, str(MARKET), "0", "demo", str(TRADES)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        server = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        try:
            print(asyncio.run(measure(server.stdout.readline().strip(), server.pid, count)), flush=True)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
