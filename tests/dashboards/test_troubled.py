"""Every trouble of an exchange in words, at all places of the page, while it lasts and no longer: on the real line."""

from contextlib import contextmanager

import pytest

from tests.dashboards.forks import forked
from tests.faults import page
from tests.faults.world import world

pytestmark = pytest.mark.browser
BTC, OTHER = "coinbase:BTC-USD", "bitstamp:BTC-USD"
STALLED_S = 3
CARD = "board.querySelector(`[data-key='${argument[0]}']`)"
ROW = "board.querySelector('.side .left-out .words')"
SYSTEM = "[...board.querySelectorAll('.exchanges tbody tr')].find(row => row.textContent.includes('Coinbase'))"


@contextmanager
def page_of(line):
    process, url = forked(page.serve, STALLED_S, **line.tree.environment)
    try:
        yield url
    finally:
        process.kill()
        process.join()


class Places:
    """The page at its three places."""

    def __init__(self, screen, url):
        self.prices = screen(f"{url}?products={BTC},{OTHER}")
        self.compare, self.system = (
            screen(f"{url}?place={place}", beside=self.prices) for place in ("compare", "system")
        )
        for each in (self.prices, self.compare, self.system):
            each.page.set_default_timeout(60_000)  # what could not be refilled is tried again after 30 s

    def calm(self):
        """No word of trouble anywhere."""
        self.prices.until("board.querySelectorAll('.card:not(.waiting, .troubled, .gapped, .quiet)').length === 2")
        self.prices.until("board.querySelector('.notices').textContent === ''")
        self.compare.until("board.querySelectorAll('.side tbody tr').length > 1 && !board.querySelector('.left-out')")
        self.system.until(f"/live/.test({SYSTEM}?.textContent)")

    def say(self, word, sentence):
        """`word` at all places of the exchange in trouble, `sentence` below the prices; the other exchange is well."""
        self.prices.until(f"{CARD}.querySelector('.trouble').textContent === argument[1]", [BTC, word])
        self.prices.until("board.querySelector('.notices').textContent.includes(argument)", sentence)
        self.compare.until(f"{ROW}?.textContent === argument", f"left out: {word}")
        assert self.prices.page.locator(f"[data-key='{OTHER}'].troubled").count() == 0


def test_every_trouble_of_an_exchange_is_named_while_it_lasts_and_no_longer(screen):
    with world(SILENT_AFTER="60") as line, page_of(line) as url:
        seen = Places(screen, url)
        seen.calm()

        line.exchange.suffer("coinbase", "refuse", count=2, status=503)
        line.exchange.suffer("coinbase", "drop")
        seen.say("reconnecting", "Coinbase: reconnecting to ")
        seen.system.until(f"/reconnecting.*503/.test({SYSTEM}.textContent)")
        seen.calm()

        line.exchange.suffer("coinbase", "unlist", text="BTC-USD")
        line.exchange.suffer("coinbase", "drop")
        seen.say("degraded", "not confirmed: BTC-USD")
        seen.system.until(f"/degraded.*not confirmed: BTC-USD/.test({SYSTEM}.textContent)")
        line.exchange.suffer("coinbase", "unlist", text="")
        line.exchange.suffer("coinbase", "drop")  # a new connection asks at once, this one ever more rarely
        seen.calm()

        line.exchange.suffer("coinbase", "stall", seconds=7)
        seen.say("stalled", "Coinbase: stalled; connected, but none of its products has traded")
        seen.calm()

        line.exchange.suffer("coinbase", "rest", seconds=4, status=200, count=4)  # of both products
        line.exchange.suffer("coinbase", "skip", count=6)
        seen.prices.until(f"/trades? missing at/.test({CARD}.querySelector('.trouble').textContent)", [BTC])
        seen.compare.until(f"/trades? missing/.test({ROW}?.textContent)")
        seen.system.until("/trades? missing|skipped ids/.test(board.querySelector('.events').textContent)")
        seen.calm()

        for each in (seen.prices, seen.compare, seen.system):
            assert each.troubles == []
