"""The open product: its chart, its tape, its title, and that it comes back after anything."""

from datetime import UTC, datetime

import pytest

from tests.dashboards.conftest import Served
from tests.link import Link

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BTC, ETH = "coinbase:BTC-USD", "bitstamp:ETH-EUR"
DRAWN = "window.Bokeh.documents.some(each => each.get_model_by_name('candles')?.data.x.length > 5)"
KEYS = "[...board.querySelectorAll('.grid .card')].map(card => card.dataset.key).join()"
READ = "board.querySelector('.readout').textContent.split(': ')[0]"
LOST = "board.querySelector('.badge').dataset.kind === 'lost'"
SOURCE = "window.Bokeh.documents.map(each => each.get_model_by_name('candles')).filter(Boolean).at(-1).data"


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_click_on_a_card_opens_its_product(served, screen, window):
    shown = screen(f"{served('demo').url}?products={BTC},{ETH}", **window)
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 2")

    shown.page.locator(f"[data-key='{BTC}'] .price").click()

    shown.until(DRAWN)
    shown.until("board.querySelectorAll('.tape tbody tr').length > 3")
    assert shown.text(".focus-name") == "Bitcoin BTC/USD on Coinbase"
    assert f"focus={BTC}" in shown.page.url
    assert shown.page.locator(".focus canvas").first.is_visible()
    shown.page.wait_for_function("() => /^[▲▼] [\\d,]+\\.\\d\\d BTC\\/USD · Demo · Poeticoins$/.test(document.title)")
    before = shown.page.title()
    shown.page.wait_for_function("before => document.title !== before", arg=before)
    assert shown.text(".numbers dd").count(".") == 1
    day = r"^in 1[0-2] min[+−]?[\d.]+ %High[\d,.]{9}Low[\d,.]{9}Volume[\d.]+$"
    shown.until("new RegExp(argument).test(board.querySelector('.focus .day').textContent)", day)
    assert "VWAP" in shown.text(".readout")
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown.page.get_by_role("button", name="Close").last.click()
    shown.until("board.querySelector('.focus').hidden")
    shown.page.wait_for_function("() => document.title.includes('Demo · Poeticoins')")
    shown.page.go_back()
    shown.until("!board.querySelector('.focus').hidden")
    assert shown.troubles == []


def test_interval_is_chosen_shared_and_drawn(served, screen):
    shown = screen(f"{served('demo').url}?focus={BTC}&interval=15s")
    shown.until(DRAWN)
    shown.until(f"{SOURCE}.right[0] - {SOURCE}.left[0] === 15000 * 0.7")

    shown.page.get_by_role("button", name="5s", exact=True).click()

    shown.until(f"Math.abs({SOURCE}.right[0] - {SOURCE}.left[0] - 5000 * 0.7) < 1")
    assert shown.page.get_by_role("button", name="5s", exact=True).get_attribute("aria-pressed") == "true"
    assert "interval=5s" in shown.page.url
    assert shown.troubles == []


def test_candle_grows_with_the_trades(served, screen):
    shown = screen(f"{served('demo').url}?focus={BTC}&interval=1s")
    shown.until(DRAWN)
    newest = shown.page.evaluate(f"{SOURCE}.x.at(-1)")

    shown.until(f"{SOURCE}.x.at(-1) > argument", newest)

    assert shown.page.evaluate(f"new Set({SOURCE}.x).size === {SOURCE}.x.length")


def test_chart_follows_until_it_is_moved_and_again_when_asked(served, screen):
    shown = screen(f"{served('demo').url}?focus={BTC}&interval=1s")
    shown.until(DRAWN)
    shown.page.locator(".chart").scroll_into_view_if_needed()
    box = shown.page.locator(".chart").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + 100
    assert not shown.page.get_by_role("button", name="Follow the newest").is_visible()

    shown.page.mouse.move(*middle)
    shown.page.mouse.down()
    shown.page.mouse.move(middle[0] + 300, middle[1], steps=5)
    shown.page.mouse.up()

    shown.page.get_by_role("button", name="Follow the newest").click()
    shown.until("board.querySelector('.follow').hidden")
    assert shown.troubles == []


