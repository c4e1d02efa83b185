"""Every state that the page can be in, brought about as a person meets it: what looks at one looks at all."""

from collections.abc import Callable
from dataclasses import dataclass

BTC, ETH = "coinbase:BTC-USD", "bitstamp:ETH-EUR"
PRICED = "board.querySelectorAll('.card:not(.waiting)').length > 0"


@dataclass(frozen=True)
class State:
    """mode: of the market that is served. query: of the address. until: JavaScript that is true once it is reached."""

    mode: str
    query: str = ""
    until: str = PRICED
    act: Callable = lambda shown: None

    def reached(self, served, screen, **options):
        """The screen, in this state."""
        shown = screen(served(self.mode).url + self.query, **options)
        shown.until(self.until)
        self.act(shown)
        return shown


def press(name):
    return lambda shown: shown.page.get_by_role("button", name=name).first.click()


STATES = {
    "prices": State("demo", until="board.querySelectorAll('.card:not(.waiting)').length === 12"),
    "live": State("live"),
    "replay": State("replay"),
    "open": State("demo", f"?focus={BTC}", "board.querySelectorAll('.tape tbody tr').length > 3"),
    "picker": State("demo", act=press("Add product")),
    "sheet": State("demo", act=press("Keys and settings")),
    "paused": State("demo", act=press("Pause")),
    "no supervisor": State("none", until="board.querySelector('.absence').checkVisibility()"),
    "empty": State("demo", "?products=", "board.querySelector('.empty').checkVisibility()"),
    "reconnecting": State("trouble", until="board.querySelectorAll('.card.troubled').length === 6"),
    "gapped": State("hole", "?focus=coinbase:BTC-EUR", "board.querySelectorAll('.missing li').length === 2"),
    "quiet": State("quiet", until="board.querySelectorAll('.card.quiet').length > 0"),
    "waiting": State("silent", until="board.querySelectorAll('.card.waiting').length === 12"),
    "left out": State("demo", "?products=coinbase:BTC-USD,<b>&interval=7m", "board.querySelector('.note').textContent"),
}
"""By name. Those of one mode share its server."""
