"""What the page says when it is back, what its tab says, and what it leaves unasked while nobody sees it."""

import json

import pytest

from tests.dashboards.conftest import Served
from tests.link import Link

pytestmark = pytest.mark.browser
BTC, ETH = "coinbase:BTC-USD", "bitstamp:ETH-EUR"
TOLD = "board.querySelector('.meanwhile').hidden ? '' : board.querySelector('.meanwhile span').textContent"
LOST = "board.querySelector('.badge').dataset.kind === 'lost'"
SOURCE = "Bokeh.documents.map(each => each.get_model_by_name('candles')).filter(Boolean).at(-1)?.data"
ICON = "decodeURIComponent(document.querySelector('link[rel=icon]').href)"
HIDE = """hidden => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
SENTENCE = (
    r"^This page was offline from \d\d:\d\d:\d\d to \d\d:\d\d:\d\d \(\d+ s\)\."
    rf" [1-9]\d* trades of {BTC} were fetched since\. No gap is known of that time\.$"
)


def test_outages_are_told_in_one_line_that_can_be_dismissed(screen):
    link = Link()
    server = Served("demo", origin=f"127.0.0.1:{link.port}")
    link.target = server.port
    try:
        shown = screen(f"http://127.0.0.1:{link.port}/?products={BTC},{ETH}&focus={BTC}&interval=1m")
        shown.page.set_default_timeout(30_000)
        shown.until(f"{SOURCE}?.x.length > 5")

        link.cut()
        shown.until(LOST)
        shown.page.wait_for_timeout(2_000)
        link.mend()

        shown.until(f"new RegExp(argument).test({TOLD})", SENTENCE)
        link.cut()
        shown.until(LOST)
        shown.page.wait_for_timeout(1_500)
        link.mend()
        shown.until(f"/^This page was offline 2 times between .* in all\\)/.test({TOLD})")
        assert shown.page.locator(".meanwhile:visible").count() == 1
        shown.page.get_by_role("button", name="Dismiss").click()
        shown.until("board.querySelector('.meanwhile').hidden")
    finally:
        server.kill()


def test_tab_carries_price_and_direction_and_no_price_when_it_is_old(served, screen):
    first = served("live")
    shown = screen(f"{first.url}?products={BTC},{ETH}")
    shown.page.wait_for_function(r"() => /^[▲▼] [\d,]+\.\d\d BTC\/USD · Poeticoins$/.test(document.title)")
    before = shown.page.title()

    shown.page.wait_for_function("before => document.title !== before", arg=before)

    colour = {"▲": "#0f766e", "▼": "#b3460f"}[shown.page.title()[0]]
    assert colour in shown.page.evaluate(ICON)
    first.kill()
    shown.until(LOST)
    assert shown.page.title() == "Poeticoins"
    assert "#b3261e" in shown.page.evaluate(ICON)


def test_tab_that_nobody_sees_asks_for_its_title_alone_and_for_all_when_it_is_seen(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC},{ETH}")
    heard = hearing(shown, "board.querySelectorAll('.card:not(.waiting)').length === 2")

    fall_asleep(shown, heard)
    before = shown.page.title()
    shown.page.wait_for_function("before => document.title !== before", arg=before)
    shown.page.wait_for_timeout(2_000)

    frames = [text.split("|")[1] for text in heard if text.startswith("frame ")]
    assert len(frames) > 2
    assert len({card.split(" ")[0] for cards in frames for card in cards.split(";")}) == 1
    assert len([text for text in heard if text.startswith("frame ") and text.split("|")[2]]) == 0
    shown.page.evaluate(HIDE, False)
    shown.until("[...board.querySelectorAll('.age')].every(age => /^(now|[1-3] s ago)$/.test(age.textContent))")
    for _ in range(100):
        if any('"snapshot"' in text for text in heard):
            break
        shown.page.wait_for_timeout(100)
    assert any('"snapshot"' in text for text in heard)
    assert shown.troubles == []


def test_empty_page_that_nobody_sees_hears_signs_of_life_alone(served, screen):
    shown = screen(f"{served('demo').url}?products=")
    heard = hearing(shown, "board.querySelector('.empty').checkVisibility()")
    fall_asleep(shown, heard)

    shown.page.wait_for_timeout(6_000)

    assert {json.loads(text)["kind"] for text in heard} == {"status"}
    assert len(heard) <= 2


def hearing(shown, until):
    """The messages that the page hears from now on, once it is loaded anew and `until` is true."""
    heard = []

    def hear(payload):
        if isinstance(payload, str) and payload.startswith('{"events"'):
            heard.extend(each["msg_data"] for each in json.loads(payload)["events"] if each["kind"] == "MessageSent")

    shown.page.on("websocket", lambda socket: socket.on("framereceived", hear))
    shown.page.reload()
    shown.until(until)
    return heard


def fall_asleep(shown, heard):
    """Nobody sees the page, for longer than its grace; what it has heard until then is forgotten."""
    shown.page.evaluate(HIDE, True)
    shown.page.wait_for_timeout(11_000)
    heard.clear()
