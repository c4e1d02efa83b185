"""Faults of who listens and asks: readers that stand still, bytes that are no message, a historical that is gone."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import zmq

import poeticoins
from poeticoins import Product, RequestTimeout, messages, wire
from poeticoins.control import holder
from tests.faults.crowds import SOCKETS
from tests.faults.harm import CHILDREN, rss, unharmed
from tests.faults.hostile import connect_only, send_bytes
from tests.faults.witness import disorder
from tests.faults.world import BTC, HERE, PRODUCTS, Market, world
from tests.makers import make_trade
from tests.trees import ROOT, until


@pytest.mark.row(43)
@pytest.mark.parametrize("name", SOCKETS)
def test_bytes_that_are_no_message_harm_nobody_on_any_socket(line, name):
    """Chance, HTTP, ZMTP 1, forged trades, announced and sent sizes beyond any limit."""
    with unharmed(line, *CHILDREN):
        taken = send_bytes(line.settings.socket(name), times=200, seed=43)

        assert taken > 100
        assert line.status()["mode"] == "demo"


@pytest.mark.row(43)
def test_thousands_of_connects_harm_nobody(line):
    with unharmed(line, *CHILDREN):
        assert [connect_only(line.settings.socket(name), times=1000) for name in SOCKETS] == [1000] * len(SOCKETS)

        until(lambda: line.feed("coinbase")["state"] == "live", within=20)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("coinbase-replay", messages.ReplayQuestion(1, str(BTC), 1, 1, 10**9)),
        ("historical", messages.CandlesQuestion(1, str(BTC), 10**9, 60_000)),
        ("historical", messages.LastTradesQuestion(1, [str(BTC)] * 2000)),
        ("historical", messages.TradesQuestion(1, "coinbase:NO-SUCH", 10)),
    ],
    ids=["replay", "candles", "last trades", "unknown"],
)
def test_questions_without_end_break_no_feed_and_let_others_be_answered(line, name, question, monkeypatch):
    monkeypatch.setenv("POETICOINS_RUN_DIR", str(line.settings.run_dir))
    with unharmed(line, *CHILDREN), zmq.Context.instance().socket(zmq.DEALER) as greedy:
        greedy.linger = 0
        greedy.connect(f"ipc://{line.settings.socket(name)}")
        asked, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            with suppress(zmq.Again):
                greedy.send_multipart([b"", wire.encode(question)], zmq.NOBLOCK)
                asked += 1
            if asked % 500 == 0:
                assert poeticoins.get_last_trade(BTC) is not None

        assert asked > 500


def test_only_its_owner_reaches_a_running_tree_and_only_by_files(line):
    """Modes of all that it makes, the fork server's socket and historical's bars too; nothing abstract, no port."""
    until(lambda: all(line.settings.candles(product).exists() for product in PRODUCTS), within=30)
    line.restart("historical")  # which writes its bars as it ends
    run_dir, ours = line.settings.run_dir, set(line.tree.processes())

    found = [path for path in run_dir.rglob("*") if path.name != "test.toml"]
    sockets = [path for path in found if path.is_socket()]
    assert {path.stem for path in sockets} >= set(SOCKETS)
    assert any(path.name.startswith("listener-") for path in sockets)
    assert {path.suffix or path.name for path in found} >= {".journal", ".bars", ".candles", "connects", "lock"}
    modes = {path: oct(path.stat().st_mode & 0o777) for path in (run_dir, *found)}
    assert modes == {path: "0o700" if path.is_dir() else "0o600" for path in modes}
    inodes = {inode for pid in ours for inode in sockets_of(pid)}
    rows = [row.split() for row in Path("/proc/net/unix").read_text().splitlines()[1:]]
    assert [row[7] for row in rows if row[6] in inodes and row[7:] and row[7].startswith("@")] == []
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        ends = [row.split() for row in Path("/proc/net", kind).read_text().splitlines()[1:]]
        hears = "07" if kind.startswith("udp") else "0A"
        assert [row[1] for row in ends if row[9] in inodes and row[3] == hears] == []


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if (target := str(entry.readlink())).startswith("socket:["):
                found.add(target[8:-1])
    return found


def test_no_secret_of_the_settings_is_in_the_status_the_log_the_files_or_the_command_lines():
    secret = "canary-7f3a"
    proxy = f"http://somebody:{secret}@127.0.0.1:1"
    with world(running=False, PROXY=proxy, TOKEN=secret, RSS_LIMIT="2000") as line:
        file = line.settings.run_dir / "test.toml"
        addresses = f'url = "ws://me:{secret}@127.0.0.1:1"\nrest_url = "http://me:{secret}@127.0.0.1:1"\n'
        file.write_text(file.read_text().replace("[exchanges.coinbase]\n", f"[exchanges.coinbase]\n{addresses}"))
        line.tree.environment["HTTPS_PROXY"] = proxy
        line.tree.launch(str(HERE / "line.py"), "")
        settings_file, file_text = file, file.read_text()
        until(lambda: holder(line.settings.run_dir), within=20)
        until(lambda: all(feed["problem"] for feed in line.status()["feeds"]), within=30)
        line.kill("coinbase", signal.SIGABRT)
        until(lambda: line.tree.child("coinbase")["last_words"], within=20)

        said = json.dumps(line.status()) + line.tree.log.read_text()
        for arguments in (("status",), ("status", "--json"), ("restart", secret[:3])):
            answer = line.tree.command(*arguments)
            said += answer.stdout + answer.stderr
        wrong = line.tree.environment | {"POETICOINS_PROXY": f"htp://somebody:{secret}@127.0.0.1:1"}
        said += line.tree.command("status", env=wrong).stderr
        for pid in line.tree.processes():
            with suppress(OSError):
                said += Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        for path in line.settings.run_dir.rglob("*"):
            if path.is_file() and path != settings_file:
                said += path.read_bytes().decode("latin-1")

    assert secret in file_text
    assert "reconnecting" in said
    assert "expected http://" in said
    assert secret not in said


@pytest.mark.row(17)
@pytest.mark.row(42)
def test_a_stopped_historical_holds_up_no_client_and_whoever_asks_it_is_told_so_in_time(monkeypatch):
    with world(Market(pace=40), HANG_AFTER="60") as line:
        monkeypatch.setenv("POETICOINS_RUN_DIR", str(line.settings.run_dir))
        monkeypatch.setenv("POETICOINS_ANSWER_TIMEOUT", "1")
        before = {name: rss(line.pid(name)) for name in ("coinbase", "bitstamp")}
        stopped = line.kill("historical", signal.SIGSTOP)
        began = time.monotonic()

        with pytest.raises(RequestTimeout, match="historical did not answer within 1 s"):
            poeticoins.get_last_trade(BTC)

        assert time.monotonic() - began < 3
        line.goes_on(BTC, trades=300)
        assert max(rss(line.pid(name)) - before[name] for name in before) < 20
        line.unbroken("coinbase", "bitstamp")
        os.kill(stopped, signal.SIGCONT)
        monkeypatch.delenv("POETICOINS_ANSWER_TIMEOUT")
        assert poeticoins.get_last_trade(BTC) is not None
        assert line.pid("historical") == stopped
        assert line.restarts("historical") == 0
        until(lambda: set(poeticoins.get_trades(BTC, limit=5000)["trade_id"]) >= newest_ids(line, BTC, 400), within=20)
        line.whole()


def newest_ids(line, product: Product, count: int) -> set[int]:
    return {trade.trade_id for trade, _ in line.reader.newest(product, count)}


@pytest.mark.row(42)
def test_a_question_to_a_killed_historical_waits_for_the_next_one(line, monkeypatch):
    monkeypatch.setenv("POETICOINS_RUN_DIR", str(line.settings.run_dir))
    before = poeticoins.get_trades(BTC, limit=50_000)["trade_id"].tolist()
    victim = line.order("historical", "block")
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        asked = pool.submit(poeticoins.get_trades, BTC, limit=50_000)
        until(lambda: time.monotonic() - began > 0.3)  # its socket has the question, which dies with it
        os.kill(victim, signal.SIGKILL)

        after = asked.result(20)["trade_id"].tolist()

    assert set(before) <= set(after)
    line.replaced("historical", victim)
    line.unbroken("coinbase", "bitstamp")
    line.whole()


@pytest.mark.row(40)
def test_a_reader_that_stands_still_blocks_nobody_and_then_reads_all_of_it(tmp_path):
    with world(Market(pace=40)) as line, (tmp_path / "read").open("w+") as notes:
        environment = {**line.tree.environment, "PYTHONPATH": str(ROOT)}
        reader = subprocess.Popen([sys.executable, str(HERE / "read.py")], stdout=notes, env=environment)
        until(lambda: (tmp_path / "read").stat().st_size > 10_000, within=20)
        before = rss(line.pid("coinbase"))

        reader.send_signal(signal.SIGSTOP)
        line.goes_on(BTC, trades=600)
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
        assert line.all_live()
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
