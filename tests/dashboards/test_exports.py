"""Exported files: their names, bytes and limits; and that a person gets them, on both sizes and without pyarrow."""

import asyncio
import base64
import csv
import io
import json
import sys
from datetime import UTC, datetime

import pandas as pd
import pytest

from dashboards import exports, tables
from dashboards.exports import Exports
from dashboards.feed import Feed
from dashboards.tables import Order, contents, file_name, last_trades, of_product, ordered
from poeticoins.errors import RequestTimeout
from tests.dashboards.market import PRODUCTS, Market, trade
from tests.dashboards.test_feed import Viewer, until

BTC = PRODUCTS[1]
NOON = 1_788_000_000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ({"kind": "trades", "form": "csv", "key": str(BTC), "interval": "9q"}, Order("trades", "csv", str(BTC))),
        ({"kind": "candles", "form": "csv", "key": "a:B-C", "interval": "1h"}, Order("candles", "csv", "a:B-C", "1h")),
        ({"kind": "cards", "form": "csv", "key": "a:B-C"}, Order("cards", "csv")),
        ({"kind": "candles", "form": "csv", "key": "a:B-C", "interval": "7m"}, None),
        ({"kind": "candles", "form": "csv", "key": "a:B-C", "interval": []}, None),
        ({"kind": "../etc", "form": "csv"}, None),
        ({"kind": "trades", "form": "exe"}, None),
        ({"kind": "trades", "form": "csv", "key": 7}, None),
        ({"kind": [], "form": {}}, None),
        ("trades", None),
    ],
)  # fmt: skip
def test_order_is_a_known_one_or_none(said, order):
    assert ordered(said) == order


@pytest.mark.parametrize(
    ("order", "mode", "name"),
    [
        (Order("trades", "csv", "a:B-C"), "live", "poeticoins-a-B-C-trades-20261124T122252Z.csv"),
        (Order("candles", "parquet", "a:B-C", "1m"), "demo", "poeticoins-demo-a-B-C-1m-20261124T122252Z.parquet"),
        (Order("cards", "csv"), "replay", "poeticoins-replay-last-trades-20261124T122252Z.csv"),
    ],
)
def test_name_says_what_of_whom_and_when_and_whether_it_is_made_up(order, mode, name):
    assert file_name(order, mode, datetime(2026, 11, 24, 12, 22, 52, tzinfo=UTC)) == name


def market():
    market = Market()
    for number in range(3):
        market.tell(trade(BTC, f"6782{number}.30", at=NOON + number * 60, number=2**60 + number, late=number == 1))
    return market


def test_trades_as_csv_read_back_as_they_were():
    frame = of_product(market().get_trades(BTC).rename_axis("traded_at"), str(BTC))

    rows = list(csv.DictReader(io.StringIO(contents(frame, "csv").decode())))

    assert rows[1].pop("traded_at") == f"{datetime.fromtimestamp(NOON + 60, UTC):%Y-%m-%dT%H:%M:%S}.000000000Z"
    assert rows[1] == {
        "product": str(BTC),
        "price": "67821.3",
        "size": "0.0119",
        "side": "buy",
        "trade_id": str(2**60 + 1),
        "late": "True",
    }


def test_text_that_a_spreadsheet_would_run_is_quoted():
    at = pd.DatetimeIndex([pd.Timestamp(NOON, unit="s", tz="UTC")] * 6, name="traded_at")
    frame = pd.DataFrame({"side": ["=1+1", "@x", "-1", "+1", "\tx", "buy"], "price": [-1.0] * 6}, index=at)

    rows = list(csv.DictReader(io.StringIO(contents(frame, "csv").decode())))

    assert [row["side"] for row in rows] == ["'=1+1", "'@x", "'-1", "'+1", "'\tx", "buy"]
    assert rows[0]["price"] == "-1.0"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_last_trades_keep_the_exchanges_own_digits(form):
    file = contents(last_trades([trade(BTC, "67829.30", at=NOON), trade(PRODUCTS[0], "0.00001", at=NOON)]), form)

    frame = pd.read_csv(io.BytesIO(file), dtype=str) if form == "csv" else pd.read_parquet(io.BytesIO(file))

    assert [str(price).rstrip("0") for price in frame["price"]] == ["67829.3", "0.00001"]
    assert list(frame["product"]) == [str(BTC), str(PRODUCTS[0])]


def test_candles_as_parquet_are_the_same_frame():
    frame = of_product(market().get_candles(BTC, "1m"), str(BTC))

    read = pd.read_parquet(io.BytesIO(contents(frame, "parquet"))).set_index("started_at")

    assert (read["close"] == frame["close"]).all()
    assert list(read.index) == list(frame.index)
    assert list(read.columns) == list(frame.columns)


def test_without_pyarrow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(tables.NoParquet, match=r"pip install 'poeticoins\[export\]'"):
        contents(of_product(market().get_candles(BTC, "1m"), str(BTC)), "parquet")


