"""Words to a service manager: what a real socket receives of a real supervisor."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from poeticoins.notify import Notifier
from tests.trees import Tree, tree, until


@pytest.fixture
def family() -> Iterator[Tree]:
    with tree() as made:
        yield made


class Manager:
    """A service manager's socket, and all that it was told."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.setblocking(False)
        self.told: list[str] = []

    def hears(self, words: str) -> bool:
        """Whether it has been told a line that begins with `words`."""
        try:
            while True:
                self.told += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return any(line.startswith(words) for line in self.told)


@pytest.fixture(params=["path", "abstract"])
def manager(family: Tree, request: pytest.FixtureRequest) -> Iterator[Manager]:
    address = f"{family.settings.run_dir}.notify" if request.param == "path" else f"@{family.settings.run_dir.name}"
    family.environment["NOTIFY_SOCKET"] = address
    made = Manager(address)
    yield made
    made.socket.close()
    if request.param == "path":
        Path(address).unlink()


def test_a_service_manager_hears_of_every_turn(family, manager):
    supervisor = family.start("historical=steady", "coinbase=slow")
    family.ready("historical")
    until(lambda: manager.hears("STATUS=1 of 2 children ready; coinbase: starting"))
    assert not manager.hears("READY=1")
    (family.settings.run_dir / "go").touch()
    until(lambda: manager.hears("READY=1"))
    assert manager.hears("STATUS=2 of 2 children ready")

    manager.told.clear()
    (family.settings.run_dir / "settings.toml").write_text("")
    (family.settings.run_dir / "children").write_text("historical=steady coinbase=steady")
    before = time.monotonic_ns() // 1000
    supervisor.send_signal(signal.SIGHUP)
    until(lambda: manager.hears("READY=1"))
    stamp = next(int(line.partition("=")[2]) for line in manager.told if line.startswith("MONOTONIC_USEC"))
    assert manager.told.index("RELOADING=1") < manager.told.index("READY=1")
    assert before <= stamp <= time.monotonic_ns() // 1000

    supervisor.terminate()
    assert supervisor.wait(5) == 0
    assert manager.hears("STOPPING=1")
    assert not manager.hears("WATCHDOG=1")


def test_settings_that_are_wrong_end_a_reload_too(family, manager):
    supervisor = family.start("coinbase=steady")
    until(lambda: manager.hears("READY=1"))
    manager.told.clear()

    supervisor.send_signal(signal.SIGHUP)  # there is no settings.toml

    until(lambda: manager.hears("RELOADING=1") and manager.hears("READY=1"))


def test_a_degraded_child_does_not_keep_the_tree_from_being_ready(family, manager):
    family.start("historical=steady", "coinbase=crashing")
    family.ready("historical")
    assert not manager.hears("READY=1")

    until(lambda: manager.hears("READY=1"), within=15)

    assert manager.hears("STATUS=1 of 2 children ready; coinbase: degraded (exit 1)")


def test_the_watchdog_is_fed_at_half_its_limit_and_by_the_supervisors_own_loop(family, manager):
    family.environment["WATCHDOG_USEC"] = "400000"
    supervisor = family.start("coinbase=steady")
    family.ready("coinbase")
    until(lambda: manager.hears("WATCHDOG=1"))

    began, told = time.monotonic(), manager.told.count("WATCHDOG=1")
    until(lambda: manager.hears("WATCHDOG=1") and manager.told.count("WATCHDOG=1") >= told + 5)
    assert time.monotonic() - began >= 0.75

    os.kill(supervisor.pid, signal.SIGSTOP)
    until(lambda: _stopped(supervisor.pid))
    manager.hears("")
    told = manager.told.count("WATCHDOG=1")
    time.sleep(0.6)  # longer than its limit: that nothing comes is what this is about
    manager.hears("")
    assert manager.told.count("WATCHDOG=1") == told


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize(
    ("environment", "watchdog"),
    [
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "10000000"}, 5.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}, 5.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "10000000"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_if_it_is_ours(environment, watchdog):
    assert Notifier(environment).watchdog == watchdog
    assert environment == {}  # no child shall take it for its own


def test_a_manager_that_is_gone_or_does_not_read_ends_nothing(tmp_path):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "none")}).tell("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "deaf")})

        for _ in range(5_000):
            notifier.tell("STATUS=" + "x" * 400)
