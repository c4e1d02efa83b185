"""Every exchange is held to the same promises, against frames with what they mean, and against anything at all."""

import json
import re
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeticoins.errors import BadFrame
from poeticoins.exchanges import EXCHANGES, Exchange
from poeticoins.model import Event, Heartbeat, Product, ReconnectRequested, Refused, Subscribed, Trade

FIXTURES = Path(__file__).parent.parent / "fixtures"
FRAMES = [
    pytest.param(exchange, row["frame"], row["means"], id=f"{name}-{line}")
    for name, exchange in EXCHANGES.items()
    for line, row in enumerate(map(json.loads, (FIXTURES / f"{name}.jsonl").read_text().splitlines()), 1)
]
every_exchange = pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
every_frame = pytest.mark.parametrize(("exchange", "frame", "means"), FRAMES)

HOSTILE = [
    "1e20000000", "1e-20000000", "9" * 1_000_000, "0." + "1" * 1_000_000, "1" + "0" * 400, "-1", "+1", "0", "0.0",
    "1e99", "NaN", "Infinity", "-Infinity", "", " 1", "1 ", "1_000", "1,5", "0x10", "١٢", "1\n", "1\x00",
    "é" * 100_000,     "." * 1_000_000, "1." * 500_000, "1" * 16, "9999999999999.9", "1.1234567890123456789",
]  # fmt: skip


def plain(meaning: Trade | Event) -> dict[str, object]:
    """A trade or event as the fixtures write it."""
    match meaning:
        case Trade(product, trade_id, price, size, side, traded_at_ns, origin=origin):
            numbers = {"price": price, "size": size}
            assert all(type(number) is Decimal for number in numbers.values())
            return {"trade": {"product": str(product), "trade_id": trade_id, **numbers, "side": side,
                              "traded_at_ns": traded_at_ns, "origin": origin}}  # fmt: skip
        case Subscribed(products):
            return {"subscribed": sorted(map(str, products))}
        case Heartbeat(product, last_trade_id):
            return {"heartbeat": {"product": product and str(product), "last_trade_id": last_trade_id}}
        case ReconnectRequested():
            return {"reconnect_requested": True}
        case Refused(reason):
            return {"refused": reason}
    raise AssertionError(f"not an event: {meaning!r}")


def numbers_exact(means: list[dict[str, Any]]) -> list[dict[str, object]]:
    """The fixture's meanings with their texts as Decimals, digits and all."""
    numbers = [{key: Decimal(m["trade"][key]) for key in ("price", "size")} if "trade" in m else {} for m in means]
    return [{"trade": m["trade"] | n} if n else m for m, n in zip(means, numbers, strict=True)]


@every_exchange
def test_every_exchange_offers_what_the_protocol_asks(exchange: Exchange) -> None:
    conforming: Exchange = exchange

    assert EXCHANGES[conforming.NAME] is exchange
    assert exchange.URL.startswith("wss://")
    assert exchange.URL.removeprefix("wss://") in exchange.HOSTS
    assert all(isinstance(product, Product) and product.exchange == exchange.NAME for product in exchange.PRODUCTS)
    assert isinstance(exchange.CONTIGUOUS_IDS, bool)
    assert exchange.PING is None or json.loads(exchange.PING)


@every_exchange
def test_every_default_product_can_be_written_and_read_again(exchange: Exchange) -> None:
    assert all(Product.parse(str(product)) == product for product in exchange.PRODUCTS)


@every_exchange
def test_every_product_is_asked_for_in_short_frames(exchange: Exchange) -> None:
    frames = exchange.subscribe_frames(exchange.PRODUCTS)

    text = " ".join(frames).lower()
    assert all(json.loads(frame) and len(frame.encode()) <= 512 for frame in frames)
    assert all(product.base.lower() in text and product.quote.lower() in text for product in exchange.PRODUCTS)
    assert exchange.subscribe_frames([]) == []


@every_exchange
def test_every_exchange_has_a_dozen_frames_to_show(exchange: Exchange) -> None:
    assert len((FIXTURES / f"{exchange.NAME}.jsonl").read_text().splitlines()) >= 12


@every_frame
def test_a_frame_means_exactly_what_its_fixture_says(exchange: Exchange, frame: str, means: object) -> None:
    if means == "BadFrame":
        with pytest.raises(BadFrame):
            exchange.parse(frame)
        return

    heard = exchange.parse(frame)

    assert isinstance(means, list)
    assert [plain(meaning) for meaning in heard] == numbers_exact(means)
    assert [repr(plain(meaning)) for meaning in heard] == [repr(meaning) for meaning in numbers_exact(means)]