def test_pointing_at_a_candle_reads_it_out(served, screen):
    shown = screen(f"{served('demo').url}?focus={BTC}&interval=1s")
    shown.until(DRAWN)
    shown.page.locator(".chart").scroll_into_view_if_needed()
    box = shown.page.locator(".chart").bounding_box()

    shown.page.mouse.move(box["x"] + 60, box["y"] + 100)

    shown.until(f"{READ} < argument", f"{datetime.now(UTC):%b %-d, %H:%M}")
    assert all(word in shown.text(".readout") for word in ("open", "high", "low", "close", "volume", "VWAP"))


def test_two_trades_in_one_millisecond_are_two_rows(served, screen):
    shown = screen(f"{served('twins').url}?focus={BTC}")

    shown.until('board.querySelectorAll(\'.tape tr[data-id="1000010"], .tape tr[data-id="1000011"]\').length === 2')

    times = shown.page.locator(".tape tr[data-id^='10000'] time").evaluate_all("all => all.map(each => each.dateTime)")
    assert len(set(times)) == len(times) / 2
    shown.until("board.querySelector('.focus-price').textContent === '$67,829.30'")


def test_gaps_are_bands_with_words_and_foreign_candles_look_it(served, screen):
    shown = screen(f"{served('hole').url}?focus=coinbase:BTC-EUR")
    shown.until(DRAWN)

    bands = "window.Bokeh.documents.map(each => each.get_model_by_name('gaps')).filter(Boolean).at(-1).data"
    shown.until(f"{bands}.words.join() === ',3 trades missing'")
    assert shown.page.evaluate(f"{bands}.right[1] - {bands}.left[1]") == 60_000 * 0.7  # 21 s, and yet seen
    said = shown.page.locator(".missing li").all_inner_texts()
    assert [each.split(",")[0] for each in said] == ["3 trades missing", "trades may be missing"]
    assert said[0].endswith("(skipped ids)")
    shown.until(f"{SOURCE}.alpha.slice(0, 4).join() === '0.12,0.12,0.12,1'")
    shown.page.locator(".chart").focus()
    box = shown.page.locator(".chart").bounding_box()
    for step in range(0, int(box["width"]) - 100, 4):
        shown.page.mouse.move(box["x"] + box["width"] - 100 - step, box["y"] + 100)
        if "from the exchange's own candles" in shown.text(".readout"):
            break
    assert "from the exchange's own candles" in shown.text(".readout")
    assert "VWAP" not in shown.text(".readout")
    assert "NaN" not in shown.text(".focus")
    assert shown.troubles == []


def test_page_comes_back_with_its_product_and_a_full_chart(served, screen):
    first = served("twins")
    shown = screen(f"{first.url}?products={ETH},{BTC}&focus={BTC}&interval=5s")
    shown.until(DRAWN)
    shown.page.evaluate("window.kept = true")

    first.kill()
    shown.until("board.querySelector('.badge').dataset.kind === 'lost'")
    served("twins", port=first.port)
    shown.until("board.querySelector('.badge').dataset.kind !== 'lost'")

    shown.until(f"{KEYS} === argument", f"{ETH},{BTC}")
    shown.until(f"{SOURCE}.x.length > 5 && board.querySelectorAll('.tape tbody tr').length > 3")
    shown.until("document.title.includes('BTC/USD')")
    assert shown.page.get_by_role("button", name="5s", exact=True).get_attribute("aria-pressed") == "true"
    assert shown.page.evaluate("window.kept")


def test_page_comes_back_after_its_link_was_cut_and_after_it_went_silent(screen):
    link = Link()
    server = Served("demo", origin=f"127.0.0.1:{link.port}")
    link.target = server.port
    shown = screen(f"http://127.0.0.1:{link.port}/?products={ETH},{BTC}&focus={BTC}&interval=5s")
    shown.page.set_default_timeout(25_000)
    shown.until(DRAWN)
    shown.page.evaluate("window.kept = true")

    for outage in (link.cut, link.silence):
        outage()
        shown.until(LOST)
        link.mend()
        shown.until(f"!({LOST})")
        before = shown.text(".focus-price")
        shown.until("board.querySelector('.focus-price').textContent !== argument", before)

    shown.until(f"{KEYS} === argument", f"{ETH},{BTC}")
    assert shown.page.evaluate("window.kept")
    server.kill()
