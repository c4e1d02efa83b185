"""The Compare place in a real browser: one coin on every exchange, by a person's own gestures."""

import pytest

from tests.dashboards.gestures import drag, middle, swipe

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FINGERS = PHONE | {"has_touch": True, "is_mobile": True}
ROWS = "[...board.querySelectorAll('.side tbody tr')].filter(row => row.checkVisibility())"
FULL = f"{ROWS}.length === 4 && {ROWS}.every(row => /\\d/.test(row.querySelector('[data-column=price]').textContent))"
EXCHANGES = "[...board.querySelectorAll('.side:first-child tbody a')].map(link => link.textContent).join()"
PRICES = "[...board.querySelectorAll('.side [data-column=price]')].map(cell => cell.textContent).join()"
CANVASES = (
    "[...board.querySelectorAll('.lines')].map(each => each.firstElementChild?.shadowRoot?.querySelector('.bk-Canvas'))"
)
MODELS = "window.Bokeh.documents.map(each => each.get_model_by_name('NAME')).filter(each => each)"
LINES = MODELS.replace("NAME", "lines")
CHARTS = f"{CANVASES}.every(Boolean) && {LINES}.filter(each => each.data.ys.length).length === 2"


def opened(screen, url, window=DESKTOP, ready=FULL):
    shown = screen(url, **window)
    shown.until(ready)
    return shown


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("window", [DESKTOP, FINGERS], ids=["desktop", "phone"])
def test_a_coin_is_compared_in_both_currencies_and_lives(served, screen, window, scheme):
    shown = opened(screen, f"{served('demo').url}?place=compare", window | {"color_scheme": scheme})
    before = shown.page.evaluate(f"(() => {{ const board = {BOARD}; return {PRICES} }})()")

    shown.until(f"{PRICES} !== argument", before)

    shown.until(f"{CHARTS}")
    shown.until("[...board.querySelectorAll('.side h3')].map(name => name.textContent).join() === 'US dollars,Euros'")
    shown.until("/^1\\.0\\d{4}median of 2$/.test(board.querySelector('.compare-head dd').textContent)")
    shown.until(
        f"{ROWS}.every(row => /^[+−]?\\d+\\.\\d$/.test(row.querySelector('[data-column=difference]').textContent))"
    )
    shown.until(f"{ROWS}.every(row => /^(now|\\d+ s)$/.test(row.querySelector('[data-column=age]').textContent))")
    assert "no spread" in shown.text(".compare .zone")
    assert "NaN" not in shown.page.locator(".compare").inner_text()
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown.until("document.title === 'Compare BTC · Demo · Poeticoins'")  # it changes once a second at most
    assert shown.troubles == []


BOARD = "[...document.querySelectorAll('*')].map(node => node.shadowRoot).find(root => root?.querySelector('.board'))"


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_another_coin_is_chosen_and_the_address_and_back_follow(served, screen, window):
    shown = opened(screen, f"{served('demo').url}?place=compare", window)

    shown.page.get_by_role("combobox", name="Coin to compare").select_option("ETH")

    shown.until("board.querySelector('.side tbody tr').dataset.key.includes('ETH')")
    assert shown.page.url.endswith("?place=compare&compare=ETH")
    shown.until(f"{CHARTS}")
    shown.page.go_back()
    shown.until("board.querySelector('.side tbody tr').dataset.key.includes('BTC')")
    assert shown.page.locator(".chooser").input_value() == "BTC"
    shown.page.go_forward()
    shown.until("board.querySelector('.side tbody tr').dataset.key.includes('ETH')")
    assert shown.troubles == []


