"""How often something is done, at most: at once if it was not done for a while, else as soon as that has passed."""

import asyncio
from collections.abc import Callable


class Pace:
    """Calls `go` at most every `interval` seconds, and only after a `due()`, while `run()` runs."""

    def __init__(self, interval: float, go: Callable[[], None]) -> None:
        self._interval, self._go = interval, go
        self._due = asyncio.Event()

    def due(self) -> None:
        """Something changed."""
        self._due.set()

    async def run(self) -> None:
        """Until cancelled, or until `go` raises: what is told by it would stand still without a word otherwise."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._due.wait()
            self._due.clear()
            went = clock()
            self._go()
            await asyncio.sleep(went + self._interval - clock())
