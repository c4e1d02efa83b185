"""Stalled is not quiet, and what is missing is asked for only when there is news of it."""

import time
from datetime import UTC, datetime

import pandas as pd
import pytest

from dashboards.health import describe, stalled
from dashboards.missing import Missing, newest_gap
from tests.dashboards.market import PRODUCTS, Market, status

NOW = 1_788_000_000
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("state", "mode", "last", "heard", "word"),
    [
        ("live", "live", 5, 5, ""),
        ("live", "live", 100, 100, ""),  # quiet, and no more
        ("live", "live", 200, 200, "none of its products has traded"),
        ("degraded", "demo", 200, 200, "none of its products has traded"),
        ("live", "live", 1, 30, "do not reach this page"),
        ("live", "live", 1, None, ""),  # nothing has been heard yet: it begins
        ("live", "replay", 40_000_000, 40_000_000, ""),
        ("live", "replay", 40_000_000, 40_000_100, "do not reach this page"),
        ("reconnecting", "live", 200, 200, ""),  # says so itself
        ("live", "live", None, None, ""),
    ],
)
def test_stall_is_told_from_quiet(state, mode, last, heard, word):
    at = None if last is None else datetime.fromtimestamp(NOW - last, UTC).isoformat()
    feed = status(state=state, last_trade_at=at).feeds[0]

    said = stalled(feed, mode, None if heard is None else (NOW - heard) * SECOND, NOW * SECOND)

    assert word in said
    assert bool(word) is bool(said)


def test_stalled_exchange_is_on_its_cards_and_in_a_sentence():
    at = datetime.fromtimestamp(NOW - 300, UTC).isoformat()

    told = describe(status(last_trade_at=at), rate=0, newest={}, now_ns=NOW * SECOND)

    assert told["troubles"] == {"coinbase": "stalled", "bitstamp": "stalled"}
    assert told["notices"][0].startswith("Coinbase: stalled; connected")


async def test_gaps_are_asked_for_only_when_their_count_changes():
    market, keys = Market(), [str(product) for product in PRODUCTS]
    missing = Missing(market)
    assert await missing.look(market.status, keys) == {}
    assert market.questions == []
    began = pd.Timestamp(time.time(), unit="s", tz="UTC")
    market.gaps[PRODUCTS[1]] = [(began, began, 3, "skipped ids", pd.NaT)]
    market.status.feeds[0].gaps = 1

    shown = [await missing.look(market.status, keys) for _ in range(3)]

    assert [next(iter(gaps.values()))[2] for gaps in shown] == [3, 3, 3]
    assert market.questions == ["get_gaps"] * 6  # the products of that exchange, once


def test_newest_gap_of_unknown_size_is_told_as_such():
    at = pd.Timestamp("2026-01-01T12:00Z")
    later, latest = at + pd.Timedelta("1s"), at + pd.Timedelta("2s")
    gaps = pd.DataFrame({"began_at": [at, at, at], "ended_at": [at, later, latest]})
    gaps["missing"] = pd.array([3, None, 5], dtype="Int64")
    gaps["reason"], gaps["refilled_at"] = "disconnected", [pd.NaT, pd.NaT, latest]

    assert newest_gap(gaps)[2] is None
    assert newest_gap(gaps.head(0)) == []
