"""
What travels ten times a second, in as few characters as can be read back exactly. `assets/terse.js` reads it.

A frame is `frame NOW|card;card;…|tape`; NOW: the server's clock in ms since 1970. None of it needs escaping in JSON: it
travels as one text inside Bokeh's message, and a character that needs it would cost two.

- A product is its number, as of the snapshot's catalogue; it means the same product as long as the server lives.
- A moment is how long before NOW it was, in ms; less than nothing for a clock that is ahead of ours.
- A card is `NUMBER PRICE SIZE AGE`, and in a replay a fifth: the age of the moment at which it was heard.
- A tape is `NUMBER;row;row;…`, oldest first; "" if nothing that is shown has one. A row is `ID AGE PRICE SIZE SIDE`.
- SIDE: `b` or `s`, the taker's; with an `l` behind it the trade is late.
- ID and PRICE of a row are told by their ends: what is missing at the front is as in the row before, as long as that. A
  text of another length, as the first row's, is whole, behind a `=`.
"""

from collections.abc import Iterable, Sequence
from typing import Any


def frame(now_ms: int, cards: Iterable[str], tape: str) -> str:
    return f"frame {now_ms}|{';'.join(cards)}|{tape}"


def card(number: int, part: Sequence[Any], now_ms: int) -> str:
    """part: as of Quote.part."""
    _, price, size, *moments = part
    return " ".join(map(str, (number, price, size, *(now_ms - moment for moment in moments))))


def tape(number: int, rows: Iterable[Sequence[Any]], now_ms: int) -> str:
    """rows: as of product.tape_row."""
    told, last_id, last_price = [str(number)], "", ""
    for trade_id, traded_ms, price, size, side, *late in rows:
        late_mark = "l" if late else ""
        told.append(
            f"{_end(last_id, trade_id)} {now_ms - traded_ms} {_end(last_price, price)} {size} {side[0]}{late_mark}"
        )
        last_id, last_price = trade_id, price
    return ";".join(told)


def _end(before: str, text: str) -> str:
    """`text` without what it has in front as `before` has."""
    if len(before) != len(text):
        return f"={text}"
    same = next((at for at, (old, new) in enumerate(zip(before, text, strict=True)) if old != new), len(text))
    return text[same:]
