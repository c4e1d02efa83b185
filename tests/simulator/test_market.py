"""The demo's market is the same whenever one looks, has no holes, and moves like a market."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeticoins.exchanges import EXCHANGES
from poeticoins.model import SECOND, Product, number
from poeticoins.record import pack, unpack
from poeticoins.simulator import market

NOW = 1_795_000_000 * SECOND + 123_456_789
MINUTE = 60 * SECOND
DEFAULTS = [product for exchange in EXCHANGES.values() for product in exchange.PRODUCTS]
BTC, QUIET, STAMP = (Product.parse(text) for text in ("coinbase:BTC-USD", "coinbase:LTC-EUR", "bitstamp:BTC-USD"))
every_product = pytest.mark.parametrize("product", DEFAULTS, ids=str)


@every_product
def test_the_market_is_the_same_after_everything_was_forgotten(product: Product) -> None:
    before = market.trades(1, product, NOW - MINUTE, NOW)

    market._block.cache_clear()

    assert market.trades(1, product, NOW - MINUTE, NOW) == before


def test_another_seed_another_pace_and_another_product_are_other_markets() -> None:
    usual = market.trades(1, BTC, NOW - MINUTE, NOW)

    assert market.trades(2, BTC, NOW - MINUTE, NOW) != usual
    assert market.trades(1, STAMP, NOW - MINUTE, NOW) != usual
    assert len(market.trades(1, BTC, NOW - MINUTE, NOW, pace=10)) == pytest.approx(10 * len(usual), rel=0.1)


@settings(max_examples=40)
@given(
    product=st.sampled_from(DEFAULTS),
    start=st.integers(NOW, NOW + MINUTE),
    cuts=st.lists(st.integers(0, 45 * SECOND), max_size=6),
)
def test_an_interval_cut_anywhere_holds_the_same_trades(product: Product, start: int, cuts: list[int]) -> None:
    edges = sorted({start, *(start + cut for cut in cuts), start + 45 * SECOND})

    parts = [trade for left, right in pairwise(edges) for trade in market.trades(1, product, left, right)]

    assert parts == market.trades(1, product, edges[0], edges[-1])


@settings(max_examples=40)
@given(st.sampled_from(DEFAULTS), st.integers(0, 200))
def test_a_cut_at_the_very_instant_of_a_trade_keeps_it_once(product: Product, index: int) -> None:
    whole = market.trades(1, product, NOW, NOW + MINUTE)
    at = whole[index % len(whole)].traded_at_ns

    assert market.trades(1, product, NOW, at) + market.trades(1, product, at, NOW + MINUTE) == whole


@pytest.mark.parametrize("pace", [1, 7])
def test_coinbase_ids_count_up_by_one_across_blocks(pace: int) -> None:
    for product in EXCHANGES["coinbase"].PRODUCTS:
        ids = [trade.trade_id for trade in market.trades(1, product, NOW - MINUTE, NOW, pace)]

        assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.parametrize("pace", [1, 100])
def test_bitstamp_ids_grow_with_holes_and_times_are_milliseconds(pace: int) -> None:
    found = market.trades(1, STAMP, NOW - 2 * SECOND, NOW, pace)

    assert all(later.trade_id > earlier.trade_id for earlier, later in pairwise(found))
    assert any(later.trade_id - earlier.trade_id > 1 for earlier, later in pairwise(found))
    assert all(trade.traded_at_ns % 1_000_000 == 0 and trade.trade_id < 2**53 for trade in found)


def test_the_first_trade_of_all_has_the_id_one() -> None:
    assert market.trades(1, BTC, 0, market.START_NS + MINUTE)[0].trade_id == 1
    assert market.trades(1, BTC, 0, market.START_NS - 1) == []
    assert market.last_trade(1, BTC, market.START_NS - 1) is None


@every_product
def test_no_default_product_is_quiet_for_ten_seconds(product: Product) -> None:
    times = [trade.traded_at_ns for trade in market.trades(1, product, NOW - 20 * MINUTE, NOW)]

    assert times == sorted(times)
    assert max(later - earlier for earlier, later in pairwise(times)) < 10 * SECOND


@every_product
def test_the_last_trade_is_the_newest_that_there_is(product: Product) -> None:
    assert market.last_trade(1, product, NOW) == market.trades(1, product, NOW - MINUTE, NOW)[-1]


def test_bitcoin_trades_several_times_a_second_and_in_sweeps() -> None:
    found = market.trades(1, BTC, NOW - 10 * MINUTE, NOW)

    seconds = [sum(1 for trade in found if trade.traded_at_ns // SECOND == NOW // SECOND - ago) for ago in range(1, 60)]
    sweeps = sum(later.traded_at_ns == earlier.traded_at_ns for earlier, later in pairwise(found))
    assert len(found) / 600 > 2
    assert max(seconds) > 2.5 * sum(seconds) / len(seconds)
    assert sweeps > len(found) / 10


@every_product
def test_prices_and_sizes_are_what_an_exchange_could_write(product: Product) -> None:
    found = market.trades(1, product, NOW - 3 * MINUTE, NOW)

    for trade in found:
        assert number(f"{trade.price:f}") == trade.price
        assert number(str(trade.size)) == trade.size >= Decimal("1e-8")
        assert unpack(pack(trade), product) == trade
    assert {trade.side for trade in found} == {"buy", "sell"}
    assert len({trade.price for trade in found}) > 3


@pytest.mark.parametrize("pair", ["BTC-USD", "ETH-EUR", "LTC-USD"])
def test_a_coin_costs_nearly_the_same_on_both_exchanges(pair: str) -> None:
    for hour in range(0, 24, 3):
        at = NOW - hour * 60 * MINUTE
        pairs = [market.last_trade(1, Product.parse(f"{name}:{pair}"), at) for name in EXCHANGES]

        here, there = (float(trade.price) for trade in pairs if trade)
        assert abs(here / there - 1) < 0.005


def test_euros_and_dollars_say_the_same_but_for_the_rate() -> None:
    for day in range(0, 365, 30):
        at = NOW - day * 86_400 * SECOND
        usd, eur = (market.last_trade(1, Product.parse(f"coinbase:BTC-{quote}"), at) for quote in ("USD", "EUR"))

        assert usd is not None
        assert eur is not None
        assert 1.07 < usd.price / eur.price < 1.18


def test_prices_move_by_the_day_and_by_the_minute_but_never_far_at_once() -> None:
    hours = [float(t.price) for h in range(0, 240, 6) if (t := market.last_trade(1, BTC, NOW - h * 60 * MINUTE))]
    ticks = [float(trade.price) for trade in market.trades(1, BTC, NOW - 10 * MINUTE, NOW)]

    assert max(hours) / min(hours) > 1.02
    assert max(ticks) / min(ticks) > 1.0005
    assert all(abs(later / earlier - 1) < 0.003 for earlier, later in pairwise(ticks))


@pytest.mark.parametrize("text", ["coinbase:SOL-EUR", "bitstamp:WHATEVER-GBP", "coinbase:SHIB-BTC", "coinbase:A-B"])
def test_any_pair_that_is_asked_for_trades(text: str) -> None:
    found = market.trades(1, Product.parse(text), NOW - MINUTE, NOW)

    assert len(found) >= 6
    assert all(trade.price > 0 for trade in found)
