"""Renews the README's pictures from a demo of its own: `make screenshots` (needs Chromium: `make browser`)."""

import os
import shutil
import signal
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

import poeticoins

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
WATCHED_MS = 60_000  # so that the lines have something to show
OPEN = (
    "?products=coinbase:BTC-USD,bitstamp:BTC-USD,coinbase:ETH-USD,coinbase:LTC-USD&focus=coinbase:BTC-USD&interval=5s"
)
PICTURES = {
    "page.png": (1440, 900, ""),
    "product.png": (1440, 900, OPEN),
    "compare.png": (1440, 900, "?place=compare"),
    "phone.png": (390, 844, ""),
    "system.png": (1440, 900, "?place=system"),
}
"""By file name: the window's size, and the address's query."""


def main() -> None:
    browser_path = next(filter(None, map(shutil.which, NAMES)), None)
    if browser_path is None:
        sys.exit("no Chromium found; install it: make browser")
    with poeticoins.demo(dashboard=True) as status, sync_playwright() as playwright:
        assert status.url is not None
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        pages = {}
        os.kill(next(child.pid for child in status.children if child.name == "bitstamp" and child.pid), signal.SIGKILL)
        for name, (width, height, query) in PICTURES.items():
            viewport = {"width": width, "height": height}
            pages[name] = browser.new_page(viewport=viewport, color_scheme="dark", device_scale_factor=1.5)
            pages[name].goto(status.url + query)
        pages["page.png"].wait_for_timeout(WATCHED_MS)
        for name, page in pages.items():
            page.screenshot(path=HERE / name)
            print(f"docs/{name}")
        browser.close()


if __name__ == "__main__":
    main()
