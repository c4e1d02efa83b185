"""
The program `poeticoins`, and the same one `python supervisor.py`: runs the tree, or speaks to one that runs.

Exit status: 0 stopped as asked; 2 wrong usage; 69 no supervisor runs, or none that answers; 75 already running; 78
wrong configuration; 130 Ctrl-C before there was anything to stop.
"""

import argparse
import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from poeticoins import config, control, log
from poeticoins.arguments import parsed, settings_of
from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError, FeedUnavailable, PoeticoinsError, RequestTimeout
from poeticoins.exchanges import followed
from poeticoins.reloading import taken_over
from poeticoins.status_table import problem_of, shown
from poeticoins.supervision import Supervisor
from poeticoins.tree import ChildSpec, children

STOP_PATIENCE = 10.0
"""Seconds that `stop` waits for the end."""
UNREACHABLE_AFTER = 5.0
"""Seconds without any live feed after which it is said why, and what works without a network."""
_EXITS: dict[type[PoeticoinsError], int] = {
    ConfigurationError: 78, control.AlreadyRunning: 75, FeedUnavailable: 69, RequestTimeout: 69,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program; returns its exit status, but for wrong usage and --help, which argparse ends itself."""
    arguments = parsed(argv)
    try:
        settings = settings_of(arguments)
        match arguments.command:
            case "status":
                return _status(settings, as_json=arguments.json)
            case "restart":
                return _restart(settings, arguments.name)
            case "stop":
                return _stop(settings)
        return _run(arguments, settings)
    except PoeticoinsError as error:
        print(f"poeticoins: {log.escaped(error, 1000)}", file=sys.stderr)
        return _EXITS.get(type(error), 1)
    except KeyboardInterrupt:
        return 130


def _status(settings: Settings, *, as_json: bool) -> int:
    answer = control.ask(settings, {"verb": "status"})
    if as_json:
        _tell(msgspec.json.encode(answer).decode())
    else:
        from rich.console import Console

        Console().print(*shown(answer, datetime.now(UTC)), sep="\n", highlight=False)
    return 0


def _restart(settings: Settings, name: str) -> int:
    answer = control.ask(settings, {"verb": "restart", "name": name})
    if "error" in answer:
        print(f"poeticoins: {log.escaped(answer['error'], 1000)}", file=sys.stderr)
        return 2
    _tell(f"{name} is being restarted.")
    return 0


def _stop(settings: Settings) -> int:
    pid = control.ask(settings, {"verb": "stop"})["stopping"]
    end = time.monotonic() + STOP_PATIENCE
    while control.holder(settings.run_dir) in (pid, 0):
        if time.monotonic() > end:
            raise RequestTimeout(f"the supervisor (process {pid}) has not stopped within {STOP_PATIENCE:g} s")
        time.sleep(0.02)
    _tell("Stopped.")
    return 0


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the supervisor hears it, which is to read the settings anew
    followed(settings)  # an exchange that is not known is told before anything is made
    control.prepare(settings.run_dir)
    with control.locked(settings.run_dir), contextlib.ExitStack() as stack:
        log.set_up("supervisor")
        listener = None
        if settings.mode == "replay":
            settings = _with_replay(settings)
        if settings.mode != "live":
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            settings = replace(settings, embedded_url=f"ws://127.0.0.1:{listener.getsockname()[1]}")

        def reread(now: Settings) -> tuple[Settings, list[ChildSpec]]:
            new = taken_over(now, settings_of(arguments))
            return new, children(new, listener)

        supervisor = Supervisor(settings, children(settings, listener), reread)
        asyncio.run(_supervise(supervisor, while_stdin=arguments.while_stdin))
    return 0


def _with_replay(settings: Settings) -> Settings:
    """The settings with the products that the recordings hold, and an empty place for what comes of them."""
    from poeticoins.recording import products_in, read_frames

    remains = settings.run_dir / "replay"
    if remains.is_symlink():
        remains.unlink()  # what it leads to is not ours
    elif remains.exists():
        shutil.rmtree(remains)
    skipped: dict[str, int] = {}
    frames = read_frames(settings.replay, skipped)
    found = products_in(frames)
    for host, lines in skipped.items():
        _tell(f"Left out: {lines} lines of {log.escaped(host)}, which is no exchange that is known")
    wanted = settings.exchanges or tuple(found)
    products = {name: tuple(found[name]) for name in wanted if found.get(name)}
    if not products:
        raise ConfigurationError(
            f"--replay: expected frames of {', '.join(wanted) or 'a known exchange'},"
            f" found none in {', '.join(map(str, settings.replay))}"
        )
    # every trade has room, or a client that is restarted would not know those again that it hears again
    room = {name: max(getattr(settings, name), len(frames) + 64) for name in ("journal_capacity", "ring_capacity")}
    return replace(settings, replay_products=products, **room)


async def _supervise(supervisor: Supervisor, *, while_stdin: bool) -> None:
    settings = supervisor.settings
    if while_stdin:
        asyncio.get_running_loop().add_reader(0, _stop_at_eof, supervisor)
    _announce(f"Poeticoins ({settings.mode}) follows {', '.join(followed(settings))}, in {settings.run_dir}")
    words = [asyncio.create_task(_tell_next_step(supervisor))]
    if settings.mode == "live":
        words.append(asyncio.create_task(_tell_if_unreachable(supervisor)))
    try:
        await supervisor.run()
    finally:
        for task in words:
            task.cancel()


def _stop_at_eof(supervisor: Supervisor) -> None:
    if not os.read(0, 4096):
        asyncio.get_running_loop().remove_reader(0)
        supervisor.stop()


async def _tell_next_step(supervisor: Supervisor) -> None:
    settings = supervisor.settings
    if settings.dashboard:
        await supervisor.places["dashboard"].was_ready.wait()
        _announce(f"The page: {log.escaped(supervisor.status()['url'])}")
        return
    for place in supervisor.places.values():
        await place.was_ready.wait()
    where = "" if _is_default(settings.run_dir) else f"POETICOINS_RUN_DIR={shlex.quote(str(settings.run_dir))} "
    _announce(f"Ready. The page, in another terminal: {where}panel serve dashboards/app.py")


def _is_default(run_dir: Path) -> bool:
    """Whether a program that is told nothing finds this run directory."""
    try:
        return config.load().run_dir == run_dir
    except ConfigurationError:
        return False


async def _tell_if_unreachable(supervisor: Supervisor) -> None:
    await asyncio.sleep(UNREACHABLE_AFTER)
    feeds = supervisor.status()["feeds"]
    if not any(feed["state"] == "live" for feed in feeds):
        for feed in feeds:
            _announce(problem_of(feed))
        _announce("No exchange can be reached; it goes on trying. Without a network, try: python supervisor.py --demo")


def _announce(text: str) -> None:
    """Tells what a running supervisor has to say: unlike `_tell`, it waits for nobody, such as a paused terminal."""
    with contextlib.suppress(OSError, ValueError):
        log.write(text, sys.stdout)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever read it has gone: no reason to end what they started
        print(text, flush=True)
