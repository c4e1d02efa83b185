"""What can be asked of a line under fault, and the three claims that a test makes of it in the end."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

import poeticoins
from poeticoins.config import Settings
from poeticoins.model import Product, Trade
from tests.faults.witness import Ear, Reader, disorder, truth
from tests.trees import Tree, until

PATIENCE = 30.0


class Watched:
    """tree: the processes. seed, pace: the market's. reader, ears: the witnesses, an ear for each exchange, by name."""

    tree: Tree
    settings: Settings
    products: list[Product]
    seed: int
    pace: int
    reader: Reader | None
    ears: dict[str, Ear]
    _before: dict[str, int]

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

    def goes_on(self, *products: Product, trades: int = 3) -> None:
        """Waits for some more trades of these products, or of all."""
        assert self.reader
        reader = self.reader
        wanted = {product: len(reader.trades(product)) + trades for product in products or self.products}
        until(lambda: all(len(reader.trades(product)) >= count for product, count in wanted.items()), PATIENCE)

    def heard(self, product: Product) -> list[Trade]:
        """All of a product that has been delivered so far."""
        assert self.reader
        return self.reader.trades(product)

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
        return truth(self.seed, self.pace, product, first, until_ns) - {trade.trade_id for trade in got}

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
