"""
The line in virtual time: the real client, the real historical and real readers over a simulated exchange, network and
machine; hurt as a plan says, then left alone until all is settled, then judged.
"""

import asyncio
import logging
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from poeticoins import client, historical, journal
from poeticoins.client import Client
from poeticoins.config import Settings
from poeticoins.errors import PoeticoinsError
from poeticoins.historical import Historical
from poeticoins.keeping import Keeper
from poeticoins.model import AnyItem, Gap, Item, Trade
from tests.makers import BTC, LTC
from tests.simulation import judge, network
from tests.simulation.clock import Clock, Stuck, VirtualLoop
from tests.simulation.exchange import Exchange
from tests.simulation.hurting import Faults, Reader
from tests.simulation.kept import Place
from tests.simulation.machine import in_place
from tests.simulation.network import Network
from tests.simulation.plan import Fault, Plan
from tests.simulation.process import Process, owner, task_factory

SHM = Path("/dev/shm")
LONGEST_QUIET = 1200.0
"""Seconds in which all must be settled once nothing is hurt any more."""
QUICK = {
    "beat_interval": 0.5, "hold": 1.0, "refill_again": 0.5, "behind_after": 1.0, "good_after": 2.0, "silent_after": 6.0,
    "ack_within": 1.0, "open_timeout": 2.0, "ping_interval": 1.0, "ring_capacity": 4000, "bars_1s": 2000,
    "bars_1m": 100, "bars_1h": 50, "bars_1d": 10, "proxy": "none", "mode": "live", "stable_after": 2.0,
    "hang_after": 1.5, "stop_timeout": 2.0, "start_timeout": 2.0,
}  # fmt: skip
"""Timers shorter than a user's, windows smaller."""


@dataclass
class Outcome:
    """
    What became of a plan. struck: the faults that happened, and when, in seconds. wrong: the broken promises.
    judged: how much of what has been looked at.
    """

    plan: Plan
    struck: list[tuple[float, Fault]]
    wrong: list[str]
    judged: Counter[str]
    seconds: float


class World:
    """One plan's. `run()` once."""

    def __init__(self, plan: Plan, run_dir: Path) -> None:
        self.plan = plan
        self.loop = VirtualLoop(owner)
        self.clock = Clock(self.loop)
        self.product = BTC if plan.contiguous else LTC
        name = self.product.exchange
        chosen: dict[str, Any] = {
            "exchanges": (name,), "products": {name: (self.product,)}, "urls": {name: "ws://exchange"},
            "audit": plan.audit,
        }  # fmt: skip
        self.settings = Settings(run_dir=run_dir, journal_capacity=plan.journal_capacity, **chosen | QUICK)
        self.faults = Faults(self)
        self.wrong: list[str] = []
        self.published: dict[tuple[int, int], Item] = {}
        self.readers: list[Reader] = []
        self.client: Client | None = None
        self.historical: Historical | None = None
        self.places = {
            "historical": Place(self, "historical", lambda child: historical.run(self.settings, child)),
            "client": Place(self, "client", lambda child: client.run(self.settings, child, name)),
        }
        self._healing = False
        self._traded = count()

    def run(self) -> Outcome:
        self.loop.set_task_factory(task_factory)
        self.loop.set_exception_handler(self._excepted)
        with in_place(self):
            try:
                self.loop.run_until_complete(self._live())
            except Stuck as error:
                self.wrong.append(str(error))
            finally:
                self._end()
        seconds = self.loop.now - 1000.0
        return Outcome(self.plan, self.faults.struck, self.wrong, self._judged(), seconds)

    # -- the story

    async def _live(self) -> None:
        network.NETWORK.set(Network(self.loop, self.faults.strikes))
        self.loop.outside = copy_context()
        self.exchange = Exchange(self.product, self.plan.contiguous, self.clock, self.faults.strikes)
        for _ in range(5):
            self.exchange.trade()
        for fault in self.plan.faults:
            self.loop.call_at(1000.0 + fault.at, self.faults.arm, fault)
        self.keeper = Keeper(self.settings, self.places)
        for place in self.places.values():
            self.keeper.spawn(place)
        self.readers.append(Reader(self, "reader 1", 0))
        self._trade_on()
        self._beat_on()
        await asyncio.sleep(self.plan.seconds)
        await self._heal()
        self.wrong += judge.judged(self)

    async def _heal(self) -> None:
        """Nothing is hurt any more, and in the end all is settled."""
        self._healing = True
        self.healed_at_ns = self.clock.true_ns()
        self.faults.end()
        for place in self.places.values():
            place.running.fuse = None
        for subscriber in network.NETWORK.get().subscribers:
            subscriber.dropping = 0
        if self.plan.reconnects:
            self.exchange.cut()
        healed_at = self.loop.now
        least = 5.0 if self.plan.contiguous else 3.5 * self.plan.audit
        while self.loop.now < healed_at + least or not self._settled():
            if self.loop.now > healed_at + LONGEST_QUIET:
                self.wrong.append(f"not settled {LONGEST_QUIET:g} s after the last fault: {judge.unsettled(self)}")
                return
            await asyncio.sleep(0.5)

    def _settled(self) -> bool:
        return judge.unsettled(self) is None

    def _trade_on(self) -> None:
        if self._healing and self.plan.quiet:
            return
        self.exchange.trade()
        number = next(self._traded)
        mean = 1.5 if self._healing else 1 / self.plan.per_second
        chance = (number * 2654435761 ^ self.plan.seed * 40503) % 1000 / 1000
        pause = mean * 0.05 if chance < 0.3 else mean * (0.5 + chance)
        self.loop.call_later(pause, self._trade_on)

    def _beat_on(self) -> None:
        self.exchange.beat()
        self.loop.call_later(1.0, self._beat_on)

    def _end(self) -> None:
        self.keeper.closing = True
        for process in [place.running for place in self.places.values()] + [one.process for one in self.readers]:
            process.kill()
        with suppress(Stuck):
            self.loop.run_until_complete(asyncio.sleep(0.1))
        self.loop.close()

    def _judged(self) -> Counter[str]:
        items = [item for reader in self.readers for item in reader.items]
        published = self.published.values()
        return Counter(
            {
                "trades": len(self.exchange.trades),
                "deliveries": sum(isinstance(item, Trade) for item in items),
                "gaps disclosed": sum(isinstance(item, Gap) for item in published),
                "trades flagged late": sum(isinstance(item, Trade) and item.late for item in published),
            }
        )

    # -- what it is told

    def died(self, process: Process) -> None:
        """Nothing of it runs any more."""
        if process.failure is not None and not isinstance(process.failure, PoeticoinsError):
            self.wrong.append(f"{process.name} was ended by a bug: {process.failure!r}")

    def _excepted(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and "handle" in context:
            self.wrong.append(f"a callback failed: {error!r}")

    def note(self, item: AnyItem) -> None:
        self.published[item.epoch, item.sequence] = item

    def opened(self, opened: journal.Journal) -> None:
        if opened.quarantined and not self.faults.journal_hurt:
            self.wrong.append(f"a journal was put aside that nobody had hurt: {opened.quarantined}")


def run(plan: Plan) -> Outcome:
    """One world, in a directory of its own that is gone afterwards."""
    logging.disable(logging.CRITICAL)
    run_dir = Path(tempfile.mkdtemp(prefix="pc-", dir=SHM if SHM.is_dir() else None))
    try:
        return World(plan, run_dir).run()
    finally:
        logging.disable(logging.NOTSET)
        shutil.rmtree(run_dir)
