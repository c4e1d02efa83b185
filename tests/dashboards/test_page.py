"""The page in a real browser: what a person sees, and that nothing goes wrong or leaves the host while they see it."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ALL_PRICED = "board.querySelectorAll('.card:not(.waiting)').length === 12"
PRICES = "[...board.querySelectorAll('.price-text')].map(price => price.textContent).join()"


@pytest.mark.parametrize(("window", "columns"), [(DESKTOP, 4), (PHONE, 2)], ids=["desktop", "phone"])
def test_prices_move_and_nothing_goes_wrong(served, screen, window, columns):
    shown = screen(served("demo").url, **window)
    shown.until(ALL_PRICED)
    before = shown.page.locator(".price-text").all_inner_texts()

    shown.until(f"{PRICES} !== argument", ",".join(before))

    lefts = {round(card.bounding_box()["x"]) for card in shown.page.locator(".card").all()}
    assert len(lefts) == columns
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.troubles == []


def test_cards_are_full_at_first_paint(served, screen):
    shown = screen(served("demo").url)

    shown.until(ALL_PRICED)

    shown.until("[...board.querySelectorAll('.line')].every(line => line.getAttribute('d').split('L').length > 250)")
    first = shown.page.locator(".card").first
    assert first.get_attribute("aria-label") == "Bitcoin in US dollars on Coinbase"
    assert first.locator(".since").inner_text() == "in 10 min"
    assert "%" in first.locator(".change").inner_text()
    assert first.locator(".size").inner_text() == "0.0119 BTC"
    words = "[...board.querySelectorAll('.card .day dt')].map(word => word.textContent)"
    shown.until(f"{words}.every(word => /^(in 1[01] min|High|Low|Volume)$/.test(word))")
    assert "NaN" not in shown.page.locator(".grid").inner_text()


def test_times_are_in_the_browsers_zone(served, screen):
    shown = screen(served("demo").url, timezone_id="Asia/Tokyo")

    shown.until(ALL_PRICED)

    traded, said = shown.page.locator("time").first.evaluate("time => [time.dateTime, time.textContent]")
    assert said == f"{datetime.fromisoformat(traded).astimezone(ZoneInfo('Asia/Tokyo')):%H:%M:%S}"
    assert "Asia/Tokyo" in shown.text(".zone")


def test_age_goes_on_without_trades(served, screen):
    shown = screen(served("still").url)

    shown.until(ALL_PRICED)

    shown.until("[...board.querySelectorAll('.age')].every(age => /^[2-9] s ago$/.test(age.textContent))")


@pytest.mark.parametrize("mode", ["demo", "replay"])
def test_prices_that_are_not_the_markets_are_marked(served, screen, mode):
    shown = screen(served(mode).url)

    shown.until(f"board.querySelector('.badge').dataset.kind === '{mode}'")

    assert "not the market" in shown.text(".ribbon")
    assert shown.page.title().endswith(f"{mode.capitalize()} · Poeticoins")


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_without_a_supervisor_the_page_says_what_to_start(served, screen, window):
    shown = screen(served("none").url, **window)

    shown.until("board.querySelector('.badge').textContent === 'No supervisor'")

    assert shown.page.locator(".absence code").all_inner_texts() == [
        "python supervisor.py",
        "python supervisor.py --demo",
    ]
    badge = shown.page.locator(".badge").bounding_box()
    assert badge["x"] + badge["width"] <= window["width"]
    assert not shown.page.locator(".prices .zone").is_visible()
    assert shown.troubles == []


def test_prices_come_the_public_way_where_the_short_one_is_closed(served, screen):
    shown = screen(served("plain").url)
    shown.until(ALL_PRICED)
    before = shown.page.locator(".price-text").all_inner_texts()

    shown.until(f"{PRICES} !== argument", ",".join(before))

    assert shown.troubles == []


@pytest.mark.parametrize(("mode", "fills"), [("demo", True), ("guest", False)])
def test_only_a_page_of_its_own_fills_the_window(served, screen, mode, fills):
    shown = screen(served(mode).url, height=2000)

    shown.until(ALL_PRICED)

    assert (shown.page.locator(".page").bounding_box()["height"] >= 2000) is fills
    assert ("Demo" in shown.page.title()) is fills
    assert shown.troubles == []


def test_foreign_words_are_shown_and_never_run(served, screen):
    shown = screen(served("trouble").url)

    shown.until(ALL_PRICED)
    shown.until("board.querySelectorAll('.card.troubled').length === 6")

    notice = shown.text(".notices li")
    assert notice.startswith("Coinbase: reconnecting to coinbase.test: name not found <img src=x onerror=alert(1)>,")
    assert "next try in 4 s" in notice
    assert "--demo" in notice
    box = shown.page.locator(".notices li").first.bounding_box()
    assert 0 < box["y"] < 900 - box["height"]  # in sight, though the cards fill more than the window
    assert shown.page.locator("img").count() == 0
    assert shown.troubles == []


def test_failure_of_the_script_is_told_in_words(served, screen):
    shown = screen(served("broken").url)

    assert "This page could not be made" in shown.text("main")
    assert "ZeroDivisionError" in shown.text("code")
    assert shown.troubles == []


def test_page_comes_back_by_itself_after_its_server(served, screen):
    first = served("live")
    shown = screen(first.url)
    shown.until(f"{ALL_PRICED} && board.querySelector('.badge').dataset.kind === 'live'")
    shown.page.evaluate("window.kept = true")

    first.kill()
    shown.until("board.querySelector('.badge').dataset.kind === 'lost'")
    shown.until("board.querySelectorAll('.card.troubled').length === 12")
    served("live", port=first.port)

    shown.until("board.querySelector('.badge').dataset.kind === 'live'")
    shown.until(ALL_PRICED)
    before = shown.page.locator(".price-text").all_inner_texts()
    shown.until(f"{PRICES} !== argument", ",".join(before))
    assert shown.page.evaluate("window.kept")  # the same page, not a reloaded one


def test_page_that_is_too_old_for_its_server_takes_a_new_one(served, screen):
    first = served("forgetful")
    shown = screen(first.url)
    shown.until(f"{ALL_PRICED} && board.querySelector('.badge').dataset.kind === 'live'")
    shown.page.evaluate("window.kept = true")
    first.kill()
    shown.until("board.querySelector('.badge').dataset.kind === 'lost'")
    shown.page.wait_for_timeout(6_500)  # as long as its token lives, which must be long enough to open it at all
    served("forgetful", port=first.port)

    shown.page.wait_for_function("() => !window.kept", timeout=30_000)
    shown.until(ALL_PRICED)


def test_script_that_gets_into_the_page_by_some_hole_is_not_run(served, screen):
    shown = screen(served("demo").url)
    shown.until("board.querySelectorAll('.card').length === 12")
    assert shown.troubles == []

    shown.page.evaluate(
        """() => {
            const hole = document.createElement("div");
            hole.innerHTML = "<img src=x onerror='window.stolen = 1'><a href='javascript:window.stolen = 1'>x</a>";
            document.body.append(hole);
            const script = document.createElement("script");
            script.textContent = "window.stolen = 1";
            document.body.append(script);
            hole.querySelector("a").click();
        }"""
    )

    shown.page.wait_for_function("() => document.querySelector('img[src=x]').complete")
    assert shown.page.evaluate("window.stolen") is None
    assert sum("Content Security Policy" in trouble for trouble in shown.troubles) >= 3
