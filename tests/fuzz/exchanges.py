"""What an exchange sends: frames, one by one and as a feed takes them; its REST's answers; a header."""

import json
import logging
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from poeticoins import wire
from poeticoins.errors import BadFrame
from poeticoins.exchanges import EXCHANGES, Exchange
from poeticoins.feed import Feed
from poeticoins.intake import Intake
from poeticoins.link import Link
from poeticoins.liveness import Patience
from poeticoins.log import LineFormatter
from poeticoins.messages import TradeMessage
from poeticoins.model import Candle, Event, Trade
from poeticoins.troubles import retry_after
from tests.exchanges.test_contract import BACKFILL
from tests.fuzz.mutation import SEAM
from tests.fuzz.target import Target, directory, is_told_of, is_whole, series
from tests.makers import make_settings

FIXTURES = Path(__file__).parent.parent / "fixtures"


def frames(exchange: Exchange) -> list[bytes]:
    rows = map(json.loads, (FIXTURES / f"{exchange.NAME}.jsonl").read_text().splitlines())
    return [row["frame"].encode("utf-8", "surrogatepass") for row in rows]


def parse(exchange: Exchange, data: bytes) -> None:
    """A list of trades and events that can be kept and sent, or a BadFrame whose words are short."""
    try:
        meanings = exchange.parse(data)
    except BadFrame as error:
        is_told_of(error)
        return
    assert isinstance(meanings, list)
    for meaning in meanings:
        assert isinstance(meaning, Trade | Event)
        if isinstance(meaning, Trade):
            is_whole(meaning)


def parse_backfill(exchange: Exchange, data: bytes) -> None:
    with suppress(BadFrame):
        trades = exchange.parse_backfill(exchange.PRODUCTS[0], data)
        assert [trade.trade_id for trade in trades] == sorted(trade.trade_id for trade in trades)
        for trade in trades[:20]:
            assert trade.origin == "backfill"
            is_whole(trade)


def parse_candles(exchange: Exchange, data: bytes) -> None:
    with suppress(BadFrame):
        candles = exchange.parse_candles(exchange.PRODUCTS[0], data)
        assert all(isinstance(candle, Candle) and candle.started_at_ns > 0 < candle.volume for candle in candles)


class _Log(logging.Handler):
    """What would have been written: no line of it may be more than one."""

    def emit(self, record: logging.LogRecord) -> None:
        text = LineFormatter("coinbase").format(record)
        assert text.isprintable(), f"a log line that is not one printable line: {text!r}"


def follow(exchange: Exchange, parts: Sequence[bytes]) -> None:
    """Frames as a feed takes them: whatever comes, what goes out is numbered without a hole, and each id is once."""
    run_dir = directory() / "feed"
    shutil.rmtree(run_dir, ignore_errors=True)
    settings = make_settings(run_dir, journal_capacity=64)
    for product in exchange.PRODUCTS:
        settings.journal(product).parent.mkdir(parents=True, exist_ok=True)
    sent: list[bytes] = []
    products = exchange.PRODUCTS[:2]
    intakes = {product: Intake(product, settings, exchange.CONTIGUOUS_IDS, sent.append) for product in products}
    feed = Feed(exchange, intakes, strict_time=False)
    link = Link(products, Patience(), 0.0)
    feed.opened(link)
    handler, log = _Log(), logging.getLogger("poeticoins.feed")
    log.addHandler(handler)
    level = log.level
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        for at, part in enumerate(parts):
            feed.receive(link, part, float(at), time.time_ns())
        feed.beat()
        facts = feed.facts(1.0)
    finally:
        log.removeHandler(handler)
        log.propagate = True
        log.setLevel(level)
        for intake in intakes.values():
            intake.close()
    assert len(json.dumps(facts)) < 4000
    _in_order(sent)


def _in_order(sent: Sequence[bytes]) -> None:
    following: dict[str, int] = {}
    ids: set[tuple[str, int]] = set()
    for frame in sent:
        name, message = wire.decode_frame(frame)
        if isinstance(message, TradeMessage):
            assert (name, message.trade_id) not in ids
            ids.add((name, message.trade_id))
        if type(message).__name__ != "HeartbeatMessage":
            assert message.sequence == following.get(name, 1)
            following[name] = message.sequence + 1


def header(data: bytes) -> None:
    found = retry_after(data.decode("latin-1"), datetime(2026, 9, 1, tzinfo=UTC))
    assert found is None or 0 <= found < float("inf")


TARGETS = {
    "retry-after": Target(
        [b"120", b"Wed, 21 Oct 2026 07:28:00 GMT", b"Wed, 21 Oct 2026 07:28:00 -0430", b"21 Oct 26 7:28"],
        header,
        ("poeticoins/troubles.py",),
        short=3000,
    )
}
for _name, _exchange in EXCHANGES.items():
    _module = (f"poeticoins/exchanges/{_name}.py", "poeticoins/model.py")
    _answers = (FIXTURES / f"{_name}.candles.json").read_text()
    _candles = json.dumps(json.loads(_answers)["answer"]).encode()
    _frames = frames(_exchange)
    TARGETS |= {
        f"{_name} frame": Target(_frames, partial(parse, _exchange), _module, short=2000),
        f"{_name} feed": Target(
            [SEAM.join(_frames), SEAM.join(reversed(_frames))],
            series(partial(follow, _exchange)),
            ("poeticoins/feed.py", "poeticoins/intake.py", "poeticoins/continuity.py"),
            short=50,
        ),
        f"{_name} trades": Target(
            [json.dumps(BACKFILL[_name]).encode(), b"[]"], partial(parse_backfill, _exchange), _module
        ),
        f"{_name} candles": Target([_candles], partial(parse_candles, _exchange), _module),
    }
