"""A real browser, and servers in processes of their own, for the tests of the page."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dashboards.cards import SCRIPTS, asset

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
    """A page at `url` in a window of its own, and everything that went wrong on it."""

    def __init__(self, browser: Browser, url: str, *, width: int = 1440, height: int = 900, **context: object) -> None:
        self.url = url
        self.host = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        self.troubles: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": height}, **context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda line: self._note(line.text) if line.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", lambda request: self._check(request.url))
        self.page.goto(url)

    def _note(self, trouble: str) -> None:
        self.troubles.append(trouble)

    def _check(self, address: str) -> None:
        if not address.startswith((self.host, "data:", "blob:")):
            self._note(f"a request to another host: {address}")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def until(self, expression: str, argument: object = None) -> None:
        """
        Waits until the JavaScript `expression`, of `board` (the page's shadow root) and `argument`, is true.

        Only once BokehJS is there: what the page shows before is test_opening.py's.
        """
        self.page.wait_for_function(
            "argument => { const board = [...document.querySelectorAll('*')].map(node => node.shadowRoot)"
            ".find(root => root && root.querySelector('.board'));"
            f"return board && window.Bokeh?.documents.length && ({expression}) }}",
            arg=argument,
        )


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
    """The page on a made-up market (market.py), in its own process."""

    def __init__(self, mode: str, rate: float = 30, port: int = 0, origin: str = "") -> None:
        command = [
            sys.executable,
            str(Path(__file__).with_name("market.py")),
            str(port),
            mode,
            str(rate),
            *origin.split(),
        ]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "POETICOINS_RUN_DIR": KEPT.name}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., Served]]:
    """`served(mode)` starts a server, once for each mode of a module while it lives; `served(mode, port=…)` always."""
    running: dict[tuple[str, int], Served] = {}

    def serve(mode: str, port: int = 0) -> Served:
        before = running.get((mode, port))
        if port or before is None or before.process.poll() is not None:
            running[mode, port] = Served(mode, port=port)
        return running[mode, port]

    yield serve
    for each in running.values():
        each.kill()
