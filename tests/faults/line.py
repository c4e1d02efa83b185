"""
A supervisor over the children of the demo, each with a hook, on an exchange that somebody else runs.

    python tests/faults/line.py URL [NAME=MODULE:FUNCTION …]      # settings from the environment; more children at will
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from poeticoins import config, control, log
from poeticoins.config import Settings
from poeticoins.reloading import taken_over
from poeticoins.supervision import Supervisor
from poeticoins.tree import ChildSpec, children


def main(url: str, *more: str) -> None:
    settings = replace(_settings(), embedded_url=url)
    control.prepare(settings.run_dir)
    log.set_up("supervisor")

    def reread(now: Settings) -> tuple[Settings, Sequence[ChildSpec]]:
        new = taken_over(now, _settings())
        return new, _specs(new, more)

    with control.locked(settings.run_dir):
        asyncio.run(Supervisor(settings, _specs(settings, more), reread).run())


def _settings() -> Settings:
    return replace(config.load(Path(os.environ["SETTINGS_FILE"])), mode="demo")


def _specs(settings: Settings, more: Sequence[str]) -> list[ChildSpec]:
    hooked = [
        replace(spec, target=f"tests.faults.hooked:{'client' if spec.follows else 'historical'}")
        for spec in children(settings)
        if spec.name != "simulator"
    ]
    return hooked + [ChildSpec(*text.split("=")) for text in more]


if __name__ == "__main__":
    main(*sys.argv[1:])
