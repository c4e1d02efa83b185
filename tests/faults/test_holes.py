"""A hole is never forgotten: not by a client that dies between finding it and refilling it, nor by who counts it."""

import signal

import pytest

from tests.faults.world import BTC, PRODUCTS
from tests.trees import until

LATER = {"seconds": 6, "status": 200, "count": 1}
"""An answer of the REST that comes long after live trades have stopped waiting for it."""


def test_a_client_killed_between_finding_a_hole_and_refilling_it_refills_it_after_its_return(line):
    line.exchange.suffer("coinbase", "rest", **LATER)
    line.exchange.suffer("coinbase", "skip", count=5)
    until(lambda: [gap for product in PRODUCTS[:2] for gap in line.open_gaps(product)], within=15)

    victim = line.kill("coinbase")

    line.replaced("coinbase", victim)
    assert line.feed("coinbase")["gaps"] >= 1
    line.unbroken("bitstamp")
    line.whole()
    line.seen("coinbase", lambda feed: feed["refills"] == feed["gaps"])


def test_a_client_killed_while_live_trades_wait_for_a_hole_loses_none_of_them(line):
    line.exchange.suffer("coinbase", "rest", **LATER)
    line.exchange.suffer("coinbase", "skip", count=1)
    before = len(line.reader.heard_at[BTC])
    line.goes_on(PRODUCTS[2], trades=8)  # by then Coinbase has skipped its trade, and what follows is held

    victim = line.kill("coinbase")

    line.replaced("coinbase", victim)
    line.unbroken("bitstamp")
    line.whole()
    assert len(line.reader.heard_at[BTC]) > before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda s: s.name)
def test_a_hole_in_time_survives_the_client_that_found_it(line, how):
    line.exchange.suffer("bitstamp", "rest", **LATER | {"count": 2})  # one for each of its products
    line.exchange.suffer("bitstamp", "drop")
    until(lambda: line.open_gaps(PRODUCTS[2]) + line.open_gaps(PRODUCTS[3]), within=15)

    victim = line.kill("bitstamp", how)

    line.replaced("bitstamp", victim)
    line.unbroken("coinbase")
    line.whole()
    line.seen("bitstamp", lambda feed: feed["refills"] == feed["gaps"])


def test_the_whole_tree_killed_with_a_hole_open_refills_it_when_it_is_back(line):
    line.exchange.suffer("coinbase", "rest", **LATER)
    line.exchange.suffer("coinbase", "skip", count=3)
    until(lambda: [gap for product in PRODUCTS[:2] for gap in line.open_gaps(product)], within=15)

    line.kill_all()
    line.start()

    line.goes_on()
    line.whole()


def test_what_cannot_be_refilled_is_a_gap_that_everyone_is_told_of(line):
    line.exchange.suffer("coinbase", "rest", seconds=0, status=404, count=40)
    line.exchange.suffer("coinbase", "skip", count=3)
    until(lambda: [gap for product in PRODUCTS[:2] for gap in line.open_gaps(product)], within=15)

    product = next(product for product in PRODUCTS[:2] if line.open_gaps(product))
    until(lambda: line.reader.gaps(product))

    gap = line.reader.gaps(product)[-1]
    assert gap.reason == "skipped ids"
    assert gap.missing == gap.last_id - gap.first_id + 1
    assert line.feed("coinbase")["gaps"] >= 1
    assert not {trade.trade_id for trade in line.reader.trades(product)} & {*range(gap.first_id, gap.last_id + 1)}
    line.unbroken("bitstamp")
    line.exchange.kill()
    line.exchange.start()  # it lists all again, and a new connection searches for every open gap
    line.whole()
