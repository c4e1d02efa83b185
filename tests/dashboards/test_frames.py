"""Frames: whose turn it is, in virtual time, and what is told then; made once for all who show the same."""

import asyncio
from itertools import pairwise

import pytest

from dashboards.audience import Audience
from dashboards.frames import BEATS, FRAME_S, Frame, Frames
from dashboards.prices import Prices
from tests.dashboards.market import PRODUCTS, trade
from tests.dashboards.reading import read
from tests.dashboards.test_feed import Viewer
from tests.simulation.clock import VirtualLoop

KEYS = list(map(str, PRODUCTS))
LTC, BTC, ETH = KEYS[:3]


def market(**lasts):
    """The prices of PRODUCTS, of which these have traded."""
    prices = Prices()
    prices.seat(PRODUCTS)
    for name, price in lasts.items():
        product = next(each for each in PRODUCTS if each.base == name)
        prices.quotes[str(product)].take(trade(product, price, at=1_788_000_000))
    return prices


def test_frame_holds_the_cards_asked_for_in_their_order_and_the_trades_of_the_open_product():
    frame = Frame(market(BTC="60000.00", ETH="3000.00"))
    rows = [trade(PRODUCTS[1], price, number=number) for number, price in ((8, "60001.00"), (9, "60000.00"))]

    message = read(frame.text([ETH, BTC], BTC, rows), dict(enumerate(KEYS)))

    assert [card[:2] for card in message["cards"]] == [[ETH, "3,000.00"], [BTC, "60,000.00"]]
    assert message["tape"][0] == BTC
    assert [row[0] for row in message["tape"][1]] == ["8", "9"]
    assert read(frame.text([ETH], BTC, []))["tape"] is None


def test_card_and_run_of_trades_are_made_once_for_all_who_are_told_of_them(monkeypatch):
    prices, made = market(BTC="60000.00", ETH="3000.00"), []
    rows = [trade(PRODUCTS[1], "60000.00", number=number) for number in (7, 8, 9)]
    for name in ("card", "tape"):
        make = getattr(prices, name)
        monkeypatch.setattr(prices, name, lambda key, *more, make=make: made.append(key) or make(key, *more))
    frame = Frame(prices)

    texts = [frame.text(keys, BTC, run) for keys in ([BTC], [BTC, ETH]) for run in (rows, rows[1:])]

    assert made == [BTC, BTC, BTC, ETH]  # its card, its three trades and the last two of them, and the other's card
    assert [len(read(text)["tape"][1]) for text in texts] == [3, 2, 3, 2]


class Page(Viewer):
    """A page that keeps when it was told what, in virtual seconds."""

    def __init__(self, *keys, focus=None):
        super().__init__(*keys)
        self.focus, self.told = focus, []
        self.keys = dict(enumerate(KEYS))

    def show(self, text):
        super().show(text)
        self.told.append(round(asyncio.get_running_loop().now - 1000, 3))

    def prices(self, key):
        return [card[1] for message in self.messages for card in message["cards"] if card[0] == key]


class Story:
    """Pages before a market, for some virtual seconds: `at(second, do)` says what happens when."""

    def __init__(self, *pages):
        self.loop = VirtualLoop(lambda _: None)
        self.prices, self.audience = market(), Audience()
        self.frames = Frames(self.prices, self.audience)
        self.number = 0
        for page in pages:
            self.audience.add(page)

    def at(self, second, do, *arguments):
        self.loop.call_at(1000 + second, do, *arguments)

    def trades(self, key, *seconds, price="1.00"):
        for second in seconds:
            self.at(second, self.trade, key, price)

    def trade(self, key, price="1.00"):
        self.number += 1
        quote = self.prices.quotes[key]
        each = trade(quote.product, price, number=self.number)
        quote.take(each)
        self.frames.take(key, each)

    def run(self, seconds=2.0):
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._live(seconds))

    async def _live(self, seconds):
        running = asyncio.create_task(self.frames.run())
        await asyncio.sleep(seconds)
        running.cancel()


def storm(until=1.0, every=0.002):
    return [at * every for at in range(round(until / every))]


def test_page_is_told_at_once_whatever_trades_that_it_does_not_show():
    page, busy = Page(BTC), Page(LTC)
    story = Story(page)
    story.trades(LTC, *storm())
    story.trades(BTC, 0.313, 0.777)

    story.run()

    assert page.told == [0.313, 0.777]
    story = Story(page, busy)  # nor by more than a beat where others show that
    page.told.clear()
    story.trades(LTC, *storm())
    story.trades(BTC, 0.313, 0.777)

    story.run()

    assert page.told == pytest.approx([0.313, 0.777], abs=FRAME_S / BEATS)


@pytest.mark.parametrize("every", [0.0005, 0.002, 0.03, 0.055])
def test_page_gets_ten_frames_a_second_at_most_and_no_news_waits_longer_than_its_turn(every):
    page = Page(BTC)
    story = Story(page)
    story.trades(BTC, *storm(3.0, every))

    story.run(4)

    waits = [after - before for before, after in pairwise(page.told)]
    assert min(waits) >= FRAME_S - 0.002
    assert max(waits) <= FRAME_S * (1 + 1 / BEATS) + every
    assert len(page.told) <= 31


def test_busy_pages_that_began_at_odd_moments_share_what_is_made_for_them(monkeypatch):
    pages = [Page(*KEYS[:3], focus=KEYS[at]) for at in range(12)]
    story, moments = Story(), []
    for at, page in enumerate(pages):
        story.at(at * 0.0137, story.audience.add, page)
    story.trades(BTC, *storm())
    tell = story.audience.tell
    monkeypatch.setattr(story.audience, "tell", lambda *more: moments.append(story.loop.now) or tell(*more))

    story.run()

    assert len(moments) > 100
    assert len(set(moments)) <= 10 * BEATS + 5


def test_who_turns_to_something_else_is_told_what_it_had_yet_to_be_told():
    turning, staying = Page(BTC, ETH, focus=BTC), Page(BTC, ETH, focus=BTC)
    story = Story(turning, staying)

    def turn():
        turning.selection = (ETH,)
        story.audience.changed()

    story.trades(BTC, 0.0)
    story.trades(BTC, 0.01)
    story.trades(ETH, 0.02, price="2.00")
    story.at(0.03, turn)

    story.run()

    for page in (turning, staying):
        assert page.prices(ETH) == ["2.00"]
        assert [row[0] for message in page.messages for row in (message["tape"] or [0, []])[1]] == ["1", "2"]


def test_page_that_left_or_is_hidden_is_told_nothing_more():
    left, hidden, here = Page(BTC), Page(BTC), Page(BTC)
    story = Story(left, hidden, here)

    def leave():
        story.audience.discard(left)
        hidden.hidden = True
        story.audience.changed()

    story.trades(BTC, 0.0, 0.01)
    story.at(0.02, leave)

    story.run()

    assert [len(page.told) for page in (left, hidden, here)] == [1, 1, 2]


def test_another_market_takes_nothing_along_from_the_one_before():
    page = Page()
    story = Story(page)

    def change():
        story.prices.enter("demo")
        story.frames.clear()
        story.prices.seat(PRODUCTS[3:])
        story.frames.clear()

    story.trades(BTC, 0.0, 0.01)
    story.at(0.02, change)
    story.trades(KEYS[4], 0.03)

    story.run()

    assert (page.prices(BTC), page.prices(KEYS[4])) == (["1.00"], ["1.00"])
    assert len(page.told) == 2
