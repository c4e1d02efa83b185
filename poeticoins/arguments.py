"""The command line: its options and sub-commands, and the settings that they make."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from poeticoins import config
from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError

_ABOUT = (
    "Follows the trades of several cryptocurrency exchanges, live. Without a sub-command: runs until Ctrl-C, or `stop`."
)
_SIGNALS = (
    "SIGHUP, so also a terminal that is closed, ends nothing: the settings are read anew, and those processes are"
    " restarted whose settings changed; options of the command line keep winning."
)


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, as argparse names them. Ends the program with status 2 on wrong usage, 0 on --help."""
    parser = argparse.ArgumentParser("poeticoins", description=_ABOUT, epilog=_SIGNALS, allow_abbrev=False)
    _everywhere(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--demo", action="store_true", help="a made-up market from the embedded exchange; no network")
    source.add_argument(
        "--replay", nargs="+", action="extend", type=Path, metavar="PATH", help="frames that were captured earlier"
    )
    parser.add_argument("--speed", type=_speed, metavar="N", help="of a replay: 1 as recorded, 0 as fast as it goes")
    parser.add_argument("--exchanges", type=_names, metavar="A,B", help="the exchanges to follow; else all")
    parser.add_argument("--dashboard", action="store_true", help="run the page's server too, and print its address")
    parser.add_argument("--host", help="the address that it listens on (127.0.0.1)")
    parser.add_argument("--port", type=_port, help="its port (8050); 0: any free one")
    parser.add_argument(
        "--allow-origin", action="append", metavar="HOST:PORT", help="a further name under which browsers may open it"
    )
    # a demo() of a script ends with its script, however that ends
    parser.add_argument("--while-stdin", action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="status | restart | stop")
    status = commands.add_parser("status", help="how it is doing")
    status.add_argument("--json", action="store_true", help="for programs")
    restart = commands.add_parser("restart", help="end one child and start it again")
    restart.add_argument("name", help="such as coinbase or historical")
    for command in (status, restart, commands.add_parser("stop", help="end a running supervisor")):
        _everywhere(command)
    return parser.parse_args(argv)


def _everywhere(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS: a sub-command's default would overwrite what was given before it
    for option, kind in (("--config", "FILE"), ("--run-dir", "DIR")):
        parser.add_argument(option, type=Path, metavar=kind, default=argparse.SUPPRESS)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings: defaults, file, environment, then `arguments`. Raises ConfigurationError."""
    given = vars(arguments)
    settings = config.load(given.get("config"))
    changes: dict[str, Any] = {
        key: given[key] for key in ("run_dir", "speed", "exchanges", "host", "port") if given.get(key) is not None
    }
    if given.get("allow_origin"):
        changes["allow_origin"] = (*settings.allow_origin, *given["allow_origin"])
    if given["replay"]:
        changes |= {"mode": "replay", "replay": tuple(_readable(path) for path in given["replay"])}
    elif given["demo"]:
        changes["mode"] = "demo"
    return config.checked(replace(settings, dashboard=given["dashboard"], **changes))


def _readable(path: Path) -> Path:
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe, say, can be read but once
        raise ConfigurationError(f"--replay {path}: expected a file, or a directory of them")
    try:
        with path.open("rb"):
            return path.absolute()
    except IsADirectoryError:
        return path.absolute()
    except OSError as error:
        raise ConfigurationError(f"--replay {path}: cannot be read: {error.strerror}") from None


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise argparse.ArgumentTypeError(f"expected names such as coinbase,bitstamp, got {text!r}")
    return names


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= 1e6:
        raise argparse.ArgumentTypeError(f"expected a factor from 0 to 1e6, got {text!r}")
    return speed


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)
