"""The supervised server: its address, its headers, whom it lets in, and how it ends."""

import asyncio
import logging
import re
import socket
import time
from types import SimpleNamespace

import pytest
from bokeh.util.token import generate_jwt_token
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

import poeticoins
from dashboards import admission, server, signing
from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError, FeedUnavailable
from tests.dashboards.market import Market


def settings(port=0, **more):
    return SimpleNamespace(**{"host": "127.0.0.1", "port": port, "allow_origin": (), "run_dir": None} | more)


class Child:
    def __init__(self):
        self.stopping, self.facts, self.is_ready = asyncio.Event(), dict, asyncio.Event()

    def ready(self):
        self.is_ready.set()

    @property
    def url(self):
        return self.facts()["url"]


@pytest.fixture
async def child():
    child = Child()
    running = asyncio.create_task(
        server.run(settings(allow_origin=("prices.example:443",)), child, Market(mode="demo"))
    )
    await asyncio.wait_for(child.is_ready.wait(), 10)
    child.running = running
    yield child
    child.stopping.set()
    await asyncio.wait_for(running, 5)


async def fetch(url):
    return await AsyncHTTPClient().fetch(url, raise_error=False)


async def test_page_says_what_browsers_must_refuse(child):
    page = await fetch(child.url)

    assert page.code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_page_names_no_other_host(child):
    page = (await fetch(child.url)).body.decode()

    assert "<title>Poeticoins</title>" in page
    named = re.findall(r"(?:https?:|wss?:|[\"'(=])//[^\s\"')]+", page)  # a comment is none
    assert set(named) <= {"http://www.w3.org/2000/svg"}  # the name of a vocabulary, never fetched


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [("http://127.0.0.1:{port}", True), ("http://localhost:{port}", True), ("https://prices.example", True),
     ("http://evil.example", False), ("http://evil.example:{port}", False)],
)  # fmt: skip
async def test_only_known_origins_open_the_live_connection(child, origin, welcome):
    port = child.url.rsplit(":", 1)[1].rstrip("/")
    request = HTTPRequest(f"ws://127.0.0.1:{port}/ws", headers={"Origin": origin.format(port=port)})
    try:
        (await websocket_connect(request, subprotocols=["bokeh", "no-token"])).close()
        code = 101
    except Exception as error:
        code = getattr(error, "code", None)

    assert (code != 403) is welcome


async def test_server_ends_within_two_seconds_of_being_told(child):
    began = time.monotonic()

    child.stopping.set()
    await child.running

    assert time.monotonic() - began < 2
    with pytest.raises(ConnectionRefusedError):
        await fetch(child.url)


async def test_server_logs_no_address(caplog):
    child = Child()
    with caplog.at_level(logging.DEBUG, logger="poeticoins"):
        running = asyncio.create_task(server.run(settings(), child, Market()))
        await asyncio.wait_for(child.is_ready.wait(), 10)
        await fetch(child.url)
        child.stopping.set()
        await running

    assert "http" not in caplog.text


async def test_port_in_use_is_a_wrong_configuration():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(
            ConfigurationError, match=rf"expected a free port on 127\.0\.0\.1, but {port} is in use.*--port"
        ):
            await server.run(settings(port), Child(), Market())


async def test_address_of_another_machine_is_a_wrong_configuration():
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:0"):
        await server.run(settings(host="192.0.2.1"), Child(), Market())


async def test_bug_in_the_feed_ends_the_server_for_its_supervisor():
    market = Market()
    market.failing = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(server.run(settings(), Child(), market), 10)


@pytest.mark.parametrize(
    ("host", "first"),
    [
        ("127.0.0.1", "127.0.0.1:8050"),
        ("0.0.0.0", "127.0.0.1:8050"),
        ("::1", "[::1]:8050"),
        ("box.lan", "box.lan:8050"),
    ],
)
def test_page_may_be_opened_under_the_name_it_is_served_at(host, first):
    assert next(iter(server.origins(host, 8050, []))) == first
    assert "localhost:8050" in server.origins(host, 8050, [])


@pytest.mark.parametrize(
    ("given", "meant"),
    [("prices.example:8443", "prices.example:8443"), ("prices.example:443", "prices.example:80"), ("box", "box:80")],
)
def test_origin_without_its_usual_port_is_known(given, meant):
    assert meant in server.origins("127.0.0.1", 8050, [given])


async def opened(child, token):
    """A page's connection by `token`, and whether the server goes on with it."""
    port = child.url.rsplit(":", 1)[1].rstrip("/")
    request = HTTPRequest(f"ws://127.0.0.1:{port}/ws", headers={"Origin": f"http://127.0.0.1:{port}"})
    connection = await websocket_connect(request, subprotocols=["bokeh", token])
    return connection, await asyncio.wait_for(connection.read_message(), 10) is not None


