"""Faults of our own processes: killed, stopped, crashing; and what the line delivers over it."""

import os
import signal
import time

import pytest

from tests.faults.world import BTC, PRODUCTS, world
from tests.trees import alive, until


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM], ids=lambda s: s.name)
def test_a_client_that_dies_is_replaced_and_no_trade_is_missed(line, how):
    victim = line.kill("coinbase", how)
    line.replaced("coinbase", victim, within=4)

    assert line.tree.child("coinbase")["last_exit"] in (how.name, "exit 0")
    line.seen("coinbase", lambda feed: feed["state"] == "live")
    line.unbroken("bitstamp")
    line.whole()


def test_a_stopped_client_is_replaced_and_no_trade_is_missed(line):
    victim = line.kill("bitstamp", signal.SIGSTOP)
    line.replaced("bitstamp", victim, within=8)

    assert not alive(victim)
    assert line.tree.child("bitstamp")["last_exit"] == "hung: no heartbeat for 2.5 s; SIGKILL"
    line.unbroken("coinbase")
    line.whole()


def test_a_client_that_crashes_for_ever_becomes_degraded_alone_and_heals_with_its_cause(line):
    socket = line.settings.socket("coinbase")
    victim = line.pid("coinbase")
    socket.unlink()
    socket.mkdir()  # a directory in its place: no client can bind there
    os.kill(victim, signal.SIGKILL)
    until(lambda: line.tree.child("coinbase")["state"] == "degraded", within=20)

    assert line.feed("coinbase")["state"] == "restarting"
    line.goes_on(PRODUCTS[2], PRODUCTS[3])
    line.unbroken("bitstamp")
    socket.rmdir()
    line.replaced("coinbase", victim)
    line.whole()


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


def test_a_stopped_historical_holds_up_no_client_and_catches_up():
    with world(HANG_AFTER="30") as line:
        stopped = line.kill("historical", signal.SIGSTOP)
        line.goes_on(trades=10)
        line.unbroken("coinbase", "bitstamp")

        os.kill(stopped, signal.SIGCONT)

        assert line.pid("historical") == stopped
        line.whole()


def test_a_killed_supervisor_takes_everyone_along_and_the_next_one_goes_on_where_it_ended(line):
    supervisor = line.status()["pid"]
    stopped = line.kill("bitstamp", signal.SIGSTOP)  # even one that cannot hear

    line.kill_all()

    assert not alive(stopped)
    assert line.start() != supervisor
    line.goes_on()
    line.whole()


def test_a_tree_that_is_stopped_and_started_again_has_missed_nothing(line):
    line.whole()
    before = {product: line.candles(product).iloc[:-1] for product in PRODUCTS}

    assert line.tree.command("stop").returncode == 0
    until(lambda: not line.tree.processes(), within=1)
    line.start()

    for product, closed in before.items():
        line.has_candles(product, closed)
    line.goes_on()
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


def test_a_supervisor_that_slept_replaces_nobody_and_nothing_is_missed(line):
    supervisor = line.status()["pid"]
    before = {name: line.pid(name) for name in ("historical", "coinbase", "bitstamp")}

    os.kill(supervisor, signal.SIGSTOP)
    line.goes_on(trades=8)  # for longer than hang_after
    os.kill(supervisor, signal.SIGCONT)

    until(lambda: line.tree.child("coinbase")["uptime"] > 0)
    assert {name: line.pid(name) for name in before} == before
    line.unbroken("coinbase", "bitstamp")
    line.whole()


def test_a_second_supervisor_is_refused_and_the_first_does_not_notice(line):
    began = time.monotonic()
    second = line.tree.command("--demo")

    assert second.returncode == 75
    assert time.monotonic() - began < 5
    assert line.all_live()
    line.unbroken("coinbase", "bitstamp")
    line.whole()


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


def test_what_a_power_loss_left_in_the_run_directory_holds_no_start_up(line):
    line.kill_all()
    for name in ("control.sock", "coinbase.sock", "historical.sock", "lock", "demo/coinbase/lock"):
        file = line.settings.run_dir / name
        file.unlink(missing_ok=True)
        file.write_text("999999 junk")

    line.start()

    line.goes_on()
    line.whole()
