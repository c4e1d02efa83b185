"""
The whole line under fault: a real exchange process, a real tree of processes, and the witnesses of what it delivers.

A test hurts something and then calls `whole()`: all that the market traded has been delivered, once and in order, and
every gap that was found has been refilled.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from websockets.sync.client import connect

import poeticoins
from poeticoins.config import Settings
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import Product
from tests.faults.witness import Ear, Reader, disorder, truth
from tests.trees import ROOT, Tree, tree, until

HERE = Path(__file__).parent
SEED = 7
PRODUCTS = [Product(name, *pair) for name in ("coinbase", "bitstamp") for pair in (("BTC", "USD"), ("ETH", "EUR"))]
BTC = PRODUCTS[0]
QUICK = {
    "HANG_AFTER": "2.5",
    "STABLE_AFTER": "0.3",
    "HOLD": "2",
    "GOOD_AFTER": "0.2",
    "AUDIT": "3",
    "OPEN_TIMEOUT": "3",
    "ACK_WITHIN": "2",
}
"""Timers of the line, shorter than a user's, over those of tests/trees.py."""
PATIENCE = 30.0


class Exchange:
    """The embedded exchange's process; it comes back at the address that it had."""

    def __init__(self, seed: int, pace: int) -> None:
        self._arguments = [str(seed), str(pace)]
        self._port = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(HERE / "exchange.py"), str(self._port), *self._arguments]
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


class World:
    """See the module. `tree`: the processes. `others`: the ear of each exchange, by name."""

    def __init__(self, made: Tree, seed: int, pace: int, products: list[Product]) -> None:
        self.tree, self.products, self._seed, self._pace = made, products, seed, pace
        file = made.settings.run_dir / "test.toml"
        file.write_text(_settings(products))
        made.environment |= {f"POETICOINS_{name}": value for name, value in QUICK.items()}
        made.environment["SETTINGS_FILE"] = str(file)
        self.settings: Settings = replace(made.settings, mode="demo")
        self.exchange = Exchange(seed, pace)
        self.reader: Reader | None = None
        self.ears: dict[str, Ear] = {}
        self._before: dict[str, int] = {}

    # -- its life

    def start(self) -> int:
        """Starts a supervisor and waits until all is live; returns its pid."""
        started = self.tree.launch(str(HERE / "line.py"), self.exchange.url)
        until(self.all_live, PATIENCE)
        if self.reader is None:
            self.reader = Reader(self.settings, self.products)
            self.goes_on()
        return started.pid

    def begin(self) -> None:
        """A new test begins: from here on its faults are counted, and breaks are told."""
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

    # -- what can be asked

    def status(self) -> dict[str, Any]:
        return self.tree.status()

    def feed(self, exchange: str) -> dict[str, Any]:
        return next(feed for feed in self.status()["feeds"] if feed["exchange"] == exchange)

    def reconnects(self, exchange: str) -> int:
        """How often the exchange's client has lost a connection since the test began."""
        return int(self.feed(exchange)["reconnects"]) - self._before[exchange]

    def restarts(self, name: str) -> int:
        """How often a child has been started again since the test began."""
        return int(self.tree.child(name)["restarts"]) - self._before[f"restarts of {name}"]

    def reconnected(self, exchange: str) -> None:
        """Waits until a connection that was lost is there again."""
        self.seen(exchange, lambda feed: feed["reconnects"] > self._before[exchange] and feed["state"] == "live")

    def pid(self, name: str) -> int:
        return self.tree.ready(name, within=PATIENCE)

    def all_live(self) -> bool:
        with contextlib.suppress(poeticoins.PoeticoinsError):
            status = self.status()
            ready = all(child["state"] == "ready" for child in status["children"])
            return ready and all(feed["state"] == "live" for feed in status["feeds"])
        return False

    def seen(self, exchange: str, claim: Callable[[dict[str, Any]], Any], within: float = PATIENCE) -> Any:
        """Waits until `claim` holds of an exchange's feed in the status; its answer."""
        return until(lambda: claim(self.feed(exchange)), within)

    # -- what can be done to it

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal to a child; returns its pid."""
        pid = self.pid(name)
        os.kill(pid, how)
        return pid

    def kill_all(self) -> None:
        """Kills the supervisor, and with it everyone."""
        os.kill(self.status()["pid"], signal.SIGKILL)
        self.tree.started[-1].wait(5)
        until(lambda: not self.tree.processes(), within=1)

    def replaced(self, name: str, pid: int, within: float = PATIENCE) -> int:
        return self.tree.ready(name, other_than=pid, within=within)

    def goes_on(self, *products: Product, trades: int = 3) -> None:
        """Waits for some more trades of these products, or of all."""
        assert self.reader
        reader = self.reader
        wanted = {product: len(reader.trades(product)) + trades for product in products or self.products}
        until(lambda: all(len(reader.trades(product)) >= count for product, count in wanted.items()), PATIENCE)

    # -- the three claims

    def unbroken(self, *exchanges: str) -> None:
        """The feeds of exchanges that nothing was done to have not been broken, not even on a bare socket."""
        for name in exchanges:
            ear = self.ears[name]
            before = ear.heard
            until(lambda ear=ear, before=before: ear.listen() or ear.heard > before, PATIENCE)
            assert ear.breaks == []

    def whole(self, *, refilled: bool = True) -> None:
        """All that was traded up to now has been delivered, once and in order; no gap is open, unless told so."""
        assert self.reader
        until_ns = time.time_ns()
        for product in self.products:
            with contextlib.suppress(AssertionError):  # what follows says better what it is that is missing
                until(lambda product=product: not self.missing(product, until_ns), PATIENCE)
            missing = sorted(self.missing(product, until_ns))
            assert missing == [], f"{product}: {missing[:10]}, open gaps {self.open_gaps(product)}"
        for product in self.products:
            assert disorder(self.reader.trades(product)) == []
            if refilled:
                until(lambda product=product: self.open_gaps(product) == [], PATIENCE)
        assert self.reader.failure is None

    def missing(self, product: Product, until_ns: int) -> set[int]:
        """The ids that were traded since the reader's first trade and have not been delivered."""
        assert self.reader
        got = self.reader.trades(product)
        first = next(trade for trade in got if not trade.late)
        return truth(self._seed, self._pace, product, first, until_ns) - {trade.trade_id for trade in got}

    def open_gaps(self, product: Product) -> list[str]:
        with _run_dir(self.settings):
            gaps = poeticoins.get_gaps(product)
        return gaps[gaps["refilled_at"].isna()]["reason"].tolist()

    def candles(self, product: Product, interval: str = "1s") -> pd.DataFrame:
        with _run_dir(self.settings):
            return poeticoins.get_candles(product, interval, limit=10_000)

    def has_candles(self, product: Product, closed: pd.DataFrame) -> None:
        """The candles `closed`, asked for before a fault, are there still; sums may differ in their last bit."""
        pd.testing.assert_frame_equal(self.candles(product).loc[closed.index], closed, rtol=1e-12)