def token_of(page):
    return re.search(r'"token":"([^"]+)"', page.body.decode())[1]


async def test_page_comes_back_to_a_restarted_server_and_a_forged_one_does_not(run_dir):
    tokens = []
    for _ in range(2):
        child = Child()
        running = asyncio.create_task(server.run(settings(run_dir=run_dir), child, Market(mode="demo")))
        await asyncio.wait_for(child.is_ready.wait(), 10)
        tokens.append(token_of(await fetch(child.url)))
        unsigned = tokens[0].split(".")[0]

        assert (await opened(child, tokens[0]))[1]
        for forged in (unsigned, f"{unsigned}.{'A' * 43}", f"{tokens[0][:-2]}AA", generate_jwt_token("chosen")):
            assert not (await opened(child, forged))[1]
        assert (await fetch(f"{child.url}?bokeh-session-id=chosen")).code == 403
        child.stopping.set()
        await asyncio.wait_for(running, 5)

    assert (run_dir / "dashboard.key").stat().st_mode & 0o777 == 0o600


def test_key_is_kept_unless_others_could_have_read_it_or_it_is_torn(run_dir):
    made = signing.key(run_dir)
    assert signing.key(run_dir) == made
    assert signing.key(None) != signing.key(None)

    (run_dir / "dashboard.key").chmod(0o644)
    second = signing.key(run_dir)
    (run_dir / "dashboard.key").write_bytes(second[:10])
    third = signing.key(run_dir)
    (run_dir / "dashboard.key").unlink()
    (run_dir / "elsewhere").write_bytes(b"x" * 64)
    (run_dir / "dashboard.key").symlink_to(run_dir / "elsewhere")
    fourth = signing.key(run_dir)

    assert len({made, second, third, fourth, b"x" * 64}) == 5
    assert (run_dir / "elsewhere").read_bytes() == b"x" * 64


async def test_scripts_of_the_page_bear_a_number_that_is_used_once_and_no_others_are_allowed(child):
    pages = [await fetch(child.url) for _ in range(2)]

    numbers = []
    for page in pages:
        (scripts,) = re.findall(r"script-src ([^;]+)", page.headers["Content-Security-Policy"])
        assert "unsafe" not in scripts
        numbers.append(re.search(r"'nonce-([\w-]{20,})'", scripts)[1])
        assert page.body.count(b"<script") == page.body.count(b'<script nonce="%s"' % numbers[-1].encode()) > 3
        assert page.body.rstrip().endswith(b"</html>")
    assert numbers[0] != numbers[1]


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("autoload.js?bokeh-autoload-element=1", {}, 404), ("metadata", {}, 404),
        ("", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ("", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)  # fmt: skip
async def test_pages_of_others_can_lead_here_and_nothing_else(child, path, headers, code):
    answer = await AsyncHTTPClient().fetch(HTTPRequest(child.url + path, headers=headers), raise_error=False)

    assert answer.code == code
    assert answer.headers["X-Frame-Options"] == "DENY"


async def test_supervised_server_asks_with_the_settings_it_was_given_whatever_becomes_of_their_file(
    run_dir, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poeticoins.toml").write_text("host = ")  # half saved
    child = Child()
    running = asyncio.create_task(server.run(Settings(run_dir=run_dir, port=0), child))
    await asyncio.wait_for(child.is_ready.wait(), 10)

    with pytest.raises(FeedUnavailable, match=re.escape(str(run_dir))):
        await asyncio.to_thread(poeticoins.get_status)

    child.stopping.set()
    await asyncio.wait_for(running, 5)
    with pytest.raises(ConfigurationError):
        poeticoins.get_status()


async def test_visitor_who_is_one_too_many_is_told_to_come_again_and_costs_nothing(child, monkeypatch):
    monkeypatch.setattr(admission, "MOST_SESSIONS", 2)
    codes = [(await fetch(child.url)).code for _ in range(2)]

    refused = await fetch(child.url)

    assert codes == [200, 200]
    assert refused.code == 503
    assert refused.headers["Retry-After"] == "5"
    assert len(refused.body) < 100


async def test_connections_beyond_the_limit_are_hung_up_on_and_make_room_again(monkeypatch):
    monkeypatch.setattr(server, "room_for_connections", lambda: 3)
    child = Child()
    running = asyncio.create_task(server.run(settings(), child, Market(mode="demo")))
    await asyncio.wait_for(child.is_ready.wait(), 10)
    port = int(child.url.rsplit(":", 1)[1].rstrip("/"))

    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    for _, one in [*held, (reader, writer)]:
        one.close()
        await one.wait_closed()

    async with asyncio.timeout(10):
        while (await AsyncHTTPClient().fetch(child.url, raise_error=False)).code != 200:
            await asyncio.sleep(0.01)
    child.stopping.set()
    await asyncio.wait_for(running, 5)
