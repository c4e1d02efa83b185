"""
The page's server as a process of its own, on the feeds of the environment's run directory; prints its address.

    python tests/faults/page.py [STALLED_S]     # after so many seconds without a trade an exchange is called stalled
"""

import asyncio
import sys
from dataclasses import replace
from types import SimpleNamespace

from dashboards import health, server
from poeticoins import config


async def main() -> None:
    child = SimpleNamespace(stopping=asyncio.Event(), facts=dict)
    child.ready = lambda: print(child.facts()["url"], flush=True)
    await server.run(replace(config.load(), port=0), child)


if __name__ == "__main__":
    health.STALLED_S = float(sys.argv[1]) if sys.argv[1:] else health.STALLED_S
    asyncio.run(main())
