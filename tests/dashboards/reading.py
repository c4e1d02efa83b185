"""What the server tells a page, read back: a second reader of dashboards/terse.py, beside the browser's own."""

import json

SIDES = {"b": "buy", "s": "sell"}


def read(text, keys=None):
    """The message as the browser understands it. keys: by the products' numbers; None: the numbers themselves."""
    if not text.startswith("frame "):
        return json.loads(text)
    head, cards, tape = text.split("|")
    now = int(head.removeprefix("frame "))
    called = (lambda number: number) if keys is None else (lambda number: keys[int(number)])
    parts = []
    for number, price, size, *ages in (card.split(" ") for card in cards.split(";") if card):
        parts.append([called(number), price, size, *(now - int(age) for age in ages)])
    return {"kind": "frame", "now": now, "cards": parts, "tape": _tape(tape, now, called)}


def _tape(text, now, called):
    if not text:
        return None
    number, *rows = text.split(";")
    told, last_id, last_price = [], "", ""
    for trade_id, age, price, size, side in (row.split(" ") for row in rows):
        last_id, last_price = _whole(last_id, trade_id), _whole(last_price, price)
        told.append([last_id, now - int(age), last_price, size, SIDES[side[0]], *([True] if side[1:] == "l" else [])])
    return [called(number), told]


def _whole(before, end):
    return end[1:] if end.startswith("=") else before[: len(before) - len(end)] + end
