"""The supervised server: its address, its headers, whom it lets in, and how it ends."""

import asyncio
import logging
import re
import socket
import time
from types import SimpleNamespace

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from dashboards import server
from poeticoins.errors import ConfigurationError
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
