"""The program, as it is typed: exit statuses, messages, and where options may stand."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from poeticoins import control
from poeticoins.arguments import parsed, settings_of
from poeticoins.load import Load
from poeticoins.status import Itself, status
from tests.makers import make_settings
from tests.trees import ROOT, Tree, tree, until


@pytest.fixture
def family() -> Iterator[Tree]:
    with tree() as made:
        yield made


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["stop"], ["restart", "coinbase"]])
def test_without_a_supervisor_the_exit_is_69_and_the_message_how_to_start_one(family, arguments):
    done = family.command(*arguments)

    assert done.returncode == 69
    assert done.stdout == ""
    assert str(family.settings.run_dir) in done.stderr
    assert "python supervisor.py --demo" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["restart"],
        ["--speed", "-1"],
        ["--speed", "nan"],
        ["--port", "70000"],
        ["--exchanges", ","],
        ["--demo", "--replay", "x"],
        ["--unknown"],
    ],
)
def test_wrong_usage_is_exit_2(arguments):
    with pytest.raises(SystemExit) as caught:
        parsed(arguments)

    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", ["prot", "not a known key", "port"]),
        ("port = 'x'", ["port", "a whole number", "'x'"]),
        ("port =", ["expected TOML"]),
        ("exchanges = ['coinbsae']", ["coinbsae", "expected names"]),
        ("[exchanges.coinbase]\nproducts = ['BTCUSD']", ["BASE-QUOTE", "BTCUSD"]),
    ],
)
def test_a_wrong_configuration_is_exit_78_and_one_line(family, tmp_path, text, words):
    file = tmp_path / "my.toml"
    file.write_text(text)

    done = family.command("--demo", "--config", str(file))

    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr
    assert control.holder(family.settings.run_dir) is None


@pytest.mark.parametrize(
    "arguments", [["--config", "none.toml"], ["--replay", "none.jsonl"], ["--run-dir", "/dev/null"]]
)
def test_a_path_that_cannot_be_used_is_exit_78_and_names_it(family, arguments):
    done = family.command(*arguments)

    assert done.returncode == 78
    assert arguments[1] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_start_is_exit_75_and_says_who_runs(family):
    supervisor = family.start("coinbase=steady")
    pid = family.ready("coinbase")

    began = time.monotonic()
    done = family.command("--demo")

    assert done.returncode == 75
    assert time.monotonic() - began < 3  # under 1 s where the machine has nothing else to do
    assert str(supervisor.pid) in done.stderr
    assert family.ready("coinbase") == pid


def test_status_is_an_object_for_programs(family):
    supervisor = family.start("historical=steady", "coinbase=steady")
    pid = family.ready("coinbase")
    family.ready("historical")

    status = msgspec.json.decode(family.command("status", "--json").stdout)

    assert status["mode"] == "live"
    assert status["pid"] == supervisor.pid
    assert status["run_dir"] == str(family.settings.run_dir)
    assert status["wire"] == 1
    assert status["url"] is None
    assert [child["name"] for child in status["children"]] == ["historical", "coinbase"]
    child = status["children"][1]
    assert child["uptime"] > 0
    assert child["rss"] > 5e6
    assert {**child, "uptime": 0, "rss": 0, "cpu": 0} == {
        "name": "coinbase", "state": "ready", "pid": pid, "restarts": 0, "uptime": 0, "last_exit": None,
        "cpu": 0, "rss": 0, "next_try_in": None, "last_words": [], "exits": [],
    }  # fmt: skip
    assert [feed["exchange"] for feed in status["feeds"]] == ["coinbase"]
    assert status["feeds"][0]["trades"] == 7


def test_status_is_a_table_for_people(family):
    family.start("historical=steady", "coinbase=crashing")
    family.ready("historical")
    until(lambda: family.child("coinbase")["state"] == "backoff")

    done = family.command("status")

    assert done.returncode == 0
    for word in ("historical", "ready", "coinbase", "backoff", "exit 1", "none yet"):
        assert word in done.stdout


def test_an_unknown_child_is_exit_2_and_the_known_ones_are_named(family):
    family.start("historical=steady", "coinbase=steady")

    done = family.command("restart", "coinbsae")

    assert done.returncode == 2
    assert "coinbsae" in done.stderr
    assert "historical, coinbase" in done.stderr


def test_stop_returns_when_all_has_ended(family):
    supervisor = family.start("historical=steady", "coinbase=steady")
    family.ready("coinbase")

    done = family.command("stop")

    assert done.returncode == 0
    assert control.holder(family.settings.run_dir) is None
    assert supervisor.wait(5) == 0


@pytest.mark.parametrize(
    "arguments", [["--run-dir", "/tmp/a", "status"], ["status", "--run-dir", "/tmp/a"], ["--run-dir", "/tmp/a"]]
)
def test_the_run_directory_may_be_given_before_and_after_the_verb(arguments, monkeypatch):
    monkeypatch.setenv("POETICOINS_RUN_DIR", "/tmp/b")

    assert settings_of(parsed(arguments)).run_dir == Path("/tmp/a")


def test_options_overlay_the_file(tmp_path):
    file = tmp_path / "p.toml"
    file.write_text("port = 1234\nhost = '::1'\nallow_origin = ['a:1']\n")

    settings = settings_of(
        parsed(
            ["--config", str(file), "--port", "0", "--allow-origin", "b:2", "--exchanges", "coinbase,bitstamp,coinbase"]
        )
    )

    assert (settings.port, settings.host) == (0, "::1")
    assert settings.allow_origin == ("a:1", "b:2")
    assert settings.exchanges == ("coinbase", "bitstamp")
    assert settings.mode == "live"


def test_several_recordings_may_be_given_at_once_and_one_by_one(tmp_path):
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.touch()
    one, two, three = map(str, paths)

    settings = settings_of(parsed(["--replay", one, two, "--speed", "0", "--replay", three]))

    assert settings.replay == tuple(paths)
    assert (settings.mode, settings.speed) == ("replay", 0.0)


def test_what_an_earlier_replay_left_is_removed_but_never_what_a_link_leads_to(family, tmp_path):
    (tmp_path / "precious").touch()
    (tmp_path / "empty.jsonl").touch()
    remains = family.settings.run_dir / "replay"
    remains.mkdir()
    (remains / "link").symlink_to(tmp_path)

    for _ in range(2):
        done = family.command("--replay", str(tmp_path / "empty.jsonl"))

        assert done.returncode == 78
        assert "empty.jsonl" in done.stderr
        assert not os.path.lexists(remains)
        assert (tmp_path / "precious").exists()
        remains.symlink_to(tmp_path)


def test_a_missing_dependency_is_one_line_with_the_command_to_type(tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "supervisor.py"), "--demo"],  # -S: without site-packages
        capture_output=True, text=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, timeout=20, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "panel, bokeh, websockets, pyzmq, pandas, msgspec, aiohttp, rich" in done.stderr
    assert "pip install -e" in done.stderr


def test_the_program_runs_from_any_directory_even_one_that_shadows_modules(family, tmp_path):
    for name in ("random", "zmq", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    family.start("coinbase=steady", cwd=tmp_path)

    family.ready("coinbase")

    assert "shadowed" not in family.log.read_text()
    assert family.command("status", cwd=tmp_path).returncode == 0


def has_a_socket(pid: int) -> bool:
    with contextlib.suppress(OSError):  # a file may be closed while we look
        return any(str(file.readlink()).startswith("socket:") for file in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_ctrl_c_while_waiting_for_an_answer_leaves_no_traceback(family):
    supervisor = family.start("coinbase=steady")
    family.ready("coinbase")
    os.kill(supervisor.pid, signal.SIGSTOP)
    # as in a terminal: the shell ignores it for jobs in the background, of which pytest may be one
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    asking = family.launch(str(ROOT / "supervisor.py"), "status", **heard)
    until(lambda: has_a_socket(asking.pid))

    asking.send_signal(signal.SIGINT)

    assert asking.wait(5) != 0
    assert "Traceback" not in family.log.read_text()


def test_how_long_the_supervisor_is_up_is_told_by_a_clock_that_nobody_sets(tmp_path):
    itself = Itself(datetime(2126, 1, 1, tzinfo=UTC), up_since=5.0, load=Load())

    told = status(make_settings(tmp_path), [], itself, now=7.5)

    assert (told["uptime"], told["started_at"]) == (2.5, "2126-01-01T00:00:00+00:00")
