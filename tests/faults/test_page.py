"""
The page's server under fault, as a child of the line: its port taken, its link cut, pages by the dozen, hostile words.
"""

import asyncio
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import quote

import pytest

from tests.dashboards.conftest import chromium, screen  # noqa: F401  fixtures
from tests.faults.crowds import pages
from tests.faults.harm import CHILDREN, rss, unharmed
from tests.faults.hostile import connect_only, send_bytes
from tests.faults.world import BTC, Kept
from tests.link import Link
from tests.trees import until

BADGE = "board.querySelector('.badge').dataset.kind"
PRICE = "board.querySelector('.price-text').textContent"
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
NAMES = ("products", "focus", "interval", "compare", "sort", "place", "theme", SCRIPT)
"""What an address may say, and what it may not."""
HOSTILE = (
    SCRIPT, f"coinbase:{SCRIPT}", "x" * 20_000, "\0\u202e", "../../etc/passwd", "'\"><svg/onload=alert(3)>", "%zz",
    "javascript:alert(4)",
)  # fmt: skip
"""As many as there are names: in as many addresses, each name meets each of them once."""


@pytest.fixture(scope="module")
def link() -> Link:
    """A link to the page that can be cut."""
    return Link()


@pytest.fixture(scope="module")
def kept(link) -> Iterator[Kept]:
    """A line with a page, at a port of its own choice: it is to be found there again."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        link.target = free.getsockname()[1]
    origin = f"127.0.0.1:{link.port}"
    lines = Kept(children=["dashboard=dashboards.server:run"], PORT=str(link.target), ALLOW_ORIGIN=origin)
    yield lines
    lines.drop()


@pytest.mark.row(19)
def test_a_page_whose_port_is_taken_says_so_alone_and_is_back_when_it_is_free(line, link):
    victim = line.kill("dashboard")
    with until(lambda: listener(link.target)):
        child = until(lambda: (it := line.tree.child("dashboard"))["state"] == "backoff" and it, within=30)

        assert child["last_exit"] == "exit 78"
        assert f"port: expected a free port on 127.0.0.1, but {link.target} is in use" in child["last_words"][-1]
        line.goes_on()

    line.replaced("dashboard", victim, within=60)
    assert {name: line.restarts(name) for name in CHILDREN} == dict.fromkeys(CHILDREN, 0)
    line.unbroken("coinbase", "bitstamp")
    line.whole()


def listener(port: int) -> socket.socket | None:
    with suppress(OSError):
        return socket.create_server(("127.0.0.1", port))
    return None


@pytest.mark.row(43)
def test_bytes_and_connections_without_end_harm_neither_the_page_nor_the_embedded_exchange(line, link):
    page, embedded = ("127.0.0.1", link.target), ("127.0.0.1", int(line.exchange.url.rpartition(":")[2]))
    before = rss(line.pid("dashboard"))

    with unharmed(line, *CHILDREN):
        assert send_bytes(page, times=200, seed=45) > 100
        assert send_bytes(embedded, times=200, seed=45) > 100
        assert connect_only(page, times=1000, at_once=300) == 1000

    assert line.restarts("dashboard") == 0
    assert rss(line.pid("dashboard")) - before < 60


@pytest.mark.row(45)
def test_pages_that_are_opened_and_closed_by_the_dozen_cost_no_feed_anything(line, link):
    before = rss(line.pid("dashboard"))

    with unharmed(line, *CHILDREN), ThreadPoolExecutor(1) as pool:  # playwright's loop runs in this thread
        for _ in range(3):
            pool.submit(asyncio.run, pages(f"http://127.0.0.1:{link.target}/", 20)).result(120)

    assert line.restarts("dashboard") == 0
    assert rss(line.pid("dashboard")) - before < 60  # benchmarks/bench_dashboard.py opens a thousand and lets them go


@pytest.mark.row(44)
@pytest.mark.browser
@pytest.mark.parametrize("how", ["cut", "killed"])
def test_a_page_that_loses_its_link_or_its_server_is_back_by_itself(line, link, screen, how):  # noqa: F811
    victim, shown = line.pid("dashboard"), screen(f"http://127.0.0.1:{link.port}/?products={BTC}")
    shown.page.set_default_timeout(40_000)
    shown.until(f"{BADGE} === 'demo'")

    with unharmed(line, *CHILDREN):
        if how == "cut":
            link.cut()
        else:
            line.kill("dashboard", signal.SIGKILL)
        shown.until(f"{BADGE} === 'lost'")
        link.mend()
        line.replaced("dashboard", 0 if how == "cut" else victim)

        shown.until(f"{BADGE} === 'demo'")
        shown.until(f"{PRICE} !== argument", shown.text(".price-text"))

    assert line.restarts("dashboard") == int(how == "killed")


@pytest.mark.row(46)
@pytest.mark.browser
def test_hostile_words_in_the_address_are_text_if_anything(line, link, screen):  # noqa: F811
    with unharmed(line, *CHILDREN):
        fired, shown = [], screen(f"http://127.0.0.1:{link.target}/")
        shown.page.on("dialog", lambda dialog: fired.append(dialog.message) or dialog.dismiss())
        for shift in range(len(HOSTILE)):
            pairs = {name: HOSTILE[(at + shift) % len(HOSTILE)] for at, name in enumerate(NAMES)}
            query = "&".join(f"{quote(name)}={quote(words, safe='%')}" for name, words in pairs.items())
            shown.page.goto(f"http://127.0.0.1:{link.target}/?{query}")
            shown.until(f"{BADGE} === 'demo'")

            shown.until("board.textContent.includes('Not followed here, and left out: ')")
            assert shown.page.locator("svg[onload], img[src=x]").count() == 0

        assert fired == []
        assert shown.troubles == []
