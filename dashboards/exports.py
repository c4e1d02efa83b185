"""Files of what a page shows: made in a thread, one at a time, and sent in pieces between the frames."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Sequence
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
PIECE_S = 0.02
"""Seconds between two pieces, in which the frames of all pages go."""
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

    def refusal(self, viewer: Viewer) -> str:
        """Why `viewer` gets no file now, as a message; "" if it does."""
        if self._waiting >= MOST_WAITING or time.monotonic() - self._served.get(viewer, -AGAIN_S) < AGAIN_S:
            return problem_text("Too many exports at once; try again in some seconds")
        self._served[viewer] = time.monotonic()
        return ""

    async def tell(self, order: Order, mode: str, lasts: Sequence[Trade], tell: Callable[[str], None]) -> None:
        """
        Hands `tell` the file in messages, or one that says why there is none.

        {"kind": "export", "name", "rows", "piece": base64, "at": number of the piece, "of": how many there are}.
        """
        self._waiting += 1
        try:
            async with self._turn:
                rows, file = await asyncio.to_thread(self._make, order, lasts)
                name = tables.file_name(order, mode, datetime.now(UTC))
                await self._send({"kind": "export", "name": name, "rows": rows}, file, tell)
        except (PoeticoinsError, tables.NoParquet) as error:
            tell(problem_text(str(error)))
        finally:
            self._waiting -= 1

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

    async def _send(self, head: dict[str, object], file: bytes, tell: Callable[[str], None]) -> None:
        pieces = [file[at : at + PIECE] for at in range(0, len(file), PIECE)]
        for at, piece in enumerate(pieces):
            tell(json.dumps({**head, "piece": base64.b64encode(piece).decode(), "at": at, "of": len(pieces)}))
            await asyncio.sleep(PIECE_S)


def problem_text(problem: str) -> str:
    return json.dumps({"kind": "export", "problem": format.clean(problem)})
