"""The Compare place's part of the feed, on a market of our own, without a browser: who is told what, and how often."""

import asyncio
import json
import time

import pandas as pd
import pytest

from dashboards.audience import Audience
from dashboards.compare import Standing, compared
from dashboards.comparing import TABLE_S, Comparing, median_text, table_part
from dashboards.feed import Feed
from poeticoins.errors import RequestTimeout
from poeticoins.model import Product
from tests.dashboards.market import PRODUCTS, Market, status, trade
from tests.dashboards.test_feed import Viewer, until

COIN = {str(product): product for product in PRODUCTS}
USD, EUR = COIN["coinbase:BTC-USD"], COIN["coinbase:BTC-EUR"]
OTHER_USD, OTHER_EUR = COIN["bitstamp:BTC-USD"], COIN["bitstamp:BTC-EUR"]


class Comparer(Viewer):
    """A page at Compare."""

    def __init__(self, coin=None):
        super().__init__()
        self.selection, self.place, self.compare = (), "compare", coin

    @property
    def table(self):
        return self.of("compare")[-1]["table"]

    @property
    def rows(self):
        return {row[0]: row for side in self.table["sides"] for row in side["rows"]}


@pytest.fixture
def market():
    return Market()


@pytest.fixture
async def feed(market):
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    await until(lambda: market.listeners)
    yield feed
    task.cancel()
    await asyncio.wait({task})


def arrive(feed, viewer):
    feed.join(viewer)
    feed.open(viewer)


async def test_page_at_compare_gets_its_coin_and_neither_cards_nor_frames(market, feed):
    viewer = Comparer("ETH")
    market.tell(trade(COIN["coinbase:ETH-USD"], "3000.00"))
    arrive(feed, viewer)
    await until(lambda: viewer.of("compare") and viewer.rows["coinbase:ETH-USD"][2] == "3,000.00")

    market.tell(trade(USD, "60000.00"), trade(COIN["coinbase:ETH-USD"], "3001.00"))
    await until(lambda: viewer.rows["coinbase:ETH-USD"][2] == "3,001.00")

    assert viewer.cards == viewer.of("frame") == viewer.of("days") == viewer.of("history") == []
    assert (viewer.table["coin"], list(viewer.table["coins"])) == ("ETH", ["BTC", "ETH", "LTC"])
    assert len(viewer.rows) == 4


@pytest.mark.parametrize("said", [None, "DOGE", "<b>"])
async def test_coin_that_cannot_be_compared_is_the_first_that_can(feed, said):
    viewer = Comparer(said)

    arrive(feed, viewer)

    await until(lambda: viewer.of("compare"))
    assert viewer.table["coin"] == "BTC"


async def test_table_has_median_differences_rate_and_lag(market, feed):
    viewer = Comparer("BTC")
    arrive(feed, viewer)

    market.tell(trade(USD, "60000.00"), trade(OTHER_USD, "60060.00"), trade(EUR, "55000.00"))

    await until(lambda: viewer.of("compare") and viewer.rows[str(OTHER_USD)][2])
    usd, eur = viewer.table["sides"]
    assert (usd["median"], usd["of"], usd["lowest"], usd["highest"]) == ("60,030.00", 2, ["Coinbase"], ["Bitstamp"])
    assert [viewer.rows[str(each)][5] for each in (USD, OTHER_USD)] == [-5.0, 5.0]
    assert (eur["median"], eur["of"]) == ("55,000.00", 1)
    assert (viewer.table["rate"], viewer.table["of"]) == ("1.09091", 1)
    assert viewer.rows[str(USD)][8] == 0
    assert viewer.rows[str(OTHER_EUR)][2:6] == [None, None, None, None]


async def test_many_trades_make_few_tables_and_the_newest_wins(market, feed):
    viewer = Comparer("BTC")
    arrive(feed, viewer)
    await until(lambda: viewer.of("compare"))
    viewer.messages.clear()
    began = time.monotonic()

    for number in range(300):
        market.tell(trade(USD, f"{60000 + number}.00", number=number))
        await asyncio.sleep(0.004)
    await until(lambda: viewer.of("compare") and viewer.rows[str(USD)][2] == "60,299.00")

    assert len(viewer.of("compare")) <= (time.monotonic() - began) / TABLE_S + 2


async def test_all_who_compare_the_same_share_one_text(market, feed):
    texts, viewers = [], [Comparer("BTC"), Comparer("BTC"), Comparer()]
    for viewer in viewers:
        arrive(feed, viewer)
    await until(lambda: all(viewer.of("compare") for viewer in viewers))
    for viewer in viewers:
        viewer.show = texts.append

    market.tell(trade(USD, "60000.00"))

    await until(lambda: len(texts) >= 3)
    assert texts[0] is texts[1] is texts[2]


async def test_page_that_comes_later_takes_no_news_from_the_others(market):
    first, second, audience = Comparer("BTC"), Comparer("BTC"), Audience()
    prices = {USD: "60000.00", OTHER_USD: "60002.00"}

    def standings():
        return [Standing(product, trade(product, price, at=7)) for product, price in prices.items()]

    comparing = Comparing(market, audience, standings, lambda: False)
    telling = asyncio.create_task(comparing.run())
    audience.add(first)
    comparing.show(first)
    comparing.due()
    await asyncio.sleep(0)  # what is due at once is told, and the next table in a while

    prices[USD] = "60001.00"
    audience.add(second)
    comparing.show(second)
    comparing.due()

    assert second.rows[str(USD)][2] == "60,001.00"
    await until(lambda: first.rows[str(USD)][2] == "60,001.00")
    telling.cancel()


