"""Carries out what intakes want: searches at the exchange's REST, bounded in time, beside the live trades."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from time import time_ns

from poeticoins.backfill import MARGIN_NS, Need, Search
from poeticoins.config import Settings
from poeticoins.exchanges import Exchange, reached_at
from poeticoins.intake import Intake
from poeticoins.log import say, warn
from poeticoins.model import SECOND, Product
from poeticoins.rest import NoAnswer, Rest

log = logging.getLogger(__name__)
DAY_NS = 86_400 * SECOND
LISTED_NS = DAY_NS - 2 * MARGIN_NS
"""What an exchange surely still lists, whatever its clock says: an audit that asked for more would never be whole."""
FIRST_AUDIT = 5.0
"""Seconds after its start at which a client audits first: one that keeps dying would otherwise never come to it."""
LONGEST_PAUSE = 3600.0
"""Seconds between two searches for gaps that the exchange does not list (yet), at most."""


class Refills:
    """
    The searches of one exchange's client. Live trades wait for them for at most the setting `hold`; what was not found
    is searched for again after `refill_again` seconds, twice as many after each further failure.

    Where ids do not count by one, nobody can see that a socket has left a trade out. So there what was traded since the
    last audit, be it that of a client before this one, is compared with the REST's every `audit` seconds.
    """

    def __init__(self, exchange: Exchange, settings: Settings, rest: Rest) -> None:
        self.intakes: Mapping[Product, Intake] = {}
        self._exchange, self._hold, self._again = exchange, settings.hold, settings.refill_again
        self._settings = settings
        self._failures: dict[Product, int] = {}
        self._retries: dict[Product, asyncio.TimerHandle] = {}
        self._rest = rest
        self._wanted: asyncio.Queue[Need] = asyncio.Queue()
        self._under_way: set[Need] = set()

    def want(self, need: Need) -> None:
        """Begins a search; its end is told to the product's intake."""
        if need not in self._under_way:
            self._under_way.add(need)
            self._wanted.put_nowait(need)

    def retry(self) -> None:
        """Searches again for every gap of the last day that is still open: to be called after each connection."""
        for product in self.intakes:
            self._search_again(product)

    def _retry(self, product: Product) -> None:
        del self._retries[product]
        self._search_again(product)

    def _search_again(self, product: Product) -> None:
        for need in self._open_needs(product):
            self.want(need)

    def _open_needs(self, product: Product) -> list[Need]:
        return self.intakes[product].published.open_needs(time_ns() - DAY_NS)

    async def run(self) -> None:
        """Carries out what is wanted, until cancelled. A bug in a search ends it."""
        async with asyncio.TaskGroup() as searches:
            if self._exchange.BACKFILL_SPANS and self._settings.audit and self._settings.backfill:
                searches.create_task(self._audit())
            while True:
                need = await self._wanted.get()
                searches.create_task(self._refill(need))

    async def _refill(self, need: Need) -> None:
        intake = self.intakes[need.product]
        searching = asyncio.create_task(self._search(need))
        try:
            await asyncio.wait({searching}, timeout=self._hold)
            if not searching.done():
                intake.release(need)
            search = await searching
        finally:
            searching.cancel()
        self._under_way.discard(need)
        intake.refilled(need, search.trades, complete=search.complete)
        self._note(need, search.complete)
        if search.found:
            say(log, "refilled", product=need.product, trades=len(search.found), complete=search.complete)

    def _note(self, need: Need, complete: bool) -> None:
        """
        What is open after a search is searched for again, be there a new connection or none, and be it what the search
        was about or what has shown meanwhile: all of a product at one time, so a failure while that stands is none
        more. A new gap whose search failed begins with the shortest pause.
        """
        product, standing = need.product, self._retries.get(need.product)
        is_new = need.gap is None and not complete
        if not self._open_needs(product) or (standing and not is_new):
            return
        if standing:
            standing.cancel()
        failures = 0 if is_new else self._failures.get(product, 0)
        self._failures[product] = failures + 1
        pause = min(self._again * 2.0 ** min(failures, 20), LONGEST_PAUSE)
        self._retries[product] = asyncio.get_running_loop().call_later(pause, self._retry, product)

    async def _audit(self) -> None:
        pause = min(self._settings.audit, FIRST_AUDIT)
        while True:
            await asyncio.sleep(pause)
            pause = self._settings.audit
            for product, intake in self.intakes.items():
                if intake.settled:
                    await self._compare(product, intake)

    async def _compare(self, product: Product, intake: Intake) -> None:
        now_ns = time_ns()
        since_ns = max(intake.unaudited_since_ns, now_ns - LISTED_NS)
        search = await self._search(Need(product, after_id=0, from_ns=since_ns))
        # what is younger than the clocks may differ by is perhaps still on its way by the socket
        up_to_ns = now_ns - MARGIN_NS
        settled = [trade for trade in search.trades if trade.traded_at_ns < up_to_ns]
        missed = intake.audited(settled, up_to_ns if search.complete else 0)
        if missed:
            warn(log, "the socket had left out trades, which are published now", product=product, trades=missed)

    async def _search(self, need: Need) -> Search:
        search = Search(need, self._exchange.BACKFILL_SPANS, time_ns())
        try:
            more = True
            while more:
                url = self._exchange.backfill_url(need.product, search.cursor, search.most)
                url = reached_at(self._exchange, url, self._settings)
                more = search.page(await self._rest.read(url, partial(self._exchange.parse_backfill, need.product)))
        except NoAnswer as error:
            warn(log, "could not refill", product=need.product, why=error)
        return search