async def told(exports_, order, lasts=()):
    viewer, texts = Viewer(), []

    def tell(text):
        texts.append(text)
        exports_.read(viewer)

    await exports_.tell(viewer, (order, "live", lasts), tell)
    return list(map(json.loads, texts))


async def test_page_that_does_not_read_gets_no_more_than_one_piece(monkeypatch):
    monkeypatch.setattr(exports, "PIECE", 100)
    monkeypatch.setattr(exports, "READ_S", 0.05)
    texts = []

    await Exports(market()).tell(Viewer(), (Order("trades", "csv", str(BTC)), "live", ()), texts.append)

    assert [json.loads(text)["at"] for text in texts] == [0]


async def test_file_comes_in_pieces_that_make_it_whole(monkeypatch):
    monkeypatch.setattr(exports, "PIECE", 100)

    messages = await told(Exports(market()), Order("trades", "csv", str(BTC)))

    assert [each["at"] for each in messages] == list(range(messages[0]["of"]))
    assert len(messages) > 2
    file = b"".join(base64.b64decode(each["piece"]) for each in messages)
    assert len(file.decode().splitlines()) == 4
    assert messages[0]["rows"] == 3


async def test_file_that_nobody_can_answer_for_is_told_in_words():
    asked = market()
    asked.failing = RequestTimeout("historical does not answer")

    messages = await told(Exports(asked), Order("candles", "csv", str(BTC), "1m"))

    assert messages == [{"kind": "export", "problem": "historical does not answer"}]


async def test_exports_are_of_followed_products_and_one_at_a_time():
    feed, viewer = Feed(asked := market(), poll_s=0.05), Viewer(str(BTC))
    task = asyncio.create_task(feed.run())
    await until(lambda: asked.listeners)
    feed.join(viewer)
    order = {"kind": "trades", "form": "csv", "key": str(BTC)}

    feed.replies.export(viewer, order | {"key": "nobody:A-B"})
    feed.replies.export(viewer, "nonsense")
    feed.replies.export(viewer, order)
    feed.replies.export(viewer, order)
    await until(lambda: len(viewer.of("export")) == 2)

    problem, file = viewer.of("export")
    assert "try again" in problem["problem"]
    assert (file["rows"], file["at"], file["of"]) == (3, 0, 1)
    task.cancel()


async def test_second_file_of_a_page_is_refused_until_the_first_is_read_to_its_end(monkeypatch):
    monkeypatch.setattr(exports, "PIECE", 100)
    monkeypatch.setattr(exports, "AGAIN_S", 0.0)
    exports_, viewer, texts = Exports(market()), Viewer(), []
    assert exports_.refusal(viewer) == ""
    telling = asyncio.create_task(exports_.tell(viewer, (Order("trades", "csv", str(BTC)), "live", ()), texts.append))
    await until(lambda: texts)

    refused = exports_.refusal(viewer)
    async with asyncio.timeout(10):
        while not telling.done():
            exports_.read(viewer)
            await asyncio.sleep(0.001)

    assert "Too many exports at once" in refused
    assert [json.loads(text)["at"] for text in texts] == list(range(json.loads(texts[0])["of"]))
    assert exports_.refusal(viewer) == ""


@pytest.mark.browser
@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_person_saves_what_is_shown(served, screen, window, tmp_path):
    shown = screen(f"{served('demo').url}?products={BTC},{PRODUCTS[0]}&focus={BTC}&interval=5s", **window)
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 2")

    saved = {}
    for kind, form in (("cards", "csv"), ("candles", "parquet"), ("trades", "csv")):
        shown.page.get_by_role("button", name="Export…").first.click()
        shown.page.locator(".export select").first.select_option(kind)
        shown.page.locator(".export select").last.select_option(form)
        with shown.page.expect_download() as download:
            shown.page.get_by_role("button", name="Export", exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        saved[kind] = pd.read_csv(path) if form == "csv" else pd.read_parquet(path)
        shown.until("board.querySelector('.export .hint').textContent.includes('row')")
        shown.until("board.activeElement === board.querySelector('.export .set')")  # the keyboard is still there
        shown.page.wait_for_timeout(exports.AGAIN_S * 1000)  # the next is refused until then
        shown.page.keyboard.press("Escape")

    assert list(saved["cards"]["product"]) == [str(BTC), str(PRODUCTS[0])]
    assert len(saved["candles"]) > 50
    assert set(saved["trades"]["product"]) == {str(BTC)}
    assert path.name.startswith("poeticoins-demo-coinbase-BTC-EUR-trades-20")
    assert shown.troubles == []


@pytest.mark.browser
def test_second_file_at_once_is_refused_in_words(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    shown.page.get_by_role("button", name="Export…").click()

    for _ in range(2):
        shown.page.get_by_role("button", name="Export", exact=True).click()
        shown.until("!board.querySelector('.export .set').hasAttribute('aria-disabled')")

    shown.until("board.querySelector('.export .hint').textContent.includes('Too many exports at once')")
    assert shown.troubles == []
