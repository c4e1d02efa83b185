"""
The process that children are forked from: multiprocessing's fork server imports this module first.

What clients need is imported here once, so that a child is up in some 40 ms and shares this memory. Being imported
anywhere else has no effect: only the supervisor, which names itself in the environment for the moment, is obeyed.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import sys

MARK = "POETICOINS_NURSERY"
"""The environment variable by which the supervisor, the parent of the fork server, names its own pid."""
PRELOADED = ("ssl", "asyncio", "msgspec", "zmq", "websockets.asyncio.client", "aiohttp", "poeticoins.client")
"""No numpy, no pandas, no panel: a client does without them, and would keep their memory for ever."""
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """
    Has the kernel send SIGKILL to this process as soon as `parent` is dead, even if this process is stopped.

    Linux only; elsewhere the lifeline alone ends a child. Exits at once if `parent` is dead already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def open_nursery(supervisor: int) -> None:
    """Makes this process the parent of children: it dies with the supervisor, and no terminal's Ctrl-C reaches it."""
    die_with(supervisor)
    os.setsid()
    for name in PRELOADED:
        with contextlib.suppress(Exception):  # a child that needs it says what is wrong with it, by its own name
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or the first collection in every child would touch, and so copy, all that is shared


PID = 0
"""The nursery's pid, for the children that are forked from it; 0: this process has none."""

if os.environ.pop(MARK, "") == str(os.getppid()):
    PID = os.getpid()
    open_nursery(os.getppid())
