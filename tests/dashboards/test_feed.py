"""The shared feed on a market of our own, without a browser: what its pages get, and what becomes of trouble."""

import asyncio
import json
import logging
import time
from itertools import pairwise

import pytest

from dashboards.feed import Feed, _end
from dashboards.outlook import Outlook
from dashboards.view import View
from poeticoins.errors import RequestTimeout, WireMismatch, WrongAnswer
from tests.dashboards.market import PRODUCTS, Market, status, trade
from tests.dashboards.reading import read

BTC, ETH = PRODUCTS[1], PRODUCTS[2]


class Viewer:
    """A page that keeps what it is shown."""

    def __init__(self, *keys):
        self.selection = tuple(keys) or None
        self.focus, self.interval, self.hidden = None, "1m", False
        self.place, self.compare, self.watch = "prices", None, ()
        self.messages, self.keys = [], {}

    def show(self, text):
        message = read(text, self.keys)
        if message["kind"] == "snapshot":
            self.keys = {names["number"]: names["key"] for names in message["catalogue"]}
        self.messages.append(message)

    def of(self, kind):
        return [message for message in self.messages if message["kind"] == kind]

    @property
    def status(self):
        return next(message["status"] for message in reversed(self.messages) if "status" in message)

    @property
    def cards(self):
        return self.of("snapshot")[-1]["cards"] if self.of("snapshot") else []


async def until(true, *, within=20.0):
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


@pytest.fixture
def market():
    return Market()


@pytest.fixture
async def feed(market):
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    await until(lambda: market.listeners or task.done() or not market.open)
    yield feed
    task.cancel()
    await asyncio.wait({task})


async def test_page_opened_late_is_full_at_once(market):
    now = int(time.time())
    market.lasts[BTC] = trade(BTC, "62500.10")
    market.closes[BTC] = [(now - 300 + i, 62000.0 + i) for i in range(300)]
    feed, viewer = Feed(market, poll_s=0.05), Viewer()
    task = asyncio.create_task(feed.run())
    await until(lambda: "get_candles" in market.questions and market.listeners)

    feed.join(viewer)
    await until(lambda: any(card["part"] for card in viewer.cards))

    card = next(card for card in viewer.cards if card["key"] == str(BTC))
    assert card["part"][1] == "62,500.10"
    assert len(card["points"]) >= 150
    assert [card["base"] for card in viewer.cards[::4]] == ["BTC", "ETH", "LTC"]
    task.cancel()


async def test_newest_price_wins_and_frames_keep_their_rate(market, feed):
    viewer = Viewer()
    feed.join(viewer)
    began = time.monotonic()

    for number in range(400):
        market.tell(trade(BTC, f"{60000 + number}.00", number=number))
        await asyncio.sleep(0.001)
    await until(lambda: viewer.of("frame") and viewer.of("frame")[-1]["cards"][0][1] == "60,399.00")

    frames = viewer.of("frame")
    assert len(frames) <= (time.monotonic() - began) * 10 + 1
    assert all(len(frame["cards"]) == 1 for frame in frames)


async def test_page_gets_only_what_it_shows(market, feed):
    both, one = Viewer(), Viewer(str(ETH), "nobody:BTC-USD")
    feed.join(both)
    feed.join(one)

    market.tell(trade(BTC, "60000.00"))
    await until(lambda: both.of("frame"))
    market.tell(trade(ETH, "3000.00"))
    await until(lambda: one.of("frame"))

    assert [card["key"] for card in one.cards] == [str(ETH)]
    assert [part[0] for frame in one.of("frame") for part in frame["cards"]] == [str(ETH)]


async def test_page_that_left_gets_nothing(market, feed):
    gone, here = Viewer(), Viewer()
    feed.join(gone)
    feed.join(here)

    feed.leave(gone)
    market.tell(trade(BTC, "60000.00"))
    await until(lambda: here.of("frame"))

    assert gone.of("frame") == []
    assert feed.viewers == 1


async def test_page_that_breaks_does_not_hold_up_the_others(market, feed, caplog):
    broken, whole = Viewer(), Viewer()
    feed.join(broken)
    feed.join(whole)
    broken.show = lambda text: 1 / 0

    with caplog.at_level(logging.CRITICAL):
        market.tell(trade(BTC, "60000.00"))
        await until(lambda: whole.of("frame"))

    assert feed.viewers == 1


async def test_no_supervisor_is_told_and_its_coming_is_noticed():
    market, viewer = Market(), Viewer()
    market.open = False
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    feed.join(viewer)
    await until(lambda: viewer.status["kind"] == "none")
    assert viewer.status["commands"] == ["python supervisor.py", "python supervisor.py --demo"]

    market.open = True
    await until(lambda: market.listeners)
    market.tell(trade(BTC, "60000.00"))

    await until(lambda: viewer.of("frame"))
    assert viewer.status["kind"] == "live"
    task.cancel()


