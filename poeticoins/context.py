"""
The context: the only door for dashboards, notebooks and scripts, whatever runs behind it.

Questions are plain calls that answer from memory within milliseconds; streams are `async for`. Products are given as
Product or as text, `"coinbase:BTC-USD"`. All need a running supervisor and raise FeedUnavailable, which says how to
start one, where there is none; UnknownProduct names the nearest products that are followed.
"""

import asyncio
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from poeticoins import config, control, dataframes, messages, wire
from poeticoins.errors import RequestTimeout
from poeticoins.messages import WIRE_VERSION
from poeticoins.model import SECOND, Gap, Product, Trade
from poeticoins.questions import ask_historical
from poeticoins.reports import Status, status_of
from poeticoins.ring import RECORD_DTYPE, Records
from poeticoins.stream import TradeStream

log = logging.getLogger(__name__)
AnyProduct = Product | str
_INTERVAL = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
LONGEST_CANDLE = 366 * 86_400  # seconds
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_entered: list[config.Settings] = []  # the innermost last


def settings() -> config.Settings:
    """What the questions are asked with: the settings of an asking() or demo() that is entered, else as config.load."""
    return _entered[-1] if _entered else config.load()


@contextmanager
def asking(settings: config.Settings) -> Iterator[None]:
    """
    Inside the `with` block, every question and stream of this process is asked with `settings`, in whatever thread.

    For a process that has read its settings once: they hold although their file is written anew, or only half so far.
    """
    _entered.append(settings)
    try:
        yield
    finally:
        _entered[:] = [entered for entered in _entered if entered is not settings]


def available_products() -> list[Product]:
    """The products that are followed, in the order of the settings."""
    answer = ask_historical(settings(), messages.ProductsQuestion(), messages.ProductsAnswer)
    return [Product.parse(name) for name in answer.products]


def get_last_trade(product: AnyProduct) -> Trade | None:
    """The newest trade by (traded_at, trade_id); None if there is none yet."""
    trades = get_last_trades([product])
    return trades[0] if trades else None


def get_last_trades(products: Iterable[AnyProduct]) -> list[Trade]:
    """The newest trade of each product that has one, in the order asked for."""
    question = messages.LastTradesQuestion(products=[str(product) for product in _several(products)])
    answer = ask_historical(settings(), question, messages.LastTradesAnswer)
    return [wire.trade_of(message, Product.parse(name)) for name, message in answer.trades]


def get_trades(product: AnyProduct, *, limit: int = 1000, since: datetime | None = None) -> pd.DataFrame:
    """
    The newest `limit` trades of `product`, oldest first: one row a trade, indexed by `traded_at` (UTC, ns).

    Columns: price (quote per base) and size (base), both float64: here the exchange's exact decimals end; side ("buy" |
    "sell", the taker's), trade_id, received_at (our clock, UTC), origin ("live" | "snapshot" | "backfill"), late.
    Only those traded at or after `since`, an aware time. Empty if there are none yet. At most as many as are kept, by
    default the last 50,000. Raises ValueError for a limit below 1 or a naive `since`.
    """
    _checked_limit(limit)
    since_ns = 0 if since is None else _nanoseconds(since)
    pages: list[Records] = []
    before: tuple[int, int] | None = None
    while limit > 0:
        question = messages.TradesQuestion(WIRE_VERSION, str(product), limit, since_ns, before)
        answer = ask_historical(settings(), question, messages.TradesAnswer)
        page: Records = np.frombuffer(answer.records, RECORD_DTYPE)
        pages.insert(0, page)
        limit -= len(page)
        if not (answer.more and len(page)):
            break
        before = int(page["traded_at_ns"][0]), int(page["trade_id"][0])
    return dataframes.of_trades(np.concatenate(pages))


def get_candles(product: AnyProduct, interval: str | timedelta, *, limit: int = 500) -> pd.DataFrame:
    """
    The newest `limit` candles of `product`, oldest first, indexed by `started_at`: the left edge of each, in UTC.

    Columns: open high low close (quote per base), volume (base), vwap (quote per base), trades (their number), origin:
    "trades", which were all heard; "exchange", the exchange's own candle, from before our first trade or where some are
    missing, with vwap NaN and trades 0; "mixed", of both, with vwap NaN and the number of ours.
    Spans without a trade have no row; the newest candle may still be growing. A late trade corrects its candle.
    interval: "1s" "5s" "15s" "1m" "5m" "15m" "1h" "4h" "1d" or any other number of these units, or a timedelta of whole
    seconds; exchanges tell of whole minutes only. By default seconds are kept for a day of trading, minutes for a week,
    hours for a year. One answer has at most 60,000. Raises ValueError for another interval, or a limit below 1.
    """
    question = messages.CandlesQuestion(WIRE_VERSION, str(product), _interval_ns(interval), _checked_limit(limit))
    answer = ask_historical(settings(), question, messages.CandlesAnswer)
    return dataframes.of_candles(answer.records)


