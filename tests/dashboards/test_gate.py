"""Who gets in: how fast an address opens pages, and how many connections it has."""

import pytest
from tornado.httpserver import HTTPServer

from dashboards import gate
from dashboards.gate import MOST_OF_ONE, OPENING_EVERY_S, OPENINGS_AT_ONCE, Door, Openings, place


@pytest.mark.parametrize(
    ("address", "of"),
    [
        ("127.0.0.1", None), ("127.9.9.9", None), ("::1", None), ("::ffff:127.0.0.1", None), ("", None),
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
    ],
)  # fmt: skip
def test_this_machine_has_no_limit_of_its_own_and_others_one_by_address_or_network(address, of):
    assert place(address) == of


def test_address_opens_some_pages_at_once_and_then_one_each_half_second():
    openings = Openings()

    at_once = [openings.take("192.0.2.7", 100.0) for _ in range(OPENINGS_AT_ONCE + 5)]
    later = [openings.take("192.0.2.7", 100.0 + OPENING_EVERY_S) for _ in range(2)]

    assert at_once == [True] * OPENINGS_AT_ONCE + [False] * 5
    assert later == [True, False]
    assert openings.take("192.0.2.8", 100.0)


def test_addresses_without_number_are_neither_remembered_nor_let_in(monkeypatch):
    monkeypatch.setattr(gate, "MOST_ADDRESSES", 3)
    openings = Openings()

    assert [openings.take(str(one), 10.0) for one in range(5)] == [True, True, True, False, False]
    assert openings.take("0", 10.0)
    assert openings.take("5", 20.0)
    assert len(openings._due) <= 3


class Stream:
    def __init__(self):
        self.is_closed = False

    def closed(self):
        return self.is_closed

    def close(self):
        self.is_closed = True


def test_one_address_has_so_many_connections_and_leaves_room_for_others(monkeypatch):
    monkeypatch.setattr(HTTPServer, "handle_stream", lambda *_: None)
    door = Door(lambda _: None, most=MOST_OF_ONE + 2)

    def connected(address):
        stream = Stream()
        door.handle_stream(stream, (address, 1))
        return stream

    greedy = [connected("192.0.2.7") for _ in range(MOST_OF_ONE + 3)]
    others = [connected("192.0.2.8"), connected("127.0.0.1"), connected("192.0.2.9")]

    assert [stream.is_closed for stream in greedy] == [False] * MOST_OF_ONE + [True] * 3
    assert [stream.is_closed for stream in others] == [False, False, True]
    greedy[0].close()
    assert not connected("192.0.2.7").is_closed
