"""
The embedded exchange as a process of its own, so that it can be stopped and killed under the line; and its holder.

    python tests/faults/exchange.py PORT SEED PACE      # port 0: any free one; prints the address once it serves
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from poeticoins.simulator.server import EmbeddedExchange

ROOT = Path(__file__).parents[2]


class Exchange:
    """The embedded exchange's process; it comes back at the address that it had."""

    def __init__(self, seed: int, pace: int) -> None:
        self._arguments = [str(seed), str(pace)]
        self._port = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, __file__, str(self._port), *self._arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        self._port = int(self.url.rpartition(":")[2])

    def suffer(self, exchange: str, fault: str, **fields: Any) -> None:
        """Has it misbehave: see simulator/faults.py."""
        with connect(f"{self.url}/control", proxy=None) as control:
            control.send(json.dumps({"exchange": exchange, "fault": fault, **fields}))
            assert json.loads(control.recv()) == {"ok": True}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


async def main(port: int, seed: int, pace: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))  # Python sets SO_REUSEADDR: it may come back at once
    async with EmbeddedExchange(listener, seed=seed, pace=pace) as exchange:
        print(exchange.url, flush=True)
        await exchange.serve_until(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
