"""What a browser says: messages of the page, at a feed that follows a market."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

from dashboards.feed import Feed
from dashboards.store import Store
from dashboards.view import MOST_PRODUCTS, PLACES, View
from tests.dashboards.market import Market
from tests.fuzz.mutation import SEAM
from tests.fuzz.processes import loop
from tests.fuzz.target import Target, series
from tests.makers import BTC, make_trade

SAID = [
    {"hello": 1, "select": [str(BTC), "bitstamp:ETH-EUR"], "focus": str(BTC), "interval": "5m", "watch": [str(BTC)]},
    {"seen": 3},
    {"chart": 1},
    {"place": "compare", "compare": "BTC"},
    {"place": "system"},
    {"hidden": True},
    {"hidden": False},
    {"again": 1},
    {"export": {"kind": "cards", "form": "csv"}},
    {"export": {"kind": "candles", "form": "csv", "key": str(BTC), "interval": "1m"}},
    {"exported": 1},
    {"select": None, "focus": None, "place": "prices"},
]


@cache
def feed() -> Feed:
    """A feed that has its prices; what went wrong on its loop is kept in `failures`."""
    market = Market(mode="demo")
    made = Feed(market, frame_s=0.001, poll_s=0.001)
    loop().set_exception_handler(lambda _, context: failures.append(context))

    async def begin() -> None:
        following = asyncio.create_task(made.run())
        while not market.listeners:
            await asyncio.sleep(0.001)
        market.tell(make_trade(1))
        await asyncio.sleep(0.02)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    loop().run_until_complete(begin())
    return made


failures: list[dict[str, object]] = []


def say(parts: Sequence[bytes]) -> None:
    """Messages of one page, each as JSON: its view stays one of those that there are, and it hears only JSON."""
    heard: list[str] = []
    it = feed()

    async def session() -> None:
        store = Store(it, heard.append, loop().call_soon_threadsafe)
        for part in parts:
            with suppress(ValueError, RecursionError):  # what is no JSON, Bokeh refuses
                store.from_page(json.loads(part))
        await asyncio.sleep(0)
        is_possible(store.view)
        store.close()
        await asyncio.sleep(0)

    loop().run_until_complete(session())
    assert it.viewers == 0
    assert all(isinstance(json.loads(text), dict) for text in heard)
    assert failures == []


def is_possible(view: View) -> None:
    assert view.place in PLACES
    for keys in (view.selection or (), view.watch):
        assert len(keys) <= MOST_PRODUCTS
        assert all(isinstance(key, str) and len(key) <= 64 for key in keys)
    assert view.focus is None or isinstance(view.focus, str)


TARGETS = {
    "page": Target(
        [SEAM.join(json.dumps(said).encode() for said in SAID)],
        series(say),
        ("dashboards/store.py", "dashboards/view.py", "dashboards/replies.py", "dashboards/tables.py"),
        short=30,
    )
}
