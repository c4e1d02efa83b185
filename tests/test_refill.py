"""How often is asked for what the exchange does not list."""

import asyncio
from types import SimpleNamespace

from poeticoins.backfill import Need
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import Product
from poeticoins.refill import Refills
from poeticoins.rest import NoAnswer
from tests.makers import make_settings

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
