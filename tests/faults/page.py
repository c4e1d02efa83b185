"""The page's server as a process of its own, on the feeds of the environment's run directory."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

from dashboards import health, server
from poeticoins import config


def serve(ready: Callable[[str], object], stalled_s: float) -> None:
    """`ready` is told the address. After `stalled_s` without a trade an exchange is called stalled."""
    health.STALLED_S = stalled_s
    child = SimpleNamespace(stopping=asyncio.Event(), facts=dict)
    child.ready = lambda: ready(child.facts()["url"])
    asyncio.run(server.run(replace(config.load(), port=0), child))
