"""What children write to stdout and stderr: it reaches the log as lines, and holds up nobody, however much it is."""

import os
import pty
import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trees import Tree, tree, until


@pytest.fixture
def family() -> Iterator[Tree]:
    with tree() as made:
        yield made


def turns(family: Tree) -> int:
    file = family.settings.run_dir / "turns"
    return int(file.read_text() or 0) if file.exists() else 0


def cpu(pid: int) -> float:
    """Seconds of CPU that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_whatever_a_child_writes_reaches_the_log_as_lines_about_it(family):
    family.start("historical=steady", "coinbase=speaking")
    until(lambda: family.child("coinbase")["restarts"] >= 1)

    lines = [line[9:] for line in family.log.read_text().splitlines()]

    for words in (
        "coinbase    | from print",
        "coinbase    | from C",
        "coinbase    | from a process",
        "coinbase    from its log",
        r"coinbase    from ours key=\n",
        r"coinbase    | \x1b[31mforeign",
        "coinbase    | ZeroDivisionError: a bug",
    ):
        assert words in lines
    assert any("UserWarning: from a library" in line for line in lines)


def test_the_last_words_of_a_child_that_fails_are_in_the_status(family):
    family.start("historical=steady", "coinbase=crashing")
    family.ready("historical")
    until(lambda: family.child("coinbase")["state"] == "backoff")

    words = family.child("coinbase")["last_words"]

    assert words[-1] == "| ZeroDivisionError: a bug"
    assert len(words) <= 8
    assert family.child("historical")["last_words"] == []
    # between two crashes it starts, and is down no more
    until(lambda: "coinbase: | ZeroDivisionError: a bug" in family.command("status").stdout, within=30)


def test_a_child_that_prints_for_ever_fills_no_disk_and_disturbs_nobody(family):
    supervisor = family.start("historical=steady", "coinbase=printing")
    sibling, pid = family.ready("historical"), family.ready("coinbase")
    used, began, size = cpu(supervisor.pid), time.monotonic(), family.log.stat().st_size

    while time.monotonic() - began < 4:
        asked = time.monotonic()
        family.status()
        assert time.monotonic() - asked < 2
        time.sleep(0.1)

    seconds = time.monotonic() - began
    assert family.log.stat().st_size - size < 60 * (200 + 4 * seconds)
    assert "more lines" in family.log.read_text()
    assert (cpu(supervisor.pid) - used) / seconds < 0.25
    assert (family.ready("coinbase"), family.ready("historical")) == (pid, sibling)


def test_a_child_that_hangs_because_it_prints_for_ever_leaves_its_stacks(family):
    family.start("historical=steady", "coinbase=shouting")
    victim = family.ready("coinbase")

    (family.settings.run_dir / "shout").touch()
    family.ready("coinbase", other_than=victim)

    child = family.child("coinbase")
    assert child["last_exit"].endswith("; SIGABRT")
    assert any("in shouting" in line for line in child["last_words"])
    assert "in shouting" in family.log.read_text()


def test_a_stopped_supervisor_holds_up_no_child_that_prints(family):
    supervisor = family.start("coinbase=printing")
    family.ready("coinbase")
    until(lambda: turns(family))
    os.kill(supervisor.pid, signal.SIGSTOP)
    before = turns(family)

    until(lambda: turns(family) > before + 300)

    os.kill(supervisor.pid, signal.SIGCONT)


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_a_log_whose_reader_does_not_read_holds_up_nobody(family, kind):
    reading, writing = os.pipe() if kind == "pipe" else pty.openpty()
    family.start("historical=steady", "c1=printing", stderr=writing)
    victim = family.ready("historical")
    until(lambda: turns(family) > 300)

    for _ in range(5):
        family.restart("c1")
        os.kill(victim, signal.SIGKILL)
        victim = family.ready("historical", other_than=victim, within=15)

    os.close(reading)
    os.close(writing)


def test_a_paused_terminal_holds_up_no_start(family):
    ours, theirs = pty.openpty()
    termios.tcflow(theirs, termios.TCOOFF)  # as Ctrl-S does

    family.demo("--exchanges", "coinbase", stdout=theirs, stderr=theirs)

    until(lambda: family.status()["feeds"][0]["state"] == "live", within=30)
    assert family.command("stop").returncode == 0
    os.close(ours)
    os.close(theirs)
