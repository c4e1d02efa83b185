"""Faults of the supervisor, its terminal and its log: killed, stopped, started twice, told to stop in every way."""

import fcntl
import os
import pty
import re
import signal
import socket
import termios
import time
from contextlib import contextmanager, suppress

import pytest

from poeticoins.model import Product
from tests.faults.world import PRODUCTS, settings_text, world
from tests.trees import alive, until

CHILDREN = ("historical", "coinbase", "bitstamp")


def stop_by(line, number: signal.Signals) -> int:
    """Sends a signal to the supervisor and waits until nothing is left; its exit status."""
    began = time.monotonic()
    line.tree.started[-1].send_signal(number)
    status = line.tree.started[-1].wait(10)
    assert time.monotonic() - began <= 5
    until(lambda: not line.tree.processes(), within=1)
    return status


@contextmanager
def terminal():
    """A terminal's two ends, and what makes it that of a process to be started."""
    ours, theirs = pty.openpty()
    its = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    yield ours, theirs, its | {"preexec_fn": lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)}
    for end in (ours, theirs):
        with suppress(OSError):  # the test may have closed it
            os.close(end)


@pytest.mark.row(7)
def test_a_killed_supervisor_takes_everyone_along_and_the_next_one_goes_on_where_it_ended(line):
    supervisor = line.status()["pid"]

    line.kill_all()

    assert line.start() != supervisor
    assert [child["restarts"] for child in line.status()["children"]] == [0, 0, 0]
    line.goes_on()
    line.whole()


@pytest.mark.row(8)
def test_a_killed_supervisor_takes_along_even_who_is_stopped_and_who_hears_no_sigterm(line):
    stopped = line.kill("bitstamp", signal.SIGSTOP)
    deaf = line.order("coinbase", "deafen")

    line.kill_all()

    assert not alive(stopped)
    assert not alive(deaf)
    line.start()
    assert [child["restarts"] for child in line.status()["children"]] == [0, 0, 0]
    line.goes_on()
    line.whole()


@pytest.mark.row(9)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_tree_that_is_stopped_and_started_again_has_missed_nothing(line, how):
    line.whole()
    before = {product: line.candles(product).iloc[:-1] for product in PRODUCTS}

    assert stop_by(line, how) == 0
    assert "Traceback" not in line.tree.log.read_text()
    line.start()

    for product, closed in before.items():
        line.has_candles(product, closed)
    line.goes_on()
    line.whole()


@pytest.mark.row(9)
def test_ctrl_c_in_a_terminal_stops_all_in_order_without_a_traceback_and_loses_nothing(line):
    line.kill_all()
    with terminal() as (ours, _, its):
        line.start(**its)
        began = time.monotonic()

        os.write(ours, b"\x03")

        assert line.tree.started[-1].wait(10) == 0
        assert time.monotonic() - began <= 5
        shown = os.read(ours, 65536).decode()
    assert shown.rstrip().endswith("stopped")
    assert "Traceback" not in shown
    line.start()
    line.goes_on()
    line.whole()


@pytest.mark.row(10)
def test_a_second_signal_waits_for_nobody_and_what_was_received_is_not_lost(line):
    line.order("coinbase", "deafen")
    supervisor = line.tree.started[-1]
    supervisor.send_signal(signal.SIGINT)
    until(lambda: line.tree.child("coinbase")["state"] == "stopping")
    began = time.monotonic()

    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(10) == 0
    assert time.monotonic() - began <= 1.5  # of the three seconds that a child may take
    until(lambda: not line.tree.processes(), within=1)
    line.start()
    line.goes_on()
    line.whole()


@pytest.mark.row(11)
def test_a_terminal_that_closes_ends_nothing_and_only_what_changed_is_restarted(line):
    file, more = line.settings.run_dir / "test.toml", [*PRODUCTS, Product("coinbase", "LTC", "USD")]
    line.kill_all()
    with terminal() as (ours, theirs, its):
        line.start(**its)
        before = {name: line.pid(name) for name in CHILDREN}
        file.write_text(settings_text(more))

        os.close(theirs)
        os.close(ours)
        os.killpg(line.tree.started[-1].pid, signal.SIGHUP)  # as a shell that is hung up does to its jobs
    try:
        line.seen("coinbase", lambda feed: "LTC-USD" in feed["products"] and feed["state"] == "live")
        after = {name: line.pid(name) for name in CHILDREN}
        assert {name for name in CHILDREN if before[name] != after[name]} == {"historical", "coinbase"}
        line.unbroken("bitstamp")
        line.whole()
    finally:
        file.write_text(settings_text(PRODUCTS))
        line.kill_all()
        line.start()


