"""
Small children for the tests of supervision, and (run as a program) a supervisor over a tree of them.

    python tests/supervision_targets.py NAME=FUNCTION…      # run directory and timers from the environment
"""

import asyncio
import logging
import os
import signal
import sys
import warnings
from pathlib import Path

from poeticoins import config, control, log
from poeticoins.child import Child
from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError
from poeticoins.reloading import taken_over
from poeticoins.supervision import Supervisor
from poeticoins.tree import ChildSpec


async def steady(settings: Settings, child: Child) -> None:
    """Ready at once; ends when it is told to, and notes the order."""
    child.facts = lambda: {"feed": {"exchange": child.name, "state": "live", "trades": 7}}
    child.ready()
    await child.stopping.wait()
    with (settings.run_dir / "order").open("a") as file:
        file.write(f"{child.name}\n")


async def slow(settings: Settings, child: Child) -> None:
    """Beats, but is ready only when a file says so."""
    while not (settings.run_dir / "go").exists() and not child.stopping.is_set():
        await asyncio.sleep(0.01)
    await steady(settings, child)


async def crashing(settings: Settings, child: Child) -> None:
    """Fails as soon as it runs, unless a file says that the fault is mended."""
    if not (settings.run_dir / "mended").exists():
        raise ZeroDivisionError("a bug")
    await steady(settings, child)


async def wrong(settings: Settings, child: Child) -> None:
    raise ConfigurationError("run_dir: expected something else")


async def stubborn(settings: Settings, child: Child) -> None:
    """Does not hear SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child.ready()
    await asyncio.Event().wait()


async def busy(settings: Settings, child: Child) -> None:
    """Computes all the time, and yet lets its loop turn."""
    child.ready()
    while not child.stopping.is_set():
        sum(range(10_000))
        await asyncio.sleep(0)


async def speaking(settings: Settings, child: Child) -> None:
    """Writes in every way there is, then fails."""
    print("from print")
    os.write(2, b"from C\n")
    os.system("echo from a process")
    warnings.warn("from a library", stacklevel=1)
    logging.getLogger("websockets").error("from its log")
    log.say(logging.getLogger("poeticoins.x"), "from ours", key="\n")
    print("\x1b[31mforeign", end="")
    raise ZeroDivisionError("a bug")


async def printing(settings: Settings, child: Child) -> None:
    """Prints without end, and notes how often its loop has turned."""
    child.ready()
    turns = 0
    while not child.stopping.is_set():
        for _ in range(1_000):
            print("again and again")
        turns += 1
        (settings.run_dir / "turns").write_text(str(turns))
        await asyncio.sleep(0)


async def shouting(settings: Settings, child: Child) -> None:
    """Prints without end, once a file says so, and never lets its loop turn again."""
    child.ready()
    while not child.stopping.is_set():
        if (settings.run_dir / "shout").exists():
            (settings.run_dir / "shout").unlink()
            while True:
                print("again and again")
        await asyncio.sleep(0.02)


async def talkative(settings: Settings, child: Child) -> None:
    """Has more to say than a heartbeat holds."""
    child.facts = lambda: {"words": "x" * 10_000}
    child.ready()
    await child.stopping.wait()


def specs(children: list[str]) -> list[ChildSpec]:
    return [
        ChildSpec(name, f"supervision_targets:{function}", follows=name if name == "coinbase" else None)
        for name, _, function in (child.partition("=") for child in children)
    ]


def reread(now: Settings) -> tuple[Settings, list[ChildSpec]]:
    """The settings of `settings.toml`, and the children of `children`, both in the run directory."""
    new = taken_over(now, config.load(now.run_dir / "settings.toml"))
    return new, specs((now.run_dir / "children").read_text().split())


def main() -> None:
    settings = config.load(Path(os.devnull))
    control.prepare(settings.run_dir)
    log.set_up("supervisor")
    with control.locked(settings.run_dir):
        asyncio.run(Supervisor(settings, specs(sys.argv[1:]), reread).run())


if __name__ == "__main__":
    main()
