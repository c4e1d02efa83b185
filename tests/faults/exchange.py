"""
The embedded exchange as a process of its own, so that it can be stopped and killed under the line.

    python tests/faults/exchange.py PORT SEED PACE      # port 0: any free one; prints the address once it serves
"""

import asyncio
import socket
import sys

from poeticoins.simulator.server import EmbeddedExchange


async def main(port: int, seed: int, pace: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))  # Python sets SO_REUSEADDR: it may come back at once
    async with EmbeddedExchange(listener, seed=seed, pace=pace) as exchange:
        print(exchange.url, flush=True)
        await exchange.serve_until(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
