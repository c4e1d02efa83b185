"""
Starts Poeticoins: `python supervisor.py --demo`, or `--help` for the rest.

A shim over poeticoins.command, for a checkout in which nothing may be installed yet: it says what is missing. Must stay
importable by an old Python and without any dependency.
"""

import importlib.util
import shlex
import sys
from pathlib import Path

DEPENDENCIES = {
    "panel": "panel",
    "bokeh": "bokeh",
    "websockets": "websockets",
    "zmq": "pyzmq",
    "pandas": "pandas",
    "msgspec": "msgspec",
    "aiohttp": "aiohttp",
    "rich": "rich",
}
"""By the name that is imported: the name that is installed."""


def missing() -> "list[str]":
    """The packages that are not installed."""
    return [package for module, package in DEPENDENCIES.items() if importlib.util.find_spec(module) is None]


def install_command() -> str:
    """What to type: into the venv that runs this, else into a new one beside this file."""
    here = shlex.quote(str(Path(__file__).resolve().parent))
    if sys.prefix != sys.base_prefix:
        return shlex.quote(sys.executable) + " -m pip install -e " + here
    return "cd " + here + " && python3 -m venv .venv && .venv/bin/pip install -e ."


def main() -> int:
    """Runs the program, or says in one line why it cannot."""
    if sys.version_info < (3, 11):  # noqa: UP036  # nothing has checked it yet where nothing is installed
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit("poeticoins: expected Python 3.11 or newer, this is " + found)
    packages = missing()
    if packages:
        sys.exit("poeticoins: not installed: " + ", ".join(packages) + "; to install: " + install_command())
    from poeticoins.command import main as run

    return run()


if __name__ == "__main__":  # the children's processes import this file too
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C before there is anything to stop: no traceback
    sys.exit(main())
