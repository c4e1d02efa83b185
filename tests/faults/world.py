"""
The whole line under fault: a real exchange process, a real tree of processes, and the witnesses of what it delivers.

A test hurts something and then calls `whole()`: all that the market traded has been delivered, once and in order, and
every gap that was found has been refilled.
"""

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from poeticoins.config import Settings
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import Product
from tests.faults.exchange import Exchange
from tests.faults.watched import PATIENCE, Watched
from tests.faults.witness import Ear, Reader
from tests.trees import Tree, tree, until

HERE = Path(__file__).parent
SEED = 7
PRODUCTS = [Product(name, *pair) for name in ("coinbase", "bitstamp") for pair in (("BTC", "USD"), ("ETH", "EUR"))]
BTC = PRODUCTS[0]
QUICK = {
    "HANG_AFTER": "2.5",
    "STABLE_AFTER": "0.3",
    "HOLD": "2",
    "GOOD_AFTER": "0.2",
    "AUDIT": "1.5",
    "BEHIND_AFTER": "1",
    "OPEN_TIMEOUT": "4",
    "ACK_WITHIN": "3",
    "STOP_TIMEOUT": "3",
    "SILENT_AFTER": "5",
    "PING_INTERVAL": "2",
    "RSS_LIMIT": "400",
}
"""Timers of the line, shorter than a user's, over those of tests/trees.py."""


@dataclass(frozen=True)
class Market:
    """What the embedded exchange trades (see simulator/market.py), and the products of it that the line follows."""

    seed: int = SEED
    pace: int = 20
    products: Sequence[Product] = tuple(PRODUCTS)


class World(Watched):
    """See the module. tree: the processes. ears: of each exchange, by name. children: further ones, as of line.py."""

    def __init__(self, made: Tree, market: Market, children: Sequence[str]) -> None:
        self.tree, self.products, self._children = made, list(market.products), children
        self.seed, self.pace = market.seed, market.pace
        file = made.settings.run_dir / "test.toml"
        file.write_text(settings_text(self.products))
        made.environment |= {f"POETICOINS_{name}": value for name, value in QUICK.items()}
        made.environment["SETTINGS_FILE"] = str(file)
        self.settings: Settings = replace(made.settings, mode="demo")
        self.exchange = Exchange(market.seed, market.pace)
        self.reader: Reader | None = None
        self.ears: dict[str, Ear] = {}
        self._before: dict[str, int] = {}

    # -- its life

    def launch(self, **more: Any) -> int:
        """Starts a supervisor; returns its pid. more: for Popen."""
        return self.tree.launch(str(HERE / "line.py"), self.exchange.url, *self._children, **more).pid

    def start(self, **more: Any) -> int:
        """Starts a supervisor and waits until all is live; returns its pid."""
        pid = self.launch(**more)
        until(self.all_live, 2 * PATIENCE)
        if self.reader is None:
            self.reader = Reader(self.settings, self.products)
            self.goes_on()
        return pid

    def begin(self) -> None:
        """A new test begins: from here on its faults are counted, and breaks are told."""
        # stable: what was restarted just now would, after another death, be so only with a pause
        until(lambda: all(child["uptime"] > 1 for child in self.status()["children"]), PATIENCE)
        status = self.status()
        self._before = {feed["exchange"]: feed["reconnects"] for feed in status["feeds"]}
        self._before |= {f"restarts of {child['name']}": child["restarts"] for child in status["children"]}
        for ear in self.ears.values():
            ear.close()
        self.ears = {name: Ear(self.settings, name) for name in ("coinbase", "bitstamp")}

    def is_healthy(self) -> bool:
        """Whether another test may begin on it."""
        return self.exchange.process.poll() is None and self.all_live() and not (self.reader and self.reader.failure)

    def close(self) -> None:
        if self.reader:
            self.reader.close()
        for ear in self.ears.values():
            ear.close()
        self.exchange.kill()

    # -- what can be done to it

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal to a child; returns its pid."""
        pid = self.pid(name)
        os.kill(pid, how)
        return pid

    def order(self, name: str, words: str) -> int:
        """Has a child do something to itself, see hooked.py; its pid. Returns when it has begun to obey."""
        pid, file = self.pid(name), self.settings.run_dir / f"{name}.order"
        half = file.with_suffix(".half")
        half.write_text(words)
        half.rename(file)
        os.kill(pid, signal.SIGUSR1)
        until(lambda: not file.exists(), PATIENCE)
        return pid

    def restart(self, name: str) -> int:
        """Asks for a child to be restarted, as a person does, and waits for the next one; its pid."""
        before = self.pid(name)
        self.tree.restart(name)
        return self.replaced(name, before)

    @contextlib.contextmanager
    def elsewhere(self, exchange: str, url: str, **environment: str) -> Iterator[None]:
        """Meanwhile, the exchange's client looks for it at `url`; at the end it is live again where it was before."""
        file = self.settings.run_dir / f"{exchange}.elsewhere"
        file.write_text(json.dumps({"url": url, "environment": environment}))
        self.restart(exchange)
        try:
            yield
        finally:
            file.unlink()
            self.restart(exchange)
        self.seen(exchange, lambda feed: feed["state"] == "live")

    def kill_all(self) -> None:
        """Kills the supervisor, and with it everyone."""
        os.kill(self.status()["pid"], signal.SIGKILL)
        self.tree.started[-1].wait(5)
        until(lambda: not self.tree.processes(), within=1)

    def replaced(self, name: str, pid: int, within: float = PATIENCE) -> int:
        return self.tree.ready(name, other_than=pid, within=within)


def other(exchange: str) -> str:
    """The one of the two to which nothing was done."""
    return "bitstamp" if exchange == "coinbase" else "coinbase"


def settings_text(products: list[Product]) -> str:
    """A file of settings that has these products followed."""
    pairs = {name: [product.pair for product in products if product.exchange == name] for name in EXCHANGES}
    return "\n".join(f"[exchanges.{name}]\nproducts = {json.dumps(found)}" for name, found in pairs.items())


@contextlib.contextmanager
def world(
    market: Market | None = None, *, children: Sequence[str] = (), running: bool = True, **settings: str
) -> Iterator[World]:
    """A World; `settings` as environment variables without their prefix. Nothing of it is left behind."""
    with tree() as made:
        it = World(made, market or Market(), children)
        made.environment |= {f"POETICOINS_{name}": value for name, value in settings.items()}
        try:
            if running:
                it.start()
                it.begin()
            yield it
        finally:
            it.close()


class Kept:
    """A line that several tests use one after the other: to make one takes some seconds. Arguments: see `world`."""

    def __init__(self, *market: Market, **more: Any) -> None:
        self._market, self._more = market, more
        self._stack = contextlib.ExitStack()
        self._line: World | None = None

    def one(self) -> World:
        """The line that there is if it is healthy, else a new one."""
        if self._line is None or not self._line.is_healthy():
            self.drop()
            self._line = self._stack.enter_context(world(*self._market, **self._more))
        self._line.begin()
        return self._line

    def drop(self) -> None:
        """Ends it."""
        self._stack.close()
        self._line = None
