"""A server of the test's own that serves in a thread, since the test itself waits for the line."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

Served = TypeVar("Served")


@contextmanager
def in_a_thread(server: AbstractAsyncContextManager[Served]) -> Iterator[Served]:
    """`server`, entered and left on an event loop of its own."""
    entered: Future[tuple[Served, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        leaving = asyncio.Event()
        async with server as served:
            entered.set_result((served, asyncio.get_running_loop(), leaving))
            await leaving.wait()

    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(asyncio.run, serve())
        served, loop, leaving = entered.result(20)
        try:
            yield served
        finally:
            loop.call_soon_threadsafe(leaving.set)
            serving.result(20)
