"""
A supervisor over the real children of the demo, on an exchange that somebody else runs.

    python tests/faults/line.py URL [NAME=MODULE:FUNCTION …]      # settings from the environment; more children at will
"""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from poeticoins import config, control, log
from poeticoins.supervision import Supervisor
from poeticoins.tree import ChildSpec, children


def main(url: str, *more: str) -> None:
    settings = replace(config.load(Path(os.environ["SETTINGS_FILE"])), mode="demo", embedded_url=url)
    control.prepare(settings.run_dir)
    log.set_up("supervisor")
    specs = [spec for spec in children(settings) if spec.name != "simulator"]
    specs += [ChildSpec(*text.split("=")) for text in more]
    with control.locked(settings.run_dir):
        asyncio.run(Supervisor(settings, specs).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