@every_frame
def test_a_frame_means_the_same_as_text_and_as_bytes(exchange: Exchange, frame: str, means: object) -> None:
    if means != "BadFrame":
        assert exchange.parse(frame.encode()) == exchange.parse(frame)


@every_frame
def test_whoever_publishes_a_trade_fills_in_its_place(exchange: Exchange, frame: str, means: object) -> None:
    trades = [m for m in exchange.parse(frame) if isinstance(m, Trade)] if means != "BadFrame" else []

    assert all((t.received_at_ns, t.epoch, t.sequence, t.late) == (0, 0, 0, False) for t in trades)


def list_or_bad_frame(exchange: Exchange, frame: str | bytes) -> None:
    with suppress(BadFrame):
        assert isinstance(exchange.parse(frame), list)
    with suppress(BadFrame):
        assert isinstance(exchange.parse_backfill(exchange.PRODUCTS[0], frame), list)
    with suppress(BadFrame):
        assert isinstance(exchange.parse_candles(exchange.PRODUCTS[0], frame), list)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@every_exchange
@given(frame=st.binary())
def test_arbitrary_bytes_are_parsed_or_refused(exchange: Exchange, frame: bytes) -> None:
    list_or_bad_frame(exchange, frame)


@every_exchange
@given(frame=st.text(st.characters(exclude_categories=[])))
def test_arbitrary_text_is_parsed_or_refused_surrogates_and_all(exchange: Exchange, frame: str) -> None:
    list_or_bad_frame(exchange, frame)


@every_exchange
@settings(max_examples=200)
@given(data=st.data())
def test_a_good_frame_with_anything_put_into_it_is_parsed_or_refused(exchange: Exchange, data: st.DataObject) -> None:
    rows = (FIXTURES / f"{exchange.NAME}.jsonl").read_text().splitlines()
    frame = json.loads(json.loads(data.draw(st.sampled_from([row for row in rows if '"frame": "{' in row])))["frame"])
    place = (
        frame["data"] if isinstance(frame.get("data"), dict) and frame["data"] and data.draw(st.booleans()) else frame
    )

    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)

    list_or_bad_frame(exchange, json.dumps(frame))
    list_or_bad_frame(exchange, json.dumps([frame]))


@every_exchange
def test_deep_nesting_is_a_bad_frame_and_no_more(exchange: Exchange) -> None:
    for frame in ("[" * 100_000, '{"a":' * 100_000, '{"x":' + "[" * 100_000 + "]" * 100_000 + "}"):
        with pytest.raises(BadFrame):
            exchange.parse(frame)


@every_exchange
def test_a_surrogate_alone_is_a_bad_frame(exchange: Exchange) -> None:
    with pytest.raises(BadFrame):
        exchange.parse('{"type":"match","event":"\ud800"}')


@every_exchange
@pytest.mark.parametrize("hostile", HOSTILE, ids=[text[:12].encode("unicode_escape").decode() for text in HOSTILE])
def test_a_hostile_number_is_refused_at_once(exchange: Exchange, hostile: str) -> None:
    rows = map(json.loads, (FIXTURES / f"{exchange.NAME}.jsonl").read_text().splitlines())
    frame, trade = next((r["frame"], r["means"][0]["trade"]) for r in rows if r["means"] and "trade" in r["means"][0])
    number = json.dumps(trade["price"])
    assert frame.count(number) == 1

    began = time.process_time()
    with pytest.raises(BadFrame) as refused:
        exchange.parse(frame.replace(number, json.dumps(hostile)))

    assert time.process_time() - began < 0.02  # a megabyte takes 1 ms to read; an int of it, minutes
    assert len(str(refused.value)) < 500


BACKFILL = {
    "coinbase": [
        {"time": "2026-09-21T14:13:21.5Z", "trade_id": 12, "price": "64002.00", "size": "0.5", "side": "sell"},
        {"time": "2026-09-21T14:13:20Z", "trade_id": 11, "price": "64001", "size": "1E-8", "side": "buy"},
    ],
    "bitstamp": [
        {"date": "1790000001", "tid": "12", "price": "64002.00", "amount": "0.5", "type": "0",
         "microtimestamp": "1790000001500000"},
        {"date": "1790000000", "tid": "11", "price": "64001", "amount": "1E-8", "type": "1"},
    ],
}  # fmt: skip


@every_exchange
def test_a_backfill_comes_oldest_first_with_the_takers_side(exchange: Exchange) -> None:
    product = exchange.PRODUCTS[0]

    trades = exchange.parse_backfill(product, json.dumps(BACKFILL[exchange.NAME]))

    second = 1_790_000_000_000_000_000
    assert [(t.trade_id, str(t.price), str(t.size), t.side, t.traded_at_ns - second) for t in trades] == [
        (11, "64001", "1E-8", "sell", 0),
        (12, "64002.00", "0.5", "buy", 1_500_000_000),
    ]
    assert {(t.product, t.origin) for t in trades} == {(product, "backfill")}


