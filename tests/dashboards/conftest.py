"""A real browser, and servers in processes of their own, for the tests of the page."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dashboards.cards import SCRIPTS, asset
from tests.dashboards import market
from tests.dashboards.forks import forked

ROOT = Path(__file__).parents[2]
KEPT = tempfile.TemporaryDirectory(prefix="pc-")
"""What a server keeps for the one that comes after it."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")  # no longer: while it is open, its event loop keeps async tests from having theirs
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        message = f"no browser found ({', '.join(NAMES)}); install one: make browser"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def js(chromium: Browser) -> Iterator[Callable[..., object]]:
    """`js(expression, argument)`: the expression's value, with every name of the scripts in scope."""
    page = chromium.new_page(timezone_id="Asia/Kolkata")
    scripts = "\n".join(asset(name) for name in SCRIPTS if name != "render.js")
    page.evaluate(f"() => {{ {scripts}\n window.run = text => eval(text) }}")
    yield lambda expression, argument=None: page.evaluate(
        "([text, argument]) => { window.it = argument; return run(text) }", [expression, argument]
    )
    page.close()


class Screen:
    """
    A page at `url` in a window of its own, and everything that went wrong on it.

    beside: whose window it is another tab of; it keeps what has been read already. context: as of Browser.new_context.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        width: int = 1440,
        height: int = 900,
        beside: "Screen | None" = None,
        **context: object,
    ) -> None:
        size = {"width": width, "height": height}
        self.context = beside.context if beside else browser.new_context(viewport=size, **context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda line: self._note(line.text) if line.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", lambda request: self._check(request.url))
        self.go(url)

    def go(self, url: str) -> "Screen":
        """Another page in the same window."""
        self.url = url
        self.host = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        self.troubles: list[str] = []
        self.page.goto(url)
        return self

    def _note(self, trouble: str) -> None:
        self.troubles.append(trouble)

    def _check(self, address: str) -> None:
        if not address.startswith((self.host, "data:", "blob:")):
            self._note(f"a request to another host: {address}")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def until(self, expression: str, argument: object = None) -> Any:
        """
        Waits until the JavaScript `expression`, of `board` (the page's shadow root) and `argument`, is true; its value.

        Only once BokehJS is there: what the page shows before is test_opening.py's.
        """
        found = self.page.wait_for_function(
            "argument => { const board = [...document.querySelectorAll('*')].map(node => node.shadowRoot)"
            ".find(root => root && root.querySelector('.board'));"
            f"return board && window.Bokeh?.documents.length && ({expression}) }}",
            arg=argument,
        )
        return found.json_value()


@pytest.fixture
def screen(chromium: Browser) -> Iterator[Callable[..., Screen]]:
    """`screen(url, width=…, height=…, timezone_id=…)` opens a page; all are closed at the end of the test."""
    opened: list[Screen] = []

    def open_screen(url: str, **options: object) -> Screen:
        opened.append(Screen(chromium, url, **options))
        return opened[-1]

    yield open_screen
    for each in opened:
        each.context.close()


class Served:
    """The page on a made-up market (market.py), in its own process, which ends with ours at the latest."""

    def __init__(self, mode: str, rate: float = 30, port: int = 0, origin: str = "") -> None:
        self.process, self.url = forked(market.forked, port, mode, rate, *origin.split(), POETICOINS_RUN_DIR=KEPT.name)
        self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., Served]]:
    """`served(mode)` starts a server, once for each mode of a module while it lives; `served(mode, port=…)` always."""
    running: dict[tuple[str, int], Served] = {}

    def serve(mode: str, port: int = 0) -> Served:
        before = running.get((mode, port))
        if port or before is None or not before.process.is_alive():
            running[mode, port] = Served(mode, port=port)
        return running[mode, port]

    yield serve
    for each in running.values():
        each.kill()