async def test_restart_of_the_supervisor_keeps_the_cards_and_goes_on(market, feed):
    viewer = Viewer()
    feed.join(viewer)
    market.tell(trade(BTC, "60000.00"))
    await until(lambda: viewer.of("frame"))

    market.open = False
    await until(lambda: viewer.status["kind"] == "none" and not market.listeners)
    market.open = True
    await until(lambda: viewer.status["kind"] == "live" and market.listeners)

    await until(lambda: any(card["part"] and card["part"][1] == "60,000.00" for card in viewer.cards))
    market.tell(trade(BTC, "60001.00"))
    await until(lambda: viewer.of("frame")[-1]["cards"][0][1] == "60,001.00")


async def test_prices_of_a_demo_are_not_left_on_a_live_page(market, feed):
    viewer = Viewer()
    feed.join(viewer)
    market.tell(trade(BTC, "1.00"))
    await until(lambda: viewer.of("frame"))

    market.lasts.clear()
    market.status = status("demo")

    await until(lambda: viewer.status["kind"] == "demo" and viewer.cards and not any(c["part"] for c in viewer.cards))


@pytest.mark.parametrize("error", [RequestTimeout("nobody answers"), WireMismatch("restart the supervisor")])
async def test_unanswered_question_is_told_and_asked_again(error):
    market, viewer = Market(), Viewer()
    market.failing = error
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    feed.join(viewer)
    await until(lambda: viewer.status["notices"] == [str(error)])

    market.failing = None

    await until(lambda: market.listeners and viewer.status["notices"] == [])
    task.cancel()


async def test_past_that_cannot_be_is_told_and_asked_for_again_while_prices_go_on(monkeypatch):
    market, viewer = Market(), Viewer()
    candles = market.get_candles

    def lie(*_, **__):
        raise WrongAnswer("expected candles")

    monkeypatch.setattr(market, "get_candles", lie)
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    feed.join(viewer)
    await until(lambda: viewer.status["notices"] == ["expected candles"])

    await until(lambda: market.listeners)
    market.tell(trade(BTC, "1.00"))
    await until(lambda: viewer.of("frame"))
    monkeypatch.setattr(market, "get_candles", candles)

    await until(lambda: viewer.status["notices"] == [])
    task.cancel()


async def test_bug_is_not_swallowed(market):
    market.failing = ZeroDivisionError()
    feed = Feed(market, poll_s=0.05)

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(feed.run(), 5)


@pytest.mark.parametrize(("place", "what"), [("prices", "_prices"), ("compare", "_comparing")])
async def test_bug_in_what_all_pages_are_told_ends_the_feed_and_is_not_only_logged(market, place, what, monkeypatch):
    feed, viewer = Feed(market, poll_s=0.05), Viewer()
    task = asyncio.create_task(feed.run())
    await until(lambda: market.listeners)
    viewer.place = place
    feed.join(viewer)
    feed.open(viewer)
    monkeypatch.setattr(getattr(feed, what), {"prices": "card", "compare": "_table"}[place], lambda *_: 1 / 0)

    market.tell(trade(BTC, "60000.00"))

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(task, 5)


async def test_rate_counts_what_came(market, feed):
    viewer = Viewer()
    feed.join(viewer)

    for _ in range(100):
        market.tell(trade(BTC, "60000.00"))
        await asyncio.sleep(0.01)

    await until(lambda: 30 < viewer.status["rate"] < 200)


async def test_slow_answers_hold_up_no_frame(market, feed, monkeypatch):
    viewer, seen = Viewer(), []
    feed.join(viewer)
    monkeypatch.setattr(market, "get_status", lambda: time.sleep(0.5) or status())
    monkeypatch.setattr(viewer, "show", lambda text: seen.append(time.monotonic()))

    for number in range(60):
        market.tell(trade(BTC, f"{60000 + number}.00"))
        await asyncio.sleep(0.02)

    assert len(seen) >= 8
    assert max(after - before for before, after in pairwise(seen)) < 0.3


async def test_page_with_an_open_product_gets_its_past_and_every_trade(market, feed):
    viewer, other = Viewer(str(ETH)), Viewer(str(ETH))
    market.tell(trade(BTC, "60000.00", number=1))
    viewer.focus = str(BTC)
    for each in (viewer, other):
        feed.join(each)
        feed.open(each)
    await until(lambda: viewer.of("history"))

    now = time.time()
    market.tell(*(trade(BTC, "60000.00", at=now, number=number) for number in (2, 3)))

    def told() -> list[str]:
        return [row[0] for frame in viewer.of("frame") if frame["tape"] for row in frame["tape"][1]]

    await until(lambda: told()[-2:] == ["2", "3"])
    assert other.of("history") == other.of("frame") == []


async def test_open_product_is_refilled_after_the_supervisor(market, feed):
    viewer = Viewer()
    viewer.focus = str(BTC)
    feed.join(viewer)

    market.open = False
    await until(lambda: viewer.status["kind"] == "none" and not market.listeners)
    viewer.messages.clear()
    market.open = True

    await until(lambda: viewer.of("history"))


