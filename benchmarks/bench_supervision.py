"""
What supervision costs and how fast it is, on the demo's tree and real processes.

`python benchmarks/bench_supervision.py [restart] [orphans] [cost] [flood] [alarms]`; all of them without an argument:
restart   kill -9 of a client until it is ready again, 30 times; beside it, a fresh interpreter with the same imports
orphans   kill -9 of the supervisor until nothing is left, 20 times, one child stopped each time
cost      the supervisor's memory, and its CPU over 60 s (SECONDS=…)
flood     its CPU and the log's growth over 10 s in which a child prints without end
alarms    restarts that nobody needed, in 180 s (SECONDS=…) with two processes for each core that do nothing but count
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.trees import ROOT, Tree, alive, tree, until

TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 60.0


def cpu(pid: int) -> float:
    """Seconds of CPU that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid: int) -> str:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return f"RSS {int(lines['VmRSS'].split()[0]) / 1024:.1f} MiB, of which its own {_private(pid) / 1024:.1f} MiB"


def _private(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private"))


def shown(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"median {statistics.median(ordered) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms, max {ordered[-1] * 1e3:.0f} ms"


def demo(family: Tree, *options: str) -> "subprocess.Popen[bytes]":
    """The program's own demo with its default timers, all of it ready."""
    started = family.demo(*options)
    until(lambda: all(child["state"] == "ready" for child in family.status()["children"]), PATIENCE)
    return started


def restart() -> None:
    times = []
    with tree() as family:
        family.environment["POETICOINS_STABLE_AFTER"] = "0"  # each restart is a first one, and so immediate
        demo(family)
        for _ in range(30):
            pid = family.ready("coinbase", within=PATIENCE)
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            family.ready("coinbase", other_than=pid, within=PATIENCE)
            times.append(time.monotonic() - began)
    print(f"restart   kill -9 to ready: {shown(times)} of {len(times)}")
    times = []
    for _ in range(20):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", "import poeticoins.client"], cwd=ROOT, check=True)
        times.append(time.monotonic() - began)
    print(f"          a fresh interpreter that imports the client: {shown(times)} of {len(times)}")


def orphans() -> None:
    times = []
    for _ in range(20):
        with tree() as family:
            supervisor = family.start("simulator=steady", "historical=steady", "coinbase=stubborn")
            pids = [family.ready(name, within=PATIENCE) for name in ("simulator", "historical", "coinbase")]
            everyone = family.processes()
            os.kill(pids[1], signal.SIGSTOP)
            began = time.monotonic()
            supervisor.kill()
            until(lambda everyone=everyone: not any(map(alive, everyone)))
            times.append(time.monotonic() - began)
            assert not family.processes()
    print(f"orphans   kill -9 of the supervisor to nothing left: {shown(times)} of {len(times)}")


def cost() -> None:
    seconds = float(os.environ.get("SECONDS", "60"))
    with tree() as family:
        supervisor = demo(family, "--dashboard", "--port", "0")
        time.sleep(5)
        used, began = cpu(supervisor.pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu(supervisor.pid) - used) / (time.monotonic() - began)
        print(f"cost      supervisor: {memory(supervisor.pid)}; CPU {share:.2%} over {seconds:g} s")
        for child in family.status()["children"]:
            print(f"          {child['name']}: {memory(child['pid'])}")


def flood() -> None:
    with tree() as family:
        supervisor = family.start("historical=steady", "coinbase=printing")
        pid = family.ready("coinbase", within=PATIENCE)
        time.sleep(2)
        used, of_child, size, began = cpu(supervisor.pid), cpu(pid), family.log.stat().st_size, time.monotonic()
        time.sleep(10)
        passed = time.monotonic() - began
        print(
            f"flood     supervisor: CPU {(cpu(supervisor.pid) - used) / passed:.1%}, child: CPU"
            f" {(cpu(pid) - of_child) / passed:.0%}; log: {(family.log.stat().st_size - size) / passed:.0f} bytes/s"
        )


def alarms() -> None:
    seconds = float(os.environ.get("SECONDS", "180"))
    with tree() as family:
        demo(family, "--dashboard", "--port", "0")
        cores = os.cpu_count() or 1
        burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * cores)]
        try:
            time.sleep(seconds)
            needless = {child["name"]: child["restarts"] for child in family.status()["children"] if child["restarts"]}
        finally:
            for burner in burners:
                burner.kill()
                burner.wait()
        print(
            f"alarms    {seconds:g} s with {2 * cores} busy processes on {cores} cores: restarts {needless or 'none'}"
        )


PARTS = {"restart": restart, "orphans": orphans, "cost": cost, "flood": flood, "alarms": alarms}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
