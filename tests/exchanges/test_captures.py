"""
Frames that the exchanges really sent, through `parse`. They are not in this repository.

Set POETICOINS_CAPTURES to a folder with coinbase.jsonl, bitstamp.jsonl and fragments.jsonl, one JSON object a line:
{"t": seconds, "dir": "in" | "out", "url": ..., "raw": the frame}.
"""

import json
import os
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from poeticoins.exchanges import EXCHANGES
from poeticoins.model import Event, Heartbeat, Product, ReconnectRequested, Refused, Subscribed, Trade

FOLDER = os.environ.get("POETICOINS_CAPTURES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="POETICOINS_CAPTURES names no folder with captured frames")

Heard = list[tuple[dict[str, object], list[Trade | Event]]]


def heard(exchange: str, *files: str) -> Heard:
    """Every frame that came in from an exchange, as plain JSON and as what it means, in the files' order."""
    lines = [json.loads(line) for file in files for line in (Path(FOLDER) / file).read_text("utf-8").splitlines()]
    hosts = EXCHANGES[exchange].HOSTS
    raws = [line["raw"] for line in lines if line["dir"] == "in" and urlsplit(line["url"]).hostname in hosts]
    return [(json.loads(raw), EXCHANGES[exchange].parse(raw)) for raw in raws]


def trades(frames: Heard) -> dict[Product, list[Trade]]:
    found = defaultdict(list)
    for trade in (meaning for _, means in frames for meaning in means if isinstance(meaning, Trade)):
        found[trade.product].append(trade)
    return found


def test_every_coinbase_match_becomes_one_trade() -> None:
    frames = heard("coinbase", "coinbase.jsonl", "fragments.jsonl")

    matches = [frame for frame, _ in frames if frame["type"] in ("match", "last_match")]
    found = [meaning for _, means in frames for meaning in means if isinstance(meaning, Trade)]
    assert len(matches) > 50
    assert [(m["trade_id"], m["price"], m["product_id"]) for m in matches] == [
        (t.trade_id, f"{t.price:f}", t.product.pair) for t in found
    ]
    assert [t.origin for t in found] == [{"match": "live"}.get(str(m["type"]), "snapshot") for m in matches]


def test_the_side_of_a_coinbase_trade_is_its_tickers_side() -> None:
    frames = heard("coinbase", "coinbase.jsonl")
    takers = {(f["product_id"], f["trade_id"]): f["side"] for f, _ in frames if f["type"] == "ticker"}

    pairs = [(t.side, takers.get((t.product.pair, t.trade_id))) for ts in trades(frames).values() for t in ts]

    assert len([side for side in pairs if side[1]]) > 50
    assert all(ours == theirs for ours, theirs in pairs if theirs)


def test_coinbase_ids_count_up_by_one_in_every_product() -> None:
    for product, found in trades(heard("coinbase", "coinbase.jsonl")).items():
        ids = [trade.trade_id for trade in found]

        assert all(later - earlier == 1 for earlier, later in pairwise(ids)), product


def test_coinbase_acks_errors_and_heartbeats_are_understood() -> None:
    frames = heard("coinbase", "coinbase.jsonl", "fragments.jsonl")

    wanted = {"subscriptions": Subscribed, "error": Refused, "heartbeat": Heartbeat}
    assert {str(frame["type"]) for frame, _ in frames} >= wanted.keys()
    for frame, means in frames:
        kind = wanted.get(str(frame["type"]))
        assert kind is None or [type(meaning) for meaning in means] == [kind]
        assert frame["type"] != "ticker" or means == []


def test_every_bitstamp_trade_has_the_side_of_the_later_order() -> None:
    frames = [
        (f, means) for f, means in heard("bitstamp", "bitstamp.jsonl", "fragments.jsonl") if f["event"] == "trade"
    ]

    assert len(frames) >= 26
    for frame, means in frames:
        (trade,) = means
        order = frame["data"]
        assert isinstance(order, dict)
        assert isinstance(trade, Trade)
        assert (trade.trade_id, trade.traded_at_ns) == (order["id"], int(order["microtimestamp"]) * 1000)
        assert f"live_trades_{trade.product.base}{trade.product.quote}".lower() == frame["channel"]
        assert float(trade.price) == order["price"]
        assert float(trade.size) == order["amount"]
        assert (trade.side == "buy") == (order["buy_order_id"] > order["sell_order_id"])


def test_bitstamp_ids_grow_within_a_product() -> None:
    for product, found in trades(heard("bitstamp", "bitstamp.jsonl")).items():
        ids = [trade.trade_id for trade in found]

        assert ids == sorted(set(ids)), product


def test_bitstamp_acks_of_trades_are_acks_and_others_mean_nothing() -> None:
    frames = heard("bitstamp", "bitstamp.jsonl")

    acks = [(str(f["channel"]), means) for f, means in frames if f["event"] == "bts:subscription_succeeded"]
    assert len(acks) == 40
    assert sum(bool(means) for _, means in acks) == 20
    assert all(bool(means) == channel.startswith("live_trades_") for channel, means in acks)


def test_the_other_events_of_bitstamp_are_understood() -> None:
    kinds = {type(meaning) for _, means in heard("bitstamp", "fragments.jsonl") for meaning in means}

    assert {Refused, ReconnectRequested, Trade} <= kinds
