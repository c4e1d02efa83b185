"""Text of others is only ever text: whatever exchanges, processes, the wire or the browser's own storage hold."""

import json
import re

import pytest

from tests.dashboards.market import HOSTILE

pytestmark = pytest.mark.browser
TOKEN = HOSTILE.replace(" ", "/")  # as it fits between the spaces of a frame; it would run no less
BTC = "coinbase:BTC-USD"
PRICED = "board.querySelectorAll('.card:not(.waiting)').length > 0"
FULL = "board.querySelectorAll('.side tbody tr').length > 3"
TABLED = "board.querySelectorAll('.live tbody tr').length > 5"
CARD = "[...board.querySelectorAll('.card')].find(card => card.textContent.includes('<')).click()"


class Watch:
    """A page of which is noted whatever would show that foreign text ran."""

    def __init__(self, screen, url, query="", wire=None):
        self.shown = screen(url + "favicon.ico")  # the same origin, and none of our page yet
        self.ran: list[str] = []
        page = self.shown.page
        page.add_init_script("window.stolen = () => { window.hasRun = true }")
        page.on("dialog", lambda dialog: (self.ran.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url.endswith("/x") and self.ran.append(request.url))
        if wire:
            page.route_web_socket(re.compile(".*"), lambda socket: changed(socket, wire))
        page.goto(url + query)

    def is_calm(self):
        assert self.shown.page.evaluate("window.hasRun") is None
        assert self.shown.page.locator("img, iframe, object, script[src=x]").count() == 0
        assert self.ran == []
        # a price that is no number gives the chart no range, which Bokeh says
        assert [trouble for trouble in self.shown.troubles if "could not set initial ranges" not in trouble] == []


def changed(socket, wire):
    """What the server says reaches the page as `wire` makes it."""
    server = socket.connect_to_server()
    server.on_message(lambda message: socket.send(wire(message) if isinstance(message, str) else message))


@pytest.mark.parametrize(
    ("query", "until", "act", "where"),
    [
        ("", PRICED, "0", [".grid", ".notices"]),
        ("", PRICED, CARD, [".focus-name"]),
        (f"?focus={BTC}", PRICED, "0", [".missing"]),
        ("", PRICED, "board.querySelector('.add').click()", [".choices"]),
        ("", PRICED, "board.querySelector('.alerts-open').click()", [".alerts select"]),
        ("", PRICED, f"{CARD}; board.querySelector('.focus .export').click()", [".export select"]),
        ("?place=compare", FULL, "0", [".sides"]),
        ("?place=system", TABLED, "0", [".processes", ".exchanges", ".events"]),
    ],
    ids=["cards", "open", "gap", "picker", "alerts", "export", "compare", "system"],
)
def test_names_problems_and_reasons_are_shown_as_text(served, screen, query, until, act, where):
    watch = Watch(screen, served("hostile").url, query)
    watch.shown.until(until)

    watch.shown.until(f"({{}}, () => {{ {act} }})() || true")

    for selector in where:
        watch.shown.until(
            "board.querySelector(argument[0])?.textContent.toLowerCase().includes(argument[1])", [selector, HOSTILE]
        )
    watch.is_calm()


@pytest.mark.parametrize("place", ["prices", "compare"])
def test_prices_sizes_and_ids_of_the_wire_are_shown_as_text(served, screen, place):
    def wire(message):
        # as text, not as numbers of JSON, of the chart and its candles
        numbers = r"67,829\.30|(?<![\[,:])\b(?:0\.0119|1\d{6})\b" if place == "prices" else r"67,829\.30"
        return re.sub(numbers, TOKEN, message)

    watch = Watch(screen, served("twins").url, f"?products={BTC}&focus={BTC}&place={place}", wire)

    for selector in [".card .price", ".card .size", ".tape tbody"] if place == "prices" else [".side tbody"]:
        watch.shown.until("board.querySelector(argument[0])?.textContent.includes(argument[1])", [selector, TOKEN])
    watch.is_calm()


ALERT = {"id": '"]' + HOSTILE, "key": BTC, "kind": "above", "price": 1, "armed": False}
ALERT["firings"] = [{"ms": 1, "price": 2, "away": HOSTILE}]
OUTAGE = {
    "kind": "page",
    "from": 1,
    "to": 9000,
    "known": None,
    "fetched": {"key": HOSTILE, "trades": 3, "isLeast": HOSTILE},
}
STORED = {
    "poeticoins.alerts": [
        ALERT,
        ALERT | {"key": HOSTILE},
        ALERT | {"kind": HOSTILE},
        ALERT | {"price": HOSTILE},
        HOSTILE,
    ],
    "poeticoins.alerts.heard": HOSTILE,
    "poeticoins.alerts.sound": HOSTILE,
    "poeticoins.products": [HOSTILE, BTC],
    "poeticoins.theme": HOSTILE,
    "poeticoins.keys": HOSTILE,
    "poeticoins.meanwhile": [OUTAGE, HOSTILE],
}


def test_what_the_browser_keeps_is_shown_as_text_or_left_out(served, screen):
    watch = Watch(screen, served("demo").url)
    page = watch.shown.page
    page.evaluate(
        "kept => Object.entries(kept).forEach(each => [localStorage, sessionStorage].map(it => it.setItem(...each)))",
        {name: said if isinstance(said, str) else json.dumps(said) for name, said in STORED.items()},
    )

    page.goto(watch.shown.host)

    watch.shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    assert HOSTILE in watch.shown.text(".meanwhile")
    page.get_by_role("button", name="Alerts, 0 armed").click()
    assert page.locator(".alerts-list > li").count() == 1
    page.get_by_role("button", name="Arm again").press("Enter")
    watch.shown.until("board.querySelector('.alerts-list .state').textContent.startsWith('armed')")
    watch.is_calm()
