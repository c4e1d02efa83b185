"""What is leant on in Bokeh and Tornado: a page that says hello hears all of it by the short way, in whole messages."""

import asyncio
import json
import re
import socket
from types import SimpleNamespace

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import websocket_connect

from dashboards import broadcast, server
from dashboards.cards import Cards
from tests.dashboards.market import PRODUCTS, Market, trade
from tests.dashboards.reading import read

BTC = PRODUCTS[1]


class Page:
    """A page over a plain WebSocket, without a browser."""

    @classmethod
    async def open(cls, url):
        self = cls()
        page = (await AsyncHTTPClient().fetch(url)).body.decode()
        token = re.search(r'"token":"([^"]+)"', page)[1]
        request = HTTPRequest(url.replace("http", "ws") + "ws", headers={"Origin": url.rstrip("/")})
        self.socket = await websocket_connect(request, subprotocols=["bokeh", token])
        await self.message()
        await self.send("PULL-DOC-REQ", {})
        roots = (await self.message())["doc"]["roots"]
        self.model = next(root["id"] for root in roots if root["attributes"].get("class_name") == "PageCards")
        return self

    async def message(self):
        """The content of the next message, which travels as header, metadata and content."""
        return [json.loads(await asyncio.wait_for(self.socket.read_message(), 10)) for _ in range(3)][2]

    async def send(self, kind, content):
        for part in ({"msgid": "0", "msgtype": kind}, {}, content):
            await self.socket.write_message(json.dumps(part))

    async def hello(self):
        data = {"type": "map", "entries": [["hello", 1]]}
        entries = [["model", {"id": self.model}], ["data", data]]
        event = {"type": "event", "name": "data_event", "values": {"type": "map", "entries": entries}}
        sent = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}
        await self.send("PATCH-DOC", {"events": [sent]})


@pytest.fixture
async def running():
    market, ready = Market(), asyncio.Event()
    child = SimpleNamespace(stopping=asyncio.Event(), facts=dict, ready=ready.set)
    settings = SimpleNamespace(host="127.0.0.1", port=0, allow_origin=(), run_dir=None)
    task = asyncio.create_task(server.run(settings, child, market))
    await asyncio.wait_for(ready.wait(), 10)
    yield child.facts()["url"], market
    child.stopping.set()
    await asyncio.wait_for(task, 5)


async def test_all_comes_and_goes_by_the_short_way_and_in_order(running, monkeypatch):
    url, market = running
    long_way = []
    monkeypatch.setattr(Cards, "_handle_msg", lambda _self, said: long_way.append(said))
    page = await Page.open(url)
    while not market.listeners:
        await asyncio.sleep(0.01)
    await page.hello()
    ways = []

    async with asyncio.timeout(20):
        while ("frame", broadcast.NAME) not in ways:
            for event in (await page.message()).get("events", []):  # the answer to a hello has none
                ways.append((read(event["msg_data"])["kind"], event["msg_type"]))
            market.tell(trade(BTC, "60000.00"))

    assert {way for _, way in ways} == {broadcast.NAME}
    assert ways[0][0] == "snapshot"
    assert long_way == []
    page.socket.close()


@pytest.mark.parametrize("size", [1, 200, 100_000])
def test_message_is_three_frames_of_which_the_last_holds_the_text(size):
    text = "é" * size
    frames, rest = [], broadcast.framed(text)
    while rest:
        first, length, rest = rest[0], rest[1], rest[2:]
        extra = {126: 2, 127: 8}.get(length, 0)
        length, rest = (int.from_bytes(rest[:extra]) if extra else length), rest[extra:]
        frames.append((first, json.loads(rest[:length])))
        rest = rest[length:]

    assert [first for first, _ in frames] == [0x81] * 3
    assert frames[0][1]["msgtype"] == "PATCH-DOC"
    assert frames[2][1]["events"][0]["msg_data"] == text


class Socket:
    """A page's, as far as it is leant on."""

    def __init__(self, **connection):
        self.write_lock = SimpleNamespace(_block=SimpleNamespace(_value=1))
        self.ws_connection = SimpleNamespace(**{"_compressor": None, "stream": self} | connection)
        self.written, self._write_buffer = [], b""

    def write(self, some):
        self.written.append(some)


def document(*sockets):
    session = SimpleNamespace(_subscribed_connections=[SimpleNamespace(_socket=socket) for socket in sockets])
    return SimpleNamespace(session_context=SimpleNamespace(session=session))


async def test_what_comes_while_a_message_is_half_on_its_way_follows_it_in_order():
    page = Socket()
    line = broadcast.Line(document(page))
    page.write_lock._block._value = 0

    assert line.write("1")
    assert line.write("2")
    assert page.written == []
    page.write_lock._block._value = 1
    async with asyncio.timeout(5):
        while len(page.written) < 2:
            await asyncio.sleep(0.001)
    assert line.write("3")

    assert page.written == [broadcast.framed(text) for text in "123"]


@pytest.mark.parametrize(
    "made",
    [document(), document(Socket(_compressor=object())), SimpleNamespace(session_context=None), document(object())],
    ids=["nobody", "compressed", "in a notebook", "of another make"],
)
def test_page_that_is_not_as_expected_is_left_to_the_public_way(made):
    assert not broadcast.Line(made).write("{}")


def test_page_that_has_just_gone_is_no_error():
    class Gone(Socket):
        def write(self, _some):
            raise StreamClosedError

    here = Socket()

    assert broadcast.Line(document(Gone(), here)).write("{}")
    assert len(here.written) == 1


class Piped(Socket):
    """A page's connection over a real pair of sockets: `far` is the browser's end."""

    def __init__(self):
        near, self.far = socket.socketpair()
        self.stream = IOStream(near)
        super().__init__(stream=self.stream)


async def test_all_arrives_in_order_at_a_page_that_reads_late():
    page = Piped()
    line = broadcast.Line(document(page))
    texts = [f"{number}{'.' * 10_000}" for number in range(90)]  # more than the system keeps, less than we do

    assert all(line.write(text) for text in texts)
    assert page.stream.writing()
    reader, _ = await asyncio.open_connection(sock=page.far)
    expected = b"".join(map(broadcast.framed, texts))

    assert await asyncio.wait_for(reader.readexactly(len(expected)), 10) == expected


async def test_page_that_never_reads_is_let_go_and_costs_the_others_nothing():
    deaf, here = Piped(), Socket()
    line, text = broadcast.Line(document(deaf, here)), "." * 10_000

    for _ in range(1_000):
        assert line.write(text)
        if deaf.stream.closed():
            break
        assert len(deaf.stream._write_buffer) < broadcast.MOST_WAITING + 2 * len(text)

    assert deaf.stream.closed()
    served = len(here.written)
    assert line.write(text)
    assert len(here.written) == served + 1
    deaf.far.close()


async def test_page_that_lets_no_message_of_bokeh_through_is_let_go_before_it_fills_the_memory():
    page = Piped()
    line, text = broadcast.Line(document(page)), "." * 10_000
    page.write_lock._block._value = 0

    for _ in range(1_000):
        assert line.write(text)
        assert sum(map(len, line._waiting)) <= broadcast.MOST_WAITING
        if page.stream.closed():
            break

    assert page.stream.closed()
    assert not line._waiting
    page.far.close()
