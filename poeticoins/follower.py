"""
Keeps one exchange's feed connected, for ever: the next try after every trouble, and a new connection before an old one
goes. What to do is decided by `troubles` and `restarts`; here it is done.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable
from random import random
from urllib.parse import urlsplit

from poeticoins.budget import BudgetFile
from poeticoins.connection import Address, Connection
from poeticoins.feed import Feed
from poeticoins.liveness import Patience
from poeticoins.log import say, warn
from poeticoins.restarts import ConnectionBackoff
from poeticoins.troubles import Trouble, trouble_of

log = logging.getLogger(__name__)
POSTPONED = 60.0
"""Seconds until a connection that could not be replaced wants to be again."""


class Follower:
    """backoff: its beginning, with what is left of the budget. budget_file: where that is kept."""

    def __init__(
        self, feed: Feed, address: Address, patience: Patience, backoff: ConnectionBackoff, budget_file: BudgetFile
    ) -> None:
        self.host = urlsplit(address.url).hostname or ""
        self._feed, self._address, self._patience = feed, address, patience
        self._backoff, self._budget_file = backoff, budget_file
        self._next_try: float | None = None
        self._connections: list[Connection] = []

    @property
    def next_try_in(self) -> float | None:
        """Seconds until the next connect; None while connected."""
        return None if self._next_try is None else max(0.0, self._next_try - time.monotonic())

    async def run(self) -> None:
        """Connects, and connects again. Ends only by being cancelled, or by a bug."""
        await self._wait(self._delay())
        connection = self._begin()
        try:
            while True:
                await _first_of(connection.ending, connection.leaving.wait())
                if connection.ending.done():
                    await self._wait(self._after(connection))
                    connection = self._begin()
                else:
                    connection = await self._succeed(connection)
        finally:
            await asyncio.gather(*(connection.close() for connection in self._connections))

    def _begin(self, predecessor: Connection | None = None) -> Connection:
        self._budget_file.save(self._backoff.budget)
        age = self._patience.renew_after * (0.9 + 0.1 * random())
        awaited = frozenset(predecessor.link.acked) if predecessor and predecessor.link else frozenset()
        begun = Connection(self._feed, self._address, self._patience, age=age, awaited=awaited)
        self._connections = [*(one for one in self._connections if not one.ending.done()), begun]
        return begun

    def _after(self, connection: Connection) -> float:
        """Takes leave of a connection that has ended; the seconds until the next one is to be tried."""
        trouble = trouble_of(connection.ending.result())  # raises what was a bug
        had = "connection lost" if connection.link else "cannot connect"
        self._feed.lost(connection.link, _told(trouble))
        good = connection.link.good_for if connection.link else 0.0
        self._backoff = self._backoff.after_good(good, wanted=trouble.wanted)
        delay = self._delay(trouble)
        more = {"alert": trouble.alert} if trouble.alert else {}
        tell = say if trouble.wanted else warn
        tell(log, had, host=self.host, why=trouble.words, **more, next_try_in=f"{delay:.1f}s")
        return delay

    async def _succeed(self, old: Connection) -> Connection:
        """
        Make before break: the one to go on with, once a new connection has confirmed all that the old one had.

        That is the new one, also if the old one ends meanwhile; or the old one, if no new one can be had.
        """
        why = trouble_of(old.why_leaving)
        say(log, "moving to a new connection", host=self.host, why=why.words)
        before = self._backoff
        self._backoff = before.after_good(old.link.good_for if old.link else 0.0, wanted=True)
        await _first_of(old.ending, asyncio.sleep(self._delay(why)))
        if old.ending.done():
            self._backoff = before
            return old
        new = self._begin(old)
        await _first_of(old.ending, new.ending, new.ready.wait())
        if new.ending.done() and not old.ending.done():
            trouble = trouble_of(new.ending.result())
            self._feed.lost(new.link, trouble.words)
            warn(log, "could not move to a new connection", host=self.host, why=trouble.words)
            old.stay(POSTPONED)
            return old
        if old.ending.done():
            why = trouble_of(old.ending.result())
        await old.close()
        self._feed.lost(old.link, _told(why))
        return new

    def _delay(self, trouble: Trouble | None = None) -> float:
        """The seconds until the next attempt, which is counted from now on."""
        least, most = (trouble.least_wait, trouble.most_wait) if trouble else (0.0, 0.0)
        delay, self._backoff = self._backoff.next_attempt(time.monotonic(), random(), least, most)
        return delay

    async def _wait(self, seconds: float) -> None:
        self._next_try = time.monotonic() + seconds
        await asyncio.sleep(seconds)
        self._next_try = None


def _told(trouble: Trouble) -> str:
    return f"{trouble.words}; {trouble.alert}" if trouble.alert else trouble.words


async def _first_of(*waited: Awaitable[object]) -> None:
    """Until the first of these is over; coroutines are cancelled then, tasks go on."""
    tasks = [asyncio.ensure_future(one) for one in waited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, one in zip(tasks, waited, strict=True):
            if task is not one:
                task.cancel()
