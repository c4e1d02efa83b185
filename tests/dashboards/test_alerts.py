"""Alerts: their rules as tables, and what a person does with them in the page."""

import json

import pytest

from dashboards.watching import Watching, watched_text
from tests.dashboards.market import PRODUCTS, trade

BTC, LTC = "coinbase:BTC-USD", "bitstamp:LTC-USD"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ABOVE = {"id": "1", "key": BTC, "kind": "above", "price": 100, "since": 0}
BELOW = ABOVE | {"kind": "below"}
MOVES = {"id": "1", "key": BTC, "kind": "moves", "percent": 2, "minutes": 5, "since": 0}
PLAY = """(() => {
    const line = [];
    let alert = alertOf(it[0]);
    return it[1].map(([ms, last, low = last, high = last]) => {
        const piece = { ms, last, low, high };
        const next = judged(alert, piece, line, false);
        const fired = alert.armed && !next.armed ? next.firings[0].price : null;
        line.push(piece);
        alert = next;
        return fired;
    });
})()"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("alert", "pieces", "fired"),
    [
        (ABOVE, [(1, 99), (2, 100)], [None, 100]),
        (ABOVE, [(1, 99), (2, 130), (3, 90), (4, 120)], [None, 130, None, None]),  # once, until it is armed again
        (ABOVE, [(1, 105), (2, 106)], [None, None]),  # it was beyond when it was set
        (ABOVE, [(1, 105), (2, 95), (3, 101)], [None, None, 101]),
        (ABOVE, [(1, 99), (2, 99, 98, 104)], [None, 104]),  # there and back between two tellings
        (ABOVE, [(1, 105), (2, 105, 95, 106)], [None, 105]),  # down and up again between two
        (ABOVE, [(1, 105), (2, 95, 95, 106)], [None, None]),
        (ABOVE, [(5, 99), (4, 120), (5, 120)], [None, None, None]),  # older than what was judged
        (BELOW, [(1, 101), (2, 100)], [None, 100]),
        (BELOW, [(1, 95), (2, 94), (3, 103), (4, 97)], [None, None, None, 97]),
        (ABOVE | {"since": 3}, [(1, 99), (2, 105), (3, 99), (4, 101)], [None, None, None, 101]),
        (MOVES, [(1, 100), (2, 101.9), (3, 102)], [None, None, 102]),
        (MOVES, [(1, 100), (2, 98)], [None, 98]),
        (MOVES, [(1, 100), (200_000, 101), (400_000, 102.5)], [None, None, 102.5]),  # 100 still held 5 min ago
        (MOVES, [(1, 100), (200_000, 101), (501_000, 102.5)], [None, None, None]),  # too slowly
        (MOVES, [(1, 100), (2, 100, 100, 103)], [None, 103]),
        (MOVES | {"since": 2}, [(1, 90), (2, 100), (3, 101)], [None, None, None]),
    ],
)  # fmt: skip
def test_alert_fires_at_the_first_crossing_and_at_no_other(js, alert, pieces, fired):
    assert js(PLAY, [alert, pieces]) == fired


@pytest.mark.browser
def test_alert_that_is_armed_again_is_not_fired_by_the_old_price_of_a_stalled_feed(js):
    again = """[it[0], it[1]].map((said) => {
        const at = (ms, last) => ({ ms, last, low: last, high: last });
        const line = [at(1, 90)];
        const fired = judged({ ...alertOf(said), ready: true }, at(2, 110), line, false);
        const same = judged(rearmed(fired), at(2, 110), line, true);
        const lower = judged(same, at(3, 95), [...line, at(2, 110)], true);
        const beyond = judged(same, at(3, 111), [at(2, 110)], true);
        const back = judged(lower, at(4, 112), [at(3, 95)], true);
        return [fired, same, beyond, back].map(({ armed }) => armed);
    })"""

    assert js(again, [ABOVE, MOVES]) == [[False, True, True, False], [False, True, True, False]]


@pytest.mark.browser
@pytest.mark.parametrize(
    "said",
    [None, 1, {"key": "<img>", "kind": "above", "price": 1}, ABOVE | {"price": "1"}, ABOVE | {"price": -1},
     ABOVE | {"kind": "constructor"}, MOVES | {"minutes": 1e9}, MOVES | {"percent": None}],
)  # fmt: skip
def test_stored_alert_is_checked_like_foreign_text(js, said):
    assert js("storedAlerts(it)", json.dumps([said, ABOVE])) == js("[storedAlert(it)]", ABOVE)
    assert js("storedAlerts(it)", "{") == js("storedAlerts(it)", "7") == []


def test_what_went_between_two_tellings_is_told_with_its_extremes():
    watching = Watching()
    for price in ("100.50", "99.00", "1000.10", "101.00"):
        watching.take(trade(PRODUCTS[1], price, at=7))
    watching.take(trade(PRODUCTS[1], "1.00", at=7, late=True))

    told = json.loads(watched_text([str(PRODUCTS[1]), LTC], watching.news(), 9))

    assert told == {"kind": "watched", "now": 9, "parts": [[str(PRODUCTS[1]), 7000, "101.00", "99.00", "1,000.10"]]}
    assert watched_text([LTC], {str(PRODUCTS[1]): "[]"}, 9) == ""
    assert watching.news() == {}


def set_alert(shown, product, kind, value, minutes=""):
    form = shown.page.locator(".alert-form")
    form.get_by_label("Product").select_option(product)
    form.get_by_label("When the price").select_option(kind)
    form.get_by_label("Percent" if kind == "moves" else "Price", exact=True).fill(value)
    if minutes:
        form.get_by_label("Within minutes").fill(minutes)
    form.get_by_role("button", name="Set alert").click()


@pytest.mark.browser
@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_alert_of_a_product_that_is_not_shown_fires_is_listed_and_armed_again(served, screen, window):
    shown = screen(f"{served('steps').url}?products={BTC}&focus={BTC}", **window)
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")

    shown.page.get_by_role("button", name="Alert", exact=True).click()
    set_alert(shown, LTC, "above", "8x")
    assert "above 0" in shown.text(".wrong")
    set_alert(shown, LTC, "above", "85.5")

    shown.until("board.querySelector('.fired-alert')")
    words = shown.text(".fired-alert p")
    assert words.startswith("Litecoin LTC/USD on Bitstamp rose to 85.5: ")
    assert "away" not in words
    assert shown.text(".alerts-list .state") == "fired"
    shown.page.get_by_role("button", name="Arm again").click()
    shown.until("board.querySelectorAll('.firings li').length === 2")
    shown.page.get_by_role("button", name="Remove", exact=True).click()
    shown.until("board.querySelector('.alerts-list .none')")
    shown.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    shown.page.get_by_role("button", name="Dismiss").first.click()
    assert shown.page.locator(".card").count() == 1
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.troubles == []


@pytest.mark.browser
def test_alert_is_set_by_keyboard_alone_from_a_card(served, screen):
    shown = screen(f"{served('steps').url}?products={LTC},{BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 2")

    shown.page.locator(f"[data-key='{LTC}']").focus()
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("Enter")
    shown.until("board.activeElement.value.startsWith('8')")  # the price is there, to be changed
    shown.page.keyboard.type("84.5")
    shown.page.keyboard.press("Enter")

    shown.until("board.querySelector('.fired-alert p')?.textContent.includes('rose to 84.5')")
    shown.page.keyboard.press("Escape")
    shown.until("!board.querySelector('.alerts').open")
    assert shown.troubles == []


@pytest.mark.browser
def test_move_fires_within_its_minutes(served, screen):
    shown = screen(f"{served('steps').url}?products={LTC}&focus={LTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")

    shown.page.get_by_role("button", name="Alerts, 0 armed").click()
    set_alert(shown, LTC, "moves", "3", "2")

    shown.until("board.querySelector('.fired-alert p')?.textContent.includes('moved 3 % within 2 min')")
    assert shown.troubles == []


@pytest.mark.browser
def test_crossing_while_the_page_was_away_fires_once_and_says_so(served, screen):
    shown = screen(f"{served('steps').url}?products={BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    shown.page.get_by_role("button", name="Alerts, 0 armed").click()
    set_alert(shown, LTC, "above", "500")
    shown.until("board.querySelector('.alerts-list .state').textContent === 'armed'")
    shown.page.wait_for_function("() => JSON.parse(localStorage['poeticoins.alerts'])[0].ready === true")

    shown.page.goto(f"{shown.host}favicon.ico")  # the same origin, and none of our page: a minute goes by
    shown.page.evaluate(
        "() => { const [it] = JSON.parse(localStorage['poeticoins.alerts']);"
        " Object.assign(it, { price: 85.5, seen: it.seen - 60000, since: it.since - 60000 });"
        " localStorage['poeticoins.alerts'] = JSON.stringify([it]);"
        " localStorage['poeticoins.alerts.heard'] -= 60000 }"
    )
    shown.page.goto(shown.url)

    shown.until("board.querySelector('.fired-alert')")
    assert shown.text(".fired-alert p").startswith("Litecoin LTC/USD on Bitstamp rose to 85.5: ")
    assert shown.text(".fired-alert p").endswith(", while this page was away")
    shown.page.reload()
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    shown.page.get_by_role("button", name="Alerts, 0 armed").click()
    assert shown.page.locator(".firings li").count() == 1
    assert shown.page.locator(".fired-alert").count() == 0


@pytest.mark.browser
def test_sound_can_be_muted_and_a_notification_is_shown_only_if_it_may(served, screen):
    shown = screen(f"{served('steps').url}?products={BTC}", permissions=["notifications"])
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    shown.page.evaluate(
        "() => { window.said = []; window.Notification = class { static permission = 'granted';"
        " constructor(name, { body }) { said.push(`${name} ${body}`) } };"
        " window.tones = 0; const start = OscillatorNode.prototype.start;"
        " OscillatorNode.prototype.start = function (...at) { tones += 1; return start.apply(this, at) } }"
    )
    shown.page.get_by_role("button", name="Alerts, 0 armed").click()

    set_alert(shown, LTC, "above", "85.5")
    shown.page.wait_for_function("() => said.length === 1 && tones === 2")
    shown.page.get_by_role("button", name="Sound").click()
    set_alert(shown, LTC, "below", "84.5")
    shown.page.wait_for_function("() => said.length === 2")

    assert shown.page.evaluate("tones") == 2
    assert "fell to 84.5" in shown.page.evaluate("said[1]")
    assert shown.page.evaluate("localStorage['poeticoins.alerts.sound']") == "off"


ASLEEP = '["focus",null],["place","prices"]'
HIDE = """() => {
    Object.defineProperty(document, 'hidden', { get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.mark.browser
@pytest.mark.parametrize("how", ["paused", "hidden"])
def test_alert_fires_while_the_page_is_paused_or_its_tab_is_hidden(served, screen, how):
    shown = screen(f"{served('steps').url}favicon.ico")
    sent = []
    shown.page.on("websocket", lambda socket: socket.on("framesent", lambda text: sent.append(text)))
    shown.page.clock.install()
    shown.page.goto(f"{shown.host}?products={BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    if how == "paused":
        shown.page.keyboard.press("p")
        shown.until("!board.querySelector('.paused').hidden")
    else:
        shown.page.evaluate(HIDE)
        shown.page.clock.fast_forward(10_100)  # who only looks at another tab for a moment is not asleep
        for _ in range(500):
            shown.page.wait_for_timeout(20)  # the browser's events come while we wait for it
            if any(ASLEEP in str(text) for text in sent):
                break
        assert ASLEEP in str(sent[-1])

    shown.page.get_by_role("button", name="Alerts, 0 armed").click()
    set_alert(shown, LTC, "above", "85.5")

    shown.until("board.querySelector('.fired-alert')")
    assert ", while this page was away" not in shown.text(".fired-alert p")
    assert shown.troubles == []
