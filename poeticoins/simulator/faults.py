"""What can go wrong with the embedded exchange, on demand: a fault waits in a list until there is whom to do it to."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from poeticoins.simulator.protocol import Send

Kind = Literal[
    "drop", "stall", "close", "deafen", "garbage", "request_reconnect", "refuse", "hang", "hang_up", "lose_ack",
    "spoil", "skip", "repeat", "reorder", "unlist", "rest",
]  # fmt: skip
ON_EVERYONE: tuple[Kind, ...] = ("drop", "stall", "close", "deafen", "garbage", "request_reconnect")


class Fault(msgspec.Struct):
    """
    One misbehaviour. On all connections of an exchange that have subscribed, as soon as there is one:

    drop: cut the connection, without a word. close: with `code` and `text`. stall: stay connected, answer pings, but
    say nothing for `seconds` (what was due comes then). deafen: read and say nothing any more, no pongs either, as
    when a cable is pulled; the connection stays open. garbage: send `text`, `count` times in one frame.
    request_reconnect (Bitstamp): ask, and close `seconds` later.

    On whichever connection is first: refuse: answer the next `count` handshakes with the HTTP `status` (429 and 503 say
    when to try again: in `seconds`). hang: let the next `count` handshakes wait for `seconds`. hang_up: close the next
    `count` connections with `code` and `text` as soon as they are accepted. lose_ack: the next `count` confirmations
    are not sent. spoil (Coinbase): the next `count` subscriptions that name a product that is not valid are refused
    whole. Of these, a `count` of 0 is for ever. skip, repeat:
    the next `count` trades are not sent, or twice. reorder: the next two trades of one product change places.
    rest: the next `count` answers of the REST (0: all of them) about trades, or to calls with `path` in theirs, come
    `seconds` late and with the HTTP `status` (429 says when to try again); with status 200 and a `text`, that instead
    of what was asked for.
    unlist: from now on, the products in `text` (such as "BTC-USD,LTC-EUR") are not valid ones; "" lists all again.
    """

    fault: Kind
    count: int = 1
    seconds: float = 3.0
    code: int = 1011
    status: int = 503
    text: str = ""
    path: str = ""


def mangle(frames: Iterable[Send], faults: list[Fault]) -> list[Send]:
    """`frames` as a faulty exchange sends them; what has been done is taken out of `faults`."""
    mangled = list(_skipped_and_repeated(frames, faults))
    reorder = next((fault for fault in faults if fault.fault == "reorder"), None)
    places = reorder and next(_neighbours(mangled), None)
    if reorder and places:
        first, second = places
        mangled[first], mangled[second] = mangled[second], mangled[first]
        _done(reorder, faults)
    return mangled


def _skipped_and_repeated(frames: Iterable[Send], faults: list[Fault]) -> Iterator[Send]:
    for frame in frames:
        fault = next((fault for fault in faults if fault.fault in ("skip", "repeat")), None)
        if fault is None or frame.trade_id is None:
            yield frame
            continue
        yield from (frame,) * (2 if fault.fault == "repeat" else 0)
        _done(fault, faults)


def _neighbours(frames: list[Send]) -> Iterator[tuple[int, int]]:
    """The places of two trades of one product with no other of it between them."""
    newest: dict[object, int] = {}
    for place, frame in enumerate(frames):
        if frame.trade_id is not None:
            if frame.product in newest:
                yield newest[frame.product], place
            newest[frame.product] = place


def _done(fault: Fault, faults: list[Fault]) -> None:
    fault.count -= 1
    if fault.count <= 0:
        faults.remove(fault)


def due(faults: list[Fault], kind: Kind, applies: Callable[[Fault], bool] = lambda _: True) -> Fault | None:
    """The first fault of a kind that is to be done once more, if one applies; one that began with 0 is for ever."""
    fault = next((fault for fault in faults if fault.fault == kind and applies(fault)), None)
    if fault is not None:
        fault.count -= 1
        if fault.count == 0:
            faults.remove(fault)
    return fault


def take(faults: list[Fault], *kinds: Kind) -> list[Fault]:
    """The faults of these kinds, taken out of the list."""
    taken = [fault for fault in faults if fault.fault in kinds]
    faults[:] = [fault for fault in faults if fault.fault not in kinds]
    return taken