@pytest.mark.row(12)
def test_a_stop_while_starting_is_obeyed_and_the_next_start_misses_nothing(line):
    line.kill_all()
    line.settings.socket("control").unlink()
    line.launch()
    until(line.settings.socket("control").exists)

    assert stop_by(line, signal.SIGTERM) == 0

    line.start()
    line.goes_on()
    line.whole()


@pytest.mark.row(13)
def test_a_supervisor_that_slept_replaces_nobody_and_nothing_is_missed(line):
    supervisor = line.status()["pid"]
    before = {name: line.pid(name) for name in CHILDREN}

    began = time.monotonic()

    for pid in (supervisor, before["coinbase"]):  # the others stay awake: what they do is to be seen
        os.kill(pid, signal.SIGSTOP)
    until(lambda: time.monotonic() - began > 3)  # for longer than hang_after
    os.kill(supervisor, signal.SIGCONT)
    until(lambda: line.tree.child("bitstamp")["uptime"] > 0)
    os.kill(before["coinbase"], signal.SIGCONT)

    line.goes_on(trades=5)
    assert {name: line.pid(name) for name in before} == before
    line.unbroken("coinbase", "bitstamp")
    line.whole()


@pytest.mark.row(14)
def test_a_second_supervisor_is_refused_and_the_first_does_not_notice(line):
    began = time.monotonic()
    second = line.tree.command("--demo")

    assert second.returncode == 75
    assert str(line.status()["pid"]) in second.stderr
    assert time.monotonic() - began < 5  # under 1 s where the machine has nothing else to do
    assert line.all_live()
    line.unbroken("coinbase", "bitstamp")
    line.whole()


@pytest.mark.row(15)
def test_what_a_power_loss_left_in_the_run_directory_holds_no_start_up(line):
    line.kill_all()
    for name in ("coinbase.sock", "historical.sock", "listener-abc", "lock", "demo/coinbase/lock"):
        file = line.settings.run_dir / name
        file.unlink(missing_ok=True)
        file.write_text("999999 junk")
    line.settings.socket("control").unlink()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(line.settings.socket("control")))

    line.start()

    assert [child["restarts"] for child in line.status()["children"]] == [0, 0, 0]
    assert not (line.settings.run_dir / "listener-abc").exists()
    line.goes_on()
    line.whole()


@pytest.mark.row(20)
@pytest.mark.parametrize(
    ("where", "words"),
    [("/tmp/" + "x" * 100, "at most"), ("/dev/null/below", "cannot be made"), ("{open}", "expected a directory")],
    ids=["too long", "no directory", "open to others"],
)
def test_a_run_directory_that_cannot_be_used_is_one_line_and_disturbs_no_other_tree(line, tmp_path, where, words):
    (tmp_path / "thesis").touch()
    tmp_path.chmod(0o755)

    refused = line.tree.command("--demo", "--run-dir", where.format(open=tmp_path))

    assert refused.returncode == 78
    assert len(refused.stderr.splitlines()) == 1
    assert re.search(f"run_dir: .*{words}", refused.stderr)
    assert line.all_live()
    line.unbroken("coinbase", "bitstamp")
    line.whole()


@pytest.mark.row(47)
def test_a_log_that_nobody_reads_and_then_nobody_can_holds_up_and_ends_nobody():
    """With a child that prints without end and a small pipe, which is full at once."""
    with world(running=False, children=["noisy=tests.supervision_targets:printing"]) as line:
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        line.start(stdout=writing, stderr=writing)
        os.close(writing)
        line.begin()
        line.goes_on(trades=10)

        os.close(reading)  # as of `| head -1`
        victim = line.kill("coinbase")

        line.replaced("coinbase", victim)
        assert {name: line.restarts(name) for name in CHILDREN} == {"historical": 0, "coinbase": 1, "bitstamp": 0}
        line.unbroken("bitstamp")
        line.whole()
