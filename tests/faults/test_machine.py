"""Faults of the machine: no space on the disk, no descriptor left, a wall clock that jumps."""

import resource
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest

from tests.faults.hostile import connect_only, connected
from tests.faults.world import BTC, PRODUCTS, Market, other, world
from tests.trees import until

CHILDREN = ("historical", "coinbase", "bitstamp")
NOTHING = 0


@contextmanager
def limited(pid: int, what: int, to: int):
    """A process may have no more than `to` of something, meanwhile: a full disk, or no descriptor left."""
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (to, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, what, before)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.row(21)
def test_bars_that_find_no_space_are_written_when_there_is_some_and_no_trade_waits_for_them():
    """No file of historical may grow; the journals are there already, and go on."""
    with world(Market(pace=60), JOURNAL_CAPACITY="1000") as line:
        bars = line.settings.bars(BTC)
        until(bars.exists, within=20)
        with limited(line.pid("historical"), resource.RLIMIT_FSIZE, NOTHING):
            until(lambda: "cannot keep bars on disk, will try again" in line.tree.log.read_text(), within=40)
            full = bars.stat().st_mtime_ns
            line.goes_on(trades=10)
            assert line.all_live()

        until(lambda: bars.stat().st_mtime_ns > full, within=30)
        assert {name: line.restarts(name) for name in CHILDREN} == dict.fromkeys(CHILDREN, 0)
        line.unbroken("coinbase", "bitstamp")
        line.whole()


@pytest.mark.row(21)
def test_a_client_without_space_for_a_journal_says_so_alone_and_goes_on_when_there_is_some(line):
    nursery = parent(line.pid("coinbase"))
    with limited(nursery, resource.RLIMIT_FSIZE, NOTHING):  # and so whoever is forked from it
        line.settings.journal(BTC).unlink()
        until(lambda: "cannot make the journal" in " ".join(line.tree.child("coinbase")["last_words"]), within=20)
        assert line.feed("coinbase")["state"] == "restarting"
        line.goes_on(*PRODUCTS[2:])
    assert "File too large" in " ".join(line.tree.child("coinbase")["last_words"])

    until(lambda: line.tree.child("coinbase")["state"] == "ready", within=40)
    line.unbroken("bitstamp")
    line.seen("coinbase", lambda feed: feed["state"] == "live")
    line.whole(refilled=False)


@pytest.mark.row(22)
@pytest.mark.parametrize("name", ["coinbase", "historical"])
def test_a_process_without_a_descriptor_left_ends_alone_and_is_replaced_and_no_trade_is_missed(line, name):
    """ZeroMQ ends a process that cannot accept: only its owner could bring it that far, and it costs nobody a trade."""
    victim = line.pid(name)

    with limited(victim, resource.RLIMIT_NOFILE, descriptors(victim) + 4), ExitStack() as held:
        with suppress(OSError):  # it may be gone before the last of them
            for _ in range(50):
                held.enter_context(closing(connected(line.settings.socket(name))))
        line.replaced(name, victim)

    assert line.tree.child(name)["last_exit"] in ("SIGABRT", "SIGSEGV")  # ZeroMQ aborts, and may stumble doing so
    assert {other: line.restarts(other) for other in CHILDREN} == {other: int(other == name) for other in CHILDREN}
    line.unbroken("bitstamp")
    line.whole()


@pytest.mark.row(22)
def test_a_supervisor_without_a_descriptor_left_turns_newcomers_away_and_keeps_its_children(line):
    supervisor = line.status()["pid"]

    with limited(supervisor, resource.RLIMIT_NOFILE, descriptors(supervisor) + 4):
        connect_only(line.settings.socket("control"), times=100, at_once=100)
        line.goes_on()

    until(lambda: line.all_live() and line.status()["pid"] == supervisor, within=30)
    assert {name: line.restarts(name) for name in CHILDREN} == dict.fromkeys(CHILDREN, 0)
    line.unbroken("coinbase", "bitstamp")
    line.whole()


def descriptors(pid: int) -> int:
    """One more than its highest."""
    return max(int(file.name) for file in Path(f"/proc/{pid}/fd").iterdir()) + 1


@pytest.mark.row(39)
@pytest.mark.parametrize("exchange", ["coinbase", "bitstamp"])
@pytest.mark.parametrize("seconds", [3600, -3600, -1])
def test_a_wall_clock_that_jumps_restarts_and_reconnects_nobody_and_misses_nothing(line, exchange, seconds):
    """The clocks of one client and of historical; then the connection is lost as well, and the clock set right."""
    for name in (exchange, "historical"):
        line.order(name, f"clock {seconds}")
    line.goes_on(trades=5)
    assert line.reconnects(exchange) == 0

    for ahead in (seconds, 0):
        for name in (exchange, "historical"):
            line.order(name, f"clock {ahead}")
        lost = line.reconnects(exchange)
        line.exchange.suffer(exchange, "drop")
        line.seen(exchange, lambda feed, lost=lost: line.reconnects(exchange) > lost and feed["state"] == "live")
        line.goes_on()

    assert {name: line.restarts(name) for name in CHILDREN} == dict.fromkeys(CHILDREN, 0)
    line.unbroken(other(exchange))
    line.whole()
    for product in PRODUCTS:
        assert line.candles(product).index.max() <= pd.Timestamp.now("UTC")
