"""The same page comes back from every outage by itself: selection, order, a chart and a tape without holes."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import poeticoins
from tests.dashboards.conftest import ROOT, Served
from tests.link import Link

pytestmark = pytest.mark.browser
BTC, ETH = "coinbase:BTC-USD", "bitstamp:ETH-EUR"
KEYS = "[...board.querySelectorAll('.grid .card')].map(card => card.dataset.key).join()"
BADGE = "board.querySelector('.badge').dataset.kind"
SOURCE = "(Bokeh.documents.map(each => each.get_model_by_name('candles')).filter(Boolean).at(-1)?.data ?? { x: [] })"
TWINS = "[...board.querySelectorAll('.tape tr')].map(row => Number(row.dataset.id)).filter(id => id >= 1000000)"
# A candle for every five seconds, since one of a second may be without a trade where the machine is busy.
NO_HOLES = (
    f"(({SOURCE}.x.length > 5) && {SOURCE}.x.every((x, at, all) => !at || x - all[at - 1] === 5000)"
    f" && (ids => ids.length > 5 && ids.at(0) - ids.at(-1) === ids.length - 1)({TWINS}))"
)
NOTE_BADGES = """() => {
    window.kept = true;
    window.badges = [];
    const look = () => {
        const boards = [...document.querySelectorAll('*')].map(node => node.shadowRoot);
        const badge = boards.find(root => root?.querySelector('.badge'))?.querySelector('.badge');
        if (badge && window.badges.at(-1) !== badge.dataset.kind) window.badges.push(badge.dataset.kind);
    };
    setInterval(look, 20);
}"""


class Outage:
    """A page on a link of its own, which is down for `seconds`."""

    def __init__(self, screen, served, link, how, seconds):
        self.link, self.how, self.seconds = link, how, seconds
        self.link.target = served.port
        url = f"http://127.0.0.1:{self.link.port}/?products={ETH},{BTC}&focus={BTC}&interval=5s"
        self.shown = screen(url)
        self.shown.page.set_default_timeout(40_000)
        self.shown.until(NO_HOLES)
        self.shown.page.evaluate(NOTE_BADGES)

    def begin(self):
        getattr(self.link, self.how)()
        self.ends = time.monotonic() + self.seconds

    def end(self):
        # the browser's own clock: playwright must go on hearing from it
        self.shown.page.wait_for_timeout(max(0.0, self.ends - time.monotonic()) * 1000)
        self.link.mend()

    def is_over(self):
        newest = self.shown.page.evaluate(f"{SOURCE}.x.at(-1)")
        self.shown.until(f"{BADGE} !== 'lost' && {SOURCE}.x.at(-1) > argument && {NO_HOLES}", newest)
        self.shown.until(f"{KEYS} === argument", f"{ETH},{BTC}")
        return self.shown.page.evaluate("window.badges")


OUTAGES = [(how, seconds) for seconds in (1, 12, 45) for how in ("cut", "silence")]


def test_page_comes_back_from_a_link_that_was_cut_or_silent_for_1_12_and_45_seconds(screen):
    links = [Link() for _ in OUTAGES]
    server = Served("twins", origin=" ".join(f"127.0.0.1:{link.port}" for link in links))
    try:
        outages = [Outage(screen, server, link, *each) for link, each in zip(links, OUTAGES, strict=True)]
        for outage in outages:
            outage.begin()

        for outage in outages:
            outage.end()
            badges = outage.is_over()

            assert badges[0] == badges[-1] == "live"
            assert set(badges) <= {"live", "lost", "opening"}  # the last for the moment until it is drawn anew
            # A reset is told at once, a dead link when the server's sign of life is overdue.
            if outage.how == "cut" or outage.seconds > 12:
                assert "lost" in badges, f"{outage.how} for {outage.seconds} s went untold"
            assert outage.shown.page.evaluate("window.kept"), "it was loaded anew"
    finally:
        server.kill()


TOLD = r"^This page was offline from [\d:]{8} to [\d:]{8} \(10 min\)\. (At least )?[1-9]\d* trades of coinbase:BTC-USD "


@pytest.mark.parametrize("how", ["cut", "silence"])
def test_page_comes_back_from_ten_minutes_without_a_link_and_says_so_in_one_line(screen, how):
    link = Link()
    server = Served("twins", origin=f"127.0.0.1:{link.port}")
    link.target = server.port
    shown = screen("about:blank")
    shown.page.set_default_timeout(40_000)
    shown.page.clock.install()
    try:
        shown.go(f"http://127.0.0.1:{link.port}/?products={ETH},{BTC}&focus={BTC}&interval=5s")
        shown.until(NO_HOLES)
        newest = shown.page.evaluate(f"{SOURCE}.x.at(-1)")
        elsewhere = screen(f"http://127.0.0.1:{server.port}/?products={BTC}&focus={BTC}")

        getattr(link, how)()
        shown.page.clock.fast_forward("10:00")
        shown.until(f"{BADGE} === 'lost'")
        elsewhere.until(f"{TWINS}.at(0) > argument + 5", shown.until(f"{TWINS}.at(0)"))  # it trades meanwhile
        link.mend()

        shown.until(f"{BADGE} === 'live' && {SOURCE}.x.at(-1) > argument && {NO_HOLES}", newest)
        shown.until("new RegExp(argument).test(board.querySelector('.meanwhile span').textContent)", TOLD)
        shown.until(f"{KEYS} === argument", f"{ETH},{BTC}")
        assert shown.page.locator(".meanwhile:visible").count() == 1
        shown.until("board.querySelector('.focus-name').textContent === 'Bitcoin BTC/USD on Coinbase'")
        shown.until("board.querySelector('.interval[aria-pressed=true]').textContent === '5s'")
    finally:
        server.kill()


@contextmanager
def panel_serve(run_dir):
    command = [sys.executable, "-m", "panel", "serve", "dashboards/app.py", "--port", "0"]
    environment = os.environ | {"POETICOINS_RUN_DIR": str(run_dir)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment
    ) as served:
        try:
            yield next(found[0] for line in served.stdout if (found := re.search(r"http://localhost:\d+", line)))
        finally:
            served.kill()


def test_page_comes_to_life_again_with_its_supervisor(run_dir, screen):
    with panel_serve(run_dir) as url:
        with poeticoins.demo(run_dir=run_dir):
            shown = screen(f"{url}/app?products={ETH},{BTC}&focus={BTC}&interval=1s")
            shown.page.set_default_timeout(30_000)
            shown.until(f"{BADGE} === 'demo' && {SOURCE}.x.length > 5")
            shown.page.evaluate(NOTE_BADGES)
        shown.until(f"{BADGE} === 'none'")
        assert shown.page.locator(".card.troubled").count() == 2
        newest = shown.page.evaluate(f"{SOURCE}.x.at(-1)")

        with poeticoins.demo(run_dir=run_dir):
            shown.until(f"{BADGE} === 'demo' && {SOURCE}.x.at(-1) > argument", newest)

            shown.until("board.querySelectorAll('.card:not(.troubled):not(.waiting)').length === 2")
            shown.until(f"{KEYS} === argument", f"{ETH},{BTC}")
            assert shown.page.evaluate("window.badges") == ["demo", "none", "demo"]
            assert shown.page.evaluate("window.kept")
            assert shown.troubles == []
