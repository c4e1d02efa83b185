"""The chart of the open product by a person's own gestures: keys, wheel, fingers, its table, its tape."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.dashboards.gestures import drag, swipe

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BTC = "coinbase:BTC-USD"
DRAWN = "window.Bokeh.documents.some(each => each.get_model_by_name('candles')?.data.x.length > 5)"
MODEL = "window.Bokeh.documents.map(each => each.get_model_by_name('{}')).filter(Boolean).at(-1)"
SOURCE, TIMES, CROSSHAIR = (MODEL.format(name) for name in ("candles", "times", "crosshair"))
READ = "board.querySelector('.readout').textContent"
FOLLOWS = "board.querySelector('.follow').hidden"
INTERVALS = {"1s": 1, "5s": 5, "15s": 15, "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}


def opened(screen, served, *, mode="demo", interval="5s", window=DESKTOP, **more):
    shown = screen(f"{served(mode).url}?products={BTC}&focus={BTC}&interval={interval}", **window, **more)
    shown.until(DRAWN)
    shown.page.locator(".chart").scroll_into_view_if_needed()
    return shown


def test_every_interval_is_drawn_from_its_own_bars(served, screen):
    shown = opened(screen, served, interval="1m")

    for name, seconds in INTERVALS.items():
        shown.page.get_by_role("button", name=name, exact=True).click()

        shown.until(f"Math.abs({SOURCE}.data.right[0] - {SOURCE}.data.left[0] - argument) < 1", seconds * 700)
        shown.until(f"{READ}.includes('open')")
    assert shown.troubles == []


def test_arrow_keys_read_out_candle_after_candle(served, screen):
    shown = opened(screen, served)
    shown.page.locator(".chart").focus()

    times = []
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowLeft", "ArrowRight"):
        shown.page.keyboard.press(key)
        shown.until("board.querySelector('.readout').getAttribute('aria-live') === 'polite'")
        times.append(shown.page.evaluate(f"{CROSSHAIR}.location"))
        clock = shown.page.evaluate("it => new Date(it - 2500).toISOString().slice(11, 19)", times[-1])
        shown.until(f"{READ}.includes(argument)", f", {clock}: open ")

    assert [(after - before) / 5000 for before, after in pairwise(times)] == [-1, -10, 1]
    shown.page.keyboard.press("Home")
    shown.until(f"!{FOLLOWS} && {TIMES}.start <= {SOURCE}.data.left[0]")
    shown.page.keyboard.press("End")
    shown.until(f"{FOLLOWS} && {CROSSHAIR}.location === null")
    assert shown.text(".readout").count("VWAP") == 1
    assert shown.troubles == []


def test_candle_is_read_out_in_the_browsers_zone(served, screen):
    shown = opened(screen, served, timezone_id="Asia/Kolkata")
    shown.page.locator(".chart").focus()

    shown.page.keyboard.press("Shift+ArrowLeft")

    axis = shown.page.evaluate(f"new Date({CROSSHAIR}.location - 2500).toISOString().slice(11, 19)")
    shown.until(f"{READ}.includes(argument)", axis)  # what the axis says is what is read
    newest = datetime.now(ZoneInfo("Asia/Kolkata"))
    assert f"{newest:%H:}" == axis[:3] or newest.minute < 5


def test_average_is_a_line_that_can_be_put_away(served, screen):
    shown = opened(screen, served)
    line = MODEL.format("average")
    assert shown.page.evaluate(f"{line}.visible && {SOURCE}.data.vwap.every(price => price > 0)")

    shown.page.get_by_role("button", name="VWAP", exact=True).click()

    shown.until(f"!{line}.visible")
    assert shown.troubles == []


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_table_behind_the_chart_has_what_is_shown(served, screen, window):
    shown = opened(screen, served, window=window)
    assert not shown.page.locator(".candle-table").is_visible()

    shown.page.get_by_role("button", name="Table", exact=True).click()

    shown.until("board.querySelectorAll('.candle-table tbody tr').length > 50")
    caption = shown.text(".candle-table caption")
    assert caption.startswith("Bitcoin BTC/USD on Coinbase: ")
    heads = shown.page.locator(".candle-table thead th").all_inner_texts()
    assert heads == ["Time", "Open", "High", "Low", "Close", "Volume", "VWAP", "Trades"]
    first, second = (shown.page.locator(".candle-table tbody tr").nth(at).inner_text() for at in (0, 1))
    assert first > second  # the newest on top, all of one day but around midnight
    close = "board.querySelector('.candle-table tbody tr').children[4].textContent"
    shown.until(f"board.querySelector('.focus-price').textContent === '$' + {close}")
    rows = "board.querySelectorAll('.candle-table tbody tr').length"
    shown.until(f"board.querySelector('.candle-table caption').textContent.includes(`: ${{{rows}}} candles of 5s`)")
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.troubles == []


def test_chart_lets_go_of_the_end_when_it_is_dragged_and_takes_it_up_again_when_asked(served, screen):
    shown = opened(screen, served, interval="1s")
    newest = shown.page.evaluate(f"{SOURCE}.data.x.at(-1)")
    shown.until(f"{FOLLOWS} && {SOURCE}.data.x.at(-1) > argument + 1000 && {TIMES}.end > argument + 3000", newest)

    drag(shown, shown.page.locator(".chart"), 300)

    shown.until(f"!{FOLLOWS}")
    end, newest = shown.page.evaluate(f"[{TIMES}.end, {SOURCE}.data.x.at(-1)]")
    shown.until(f"{SOURCE}.data.x.at(-1) > argument + 1000", newest)
    assert shown.page.evaluate(f"{TIMES}.end") == end
    shown.page.get_by_role("button", name="Follow the newest").click()
    shown.until(f"{FOLLOWS} && {TIMES}.end > {SOURCE}.data.x.at(-1)")
    drag(shown, shown.page.locator(".chart"), 300)
    shown.until(f"!{FOLLOWS}")
    drag(shown, shown.page.locator(".chart"), -420)  # back to the end by hand, which went on meanwhile
    shown.until(FOLLOWS)
    assert shown.troubles == []


def test_finger_on_the_chart_scrolls_the_page_up_and_down_and_the_chart_sideways(served, screen):
    shown = opened(screen, served, window=PHONE, interval="1s", has_touch=True, is_mobile=True)
    before = shown.page.evaluate("scrollY")

    swipe(shown, shown.page.locator(".chart"), 0, -150)
    shown.page.wait_for_function("before => scrollY > before + 50", arg=before)
    shown.until(FOLLOWS)
    before = shown.page.evaluate("scrollY")
    swipe(shown, shown.page.locator(".chart"), 120, 0)

    shown.until(f"!{FOLLOWS}")
    assert shown.page.evaluate("scrollY") == before
    shown.page.get_by_role("button", name="Follow the newest").tap()
    shown.until(FOLLOWS)
    assert shown.troubles == []


def test_late_trade_is_named_and_in_its_place(served, screen):
    shown = screen(f"{served('late').url}?products={BTC}&focus={BTC}")

    shown.until("board.querySelectorAll('.tape .late').length > 1")

    times = shown.page.locator(".tape time").evaluate_all("all => all.map(each => each.dateTime)")
    assert times == sorted(times, reverse=True)
    assert shown.troubles == []
