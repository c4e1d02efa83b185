"""Processes that have imported already what a server of the page begins with: it takes seconds, and is done once."""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["panel.io.application", "dashboards.server", "dashboards.page"])
START_S = 60


def forked(target: Callable[..., None], *arguments: Any, **environment: str) -> tuple[BaseProcess, str]:
    """
    A process that runs `target(ready, *arguments)`, and what it told `ready`. It ends with this one at the latest.

    target: a function of a module. environment: what is added to ours.
    """
    ours, theirs = FORKS.Pipe()
    process = FORKS.Process(target=_begin, args=(target, theirs, environment, arguments), daemon=True)
    process.start()
    theirs.close()
    assert ours.poll(START_S), f"nothing was said within {START_S} s"
    return process, ours.recv()


def _begin(target: Callable[..., None], pipe: Connection, environment: dict[str, str], arguments: Any) -> None:
    os.environ.update(environment)
    Thread(target=_end_with_parent, daemon=True).start()
    target(pipe.send, *arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent
    wait([parent.sentinel])
    os._exit(0)
