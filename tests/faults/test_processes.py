"""Faults of our own processes: killed, stopped, crashing; and what the line delivers over it."""

import os
import re
import signal

import pytest

from poeticoins.journal import read_tail
from poeticoins.record import unpack
from tests.faults.world import BTC, PRODUCTS, other
from tests.trees import alive, until


@pytest.mark.row(1)
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_a_killed_client_is_replaced_and_no_trade_is_missed(line, exchange):
    victim = line.kill(exchange)
    line.replaced(exchange, victim, within=4)

    assert line.tree.child(exchange)["last_exit"] == "SIGKILL"
    line.seen(exchange, lambda feed: feed["state"] == "live")
    line.unbroken(other(exchange))
    line.whole()


@pytest.mark.row(3)
@pytest.mark.parametrize("how", ["block", "spin"])
def test_a_client_whose_loop_hangs_leaves_its_stacks_and_is_replaced(line, how):
    victim = line.order("coinbase", how)
    line.replaced("coinbase", victim, within=10)

    child = line.tree.child("coinbase")
    assert child["last_exit"] == "hung: no heartbeat for 2.5 s; SIGABRT"
    assert any(f"in _{how}" in words for words in child["last_words"])
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(4)
@pytest.mark.parametrize(
    ("order", "how"),
    [("segfault", "SIGSEGV"), ("abort", "SIGABRT"), ("exit 0", "exit 0"), ("exit 1", "exit 1"), ("fail", "exit 1")],
)
def test_a_client_that_crashes_is_replaced_and_the_reason_is_named(line, order, how):
    victim = line.order("coinbase", order)
    line.replaced("coinbase", victim, within=4)

    assert line.tree.child("coinbase")["last_exit"] == how
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(5)
def test_a_client_that_takes_too_much_memory_is_restarted_and_no_trade_is_missed(line):
    victim = line.order("coinbase", "grow 400")
    line.replaced("coinbase", victim)

    last_exit = line.tree.child("coinbase")["last_exit"]
    assert re.fullmatch(r"above rss_limit: [45]\d\d MB in use, 400 MB allowed; exit 0", last_exit)
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(2)
def test_a_stopped_client_is_replaced_and_no_trade_is_missed(line):
    victim = line.kill("bitstamp", signal.SIGSTOP)
    line.replaced("bitstamp", victim, within=8)

    assert not alive(victim)
    assert line.tree.child("bitstamp")["last_exit"] == "hung: no heartbeat for 2.5 s; SIGKILL"
    line.unbroken("coinbase")
    line.whole()


@pytest.mark.row(6)
def test_a_client_that_crashes_for_ever_becomes_degraded_alone_and_heals_with_its_cause(line):
    socket = line.settings.socket("coinbase")
    victim = line.pid("coinbase")
    socket.unlink()
    socket.mkdir()  # a directory in its place: no client can bind there
    os.kill(victim, signal.SIGKILL)
    until(lambda: line.tree.child("coinbase")["state"] == "degraded", within=20)

    until(lambda: (line.tree.child("coinbase")["next_try_in"] or 0.0) > 1)  # at first it was 0.2
    assert line.feed("coinbase")["state"] == "restarting"
    line.goes_on(PRODUCTS[2], PRODUCTS[3])
    line.unbroken("bitstamp")
    socket.rmdir()
    line.replaced("coinbase", victim)
    line.whole()


@pytest.mark.row(16)
def test_a_killed_historical_has_its_whole_window_back_and_no_reader_notices(line):
    line.whole()
    before = {product: line.candles(product).iloc[:-1] for product in PRODUCTS}  # the newest second may still grow
    victim = line.kill("historical")
    line.replaced("historical", victim, within=4)

    assert line.tree.child("historical")["last_exit"] == "SIGKILL"
    for product, closed in before.items():
        line.has_candles(product, closed)
    line.unbroken("coinbase", "bitstamp")
    line.whole()


def test_all_processes_killed_at_once_come_back_and_nothing_is_missed(line):
    names = ("historical", "coinbase", "bitstamp")
    victims = {name: line.pid(name) for name in names}

    for pid in victims.values():
        os.kill(pid, signal.SIGKILL)
    for name, pid in victims.items():
        line.replaced(name, pid)

    assert all(child["last_exit"] == "SIGKILL" for child in line.status()["children"])
    line.whole()


@pytest.mark.row(18)
@pytest.mark.parametrize("harm", ["torn", "foreign", "flipped", "gone"])
def test_a_harmed_journal_is_put_aside_and_what_it_held_is_no_reason_to_lose_or_repeat_a_trade(line, harm):
    line.whole()
    path = line.settings.journal(BTC)
    before = set(path.parent.iterdir())
    assert line.tree.command("stop").returncode == 0
    content = path.read_bytes()
    if harm == "torn":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "foreign":
        path.write_bytes(b"not ours" * 1000)
    elif harm == "flipped":
        path.write_bytes(content[:4096] + bytes(byte ^ 0xFF for byte in content[4096:8192]) + content[8192:])
    else:
        path.unlink()

    line.start()

    aside = [file for file in set(path.parent.iterdir()) - before if "quarantined" in file.name]
    assert len(aside) == (harm != "gone")
    line.goes_on()
    line.whole(refilled=False)


@pytest.mark.row(18)
@pytest.mark.parametrize("harm", ["torn", "flipped"])
def test_harmed_bars_are_put_aside_and_the_journal_brings_them_back(line, harm):
    line.whole()
    path = line.settings.bars(BTC)
    before = set(path.parent.iterdir())
    oldest = unpack(read_tail(line.settings.journal(BTC), BTC, "demo", limit=1).records, BTC)
    closed = line.candles(BTC)[lambda candles: candles.index > oldest.traded_at].iloc[:-1]
    assert line.tree.command("stop").returncode == 0
    content = path.read_bytes()
    harmed = {"torn": content[: len(content) // 2], "flipped": content[:-9] + bytes([content[-9] ^ 255]) + content[-8:]}
    path.write_bytes(harmed[harm])

    line.start()

    assert len([file for file in set(path.parent.iterdir()) - before if "quarantined" in file.name]) == 1
    line.has_candles(BTC, closed)
    line.goes_on()
    line.whole()


@pytest.mark.row(41)
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
def test_a_publisher_that_is_restarted_again_and_again_loses_no_subscriber_a_trade(line, exchange):
    for _ in range(3):
        line.restart(exchange)

    assert line.restarts(exchange) == 3
    assert line.tree.child(exchange)["last_exit"] == "asked for; exit 0"
    line.goes_on()
    line.unbroken(other(exchange))
    line.whole()