async def test_product_that_is_not_followed_is_never_asked_for(market, feed):
    viewer = Viewer()
    viewer.focus = "nobody:BTC-USD"
    feed.join(viewer)

    feed.open(viewer)
    await asyncio.sleep(0.05)

    assert viewer.of("history") == []
    assert "get_trades" not in market.questions


async def test_last_day_is_told_at_the_opening_and_when_it_changes(market, feed):
    viewer, other = Viewer(str(BTC)), Viewer(str(ETH))
    market.tell(trade(BTC, "60000.00"))
    feed.join(other)
    feed.join(viewer)
    await until(lambda: viewer.of("days"))

    market.tell(trade(BTC, "61000.00"))

    await until(lambda: viewer.of("days")[-1]["days"][0][:4] == [str(BTC), 60000.0, 61000.0, 60000.0])
    late = Viewer(str(BTC))
    feed.join(late)
    assert late.of("days")[-1]["days"] == viewer.of("days")[-1]["days"]
    assert other.of("days") == []


async def test_page_is_sent_with_its_cards_and_their_day_and_with_none_at_another_place(market, feed):
    market.tell(trade(BTC, "60000.00"))
    await until(lambda: len(feed.first(View(selection=(str(BTC),)))) == 2)

    snapshot, days = map(json.loads, feed.first(View(selection=(str(BTC), "nobody:A-B"))))
    (elsewhere,) = map(json.loads, feed.first(View(place="system")))

    assert [card["key"] for card in snapshot["cards"]] == [str(BTC)]
    assert snapshot["cards"][0]["part"][1] == "60,000.00"
    assert days["days"][0][0] == str(BTC)
    assert elsewhere["cards"] == []
    assert feed.viewers == 0


@pytest.mark.parametrize("place", ["prices", "compare", "system"])
@pytest.mark.parametrize(("which", "kind"), [("prices", "chart"), ("compare", "compare-chart")])
async def test_chart_is_the_one_that_is_asked_for_wherever_the_page_was_before(market, feed, place, which, kind):
    viewer = Viewer()
    viewer.place = place
    feed.join(viewer)

    for nonsense in (1, True, "other", [], None):
        feed.replies.draw(viewer, nonsense)
    feed.replies.draw(viewer, which)

    await until(lambda: viewer.of(kind))
    assert [message["kind"] for message in viewer.messages if "chart" in message["kind"]] == [kind]
    assert "root_id" in viewer.of(kind)[0]["item"]


async def test_page_that_asks_for_nothing_in_particular_gets_twelve_cards():
    market, viewer = Market([type(BTC)("coinbase", f"A{number}", "USD") for number in range(20)]), Viewer()
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    await until(lambda: market.listeners)

    feed.join(viewer)

    assert len(viewer.cards) == 12
    assert len(viewer.of("snapshot")[-1]["catalogue"]) == 20
    task.cancel()


async def test_hidden_page_gets_nothing_but_signs_of_life(market, monkeypatch):
    monkeypatch.setattr("dashboards.feed.SIGN_OF_LIFE_S", 0.3)
    hidden, seen = Viewer(), Viewer()
    hidden.focus, hidden.hidden = str(BTC), True
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    await until(lambda: market.listeners)
    for viewer in (hidden, seen):
        feed.join(viewer)
    hidden.messages.clear()

    for number in range(100):
        market.tell(trade(BTC, f"{60000 + number}.00", number=number))
        await asyncio.sleep(0.01)
    market.open = False
    await until(lambda: not market.listeners)
    market.open = True
    await until(lambda: market.listeners and len(seen.of("snapshot")) >= 3 and hidden.of("status"))

    assert {message["kind"] for message in hidden.messages} == {"status"}
    assert len(hidden.of("status")) < len(seen.of("status"))
    task.cancel()


async def test_number_of_a_product_is_never_anothers(market, feed):
    viewer = Viewer()
    feed.join(viewer)
    first = dict(viewer.keys)

    market.products = [type(BTC)("coinbase", "DOGE", "USD"), ETH, BTC]
    market.open = False
    await until(lambda: not market.listeners)
    market.open = True
    await until(lambda: market.listeners and len(viewer.keys) == 3)
    market.tell(trade(BTC, "60000.00"))

    await until(lambda: viewer.of("frame"))
    assert viewer.of("frame")[-1]["cards"][0][0] == str(BTC)
    assert {number: key for number, key in viewer.keys.items() if number in first}.items() <= first.items()


async def test_who_is_told_to_end_while_it_ends_another_does_so():
    async def slow_to_end():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            raise

    follower = asyncio.create_task(slow_to_end())
    await asyncio.sleep(0)
    ending = asyncio.create_task(_end(follower))
    await asyncio.sleep(0.01)

    ending.cancel()

    await asyncio.wait({ending}, timeout=5)
    assert ending.cancelled()


async def test_question_that_went_unanswered_is_told_until_the_next_is_answered(market):
    outlook = Outlook(market)
    market.failing = RequestTimeout("the supervisor does not answer")

    await outlook.look(0, {}, [])
    assert outlook.status["notices"] == ["the supervisor does not answer"]
    market.failing = None
    await outlook.look(0, {}, [])

    assert outlook.status["notices"] == []
