"""How often is asked for what the exchange does not list."""

import asyncio
from types import SimpleNamespace

from poeticoins import refill
from poeticoins.backfill import Need
from poeticoins.exchanges import EXCHANGES
from poeticoins.intake import Intake
from poeticoins.model import Product
from poeticoins.refill import Refills
from poeticoins.rest import NoAnswer
from tests.makers import NOON, make_settings, make_trade

BTC = Product("coinbase", "BTC", "USD")


class Listless:
    """A REST that answers nothing, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def read(self, url, parse):
        self.asked += 1
        raise NoAnswer("nothing")


async def test_open_gaps_are_searched_for_in_one_round_that_grows_rarer_however_often_it_reconnects(run_dir):
    gaps = [Need(BTC, after_id=n, before_id=n + 2, gap=n) for n in (10, 20, 30)]
    rest = Listless()
    refills = Refills(EXCHANGES["coinbase"], make_settings(run_dir, refill_again=0.1), rest)
    published = SimpleNamespace(open_needs=lambda since_ns: gaps, open_gaps=gaps)
    refills.intakes = {BTC: SimpleNamespace(published=published, refilled=lambda *_, **__: 0)}
    running = asyncio.create_task(refills.run())
    async with asyncio.timeout(10):
        while rest.asked < 30:
            refills.retry()
            await asyncio.sleep(0.001)

    before = rest.asked
    await asyncio.sleep(1.0)  # rounds at 0.1, 0.3 and 0.7 s, or later

    running.cancel()
    assert 3 <= rest.asked - before <= 12


class Partial(Listless):
    """A REST that lists the trades of every hole but of one that ends before trade 12."""

    async def read(self, url, parse):
        before = int(url.rpartition("after=")[2].partition("&")[0])
        if before == 12:
            return await super().read(url, parse)
        return [make_trade(before - 1, origin="backfill")]


async def test_holes_that_are_refilled_at_once_have_an_older_gap_searched_for_no_sooner(run_dir):
    rest = Partial()
    refills = Refills(EXCHANGES["coinbase"], make_settings(run_dir, refill_again=0.1), rest)
    published = SimpleNamespace(open_needs=lambda since_ns: [Need(BTC, after_id=10, before_id=12, gap=10)])
    refills.intakes = {BTC: SimpleNamespace(published=published, refilled=lambda *_, **__: 0)}
    running = asyncio.create_task(refills.run())
    refills.retry()
    async with asyncio.timeout(10):
        while rest.asked < 3:  # at once, and after pauses of 0.1 and 0.2 s; the next is one of 0.4
            await asyncio.sleep(0.001)

    for n in range(20, 26):
        refills.want(Need(BTC, after_id=n, before_id=n + 2))
        await asyncio.sleep(0.15)

    running.cancel()
    assert rest.asked <= 5


class Slow:
    """A REST that lists trades 1 to 9, once it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()

    async def read(self, url, parse):
        await self.may.wait()
        return [make_trade(n, origin="backfill") for n in range(1, 10)]


async def test_a_gap_that_shows_while_a_search_is_under_way_is_searched_for_too(run_dir, monkeypatch):
    monkeypatch.setattr(refill, "time_ns", lambda: NOON)
    rest = Slow()
    settings = make_settings(run_dir, hold=0.01, refill_again=0.01, behind_after=1.0)
    settings.journal(BTC).parent.mkdir(parents=True)
    refills = Refills(EXCHANGES["coinbase"], settings, rest)
    intake = Intake(BTC, settings, True, lambda frame: None, refills.want)
    refills.intakes = {BTC: intake}
    running = asyncio.create_task(refills.run())
    intake.trade(make_trade(1), NOON)
    intake.newest(4, 100.0)
    intake.newest(4, 102.0)  # so 2 to 4 are searched for, and then it shows that 5 is missing too
    intake.trade(make_trade(6), NOON)

    async with asyncio.timeout(10):
        while not intake.published.open_gaps:
            await asyncio.sleep(0.001)
        [gap] = intake.published.open_gaps
        rest.may.set()
        while intake.published.open_gaps:
            await asyncio.sleep(0.001)

    running.cancel()
    assert (gap.first_id, gap.last_id) == (2, 5)
    assert intake.published.journal.trades == 6
