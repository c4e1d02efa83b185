"""An exchange that lets nobody in: each on a line of its own, since those that are told so wait for long."""

import pytest

from tests.faults.world import PRODUCTS, world


@pytest.mark.parametrize("status", [403, 404, 429, 451, 500, 503, 520])
def test_a_refused_handshake_says_so_and_no_process_ends_of_it(status):
    with world() as line:
        line.exchange.suffer("bitstamp", "refuse", count=100, status=status)
        line.exchange.suffer("bitstamp", "drop")

        line.seen("bitstamp", lambda feed: feed["state"] == "reconnecting" and f"HTTP {status}" in feed["problem"])

        assert line.restarts("bitstamp") == 0
        line.goes_on(PRODUCTS[0], PRODUCTS[1])
        line.unbroken("coinbase")
