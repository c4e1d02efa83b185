"""What a browser may say of its page, and what is made of anything else."""

import pytest

from dashboards.view import MOST_PRODUCTS, View, addressed, turned

A, B = "coinbase:BTC-USD", "bitstamp:ETH-EUR"


@pytest.mark.parametrize(
    ("message", "view"),
    [
        ({}, View((A,), A, "5m")),
        ({"select": [A, B, A]}, View((A, B), A, "5m")),
        ({"select": None}, View(None, A, "5m")),
        ({"select": []}, View((), A, "5m")),
        ({"select": "coinbase:BTC-USD"}, View(None, A, "5m")),
        ({"select": [1, None, {}, "", "x" * 65, B]}, View((B,), A, "5m")),
        ({"focus": B, "interval": "1d"}, View((A,), B, "1d")),
        ({"focus": None}, View((A,), None, "5m")),
        ({"focus": [A], "interval": "7m"}, View((A,), None, "5m")),
        ({"interval": ["1s"]}, View((A,), A, "5m")),
        ({"place": "compare", "compare": "ETH"}, View((A,), A, "5m", "compare", "ETH")),
        ({"place": "nowhere", "compare": "E" * 13}, View((A,), A, "5m")),
        ({"place": ["system"], "compare": ["ETH"]}, View((A,), A, "5m")),
    ],
)
def test_view_takes_what_it_understands(message, view):
    assert turned(View((A,), A, "5m"), message) == view


@pytest.mark.parametrize(
    ("arguments", "view"),
    [
        ({}, View()),
        ({"products": [f"{A},{B},{A},".encode()], "focus": [B.encode()]}, View((A, B), B)),
        ({"products": [A.encode(), B.encode()], "place": [b"system"]}, View((A,), None, place="system")),
        ({"products": [b""], "focus": [b""], "place": [b""]}, View(())),
        ({"products": [b"\xff\xfe" * 99], "focus": [b"x" * 99], "place": [b"<b>"], "select": [A.encode()]}, View(())),
        ({"products": [], "theme": [b"dark"]}, View()),
    ],
)
def test_address_is_read_as_the_page_reads_it_and_may_be_anything(arguments, view):
    assert addressed(arguments) == view


def test_view_holds_sixty_products_at_most():
    view = turned(View(), {"select": [f"x:A{number}-USD" for number in range(10_000)]})

    assert view.selection is not None
    assert len(view.selection) == MOST_PRODUCTS
