"""Every trade once and in order, over the deaths of real processes; and what happens where there is none to ask."""

import asyncio
import os
import signal
import time
from contextlib import aclosing

import pytest

import poeticoins
from poeticoins import FeedUnavailable

BTC = "coinbase:BTC-USD"
DEADLINE = 60  # a search that fails while its exchange is dead is tried again after 30 s


def test_without_a_supervisor_every_question_says_at_once_how_to_start_one(run_dir, monkeypatch):
    monkeypatch.setenv("POETICOINS_RUN_DIR", str(run_dir))
    begun = time.monotonic()

    for ask in (
        poeticoins.available_products,
        poeticoins.get_status,
        lambda: poeticoins.get_trades(BTC),
        lambda: poeticoins.subscribe_to_trades(BTC, print),
        lambda: asyncio.run(anext(poeticoins.stream_trades(BTC))),
    ):
        with pytest.raises(FeedUnavailable, match=r"python supervisor.py.*--demo"):
            ask()

    assert time.monotonic() - begun < 2


def pids(names) -> dict[str, int]:
    return {child.name: child.pid for child in poeticoins.get_status().children if child.name in names}


async def test_every_trade_comes_once_over_the_death_of_each_process_in_turn():
    """The embedded exchange goes on trading meanwhile; Coinbase's ids are contiguous, so a lost trade would be seen."""
    names = ["historical", "coinbase", "bitstamp", "simulator"]
    got: list[poeticoins.Trade] = []

    async def read() -> None:
        async with aclosing(poeticoins.stream_trades(poeticoins.available_products())) as stream:
            async for trade in stream:
                got.append(trade)

    with poeticoins.demo():
        reading = asyncio.create_task(read())
        await reached(lambda: len(got) > 10)
        for name in names:
            before = pids(names)
            os.kill(before[name], signal.SIGKILL)
            await reached(lambda name=name, before=before: replaced(name, before))
            count = len([t for t in got if t.product.exchange == "coinbase"])
            await reached(lambda count=count: len([t for t in got if t.product.exchange == "coinbase"]) > count + 5)
            after = await asyncio.to_thread(pids, names)
            assert {n for n in names if after[n] != before[n]} == {name}  # nobody else had to go
        for product in poeticoins.available_products():
            await reached(lambda product=product: all_refilled(product) and all_read(product, got))
        reading.cancel()

    for product in {trade.product for trade in got}:
        mine = [trade for trade in got if trade.product == product]
        assert [t.sequence for t in mine] == sorted({t.sequence for t in mine})
        ids = sorted(trade.trade_id for trade in mine)
        assert len(ids) == len(set(ids))
        if product.exchange == "coinbase":
            assert ids == [*range(ids[0], ids[-1] + 1)]


def all_read(product, got) -> bool:
    """Whether the reader has every trade that historical has, from the first one on that it read."""
    read = [trade.trade_id for trade in got if trade.product == product]
    known = poeticoins.get_trades(product, limit=50_000)["trade_id"].tolist()
    return bool(read) and set(known[known.index(read[0]) :]) <= set(read)


def all_refilled(product) -> bool:
    """Whether what was traded while a client was dead has been fetched."""
    return bool(poeticoins.get_gaps(product)["refilled_at"].notna().all())


def replaced(name: str, before: dict[str, int]) -> bool:
    status = poeticoins.get_status()
    child = next(child for child in status.children if child.name == name)
    return child.state == "ready" and child.pid != before[name] and all(f.state == "live" for f in status.feeds)


async def reached(condition) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.02)
