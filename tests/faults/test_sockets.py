"""Faults of who listens and asks: readers that stand still, bytes that are no message, a historical that is gone."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import poeticoins
from poeticoins import Product, RequestTimeout
from tests.faults.witness import disorder
from tests.faults.world import BTC, HERE, PRODUCTS, world
from tests.makers import make_trade
from tests.trees import ROOT, until

HOSTILE = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f",  # ZMTP 1.0's greeting
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + b"\0" * 48 + b"\x02\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\0" * 100_000,
    bytes(range(256)) * 4096,
]


def rss(pid: int) -> float:
    """Resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_bytes_that_are_no_message_harm_nobody_on_any_socket(line):
    names = ("historical", "coinbase", "bitstamp")
    before = {name: rss(line.pid(name)) for name in names}
    sockets = ("coinbase", "coinbase-replay", "bitstamp", "historical", "control")

    for name in sockets:
        for attempt in range(100):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(0.2)
                peer.connect(str(line.settings.socket(name)))
                try:
                    peer.sendall(HOSTILE[attempt % len(HOSTILE)])
                except OSError:
                    continue  # it has hung up already
    line.goes_on()

    assert [line.restarts(name) for name in names] == [0, 0, 0]
    assert max(rss(line.pid(name)) - before[name] for name in names) < 20
    line.unbroken("coinbase", "bitstamp")
    line.whole()


def test_a_question_to_a_stopped_historical_is_a_timeout_and_the_next_one_is_answered(monkeypatch):
    with world(HANG_AFTER="60") as line:
        monkeypatch.setenv("POETICOINS_RUN_DIR", str(line.settings.run_dir))
        monkeypatch.setenv("POETICOINS_ANSWER_TIMEOUT", "1")
        stopped = line.kill("historical", signal.SIGSTOP)
        began = time.monotonic()

        with pytest.raises(RequestTimeout, match="historical did not answer within 1 s"):
            poeticoins.get_last_trade(BTC)

        assert time.monotonic() - began < 3
        os.kill(stopped, signal.SIGCONT)
        monkeypatch.delenv("POETICOINS_ANSWER_TIMEOUT")
        assert poeticoins.get_last_trade(BTC) is not None
        line.unbroken("coinbase", "bitstamp")
        line.whole()


def test_a_question_to_a_killed_historical_waits_for_the_next_one(line, monkeypatch):
    monkeypatch.setenv("POETICOINS_RUN_DIR", str(line.settings.run_dir))
    before = poeticoins.get_trades(BTC, limit=50_000)["trade_id"].tolist()
    victim = line.kill("historical")

    after = poeticoins.get_trades(BTC, limit=50_000)["trade_id"].tolist()

    assert set(before) <= set(after)
    line.replaced("historical", victim)
    line.unbroken("coinbase", "bitstamp")
    line.whole()


def test_a_reader_that_stands_still_blocks_nobody_and_then_reads_all_of_it(tmp_path):
    with world(pace=40) as line, (tmp_path / "read").open("w+") as notes:
        environment = {**line.tree.environment, "PYTHONPATH": str(ROOT)}
        reader = subprocess.Popen([sys.executable, str(HERE / "read.py")], stdout=notes, env=environment)
        until(lambda: (tmp_path / "read").stat().st_size > 10_000, within=20)
        before = rss(line.pid("coinbase"))

        reader.send_signal(signal.SIGSTOP)
        line.goes_on(BTC, trades=1500)
        reader.send_signal(signal.SIGCONT)
        until_ns = time.time_ns()
        until(lambda: all(traded(tmp_path / "read", product)[-1][1] > until_ns for product in PRODUCTS), within=30)
        reader.kill()
        reader.wait()

        for product in PRODUCTS:
            ids = [number for number, _ in traded(tmp_path / "read", product)]
            assert len(ids) == len(set(ids))
            heard = {trade.trade_id for trade in line.reader.trades(product) if trade.traded_at_ns <= until_ns}
            assert {number for number in heard if number >= ids[0]} <= set(ids)
        assert rss(line.pid("coinbase")) - before < 20
        line.unbroken("coinbase", "bitstamp")
        line.whole()


def traded(file: Path, product: Product) -> list[tuple[int, int]]:
    """(id, traded_at_ns) of the trades of `product` in what tests/faults/read.py has printed so far."""
    whole = file.read_text().rpartition("\n")[0].splitlines()
    return [(int(row[1]), int(row[3])) for row in map(str.split, whole) if row[0] == str(product)]


def test_the_witness_itself_sees_a_lost_a_repeated_and_a_misplaced_trade():
    trades = [make_trade(n, at=n, sequence=n) for n in range(1, 6)]

    assert disorder(trades) == []
    assert len(disorder([*trades, trades[0]])) == 3  # twice, out of sequence, and out of order
    assert disorder([trades[0], trades[2], make_trade(2, at=2, sequence=4)]) != []
    assert disorder([trades[0], trades[2], make_trade(2, at=2, sequence=4, late=True)]) == []