def get_gaps(product: AnyProduct) -> pd.DataFrame:
    """
    What is known to be missing of `product`, in the order in which it was found; empty if nothing is.

    Columns: reason ("skipped ids" | "disconnected" | "client down" | "overrun"), began_at and ended_at (UTC), first_id,
    last_id and missing (the number of trades): <NA> where the exchange's ids do not tell; refilled_at (UTC): when they
    had been fetched after all, NaT while they are missing.
    """
    answer = ask_historical(settings(), messages.GapsQuestion(WIRE_VERSION, str(product)), messages.GapsAnswer)
    return dataframes.of_gaps(answer.gaps)


def get_status() -> Status:
    """The process tree and the feeds as the supervisor sees them: what `status --json` prints."""
    return status_of(control.ask(settings(), {"verb": "status"}, settings().answer_timeout))


async def stream_trades(products: AnyProduct | Iterable[AnyProduct], *, history: int = 0) -> AsyncIterator[Trade]:
    """
    Every trade of `products` once, in order for each product, for as long as you iterate.

    Begins with at most `history` old trades of each product. What was lost on the way is fetched before what follows
    it, and a restart of any process is waited for. Trades that no one has any more are a warning in the log, and a row
    of get_gaps. A trade with `late=True` is older than ones that came before it.
    Raises FeedUnavailable or UnknownProduct at its first step, WireMismatch if the supervisor is of another version.
    """
    chosen = _chosen(products)
    if history < 0:
        raise ValueError(f"history: expected at least 0, got {history}")
    current = settings()
    await _require_known(chosen, current)
    stream = TradeStream(current, chosen, history)
    try:
        async for item in stream:
            if isinstance(item, Trade):
                yield item
            elif isinstance(item, Gap):
                log.warning("%s: %s trades are missing here: %s", item.product, item.missing or "some", item.reason)
    finally:
        stream.close()


class Subscription:
    """What subscribe_to_trades returns: trades come until it is closed. A context manager too."""

    def __init__(self, products: list[Product], callback: Callable[[Trade], object]) -> None:
        self._products, self._callback = products, callback
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._run())
        self._thread = threading.Thread(target=self._live, name="poeticoins-subscription", daemon=True)
        self._thread.start()

    async def _run(self) -> None:
        async for trade in stream_trades(self._products):
            if self._closed:
                return
            try:
                self._callback(trade)
            except Exception:
                log.exception("the callback of a subscription raised; the subscription goes on")

    def _live(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception:
            log.exception("a subscription to %s ended", ", ".join(map(str, self._products)))
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def close(self) -> None:
        """Ends it; returns when no callback runs any more. May be called by the callback itself, and twice."""
        self._closed = True
        with suppress(RuntimeError):  # it has ended by itself, be it only just now
            self._loop.call_soon_threadsafe(self._task.cancel)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def subscribe_to_trades(
    products: AnyProduct | Iterable[AnyProduct], callback: Callable[[Trade], object]
) -> Subscription:
    """
    As stream_trades, by callback: `callback(trade)` is called in a thread of the subscription's own, until .close().

    An exception in it is logged, and the next trade comes. Raises FeedUnavailable and UnknownProduct at once.
    """
    chosen = _chosen(products)
    get_last_trades(chosen)
    return Subscription(chosen, callback)


async def _require_known(products: list[Product], current: config.Settings) -> None:
    """Raises UnknownProduct or FeedUnavailable; waits for a historical that is restarting, however long it takes."""
    question = messages.LastTradesQuestion(products=[str(product) for product in products])
    brief = replace(current, answer_timeout=0.5)  # a thread cannot be cancelled, so none may wait for long
    while True:
        with suppress(RequestTimeout):
            await asyncio.to_thread(ask_historical, brief, question, messages.LastTradesAnswer)
            return


def _several(products: AnyProduct | Iterable[AnyProduct]) -> list[AnyProduct]:
    return [products] if isinstance(products, Product | str) else list(products)


def _chosen(products: AnyProduct | Iterable[AnyProduct]) -> list[Product]:
    chosen = list(dict.fromkeys(Product.parse(str(product)) for product in _several(products)))
    if not chosen:
        raise ValueError("products: expected at least one, got none")
    return chosen


def _checked_limit(limit: int) -> int:
    if not isinstance(limit, int) or limit < 1:
        raise ValueError(f"limit: expected at least 1, a whole number, got {limit!r}")
    return min(limit, 10_000_000)


def _nanoseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError(f"expected an aware time such as datetime.now(UTC), got the naive {at!r}")
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return min(max(0, (since // timedelta(microseconds=1)) * 1000), 2**63 - 1)


def _interval_ns(interval: str | timedelta) -> int:
    if isinstance(interval, timedelta):
        seconds = interval.total_seconds()
    else:
        found = _INTERVAL.fullmatch(interval)
        seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if 1 <= seconds <= LONGEST_CANDLE and seconds == int(seconds):
        return int(seconds) * SECOND
    raise ValueError(
        f"expected an interval such as '1s', '5m', '1h', '1d' or whole seconds up to 366 days, got {interval!r}"
    )
