"""Children that live and yet do not work: stopped, hung, too big; and those that only seem so."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from poeticoins.config import Settings
from poeticoins.lifecycle import ABORT_GRACE
from tests.trees import Tree, alive, tree, until


@pytest.fixture
def family() -> Iterator[Tree]:
    with tree() as made:
        yield made


def log_of(family: Tree) -> str:
    return family.log.read_text()


def test_a_stopped_child_is_replaced(family):
    family.start("coinbase=steady")
    victim = family.ready("coinbase")

    os.kill(victim, signal.SIGSTOP)
    family.ready("coinbase", other_than=victim, within=8)

    assert not alive(victim)
    assert family.child("coinbase")["last_exit"] == "hung: no heartbeat for 1 s; SIGKILL"


def test_a_stopped_child_is_replaced_within_eight_seconds_by_the_defaults(family):
    for name in ("BEAT_INTERVAL", "HANG_AFTER"):
        del family.environment[f"POETICOINS_{name}"]
    settings = Settings()
    assert settings.hang_after + ABORT_GRACE + settings.beat_interval + 1 <= 8  # and a second to start another
    family.start("coinbase=steady")
    victim = family.ready("coinbase")

    os.kill(victim, signal.SIGSTOP)

    family.ready("coinbase", other_than=victim, within=8)


def test_status_tells_a_busy_child_from_an_idle_one_and_knows_the_supervisor_itself(family):
    family.start("historical=steady", "coinbase=busy")

    until(lambda: (family.child("coinbase")["cpu"] or 0) > 0.2, within=30)
    until(lambda: None not in [child["cpu"] for child in family.status()["children"]], within=30)
    busy = family.status()

    idle = next(child for child in busy["children"] if child["name"] == "historical")
    busiest = next(child for child in busy["children"] if child["name"] == "coinbase")
    assert 0 <= idle["cpu"] < busiest["cpu"] < 1.5
    assert 0 <= busy["cpu"] < 1
    assert 5e6 < busy["rss"] < 150e6
    shown = family.command("status").stdout
    assert "supervisor" in shown
    assert "%" in shown


def test_a_supervisor_that_was_stopped_itself_replaces_nobody(family):
    supervisor = family.start("historical=steady", "coinbase=steady")
    before = family.ready("historical"), family.ready("coinbase")

    for pid in (supervisor.pid, *before):  # the whole tree, as a laptop sleeps
        os.kill(pid, signal.SIGSTOP)
    time.sleep(1.5)  # longer than hang_after: the length of the sleep is what this is about
    for pid in (supervisor.pid, *before):
        os.kill(pid, signal.SIGCONT)

    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        assert (family.ready("historical"), family.ready("coinbase")) == before


def test_facts_that_are_too_long_do_not_silence_the_heartbeat(family):
    family.start("coinbase=talkative")
    pid = family.ready("coinbase")

    until(lambda: family.child("coinbase")["uptime"] > 1.5)

    assert family.ready("coinbase") == pid
    assert "too long" in log_of(family)
