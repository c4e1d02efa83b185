"""The page's server as a process of its own, on the feeds of the environment's run directory; prints its address."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

from dashboards import server
from poeticoins import config


async def main() -> None:
    child = SimpleNamespace(stopping=asyncio.Event(), facts=dict)
    child.ready = lambda: print(child.facts()["url"], flush=True)
    await server.run(replace(config.load(), port=0), child)


if __name__ == "__main__":
    asyncio.run(main())
