"""What a real page sees, in Chromium without a GPU: how old a price is when its text changes, and what it costs."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

from tests.dashboards.conftest import FLAGS, NAMES

TICK = os.sysconf("SC_CLK_TCK")
SETTLED_S = 3
BOARD = "[...document.querySelectorAll('*')].map(node => node.shadowRoot).find(root => root?.querySelector('.board'))"
LOOK = f"""{{
  const seen = (window.seen = {{}});
  const look = () => {{
    const prices = [...({BOARD}?.querySelectorAll('.grid .price-text') ?? [])];
    const texts = prices.map((each) => each.textContent);
    const [price] = prices;
    const box = price?.getBoundingClientRect();
    const isShown = /[0-9]/.test(texts[0]) && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight
      && price.checkVisibility({{ visibilityProperty: true, opacityProperty: true }});
    if (isShown && !seen.first) {{
      const traded = Date.parse(price.closest(".card").querySelector("time").dateTime);
      Object.assign(seen, {{ first: String(texts), age: Date.now() - traded }});
      setTimeout(() => {{ seen.priced = performance.now() }}); // the frame that shows it has been drawn by then
    }}
    if (seen.first && String(texts) !== seen.first) return void (seen.live = performance.now());
    requestAnimationFrame(look);
  }};
  requestAnimationFrame(look);
}}"""
"""Notes in the page, by its own clock since the navigation began, when a price was in sight, and when any moved."""
SEEN = """[seen.priced, performance.getEntriesByName("first-contentful-paint")[0].startTime, seen.live, seen.age]"""
WATCH = f"""() => {{
  window.ages = [];
  const watched = new MutationObserver((changes) => {{
    const now = performance.timeOrigin + performance.now();
    for (const card of new Set(changes.map(({{ target }}) => (target.closest ? target : target.parentElement).closest('.card'))))
      window.ages.push(now - Date.parse(card.querySelector('time').dateTime));
  }});
  for (const price of {BOARD}.querySelectorAll('.price-text')) watched.observe(price, {{ childList: true, characterData: true, subtree: true }});
}}"""  # noqa: E501


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; None if there is none on this machine."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Screen:
    """
    A page at `url` + `query`, opened now, with its own storage.

    first_price, live: seconds from navigation until a price was painted in sight, and until one first moved; age: how
    old that first price was then, in seconds since it was traded.
    """

    def __init__(self, browser: Any, url: str, query: str = "") -> None:
        self._browser = browser
        self._context = browser.new_context(viewport={"width": 1440, "height": 900})
        self._page: Page = self._context.new_page()
        self._host = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        self.foreign: list[str] = []
        self._page.on("request", lambda request: self._note(request.url))
        self._page.add_init_script(LOOK)
        self._page.goto(url + query, wait_until="commit")
        self._page.wait_for_function("() => window.seen?.live")
        priced, painted, live, age = self._page.evaluate(SEEN)
        self.first_price, self.live, self.age = max(priced, painted) / 1000, live / 1000, age / 1000

    def _note(self, address: str) -> None:
        if not address.startswith((self._host, "data:", "blob:")):
            self.foreign.append(address)

    def follow(self, seconds: float) -> tuple[list[float], float]:
        """
        Of `seconds`, once the page has drawn all that it opens with: how old, in ms, each price that reached the screen
        was when its text changed, from when its trade was published; and what share of the time the page's main thread
        used a core.
        """
        self._page.wait_for_timeout(SETTLED_S * 1000)
        self._page.evaluate(WATCH)
        before, began = self._main_threads(), time.monotonic()
        self._page.wait_for_timeout(seconds * 1000)
        share = (self._main_threads() - before) / (time.monotonic() - began)
        return self._page.evaluate("window.ages"), share

    def _main_threads(self) -> float:
        """Seconds of CPU that the main threads of this browser's pages have used; one page is open at a time."""
        processes = self._browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(_main_thread(process["id"]) for process in processes if process["type"] == "renderer")

    def close(self) -> None:
        self._context.close()


def _main_thread(pid: int) -> float:
    """A process's first thread has the process's number."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK
