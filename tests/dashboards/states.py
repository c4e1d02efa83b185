"""Every state that the page can be in, brought about as a person meets it: what looks at one looks at all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BTC, ETH = "coinbase:BTC-USD", "bitstamp:ETH-EUR"
FEW = f"?products={BTC},{ETH}"  # as much as a state needs is looked at more quickly than all
PRICED = "board.querySelectorAll('.card:not(.waiting)').length > 0"
LITECOIN = "?products=bitstamp:LTC-USD"
TAPED = "board.querySelectorAll('.tape tbody tr').length > 3"
LINED = (
    "[...board.querySelectorAll('.lines')].every(each => each.firstElementChild)"
    " && board.querySelectorAll('.side tbody a').length > 3"
)


def press(name: str) -> Callable[[Any], None]:
    return lambda shown: shown.page.get_by_role("button", name=name).first.click()


def escape(shown: Any) -> None:
    shown.page.keyboard.press("Escape")


def nothing(shown: Any) -> None:
    pass


@dataclass(frozen=True)
class State:
    """
    mode: of the market that is served. query: of the address. until: JavaScript that is true once it is reached.

    act: what a person does then, after which `then` is true; undo: to go on to another state of the same page.
    """

    mode: str
    query: str = FEW
    until: str = PRICED
    act: Callable[[Any], None] = nothing
    then: str = "true"
    undo: Callable[[Any], None] = nothing

    @property
    def page(self) -> tuple[str, str]:
        return self.mode, self.query

    def reached(self, served, screen, **options):
        """The screen, in this state."""
        server = served(self.mode)
        shown = screen(server.url + self.query, **options)
        shown.server = server
        self.enter(shown)
        return shown

    def enter(self, shown: Any) -> None:
        """From its page, in no other state."""
        shown.until(self.until)
        self.act(shown)
        shown.until(self.then)


def ring(shown: Any) -> None:
    """The dialog of the alerts with one that has fired, one that is armed, and one that cannot be set."""
    shown.page.get_by_role("button", name="Alerts,").click()
    form = shown.page.locator(".alerts .alert-form")
    form.get_by_label("Product").select_option("bitstamp:LTC-USD")
    for price in ("85.5", "100", "x"):
        form.get_by_label("Price", exact=True).fill(price)
        form.get_by_role("button", name="Set alert").click()
    shown.until("board.querySelector('.firings li')")


def ring_and_close(shown: Any) -> None:
    ring(shown)
    escape(shown)


def let_go(shown: Any) -> None:
    """The open chart panned into the past and pointed at by keys, and the table behind it."""
    shown.page.locator(".chart").focus()
    for key in ("PageUp", "PageUp", "ArrowLeft"):
        shown.page.keyboard.press(key)
    shown.page.get_by_role("button", name="Table").click()


def sort_and_tabulate(shown: Any) -> None:
    shown.page.get_by_role("button", name="Price", exact=True).first.click()
    shown.page.locator(".behind summary").first.click()


def be_back(shown: Any) -> None:
    """As it is after an outage."""
    ago = "({ kind: 'page', from: Date.now() - 90000, to: Date.now() - 30000, known: null })"
    shown.page.evaluate(f"sessionStorage.setItem('poeticoins.meanwhile', JSON.stringify([{ago}]))")
    shown.page.reload()


STATES = {
    "prices": State("demo", "", "board.querySelectorAll('.card:not(.waiting)').length === 12"),
    "picker": State("demo", act=press("Add product"), then="board.querySelector('.picker').open", undo=escape),
    "sheet": State("demo", act=press("Keys and settings"), then="board.querySelector('.sheet').open", undo=escape),
    "export": State("demo", act=press("Export"), then="board.querySelector('dialog.export').open", undo=escape),
    "paused": State("demo", act=press("Pause"), then="!board.querySelector('.paused').hidden", undo=press("Resume")),
    "meanwhile": State("demo", act=be_back, then=f"{PRICED} && !board.querySelector('.meanwhile').hidden"),
    "open": State("demo", f"{FEW}&focus={BTC}", TAPED),
    "table": State(
        "demo",
        f"{FEW}&focus={BTC}",
        TAPED,
        let_go,
        "board.querySelectorAll('.candle-table td').length > 9",
    ),
    "empty": State("demo", "?products=", "board.querySelector('.empty').checkVisibility()"),
    "left out": State("demo", f"?products={BTC},<b>&interval=7m", "board.querySelector('.note').textContent"),
    "compare": State("demo", "?place=compare", LINED),
    "compare's table": State(
        "demo", "?place=compare", LINED, sort_and_tabulate, "board.querySelectorAll('.behind td').length > 9"
    ),
    "compare in trouble": State("trouble", "?place=compare", "board.querySelectorAll('.side .left-out').length === 2"),
    "compare of ten": State("ten", "?place=compare", "board.querySelectorAll('.side tbody tr').length === 20"),
    "system": State("demo", "?place=system", "board.querySelectorAll('.live tbody tr').length > 5"),
    "system in trouble": State("trouble", "?place=system", "board.querySelectorAll('.live .unwell').length === 2"),
    "system of before": State("leaving", "?place=system", "board.querySelector('.system.old')"),
    "alerts": State("steps", LITECOIN, act=ring, then="board.querySelector('.wrong').textContent", undo=escape),
    "fired": State("steps", LITECOIN, act=ring_and_close, then="board.querySelector('.fired-alert').checkVisibility()"),
    "live": State("live"),
    "replay": State("replay"),
    "quiet": State("quiet", until="board.querySelectorAll('.card.quiet').length === 2"),
    "waiting": State("silent", until="board.querySelectorAll('.card.waiting').length === 2"),
    "stalled and degraded": State("unwell", until="board.querySelectorAll('.card.troubled').length === 2"),
    "reconnecting": State("trouble", until="board.querySelectorAll('.card.troubled').length === 1"),
    "gapped": State("hole", "?focus=coinbase:BTC-EUR", "board.querySelectorAll('.missing li').length === 2"),
    "no supervisor": State("none", "", "board.querySelector('.absence').checkVisibility()"),
    "compare of nobody": State("none", "?place=compare", "board.querySelector('.absence').checkVisibility()"),
    "system of nobody": State("none", "?place=system", "board.querySelector('.system-line').textContent[0] === 'N'"),
    "lost": State(
        "mortal",
        until="board.querySelector('.badge[data-kind=live]')",  # prices come with the page, before a link to lose
        act=lambda shown: shown.server.kill(),
        then="board.querySelector('.badge[data-kind=lost]')",
    ),
}
"""By name. Those of one mode share its server, and those of one page may share that."""