@contextlib.contextmanager
def _run_dir(settings: Settings) -> Iterator[None]:
    """The context finds its supervisor by the environment."""
    before = os.environ.get("POETICOINS_RUN_DIR")
    os.environ["POETICOINS_RUN_DIR"] = str(settings.run_dir)
    try:
        yield
    finally:
        if before is None:
            del os.environ["POETICOINS_RUN_DIR"]
        else:
            os.environ["POETICOINS_RUN_DIR"] = before


def _settings(products: list[Product]) -> str:
    """A file of settings that has these products followed."""
    pairs = {name: [product.pair for product in products if product.exchange == name] for name in EXCHANGES}
    return "\n".join(f"[exchanges.{name}]\nproducts = {json.dumps(found)}" for name, found in pairs.items())


@contextlib.contextmanager
def world(
    *, seed: int = SEED, pace: int = 3, products: Sequence[Product] = PRODUCTS, running: bool = True, **settings: str
) -> Iterator[World]:
    """A World; `settings` as environment variables without their prefix. Nothing of it is left behind."""
    with tree() as made:
        it = World(made, seed, pace, list(products))
        made.environment |= {f"POETICOINS_{name}": value for name, value in settings.items()}
        try:
            if running:
                it.start()
                it.begin()
            yield it
        finally:
            it.close()


class Kept:
    """A line that several tests use one after the other: to make one takes some seconds."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._line: World | None = None

    def one(self) -> World:
        """The line that there is if it is healthy, else a new one."""
        if self._line is None or not self._line.is_healthy():
            self.drop()
            self._line = self._stack.enter_context(world())
        self._line.begin()
        return self._line

    def drop(self) -> None:
        """Ends it."""
        self._stack.close()
        self._line = None