def test_table_is_sorted_by_clicks_and_by_keyboard_and_kept_in_the_address(served, screen):
    shown = opened(screen, f"{served('demo').url}?place=compare")
    head = shown.page.locator(".side").first.get_by_role("columnheader", name="Exchange")
    button = head.get_by_role("button")

    button.click()

    shown.until(f"{EXCHANGES} === 'Bitstamp,Coinbase'")
    assert head.get_attribute("aria-sort") == "ascending"
    shown.page.keyboard.press("Enter")
    shown.until(f"{EXCHANGES} === 'Coinbase,Bitstamp'")
    assert head.get_attribute("aria-sort") == "descending"
    assert shown.page.url.endswith("?place=compare&sort=-exchange")
    shown.page.keyboard.press("Space")
    shown.until("!board.querySelector('[aria-sort]')")
    assert shown.page.url.endswith("?place=compare")
    shown.page.goto(f"{shown.url}&sort=price")
    shown.until(f"{FULL} && board.querySelectorAll('.side [aria-sort=ascending]').length === 2")
    numbers = "[...board.querySelectorAll('.side:first-child tbody [data-column=price]')].map(cell => numberOf(cell))"
    in_order = numbers.replace("numberOf(cell)", "Number(cell.textContent.replaceAll(',', ''))")
    shown.until(f"{in_order}.every((price, at, all) => !at || all[at - 1] <= price)")
    assert shown.troubles == []


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_exchange_in_trouble_is_left_out_in_sight_with_the_reason(served, screen, window):
    shown = opened(screen, f"{served('trouble').url}?place=compare", window)

    shown.until("board.querySelectorAll('.side tr.left-out').length === 2")

    row = shown.page.locator(".side tr.left-out").first
    assert row.locator("a").inner_text() == "Coinbase"
    assert row.locator(".words").inner_text() == "left out: reconnecting"
    assert "," in row.locator("[data-column=price]").inner_text()
    assert shown.page.locator(".side dd .of").all_inner_texts() == ["of 1", "Bitstamp alone", "Bitstamp alone"] * 2
    assert shown.text(".compare-head dd .of") == "median of 1"
    assert shown.troubles == []


def test_gapped_product_is_left_out_and_its_rate_with_it(served, screen):
    shown = opened(screen, f"{served('hole').url}?place=compare")

    shown.until("board.querySelectorAll('.side tr.left-out').length === 1")

    assert shown.text(".side tr.left-out .words") == "left out: 3 trades missing in the last 10 min"
    assert shown.page.locator(".side").nth(1).locator("tr.left-out").count() == 1
    assert shown.text(".compare-head dd .of") == "median of 1"


@pytest.mark.parametrize("window", [DESKTOP, FINGERS], ids=["desktop", "phone"])
def test_ten_exchanges_have_ten_lines_that_colour_alone_does_not_tell_apart(served, screen, window):
    ready = f"{ROWS}.length === 20 && {ROWS}.every(row => /\\d/.test(row.textContent))"
    shown = opened(screen, f"{served('ten').url}?place=compare&compare=XRP&sort=-price", window, ready)
    shown.until(f"{CHARTS} && {LINES}.every(each => each.data.ys.length >= 10)")

    looks = shown.page.evaluate(
        f"(() => {{ const {{ tone, dash }} = {LINES}[0].data; return tone.map((it, at) => [it, dash[at]]) }})()"
    )
    ends = MODELS.replace("NAME", "ends")
    places = shown.page.evaluate(f"{ends}.map(each => each.data.place.filter(Number.isFinite).length)")

    assert len({tuple(look) for look in looks}) == 10
    assert places == [10, 10]
    assert "of 10" in shown.text(".side dd .of")
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.troubles == []


def test_chart_is_read_by_pointer_by_keys_and_as_a_table(served, screen):
    shown = opened(screen, f"{served('demo').url}?place=compare&interval=5s")
    shown.until(f"{CHARTS}")
    chart = shown.page.locator(".lines").first
    box = chart.bounding_box()

    shown.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 80)
    shown.until(
        "/^[\\d:]{8}: Coinbase [\\d,.]+, Bitstamp [\\d,.]+$/.test(board.querySelector('.side .readout').textContent)"
    )
    shown.page.mouse.move(5, 5)
    shown.until("board.querySelector('.side .readout').textContent.startsWith('Point at')")
    chart.focus()
    shown.page.keyboard.press("Home")
    first = shown.text(".side .readout")
    shown.page.keyboard.press("ArrowRight")
    assert first != shown.text(".side .readout") != ""
    shown.page.locator(".behind summary").first.click()

    shown.until("board.querySelectorAll('.behind tbody tr').length === 60")
    assert shown.page.locator(".behind th").all_inner_texts() == ["Time", "Coinbase", "Bitstamp"]
    assert shown.troubles == []


TIMES = f"{MODELS.replace('NAME', 'times')}[0]"
FOLLOWS = "board.querySelector('.side .follow').hidden"
NEWEST = f"{MODELS.replace('NAME', 'ends')}[0].data.x.at(-1)"
WIDTH = f"({TIMES}.end - {TIMES}.start)"


