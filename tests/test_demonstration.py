"""A demo's life is its script's."""

import os
import signal
import subprocess
import sys
import time

import pytest

import poeticoins

SCRIPT = """
import sys, time, poeticoins
with poeticoins.demo(exchanges=["coinbase"]) as status:
    print(status.pid, *(child.pid for child in status.children), flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_script_leaves_no_demo_behind(how):
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as script:
        pids = [int(pid) for pid in script.stdout.readline().split()]
        assert len(pids) == 4

        script.send_signal(how)
        end = time.monotonic() + 10
        while any(alive(pid) for pid in pids):
            assert time.monotonic() < end, "the demo outlived its script"
            time.sleep(0.02)


def test_what_a_demo_leaves_in_its_directory_is_its_owners_alone(run_dir):
    with poeticoins.demo(exchanges=["coinbase"], run_dir=run_dir):
        found = [path for path in run_dir.rglob("*") if not path.is_dir()]

        assert run_dir / "demo.log" in found
        assert {path: oct(path.stat().st_mode & 0o777) for path in found} == dict.fromkeys(found, "0o600")
