"""SIGHUP with real trees: the settings are read anew, and only those processes change whose settings did."""

import fcntl
import os
import pty
import signal
import termios
import time
from collections.abc import Iterator

import pytest

from tests.trees import Tree, tree, until


@pytest.fixture
def family() -> Iterator[Tree]:
    with tree() as made:
        yield made


def pids(family: Tree) -> dict[str, int]:
    return {child["name"]: child["pid"] for child in family.status()["children"]}


def ready_pids(family: Tree) -> dict[str, int]:
    until(lambda: all(child["state"] == "ready" for child in family.status()["children"]), within=30)
    return pids(family)


def write(family: Tree, settings: str, *children: str) -> None:
    (family.settings.run_dir / "settings.toml").write_text(settings)
    (family.settings.run_dir / "children").write_text(" ".join(children))


def said(family: Tree, words: str) -> bool:
    return words in family.log.read_text()


def test_products_of_one_exchange_that_change_restart_its_client_and_historical_alone(family, tmp_path):
    file = tmp_path / "p.toml"
    file.write_text("[exchanges.coinbase]\nproducts = ['BTC-USD']")
    supervisor = family.demo("--config", str(file))
    before = ready_pids(family)

    file.write_text("[exchanges.coinbase]\nproducts = ['BTC-USD', 'ETH-EUR']")
    supervisor.send_signal(signal.SIGHUP)
    until(lambda: family.status()["feeds"][1].get("products") == ["BTC-USD", "ETH-EUR"], within=20)

    after = ready_pids(family)
    assert {name for name in before if before[name] != after[name]} == {"historical", "coinbase"}
    assert said(family, "settings read anew restarts='historical coinbase'")
    assert not said(family, "Traceback")


def test_an_exchange_may_go_and_come_and_options_keep_winning(family, tmp_path):
    file = tmp_path / "p.toml"
    file.write_text("exchanges = ['coinbase', 'bitstamp']\nstop_timeout = 3")
    supervisor = family.demo("--config", str(file), "--exchanges", "coinbase")
    before = ready_pids(family)
    assert list(before) == ["simulator", "historical", "coinbase"]

    file.write_text("exchanges = ['bitstamp']")
    supervisor.send_signal(signal.SIGHUP)

    until(lambda: said(family, "settings read anew"))
    assert ready_pids(family) == before


def test_children_begin_and_end_in_their_order_without_touching_the_others(family):
    supervisor = family.start("simulator=steady", "bitstamp=steady", "dashboard=steady")
    before = ready_pids(family)

    write(family, "", "simulator=steady", "historical=steady", "bitstamp=stubborn")
    supervisor.send_signal(signal.SIGHUP)
    until(lambda: list(pids(family)) == ["simulator", "historical", "bitstamp"])

    after = ready_pids(family)
    assert after["simulator"] == before["simulator"]
    assert after["bitstamp"] != before["bitstamp"]  # what it runs has changed
    supervisor.terminate()
    assert supervisor.wait(5) == 0
    assert (family.settings.run_dir / "order").read_text().split() == [
        "dashboard",
        "bitstamp",
        "historical",
        "simulator",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", ["settings.toml: prot: not a known key"]),
        ("port = 'x'", ["settings.toml: port: expected a whole number"]),
        ("port =", ["settings.toml: expected TOML"]),
        ("exchanges = ['coinbsae']", ["expected names", "coinbsae"]),
    ],
)
def test_wrong_settings_are_one_line_and_the_old_ones_stay(family, text, words):
    supervisor = family.start("historical=steady", "coinbase=steady")
    before = ready_pids(family)
    lines = len(family.log.read_text().splitlines())

    write(family, text, "historical=steady", "coinbase=steady")
    supervisor.send_signal(signal.SIGHUP)
    until(lambda: said(family, "the settings stay as they are"))

    (line,) = family.log.read_text().splitlines()[lines:]
    for word in words:
        assert word in line
    assert ready_pids(family) == before


def test_what_only_the_supervisor_reads_holds_at_once_and_restarts_nobody(family):
    supervisor = family.start("historical=steady", "coinbase=steady")
    ready_pids(family)

    write(family, "rss_limit = 1", "historical=steady", "coinbase=steady")
    supervisor.send_signal(signal.SIGHUP)

    until(lambda: "above rss_limit" in (family.child("coinbase")["last_exit"] or ""))
    assert not said(family, "restarts='")


def test_a_terminal_that_closes_ends_nothing(family):
    ours, theirs = pty.openpty()
    terminal = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    supervisor = family.start(
        "historical=steady", "coinbase=steady", preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **terminal
    )
    before, processes = ready_pids(family), sorted(family.processes())
    write(family, "", "historical=steady", "coinbase=steady", "bitstamp=steady")

    os.close(theirs)
    os.close(ours)
    os.killpg(supervisor.pid, signal.SIGHUP)  # as a shell that is hung up does to its jobs
    until(lambda: "bitstamp" in pids(family))

    after = ready_pids(family)
    assert {name: after[name] for name in before} == before
    assert sorted(family.processes()) == sorted([*processes, after["bitstamp"]])
    os.kill(after["coinbase"], signal.SIGKILL)
    family.ready("coinbase", other_than=after["coinbase"])


def test_sighup_is_heard_where_nohup_had_it_ignored(family):
    supervisor = family.start("coinbase=steady", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    family.ready("coinbase")

    write(family, "", "coinbase=steady")
    supervisor.send_signal(signal.SIGHUP)

    until(lambda: said(family, "settings read anew"))


def test_a_stop_does_not_wait_for_a_reload_that_is_under_way(family):
    family.environment["POETICOINS_STOP_TIMEOUT"] = "3"
    supervisor = family.start("historical=stubborn", "bitstamp=stubborn", "dashboard=steady")
    ready_pids(family)
    write(
        family, "beat_interval = 0.2", "historical=steady", "dashboard=steady"
    )  # bitstamp ends, historical is another
    supervisor.send_signal(signal.SIGHUP)
    until(lambda: family.child("bitstamp")["state"] == "stopping")

    began = time.monotonic()
    supervisor.terminate()

    assert supervisor.wait(8) == 0
    assert time.monotonic() - began <= 5
    until(lambda: not family.processes(), within=1)
