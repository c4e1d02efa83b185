"""Words and numbers, by tables."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from dashboards import format
from poeticoins.model import Product


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("67829.30", "67,829.30"),
        ("67829", "67,829"),
        ("0.00000123", "0.00000123"),
        ("1E-8", "0.00000001"),
        ("1.50E+3", "1,500"),
        ("999.9", "999.9"),
        ("1234567.000", "1,234,567.000"),
    ],
)
def test_price_keeps_the_exchanges_digits(value, text):
    assert format.number_text(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.01190000", "0.0119"), ("2.00000000", "2"), ("1E-8", "0.00000001"), ("1200", "1,200"), ("100", "100")],
)
def test_size_is_not_padded(value, text):
    assert format.size_text(Decimal(value)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (4.2, "4 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (86400, "1 d"),
    ],
)
def test_span_is_told_in_its_largest_unit(seconds, text):
    assert format.span_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name not found", "name not found"),
        ("two\nlines\tand a \x1b[31mcolour", "two lines and a [31mcolour"),
        ("x" * 500, "x" * 159 + "…"),
        ("\u202eright to left", "right to left"),
    ],
)
def test_foreign_text_becomes_one_short_printable_line(text, line):
    assert format.clean(text) == line


def test_products_stand_coin_by_coin_dollars_first():
    names = ["b:LTC-EUR", "b:ETH-USD", "a:BTC-EUR", "b:BTC-GBP", "b:BTC-USD", "a:BTC-USD", "a:ADA-USD"]

    ordered = format.in_order(map(Product.parse, names))

    assert list(map(str, ordered)) == [
        "b:BTC-USD", "a:BTC-USD", "a:BTC-EUR", "b:BTC-GBP", "b:ETH-USD", "a:ADA-USD", "b:LTC-EUR",
    ]  # fmt: skip


def test_unknown_coin_keeps_its_code():
    assert (format.coin_name("BTC"), format.coin_name("WIF")) == ("Bitcoin", "WIF")


@pytest.mark.parametrize(
    ("feed", "mode", "short", "sentence"),
    [
        ({"state": "live"}, "live", "", ""),
        (
            {"state": "reconnecting", "problem": "name not found", "next_try_in": 4.4},
            "live",
            "reconnecting",
            "Coinbase: reconnecting to feed.test: name not found, next try in 4 s"
            " — without a network, try python supervisor.py --demo",
        ),
        (
            {"state": "reconnecting", "problem": "closed"},
            "demo",
            "reconnecting",
            "Coinbase: reconnecting to feed.test: closed",
        ),
        (
            {"state": "reconnecting", "next_try_in": 0.2},
            "replay",
            "reconnecting",
            "Coinbase: reconnecting to feed.test, next try now",
        ),
        ({"state": "connecting"}, "live", "connecting", "Coinbase: connecting to feed.test"),
        (
            {"state": "degraded", "problem": "not confirmed: LTC-EUR"},
            "live",
            "degraded",
            "Coinbase: feed.test sends only a part: not confirmed: LTC-EUR",
        ),
        ({"state": "restarting", "host": None}, "live", "restarting", "Coinbase: its process is being started again"),
        ({"state": "stalled"}, "live", "stalled", "Coinbase: stalled"),
    ],
)
def test_trouble_of_a_feed_is_told_in_words(feed, mode, short, sentence):
    whole = {"exchange": "coinbase", "host": "feed.test", "problem": None, "next_try_in": None} | feed

    assert format.feed_words(SimpleNamespace(**whole), mode) == (short, sentence)


@pytest.mark.parametrize(
    ("mode", "states", "kind"),
    [
        ("live", ["live", "live"], "live"),
        ("live", ["live", "reconnecting"], "live"),
        ("live", ["connecting", "reconnecting"], "reconnecting"),
        ("live", [], "live"),
        ("demo", ["reconnecting", "reconnecting"], "demo"),
        ("replay", ["live"], "replay"),
    ],
)
def test_badge_never_passes_made_up_prices_for_the_market(mode, states, kind):
    assert format.badge_kind(mode, states) == kind
