"""Renews the README's pictures from a demo of its own: `make screenshots` (needs Chromium: `make browser`)."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

import poeticoins

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
WATCHED_MS = 60_000  # so that the lines have something to show
PICTURES = {"page.png": (1440, 900, ""), "product.png": (1440, 900, "coinbase:BTC-USD"), "phone.png": (390, 844, "")}
"""By file name: the window's size, and the product that is open."""


def main() -> None:
    browser_path = next(filter(None, map(shutil.which, NAMES)), None)
    if browser_path is None:
        sys.exit("no Chromium found; install it: make browser")
    with poeticoins.demo(dashboard=True) as status, sync_playwright() as playwright:
        assert status.url is not None
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        pages = {}
        for name, (width, height, focus) in PICTURES.items():
            viewport = {"width": width, "height": height}
            pages[name] = browser.new_page(viewport=viewport, color_scheme="dark", device_scale_factor=1.5)
            few = f"?products={focus},bitstamp:{focus[9:]},coinbase:ETH-USD,coinbase:LTC-USD&focus={focus}&interval=5s"
            pages[name].goto(status.url + (few if focus else ""))
        pages["page.png"].wait_for_timeout(WATCHED_MS)
        for name, page in pages.items():
            page.screenshot(path=HERE / name)
            print(f"docs/{name}")
        browser.close()


if __name__ == "__main__":
    main()