@every_exchange
@pytest.mark.parametrize("body", ["", "{}", '{"message":"NotFound"}', "[1]", "<html>", '[{"tid":"x"}]'])
def test_a_backfill_that_is_an_error_page_is_a_bad_frame(exchange: Exchange, body: str) -> None:
    with pytest.raises(BadFrame):
        exchange.parse_backfill(exchange.PRODUCTS[0], body)


@every_exchange
def test_a_backfill_is_asked_for_over_https(exchange: Exchange) -> None:
    newest, older = (exchange.backfill_url(exchange.PRODUCTS[0], before_id) for before_id in (None, 1))

    assert newest.startswith("https://")
    assert newest != older


@every_exchange
def test_a_backfill_can_be_asked_for_in_part_where_there_is_a_cursor(exchange: Exchange) -> None:
    some = exchange.backfill_url(exchange.PRODUCTS[0], 1, most=7)

    assert ("limit=7" in some) == (not exchange.BACKFILL_SPANS)


def candles_fixture(exchange: Exchange) -> tuple[str, list[list[float]]]:
    """An answer in the documented form, and what it means: time in seconds, open, high, low, close, volume."""
    fixture = json.loads((FIXTURES / f"{exchange.NAME}.candles.json").read_text())
    return json.dumps(fixture["answer"]), fixture["means"]


@every_exchange
def test_candles_come_oldest_first_without_those_in_which_nothing_was_traded(exchange: Exchange) -> None:
    answer, means = candles_fixture(exchange)

    candles = exchange.parse_candles(exchange.PRODUCTS[0], answer)

    told = [[c.started_at_ns / 1e9, c.open, c.high, c.low, c.close, c.volume] for c in candles]
    assert told == means == sorted(means)
    assert exchange.parse_candles(exchange.PRODUCTS[0], answer.encode()) == candles


@every_exchange
@pytest.mark.parametrize(
    "body", ["", "{}", '{"message":"NotFound"}', "[1]", "<html>", '{"data":{"ohlc":[{}]}}', "[[]]"]
)
def test_candles_that_are_an_error_page_are_a_bad_frame(exchange: Exchange, body: str) -> None:
    with pytest.raises(BadFrame):
        exchange.parse_candles(exchange.PRODUCTS[0], body)


NO_NUMBERS = [
    "null",
    "true",
    "[]",
    "{}",
    "-1",
    "0",
    "1e99",
    "1e20000000",
    "1e-20000000",
    "NaN",
    "-Infinity",
    "9" * 10**6,
]
"""What may stand in JSON where a number is expected, unquoted."""


@every_exchange
@pytest.mark.parametrize("hostile", [*map(json.dumps, HOSTILE), *NO_NUMBERS], ids=lambda text: text[:12])
def test_a_candle_with_anything_but_numbers_is_refused_at_once(exchange: Exchange, hostile: str) -> None:
    answer, _ = candles_fixture(exchange)
    price = "63990"  # the low of one of them

    began = time.process_time()
    with pytest.raises(BadFrame) as refused:
        exchange.parse_candles(exchange.PRODUCTS[0], re.sub(f'"?{price}"?', lambda _: hostile, answer))

    assert time.process_time() - began < 0.02
    assert len(str(refused.value)) < 500


@every_exchange
@pytest.mark.parametrize("second", ["-1", "1", "99999999999", '"12:30"', "1e9", "null"])
def test_a_candle_of_no_plausible_time_is_refused(exchange: Exchange, second: str) -> None:
    answer, _ = candles_fixture(exchange)
    quoted = '"' in answer[answer.index("1790000040") - 1]

    with pytest.raises(BadFrame):
        exchange.parse_candles(exchange.PRODUCTS[0], answer.replace("1790000040", second.strip('"' * quoted)))


@every_exchange
@pytest.mark.parametrize("interval", [60, 3600, 86_400])
def test_candles_are_asked_for_over_https_by_their_length_and_span(exchange: Exchange, interval: int) -> None:
    until = 1_790_000_000 // interval * interval
    urls = {
        exchange.candles_url(exchange.PRODUCTS[0], interval, until - count * interval, until - shift * interval)
        for count in (10, exchange.MOST_CANDLES)
        for shift in (0, 1)
    }

    assert exchange.MOST_CANDLES >= 300
    assert len(urls) >= 3
    assert all(url.startswith("https://") and str(interval) in url for url in urls)
