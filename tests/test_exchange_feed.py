"""What frames make of an exchange's feed, beyond what the embedded exchange does."""

from types import SimpleNamespace

import pytest

from poeticoins.exchanges import EXCHANGES
from poeticoins.feed import Feed
from poeticoins.link import Link
from poeticoins.liveness import Patience
from poeticoins.model import SECOND, Product, Subscribed
from tests.makers import NOON, make_trade

BTC, ETH = Product("bitstamp", "BTC", "USD"), Product("bitstamp", "ETH", "USD")


class Seen:
    """An intake that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def trade(self, trade, received_at_ns):
        self.told.append(trade.trade_id)

    def connected(self, at_ns):
        self.told.append("connected")

    def disconnected(self, heard_at_ns):
        self.told.append(("disconnected", heard_at_ns))


def test_a_product_whose_trades_come_is_followed_although_its_confirmation_was_lost():
    intakes = {BTC: Seen(), ETH: Seen()}
    feed, link = Feed(bitstamp_saying(), intakes, strict_time=True), Link([BTC, ETH], Patience(), 0.0)
    feed.opened(link)

    feed.receive(link, b"confirms BTC", 1.0, NOON)
    feed.receive(link, b"ETH trades", 2.0, NOON + SECOND)

    assert (feed.state, feed.problem, feed.confirmed) == ("live", None, {BTC, ETH})
    feed.lost(link, "gone")
    assert intakes[ETH].told == ["connected", 7, ("disconnected", NOON)]
    assert intakes[BTC].told == ["connected", ("disconnected", NOON)]


def test_what_an_old_connection_may_have_missed_unnoticed_is_a_hole_once_a_new_one_takes_over():
    intakes = {BTC: Seen(), ETH: Seen()}
    feed = Feed(bitstamp_saying(), intakes, strict_time=True)
    old, new = Link([BTC, ETH], Patience(), 0.0), Link([BTC, ETH], Patience(), 2.0)
    feed.opened(old)
    feed.receive(old, b"confirms BTC", 1.0, NOON)

    feed.opened(new)
    feed.receive(new, b"confirms BTC", 3.0, NOON + SECOND)
    feed.receive(new, b"confirms BTC", 3.0, NOON + SECOND)
    feed.lost(old, "replaced")

    assert intakes[BTC].told == ["connected", ("disconnected", NOON - SECOND), "connected"]


def test_what_waited_on_its_way_proves_nothing_of_the_time_in_which_it_did():
    intakes = {BTC: Seen(), ETH: Seen()}
    feed, link = Feed(bitstamp_saying(), intakes, strict_time=True), Link([BTC, ETH], Patience(), 0.0)
    feed.opened(link)

    feed.receive(link, b"ETH trades", 60.0, NOON + 60 * SECOND)
    assert link.proved_ns == NOON
    assert link.check(72.0) == "ping"
    feed.receive(link, b"confirms BTC", 90.0, NOON + 90 * SECOND)
    assert link.proved_ns == NOON + 72 * SECOND

    feed.receive(link, b"confirms BTC", 91.0, NOON + 50 * SECOND)  # our clock has been set back
    assert link.proved_ns == link.heard_at_ns == NOON + 50 * SECOND


def test_a_replays_trades_prove_that_they_were_heard():
    feed, link = Feed(bitstamp_saying(), {ETH: Seen()}, strict_time=False), Link([ETH], Patience(), 0.0)

    feed.receive(link, b"ETH trades", 60.0, NOON + 60 * SECOND)

    assert link.proved_ns == NOON + 60 * SECOND


@pytest.mark.parametrize(("hours", "strict", "is_taken"), [
    (-23.9, True, True), (23.9, True, True), (-24.1, True, False), (24.1, True, False), (9e4, True, False),
    (-24.1, False, True), (24.1, False, True),
])  # fmt: skip
def test_a_live_trade_of_another_day_is_a_bad_frame_but_in_a_replay(hours, strict, is_taken):
    intakes = {ETH: Seen()}
    feed, link = Feed(bitstamp_saying(), intakes, strict_time=strict), Link([ETH], Patience(), 0.0)
    feed.opened(link)

    feed.receive(link, b"ETH trades", 1.0, NOON - round(hours * 3600) * SECOND)

    assert (7 in intakes[ETH].told) == is_taken
    assert feed._bad_frames == int(not is_taken)


def test_trades_that_nobody_asked_for_are_counted_and_nothing_is_kept_of_them():
    intakes = {BTC: Seen()}
    feed, link = Feed(bitstamp_saying(), intakes, strict_time=True), Link([BTC], Patience(), 0.0)
    feed.opened(link)
    before = {name: len(value) for name, value in vars(feed).items() if hasattr(value, "__len__")}

    for _ in range(3):
        feed.receive(link, b"ETH trades", 1.0, NOON)

    assert (feed._unknown, link.acked, intakes[BTC].told, [*intakes]) == (3, set(), [], [BTC])
    assert {name: len(value) for name, value in vars(feed).items() if hasattr(value, "__len__")} == before


def bitstamp_saying():
    frames = {b"confirms BTC": [Subscribed((BTC,))], b"ETH trades": [make_trade(7, product=ETH)]}
    return SimpleNamespace(NAME="bitstamp", CONTIGUOUS_IDS=EXCHANGES["bitstamp"].CONTIGUOUS_IDS, parse=frames.get)
