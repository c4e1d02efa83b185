"""The whole of it: a supervised demo, its page in Chromium, and the same page from `panel serve` beside it."""

import os
import re
import subprocess
import sys

import pytest

import poeticoins
from tests.dashboards.conftest import ROOT

pytestmark = pytest.mark.browser
PRICES = "[...board.querySelectorAll('.price-text')].map(price => price.textContent).join()"


def assert_prices_move(shown) -> None:
    shown.until("board.querySelectorAll('.card:not(.waiting)').length > 0")
    before = shown.page.locator(".price-text").all_inner_texts()
    shown.until(f"{PRICES} !== argument", ",".join(before))
    shown.until("board.querySelector('.badge').dataset.kind === 'demo'")


@pytest.fixture(scope="module")
def tree():
    with poeticoins.demo(dashboard=True) as status:
        yield status


def test_the_supervised_page_shows_moving_prices_soon(tree, screen):
    # every child is ready, the page's server included: 3 s alone, more where others have the processor
    assert poeticoins.get_status().uptime < 40

    shown = screen(tree.url)

    assert_prices_move(shown)
    assert shown.troubles == []


def test_panel_serve_shows_the_same_beside_it(tree, screen):
    command = [sys.executable, "-m", "panel", "serve", "dashboards/app.py", "--port", "0"]
    environment = os.environ | {"POETICOINS_RUN_DIR": tree.run_dir}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment
    ) as served:
        try:
            url = next(found[0] for line in served.stdout if (found := re.search(r"http://localhost:\d+", line)))

            shown = screen(f"{url}/app")

            assert_prices_move(shown)
        finally:
            served.kill()
