"""The places of the page: links that lead to each, one shown at a time, and no cards sent to who is elsewhere."""

import pytest

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BTC = "coinbase:BTC-USD"
PLACES = "[...board.querySelectorAll('.place')]"
SHOWN = f"{PLACES}.filter(place => place.checkVisibility()).map(place => place.classList[1]).join()"


def at(shown, place):
    shown.until(f"{SHOWN} === argument", place)


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_places_are_links_that_the_address_and_its_history_follow(served, screen, window):
    shown = screen(f"{served('demo').url}?products={BTC}&theme=dark", **window)
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    link = shown.page.get_by_role("navigation", name="Places").get_by_role("link", name="System")
    assert link.get_attribute("href") == f"?place=system&products={BTC}&theme=dark"

    link.click()

    at(shown, "system")
    assert link.get_attribute("aria-current") == "page"
    assert shown.page.url.endswith(f"?place=system&products={BTC}&theme=dark")
    assert shown.page.title() == "System · Demo · Poeticoins"
    assert not shown.page.get_by_role("button", name="Add product").is_visible()
    shown.page.get_by_role("link", name="Compare").focus()
    shown.page.keyboard.press("Enter")
    at(shown, "compare")
    shown.page.go_back()
    at(shown, "system")
    shown.page.go_back()
    at(shown, "prices")
    assert shown.page.url.endswith(f"?products={BTC}&theme=dark")
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.troubles == []


def test_cards_rest_while_the_page_is_elsewhere_and_are_renewed_on_return(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")

    shown.page.get_by_role("link", name="System").click()
    at(shown, "system")
    shown.page.wait_for_timeout(300)  # what was on its way has come
    before = shown.page.locator(".price-text").text_content()
    shown.page.wait_for_timeout(2_000)  # some ten trades of bitcoin
    assert shown.page.locator(".price-text").text_content() == before

    shown.page.get_by_role("link", name="Prices").click()

    shown.until("board.querySelector('.price-text').textContent !== argument", before)
    shown.until("['now', '1 s ago'].includes(board.querySelector('.age').textContent)")
    assert shown.troubles == []


def test_address_opens_a_place_and_an_unknown_one_is_named(served, screen):
    shown = screen(f"{served('demo').url}?place=system")
    at(shown, "system")

    shown.page.goto(f"{shown.url.split('?')[0]}?place=nowhere&compare=<b>")

    at(shown, "prices")
    shown.until("board.querySelector('.note').textContent.endsWith('left out: nowhere, <b>')")
    assert shown.troubles == []


def test_page_of_a_notebook_has_no_places(served, screen):
    shown = screen(served("guest").url)

    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 12")

    assert not shown.page.get_by_role("navigation", name="Places").is_visible()
