"""The rules of a comparison: medians, differences, the rate that prices imply, and who is left out of them."""

from decimal import Decimal
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dashboards.compare import Standing, basis_points, coins, compared, implied, lag_ms, left_out
from poeticoins.model import Product
from tests.dashboards.market import trade

NOW_S = 1_700_000_000
NOW_NS = NOW_S * 1_000_000_000


def standing(exchange, price, quote="USD", base="BTC", *, age=1.0, **more):
    product = Product(exchange, base, quote)
    return Standing(product, trade(product, price, at=NOW_S - age) if price else None, **more)


def comparison(*standings):
    return compared("BTC", standings, NOW_NS, replayed=False)


def side(*standings):
    return comparison(*standings).sides[0]


def test_only_coins_of_more_than_one_product_are_compared():
    products = [Product("a", "LTC", "USD"), Product("a", "BTC", "EUR"), Product("b", "BTC", "EUR"),
                Product("b", "ETH", "USD"), Product("b", "ETH", "EUR")]  # fmt: skip

    assert list(coins(products).items()) == [("BTC", "Bitcoin"), ("ETH", "Ethereum")]


@pytest.mark.parametrize(
    ("prices", "middle", "differences"),
    [
        (["100.00"], "100.00", [None]),
        (["100.00", "101.00"], "100.50", ["-49.75", "49.75"]),
        (["100", "100", "103"], "100", ["0.00", "0.00", "300.00"]),
        ([str(100 + at) for at in range(10)], "104.5", ["-430.62"]),
        (["0.00001", "0.00003"], "0.00002", ["-5000.00", "5000.00"]),
    ],
)
def test_median_and_differences_are_right_for_one_two_and_ten(prices, middle, differences):
    made = side(*(standing(f"x{at}", price) for at, price in enumerate(prices)))

    assert (made.median, made.of) == (Decimal(middle), len(prices))
    told = [None if row.difference is None else str(row.difference.quantize(Decimal("0.01"))) for row in made.rows]
    assert told[: len(differences)] == differences


def test_best_prices_name_all_who_have_them_and_nobody_of_none():
    made = side(standing("a", "100"), standing("b", "101"), standing("c", "100.0"), standing("d", "101", age=500))
    nobody = side(standing("a", None), standing("b", "1", trouble="stalled"))

    assert (made.lowest, made.highest) == (("a", "c"), ("b",))
    assert (nobody.median, nobody.of, nobody.lowest, nobody.highest) == (None, 0, (), ())
    assert [row.difference for row in nobody.rows] == [None, None]


GAP_OF_NOW, GAP_OF_BEFORE = [NOW_S * 1000 - 90_000, NOW_S * 1000 - 60_000], [0, NOW_S * 1000 - 700_000]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, ""),
        ({"trouble": "stalled"}, "stalled"),
        ({"trouble": "reconnecting", "gap": [*GAP_OF_NOW, 1]}, "reconnecting"),
        ({"gap": [*GAP_OF_NOW, 3]}, "3 trades missing in the last 10 min"),
        ({"gap": [*GAP_OF_NOW, 1]}, "1 trade missing in the last 10 min"),
        ({"gap": [*GAP_OF_NOW, None]}, "trades may be missing in the last 10 min"),
        ({"gap": [*GAP_OF_BEFORE, 3]}, ""),
        ({"age": 119}, ""),
        ({"age": 121}, "no trade for over 2 min"),
        ({"age": -5}, ""),  # the exchange's clock is ahead of ours
    ],
)
def test_who_is_not_of_now_is_left_out_with_the_reason_in_words(more, reason):
    made = side(standing("a", "100.00"), standing("b", "110.00", **more), standing("c", "100.00"))

    assert left_out(standing("b", "110.00", **more), NOW_NS, replayed=False) == reason
    assert made.of == (2 if reason else 3)
    assert made.highest == (("a", "c") if reason else ("b",))
    assert made.rows[1].reason == reason
    assert made.rows[1].difference == 1000  # its figures are kept


def test_product_without_a_trade_is_named_and_counts_for_nothing():
    made = side(standing("a", None), standing("b", "100.00"))

    assert (made.rows[0].reason, made.rows[0].difference, made.of) == ("no trade yet", None, 1)


def test_age_of_a_replay_counts_from_when_it_was_played():
    old = standing("a", "100.00", age=1_000_000)
    assert old.last

    heard = Standing(old.product, replace(old.last, received_at_ns=NOW_NS))

    assert left_out(old, NOW_NS, replayed=True) == "no trade for over 2 min"
    assert left_out(heard, NOW_NS, replayed=True) == ""
    assert left_out(heard, NOW_NS, replayed=False) == "no trade for over 2 min"


def test_rate_is_the_median_of_what_each_exchange_implies():
    made = comparison(
        standing("a", "110"), standing("b", "108"), standing("c", "500"), standing("d", "100"),
        standing("a", "100", "EUR"), standing("b", "100", "EUR"), standing("c", "100", "EUR", trouble="stalled"),
    )  # fmt: skip

    assert (made.rate, made.of) == (Decimal("1.09"), 2)
    assert [row.rate for row in made.sides[0].rows] == [Decimal("1.1"), Decimal("1.08"), Decimal("5"), None]
    assert [each.quote for each in made.sides] == ["USD", "EUR"]


def test_other_coins_and_other_currencies_imply_nothing():
    made = comparison(standing("a", "110"), standing("a", "100", "GBP"), standing("a", "7", "EUR", "ETH"))

    assert (made.rate, made.of) == (None, 0)
    assert implied("a", []) is None
    assert [each.quote for each in made.sides] == ["USD", "GBP"]


PRICES = st.lists(st.decimals("0.00000001", "999999", places=8), min_size=1, max_size=10)


@given(PRICES)
def test_median_lies_among_the_prices_and_as_many_are_above_as_below(prices):
    made = side(*(standing(f"x{at}", str(price)) for at, price in enumerate(prices)))

    assert made.median == median(prices)
    differences = [row.difference for row in made.rows if row.difference is not None]
    assert sum(each > 0 for each in differences) <= len(prices) / 2 >= sum(each < 0 for each in differences)


@given(PRICES, st.data())
def test_who_is_left_out_moves_nothing_that_is_common(prices, data):
    here = [standing(f"x{at}", str(price)) for at, price in enumerate(prices)]
    out = standing("out", str(data.draw(st.decimals("0.00000001", "999999", places=8))), trouble="degraded")

    alone, beside = side(*here), side(*here, out)

    assert (alone.median, alone.of, alone.lowest, alone.highest) == (
        beside.median, beside.of, beside.lowest, beside.highest,
    )  # fmt: skip


@given(st.decimals("0.01", "999999", places=2), st.decimals("0.01", "999999", places=2))
def test_basis_points_lead_back_to_the_price(price, middle):
    assert middle * (1 + basis_points(price, middle) / 10_000) == pytest.approx(price, rel=Decimal("1e-20"))


def test_lag_is_told_only_of_what_was_heard_live():
    btc = Product("a", "BTC", "USD")
    heard = replace(trade(btc, "1", at=NOW_S), received_at_ns=NOW_NS + 42_400_000)

    assert lag_ms(heard, replayed=False) == 42
    assert lag_ms(heard, replayed=True) is None
    assert lag_ms(trade(btc, "1", origin="snapshot"), replayed=False) is None
    assert lag_ms(trade(btc, "1", late=True), replayed=False) is None
