"""The page before its link is there: prices at once, as of when it was sent; the live page takes them over in place."""

import re
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from dashboards.cards import OPENING, SCRIPT, STYLE, asset

pytestmark = pytest.mark.browser
BTC, ETH, LTC = "coinbase:BTC-USD", "bitstamp:ETH-EUR", "coinbase:LTC-USD"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SHOWN = (
    "() => window.Bokeh === undefined && [...document.querySelector('#ground').shadowRoot.querySelectorAll('.card')]"
)
KEYS = "[...board.querySelectorAll('.grid .card')].map(card => card.dataset.key).join()"


@contextmanager
def without_bokeh(shown, query=""):
    """The page loaded anew, while no script of another file comes; they all come at the end."""
    held = []
    shown.page.route("**/static/**", lambda route: held.append(route))
    shown.page.goto(shown.url + query, wait_until="commit")
    shown.page.wait_for_function(f"{SHOWN}.filter(card => !card.matches('.waiting')).length > 0")
    yield
    for route in held:
        route.continue_()
    shown.page.unroute("**/static/**")


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_prices_are_there_before_any_library_and_the_live_page_takes_them_over_in_place(served, screen, window):
    shown = screen(served("live").url, **window)
    with without_bokeh(shown):
        texts = shown.page.locator(".price-text").all_inner_texts()
        assert len(texts) == 12
        assert all(re.fullmatch(r"[0-9,]+\.[0-9]+", text) for text in texts)
        assert shown.page.locator(".spark .line[d]").count() == 12
        assert shown.text(".badge") == "Connecting"  # nothing is live yet, and nothing says so
        shown.page.wait_for_function(
            f"{SHOWN}.every(card => /^[2-9] s ago$/.test(card.querySelector('.age').textContent))"
        )
        assert shown.page.locator(".price-text").all_inner_texts() == texts
        boxes = [card.bounding_box() for card in shown.page.locator(".card").all()]
        shown.page.locator(".card").first.focus()

    shown.until("board.querySelector('.badge').dataset.kind === 'live'")

    shown.until(
        "[...board.querySelectorAll('.price-text')].map(price => price.textContent).join() !== argument",
        ",".join(texts),
    )
    assert [card.bounding_box() for card in shown.page.locator(".card").all()] == boxes
    assert shown.page.locator(".card").first.evaluate("card => card === card.getRootNode().activeElement")
    assert shown.page.locator(".late").count() == 0
    assert shown.troubles == []


def test_what_is_done_before_the_link_is_there_holds(served, screen):
    shown = screen(served("live").url)
    with without_bokeh(shown, f"?products={BTC},{ETH},{LTC}"):
        assert [card.get_attribute("data-key") for card in shown.page.locator(".card").all()] == [BTC, ETH, LTC]
        shown.page.locator(f"[data-key='{ETH}']").focus()
        shown.page.keyboard.press("Delete")
        shown.page.locator(f"[data-key='{LTC}']").click()

    shown.until("board.querySelectorAll('.tape tbody tr').length > 3")
    shown.until("window.Bokeh.documents.some(each => each.get_model_by_name('candles')?.data.x.length > 5)")

    shown.until(f"{KEYS} === argument", f"{BTC},{LTC}")
    assert shown.page.url.endswith(f"?products={BTC},{LTC}&focus={LTC}")
    assert shown.troubles == []


def test_made_up_prices_say_so_before_the_link_is_there(served, screen):
    shown = screen(served("demo").url)

    with without_bokeh(shown):
        assert "not the market" in shown.text(".ribbon")
        assert shown.page.title().endswith("Demo · Poeticoins")


def test_page_says_so_when_its_libraries_do_not_come(served, screen):
    shown = screen(served("live").url)

    with without_bokeh(shown):
        shown.page.wait_for_function(
            "() => document.querySelector('.late').checkVisibility({visibilityProperty: true})"
        )
        shown.page.wait_for_function(f"{SHOWN}.every(card => card.matches('.troubled'))", timeout=20_000)

        assert shown.text(".badge") == "Reconnecting"
        assert "does not come" in shown.text(".late")


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "<!--<script>"])
def test_page_as_it_is_sent_holds_no_markup_of_others(served, text):
    address = served("trouble").url + "?products=" + text.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")

    page = urlopen(address).read().decode()

    assert text not in page
    assert "<img" not in page  # one stands in the trouble's own words
    assert "name not found \\u003cimg" in page
    assert page.count("</script") == len(re.findall(r"<script\b", page))


def test_scripts_and_styles_end_where_the_page_ends_them():
    assert not re.search(r"</?script|<!--", SCRIPT + asset(OPENING), re.IGNORECASE)
    assert not re.search(r"</?(style|template)", STYLE, re.IGNORECASE)
