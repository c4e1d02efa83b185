import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.errors import BadFrame, UnknownProduct
from poeticoins.model import Product, datetime_from_ns, mantissa_and_exponent, nanoseconds, number


@pytest.mark.parametrize("text", ["67829.30", "0.00000001", "1E-8", "1e-8", "3", "999999999999.99", "12." + "0" * 18])
def test_a_number_is_taken_exactly_as_written(text):
    assert number(text) == Decimal(text)


def test_a_number_keeps_its_digits():
    assert str(number("0.15000000")) == "0.15000000"


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "0", "0.00", "NaN", "Infinity", "1_000", "١٢", " 1", "1 ", ".5", "5.", "1e400", "1e20000000",
     "1e1000000", "10" * 8, "1000000000000", "0x10", "1,5", "123456789.123456789012345", "1\n"],
)  # fmt: skip
def test_what_is_no_price_is_refused_within_a_millisecond(text):
    begun = time.perf_counter()

    with pytest.raises(BadFrame):
        number(text)

    assert time.perf_counter() - begun < 0.01


@given(st.integers(1, 2**63 - 1), st.integers(-18, 0))
def test_mantissa_and_exponent_make_the_number_again(mantissa, exponent):
    assert mantissa_and_exponent(Decimal(mantissa).scaleb(exponent)) == (mantissa, exponent)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-09-02T07:44:10.104422Z", 1_788_335_050_104_422_000),
        ("2026-09-02T07:44:10Z", 1_788_335_050_000_000_000),
        ("2026-09-02T07:44:10.1Z", 1_788_335_050_100_000_000),
        ("2026-09-02T07:44:10.123456789Z", 1_788_335_050_123_456_789),
        ("2026-09-02T07:44:10.123+00:00", 1_788_335_050_123_000_000),
    ],
)
def test_a_time_is_exact_to_the_nanosecond(text, ns):
    assert nanoseconds(text) == ns


@pytest.mark.parametrize(
    "text",
    ["", "2026-13-02T07:44:10Z", "2026-09-02 07:44:10", "1970-01-01T00:00:00Z", "9999-01-01T00:00:00Z",
     "2026-09-02T07:44:10+02:00", "2026-09-02T07:44:60Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(BadFrame):
        nanoseconds(text)


@given(st.datetimes(datetime(2010, 1, 1), datetime(2199, 1, 1)))  # noqa: DTZ001
def test_a_datetime_survives_its_text(at):
    aware = at.replace(tzinfo=UTC)

    assert datetime_from_ns(nanoseconds(aware.isoformat())) == aware
    assert aware - datetime_from_ns(nanoseconds(aware.isoformat())) == timedelta(0)


def test_a_product_is_spelled_alike_everywhere():
    product = Product.parse("coinbase:BTC-USD")

    assert (product.exchange, product.base, product.quote, product.pair) == ("coinbase", "BTC", "USD", "BTC-USD")
    assert str(product) == "coinbase:BTC-USD"


@pytest.mark.parametrize(
    "text",
    ["btc", "coinbase:btc-usd", "coinbase:BTCUSD", "Coinbase:BTC-USD", "coinbase:BTC-USD\n", "../x:BTC-USD",
     "coinbase:<script>-USD", ""],
)  # fmt: skip
def test_what_is_no_product_says_how_one_is_spelled(text):
    with pytest.raises(UnknownProduct, match="expected 'exchange:BASE-QUOTE'"):
        Product.parse(text)


def test_an_unknown_product_names_the_nearest_ones():
    error = UnknownProduct.among("coinbase:BTC-USDT", ["coinbase:BTC-USD", "coinbase:ETH-EUR", "bitstamp:LTC-EUR"])

    assert "coinbase:BTC-USD" in str(error)
    assert "LTC-EUR" not in str(error)
