"""Files of what a page shows: made in a thread, one at a time, and sent in pieces as fast as the page reads them."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from dashboards import format, tables
from dashboards.delivery import Viewer
from dashboards.source import Source
from dashboards.tables import Order
from poeticoins import PoeticoinsError, Product, Trade

MOST_ROWS = 50_000
"""The newest of a product's trades or candles: what historical keeps of trades."""
PIECE = 96 * 1024
"""Bytes of a file in one message."""
READ_S = 20.0
"""Seconds that a page may take to read one; the next is sent once it has, so that none waits in the server."""
AGAIN_S = 2.0
"""Seconds between two files for one page."""
MOST_WAITING = 8


class Exports:
    """`tell()` on the server's loop."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._served: WeakKeyDictionary[Viewer, float] = WeakKeyDictionary()
        self._read: WeakKeyDictionary[Viewer, asyncio.Event] = WeakKeyDictionary()

    def refusal(self, viewer: Viewer) -> str:
        """Why `viewer` gets no file now, as a message; "" if it does."""
        is_busy = viewer in self._read or self._waiting >= MOST_WAITING
        if is_busy or time.monotonic() - self._served.get(viewer, -AGAIN_S) < AGAIN_S:
            return problem_text("Too many exports at once; try again in some seconds")
        self._served[viewer] = time.monotonic()
        return ""

    def read(self, viewer: Viewer) -> None:
        """`viewer` has read the piece that it was sent."""
        if event := self._read.get(viewer):
            event.set()

    async def tell(self, viewer: Viewer, made: tuple[Order, str, Sequence[Trade]], tell: Callable[[str], None]) -> None:
        """
        Hands `tell` the file in messages for `viewer`, or one that says why there is none.

        made: what of, in which mode, and the last trades of the cards. Messages: {"kind": "export", "name", "rows",
        "piece": base64, "at": number of the piece, "of": how many there are}.
        """
        order, mode, lasts = made
        self._waiting += 1
        read = self._read[viewer] = asyncio.Event()
        try:
            async with self._turn:
                rows, file = await asyncio.to_thread(self._make, order, lasts)
            name = tables.file_name(order, mode, datetime.now(UTC))
            for text in messages({"kind": "export", "name": name, "rows": rows}, file):
                read.clear()
                tell(text)
                await asyncio.wait_for(read.wait(), READ_S)
        except (PoeticoinsError, tables.NoParquet) as error:
            tell(problem_text(str(error)))
        except TimeoutError:
            return  # the page is gone, or says itself that the file did not come
        finally:
            self._waiting -= 1
            del self._read[viewer]

    def _make(self, order: Order, lasts: Sequence[Trade]) -> tuple[int, bytes]:
        if order.kind == "cards":
            frame = tables.last_trades(lasts)
        else:
            product = Product.parse(order.key)
            if order.kind == "trades":
                answer = self._source.get_trades(product, limit=MOST_ROWS)
            else:
                answer = self._source.get_candles(product, order.interval, limit=MOST_ROWS)
            frame = tables.of_product(answer, order.key)
        return len(frame), tables.contents(frame, order.form)


def messages(head: dict[str, object], file: bytes) -> Iterator[str]:
    """The file in pieces, as texts."""
    pieces = range(0, len(file), PIECE)
    for at, begin in enumerate(pieces):
        piece = base64.b64encode(file[begin : begin + PIECE]).decode()
        yield json.dumps({**head, "piece": piece, "at": at, "of": len(pieces)})


def problem_text(problem: str) -> str:
    return json.dumps({"kind": "export", "problem": format.clean(problem)})
