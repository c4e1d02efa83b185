"""What the page says when it is back, what its tab says, and what it leaves unasked while nobody sees it."""

import pytest

from tests.dashboards.conftest import Served
from tests.dashboards.link import Link

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
HEAR = """() => {
    window.heard = [];
    const receive = JSON.parse;
    JSON.parse = text => { const it = receive(text); if (it?.kind) window.heard.push(it); return it };
}"""
SENTENCE = (
    r"^This page was offline from \d\d:\d\d:\d\d to \d\d:\d\d:\d\d \(\d+ s\)\."
    rf" [1-9]\d* trades of {BTC} were fetched since\. No gap is known of that time\.$"
)


def test_outages_are_told_in_one_line_that_can_be_dismissed(screen):
    link = Link()
    server = Served("demo", origin=f"127.0.0.1:{link.port}")
    link.target = server.port
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
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 2")
    shown.page.evaluate(HEAR)

    shown.page.evaluate(HIDE, True)
    shown.page.wait_for_timeout(11_000)
    shown.page.evaluate("window.heard = []")
    before = shown.page.title()
    shown.page.wait_for_function("before => heard.length > 8 && document.title !== before", arg=before)

    seen = shown.page.evaluate("[...new Set(heard.flatMap(each => (each.cards ?? []).map(card => card[0])))]")
    assert seen == [BTC]
    shown.page.evaluate(HIDE, False)
    shown.page.wait_for_function("() => heard.some(each => each.kind === 'snapshot' && each.cards.length === 2)")
    assert shown.troubles == []


def test_empty_page_that_nobody_sees_hears_signs_of_life_alone(served, screen):
    shown = screen(f"{served('demo').url}?products=")
    shown.until("board.querySelector('.empty').checkVisibility()")
    shown.page.evaluate(HIDE, True)
    shown.page.wait_for_timeout(11_000)
    shown.page.evaluate(HEAR)

    shown.page.wait_for_function("() => heard.length", timeout=20_000)

    assert set(shown.page.evaluate("heard.map(each => each.kind)")) == {"status"}
