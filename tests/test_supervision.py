"""Supervision with real processes: what is killed, hangs, crashes or is stopped, and what becomes of the others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.trees import Tree, alive, tree, until


@pytest.fixture
def family() -> Iterator[Tree]:
    with tree() as made:
        yield made


def log_of(family: Tree) -> str:
    return family.log.read_text()


def test_a_killed_child_is_replaced_at_once_and_its_sibling_does_not_notice(family):
    family.start("historical=steady", "coinbase=steady")
    victim, sibling = family.ready("coinbase"), family.ready("historical")

    os.kill(victim, signal.SIGKILL)
    family.ready("coinbase", other_than=victim, within=2)

    child = family.child("coinbase")
    assert (child["restarts"], child["last_exit"]) == (1, "SIGKILL")
    assert family.ready("historical") == sibling


def test_the_last_exits_of_a_child_are_told_with_their_reasons_and_no_more_than_five(family):
    began = datetime.now(UTC)
    family.start("historical=steady", "coinbase=crashing")
    pid = family.ready("historical")
    until(lambda: family.child("coinbase")["restarts"] >= 1, within=12)

    for _ in range(6):
        family.restart("historical")
        pid = family.ready("historical", other_than=pid)

    exits = family.child("historical")["exits"]
    assert [one["how"] for one in exits] == ["asked for; exit 0"] * 5
    times = [datetime.fromisoformat(one["at"]) for one in exits]
    assert times == sorted(times)
    assert began < times[0]
    assert all(one["ran_for"] > 0 for one in exits)
    crash = family.child("coinbase")["exits"][0]
    assert (crash["how"], crash["words"][-1]) == ("exit 1", "| ZeroDivisionError: a bug")


def test_a_child_that_beats_is_not_ready_before_it_says_so(family):
    family.start("coinbase=slow")
    until(lambda: family.child("coinbase")["uptime"] > 0.5)
    assert family.child("coinbase")["state"] == "starting"
    assert family.status()["feeds"] == [
        {
            "exchange": "coinbase", "state": "starting", "trades": 0, "last_trade_at": None, "bad_frames": 0,
            "reconnects": 0, "gaps": 0, "host": None, "problem": None, "next_try_in": None, "products": [],
            "rate": None, "delay": None, "last_loss": None,
        }
    ]  # fmt: skip

    (family.settings.run_dir / "go").touch()

    family.ready("coinbase")
    until(lambda: family.status()["feeds"][0]["state"] == "live")


def test_a_child_that_always_crashes_becomes_degraded_alone_and_heals_when_the_fault_is_mended(family):
    family.start("historical=steady", "coinbase=crashing")
    sibling = family.ready("historical")

    until(lambda: family.child("coinbase")["state"] == "degraded", within=12)
    child = family.child("coinbase")
    assert child["restarts"] == 4
    assert child["last_exit"] == "exit 1"
    assert 0 < child["next_try_in"] <= 8
    assert family.status()["feeds"][0]["state"] == "restarting"
    (family.settings.run_dir / "mended").touch()
    assert family.command("restart", "coinbase").returncode == 0

    family.ready("coinbase", within=3)
    assert family.ready("historical") == sibling
    assert "coinbase    | ZeroDivisionError: a bug" in log_of(family)


def test_no_process_outlives_a_killed_supervisor_not_even_a_stopped_one(family):
    supervisor = family.start("historical=steady", "coinbase=stubborn")
    stopped = family.ready("historical")
    family.ready("coinbase")
    os.kill(stopped, signal.SIGSTOP)
    assert len(family.processes()) == 5  # with the nursery and multiprocessing's tracker

    supervisor.kill()
    supervisor.wait()

    until(lambda: not family.processes(), within=1)


def test_a_supervisor_starts_over_what_a_killed_one_left(family):
    first = family.start("coinbase=steady")
    family.ready("coinbase")
    first.kill()
    first.wait()

    family.start("coinbase=steady")

    family.ready("coinbase")


def test_everything_is_started_again_when_the_nursery_is_killed(family):
    family.start("historical=steady", "coinbase=steady")
    before = family.ready("historical"), family.ready("coinbase")
    nursery = int(Path(f"/proc/{before[0]}/stat").read_text().rpartition(")")[2].split()[1])

    os.kill(nursery, signal.SIGKILL)

    family.ready("historical", other_than=before[0], within=5)
    family.ready("coinbase", other_than=before[1], within=5)
    assert not any(map(alive, before))
    assert [child["last_exit"] for child in family.status()["children"]] == ["SIGKILL", "SIGKILL"]


def test_a_stopped_nursery_does_not_hide_a_death(family):
    family.start("coinbase=steady")
    victim = family.ready("coinbase")
    nursery = int(Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[1])

    os.kill(nursery, signal.SIGSTOP)
    os.kill(victim, signal.SIGKILL)

    family.ready("coinbase", other_than=victim, within=5)


def test_children_stop_in_the_reverse_order_of_their_start(family):
    supervisor = family.start("simulator=steady", "historical=steady", "coinbase=steady")
    for name in ("simulator", "historical", "coinbase"):
        family.ready(name)

    supervisor.terminate()

    assert supervisor.wait(5) == 0
    assert (family.settings.run_dir / "order").read_text().split() == ["coinbase", "historical", "simulator"]
    until(lambda: not family.processes(), within=1)
    assert sorted(path.name for path in family.settings.run_dir.iterdir()) == ["lock", "order"]


def test_children_that_do_not_want_to_stop_are_killed_in_time(family):
    family.environment["POETICOINS_STOP_TIMEOUT"] = "3"
    supervisor = family.start("historical=steady", "coinbase=stubborn", "bitstamp=stubborn")
    stopped = family.ready("historical")
    family.ready("coinbase")
    family.ready("bitstamp")
    os.kill(stopped, signal.SIGSTOP)

    began = time.monotonic()
    supervisor.terminate()

    assert supervisor.wait(8) == 0
    assert time.monotonic() - began <= 5
    until(lambda: not family.processes(), within=1)


def test_ctrl_c_is_heard_where_the_shell_had_it_ignored(family):
    supervisor = family.start("coinbase=steady", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    family.ready("coinbase")

    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(5) == 0


def test_a_wrong_configuration_of_a_child_is_one_line_and_not_a_traceback(family):
    family.start("coinbase=wrong")

    until(lambda: family.child("coinbase")["last_exit"] == "exit 78")

    assert "coinbase    run_dir: expected something else" in log_of(family)
    assert "Traceback" not in log_of(family)


def test_an_asked_for_restart_is_immediate_each_time_and_no_failure(family):
    family.start("historical=steady", "coinbase=steady")
    pid, sibling = family.ready("coinbase"), family.ready("historical")

    for restarts in (1, 2, 3):
        family.restart("coinbase")
        pid = family.ready("coinbase", other_than=pid, within=1.5)
        assert family.child("coinbase")["restarts"] == restarts

    assert family.ready("historical") == sibling


def test_neither_supervisor_nor_child_loads_what_only_others_need():
    program = (
        "import sys, poeticoins.command, poeticoins.child, poeticoins.nursery;"
        "print([m for m in ('pandas', 'numpy', 'bokeh', 'panel', 'zmq', 'websockets', 'rich') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