def test_chart_is_panned_and_zoomed_by_pointer_wheel_and_keys_and_follows_its_end_again_when_asked(served, screen):
    shown = opened(screen, f"{served('demo').url}?place=compare&interval=5s")
    shown.until(f"{CHARTS} && {FOLLOWS}")
    chart = shown.page.locator(".lines").first
    again = shown.page.locator(".side").first.get_by_role("button", name="Follow the newest")
    whole = shown.page.evaluate(WIDTH)

    shown.page.mouse.move(*middle(chart))
    shown.page.mouse.wheel(0, -300)
    shown.until(f"{WIDTH} < argument", whole * 0.9)
    drag(shown, chart, 250)
    shown.until(f"!{FOLLOWS} && {TIMES}.end < {NEWEST}")
    end, newest = shown.page.evaluate(f"[{TIMES}.end, {NEWEST}]")
    shown.until(f"{NEWEST} > argument", newest + 1000)
    assert shown.page.evaluate(f"{TIMES}.end") == end
    again.click()
    shown.until(f"{FOLLOWS} && {TIMES}.end > {NEWEST} && {WIDTH} < argument", whole * 0.95)  # as near as it was

    for key in ("+", "PageUp"):
        shown.page.keyboard.press(key)  # the keyboard is at the chart by now
    shown.until(f"!{FOLLOWS}")
    again.press("Enter")
    shown.until(FOLLOWS)
    shown.page.keyboard.press("Home")
    shown.until(f"!{FOLLOWS}")
    shown.page.keyboard.press("End")
    shown.until(f"{FOLLOWS} && board.querySelector('.side .readout').textContent.startsWith('Point at')")
    shown.page.keyboard.press("PageUp")
    shown.until(f"!{FOLLOWS}")
    shown.page.get_by_role("button", name="1m", exact=True).last.click()
    shown.until(FOLLOWS)  # what is new is shown whole
    assert shown.troubles == []


def test_finger_on_the_chart_scrolls_the_page_up_and_down_and_the_chart_sideways(served, screen):
    shown = opened(screen, f"{served('demo').url}?place=compare&interval=5s", FINGERS)
    shown.until(f"{CHARTS} && {FOLLOWS}")
    chart = shown.page.locator(".lines").first

    swipe(shown, chart, 0, -150)
    shown.page.wait_for_function("scrollY > 50")
    shown.until(FOLLOWS)
    swipe(shown, chart, 140, 0)

    shown.until(f"!{FOLLOWS}")
    shown.page.locator(".side").first.get_by_role("button", name="Follow the newest").tap()
    shown.until(FOLLOWS)
    assert shown.troubles == []


def test_exchange_leads_to_its_product_with_its_candles_and_back(served, screen):
    shown = opened(screen, f"{served('demo').url}?place=compare&compare=LTC")
    link = shown.page.locator(".side").nth(1).get_by_role("link", name="Bitstamp")
    assert link.get_attribute("href").endswith("?compare=LTC&focus=bitstamp:LTC-EUR")

    link.click()

    shown.until("board.querySelector('.focus-name')?.textContent === 'Litecoin LTC/EUR on Bitstamp'")
    shown.until("board.querySelector('.focus').checkVisibility() && !board.querySelector('.compare').checkVisibility()")
    shown.until(f"{MODELS.replace('NAME', 'candles')}[0]?.data.x.length > 5")
    shown.page.go_back()
    shown.until(f"{ROWS}.length === 4")
    assert shown.troubles == []


def test_unknown_coin_is_named_and_another_is_shown(served, screen):
    shown = opened(screen, f"{served('demo').url}?place=compare&compare=DOGE&sort=<b>")

    shown.until("board.querySelector('.note').textContent.endsWith('left out: <b>, DOGE')")

    assert shown.page.locator(".chooser").input_value() == "BTC"


def test_page_that_lost_its_server_counts_nobody_and_comes_back(served, screen):
    first = served("live")
    shown = opened(screen, f"{first.url}?place=compare&compare=ETH")

    first.kill()
    shown.until("board.querySelectorAll('.side tr.left-out').length === 4")
    assert shown.text(".side .words") == "left out: page offline"
    shown.page.set_default_timeout(30_000)  # another server begins, perhaps on a busy machine
    served("live", port=first.port)

    shown.until(f"{FULL} && board.querySelectorAll('.side tr.left-out').length === 0")
    shown.until(f"{CHARTS}")
    assert shown.page.locator(".chooser").input_value() == "ETH"


def test_everything_at_compare_is_wide_enough_for_a_finger(served, screen):
    shown = opened(screen, f"{served('demo').url}?place=compare", FINGERS)

    boxes = shown.page.locator("a, button, select, summary").evaluate_all(
        "all => all.filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect())"
        ".map(box => [box.width, box.height])"
    )

    assert len(boxes) > 20
    assert min(height for _, height in boxes) >= 40
    assert min(width for width, _ in boxes) >= 40
