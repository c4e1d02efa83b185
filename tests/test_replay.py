"""Recorded frames, through every process, to the context: each trade once and as recorded."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

import poeticoins
from poeticoins.exchanges import EXCHANGES
from poeticoins.model import Trade
from poeticoins.recording import read_frames

CAPTURES = os.environ.get("POETICOINS_CAPTURES")
FIXTURES = Path(__file__).parent / "fixtures"
DEADLINE = 30


def recorded(tmp_path: Path) -> Path:
    """A recording of both exchanges with 300 trades each, made of documented frames."""
    lines = []
    for n in range(300):
        at = 1_790_000_000 + n
        coinbase = {
            "type": "match", "trade_id": 5000 + n, "side": "buy", "size": "0.01", "price": f"{100 + n}.50",
            "product_id": "BTC-USD", "sequence": n, "time": f"2026-09-21T14:{n // 60 + 10}:{n % 60:02}.000001Z",
        }  # fmt: skip
        bitstamp = {
            "event": "trade", "channel": "live_trades_etheur",
            "data": {"id": 7 * n + 1, "type": n % 2, "price_str": f"{n + 1}", "amount_str": "1E-8",
                     "microtimestamp": f"{at}000000"},
        }  # fmt: skip
        for url, frame in (("wss://ws-feed.exchange.coinbase.com", coinbase), ("wss://ws.bitstamp.net", bitstamp)):
            lines.append(json.dumps({"t": at, "dir": "in", "url": url, "raw": json.dumps(frame)}))
    file = tmp_path / "recording.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


def trades_of(path: Path) -> list[Trade]:
    """The trades that a recording means, each once, in the order of the answers."""
    parsed = [
        item
        for frame in read_frames([path])
        for item in EXCHANGES[frame.exchange].parse(frame.raw)
        if isinstance(item, Trade)
    ]
    once = {(trade.product, trade.trade_id): trade for trade in reversed(parsed)}
    return sorted(once.values(), key=lambda trade: (str(trade.product), trade.traded_at_ns, trade.trade_id))


def answered() -> list[tuple]:
    rows = []
    for product in sorted(poeticoins.available_products(), key=str):
        frame = poeticoins.get_trades(product, limit=50_000)
        rows += [
            (str(product), int(at.value), row.trade_id, row.price, row.size, row.side)
            for at, row in zip(frame.index, frame.itertuples(), strict=True)
        ]
    return rows


def expected(path: Path) -> list[tuple]:
    return [
        (str(t.product), t.traded_at_ns, t.trade_id, float(t.price), float(t.size), t.side) for t in trades_of(path)
    ]


def assert_all_arrive(path: Path) -> None:
    wanted = expected(path)
    end = time.monotonic() + DEADLINE
    while len(answered()) < len(wanted) and time.monotonic() < end:
        time.sleep(0.05)
    assert answered() == wanted


def test_a_recordings_trades_all_arrive_and_say_that_they_are_a_replay(tmp_path):
    path = recorded(tmp_path)

    with poeticoins.demo(replay=[path]) as status:
        assert status.mode == "replay"
        assert [str(p) for p in poeticoins.available_products()] == ["bitstamp:ETH-EUR", "coinbase:BTC-USD"]
        assert_all_arrive(path)
        assert sum(feed.trades for feed in poeticoins.get_status().feeds) == 600
        assert {feed.delay for feed in poeticoins.get_status().feeds} == {None}  # they were traded on another day
        assert str(poeticoins.get_last_trade("bitstamp:ETH-EUR").size) == "1E-8"


def test_a_killed_client_misses_and_repeats_no_trade_of_a_replay(tmp_path):
    path = recorded(tmp_path)

    with poeticoins.demo(replay=[path]) as status:
        for child in status.children:
            if child.name in EXCHANGES:
                os.kill(child.pid, signal.SIGKILL)
        assert_all_arrive(path)


@pytest.mark.skipif(not CAPTURES, reason="POETICOINS_CAPTURES names no folder of captured frames")
@pytest.mark.parametrize("name", ["coinbase", "bitstamp"])
def test_every_trade_of_the_captured_frames_arrives(name):
    path = Path(CAPTURES) / f"{name}.jsonl"

    with poeticoins.demo(replay=[path]):
        assert_all_arrive(path)