async def test_hidden_page_is_told_nothing_until_it_is_seen_again(market, feed):
    viewer, seen = Comparer("BTC"), Comparer("BTC")
    for each in (viewer, seen):
        arrive(feed, each)
    await until(lambda: viewer.of("compare") and seen.of("compare"))
    viewer.hidden = True
    viewer.messages.clear()

    market.tell(trade(USD, "60000.00"))
    await until(lambda: seen.rows[str(USD)][2] == "60,000.00")

    assert viewer.of("compare") == []


async def test_silence_costs_nothing(market, feed):
    viewer = Comparer("BTC")
    market.tell(trade(USD, "60000.00"))
    arrive(feed, viewer)
    await until(lambda: viewer.of("compare") and viewer.rows[str(USD)][2])
    await asyncio.sleep(TABLE_S * 2)
    viewer.messages.clear()

    await asyncio.sleep(TABLE_S * 2)

    assert viewer.of("compare") == []


async def test_exchange_in_trouble_leaves_what_is_common_and_comes_back(market, feed):
    viewer = Comparer("BTC")
    arrive(feed, viewer)
    market.tell(trade(USD, "60000.00"), trade(OTHER_USD, "61000.00"))
    await until(lambda: viewer.of("compare") and viewer.table["sides"][0]["of"] == 2)

    market.status = status("live", problem="name not found")
    market.status.feeds[1].state = "reconnecting"
    await until(lambda: viewer.table["sides"][0]["of"] == 1)
    assert viewer.rows[str(OTHER_USD)][-1] == "reconnecting"
    assert viewer.rows[str(OTHER_USD)][2] == "61,000.00"
    assert viewer.table["sides"][0]["median"] == "60,000.00"
    market.status = status("live")

    await until(lambda: viewer.table["sides"][0]["of"] == 2)


async def test_gap_leaves_what_is_common_until_it_is_refilled(market, feed):
    viewer = Comparer("BTC")
    arrive(feed, viewer)
    market.tell(trade(USD, "60000.00"), trade(OTHER_USD, "61000.00"))
    now = pd.Timestamp.now("UTC")

    market.gaps[USD] = [(now, now, 3, "skipped ids", pd.NaT)]
    market.status = status("live", gaps=1)
    await until(lambda: viewer.of("compare") and viewer.rows[str(USD)][-1] == "3 trades missing in the last 10 min")
    assert viewer.table["sides"][0]["of"] == 1
    market.gaps[USD] = [(now, now, 3, "skipped ids", now)]
    market.status = status("live", gaps=1, refills=1)

    await until(lambda: viewer.table["sides"][0]["of"] == 2)


async def test_without_a_supervisor_nobody_counts(market, feed):
    viewer = Comparer("BTC")
    arrive(feed, viewer)
    market.tell(trade(USD, "60000.00"))
    await until(lambda: viewer.of("compare") and viewer.table["sides"][0]["of"] == 1)

    market.open = False

    await until(lambda: viewer.rows[str(USD)][-1] == "not followed")
    assert viewer.table["sides"][0]["median"] is None


async def test_lines_are_the_closing_prices_of_every_product_of_the_coin(market, feed):
    now = int(time.time())
    market.closes[USD] = [(now - now % 60 - 60 + at, 60000.0 + at) for at in range(100)]
    viewer, other = Comparer("BTC"), Comparer("BTC")
    for each in (viewer, other):
        arrive(feed, each)

    await until(lambda: viewer.of("compare-past") and other.of("compare-past"))

    past = viewer.of("compare-past")[0]
    assert (past["coin"], past["interval"]) == ("BTC", "1m")
    assert past["lines"][str(USD)] == [[now - now % 60 - 60, 60059.0], [now - now % 60, 60099.0]]
    assert past["lines"].keys() == {str(USD), str(EUR), str(OTHER_USD), str(OTHER_EUR)}


async def test_past_that_nobody_answers_is_told_in_words(market, feed, monkeypatch):
    viewer = Comparer("BTC")

    def refuse(*_, **__):
        raise RequestTimeout("historical does not answer")

    monkeypatch.setattr(market, "get_candles", refuse)
    arrive(feed, viewer)

    await until(lambda: viewer.of("compare-past"))
    assert viewer.of("compare-past")[0]["problem"] == "historical does not answer"


async def test_volume_is_that_of_the_last_day(market, feed):
    viewer = Comparer("BTC")
    arrive(feed, viewer)

    market.tell(trade(USD, "60000.00"))

    await until(lambda: viewer.of("compare") and viewer.rows[str(USD)][6] == 0.0119)


@pytest.mark.parametrize(
    ("prices", "text"),
    [(["60000.10", "60000.20"], "60,000.15"), (["60000.10", "60000.11"], "60,000.105"), (["7", "8"], "7.5"),
     (["7", "9.00"], "8.00"), (["0.00000001", "0.00000002"], "0.000000015")],
)  # fmt: skip
def test_median_is_written_in_the_digits_of_its_prices(prices, text):
    standings = [Standing(Product(f"x{at}", "A", "USD"), trade(Product(f"x{at}", "A", "USD"), each, at=0))
                 for at, each in enumerate(prices)]  # fmt: skip

    assert median_text(compared("A", standings, 0, replayed=False).sides[0]) == text


def test_nothing_known_is_null_and_no_text_that_looks_like_a_number():
    table = json.loads(
        table_part(compared("A", [Standing(Product("x", "A", "USD"))], 0, replayed=False), {}, replayed=False)
    )

    assert (table["rate"], table["sides"][0]["median"]) == (None, None)
    assert table["sides"][0]["rows"] == [["x:A-USD", "X", None, None, None, None, None, 0, None, None, "no trade yet"]]
