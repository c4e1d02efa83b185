"""The one feed that all sessions of this process share, and who starts it."""

import asyncio
import logging
import threading

import poeticoins
from dashboards.feed import Feed

log = logging.getLogger("poeticoins.dashboard")

_lock = threading.Lock()
_shared: Feed | None = None
_task: asyncio.Task[None] | None = None


def share(feed: Feed | None) -> None:
    """`feed` is this process's from now on, and whoever calls runs it. None: the next session makes one."""
    global _shared, _task
    _shared, _task = feed, None


def feed(loop: asyncio.AbstractEventLoop) -> Feed:
    """This process's feed; the first to ask has it started on `loop`. May be called from any thread."""
    global _shared
    with _lock:  # two pages that are opened at once, each in a thread of Bokeh's, may not start two
        if _shared is None:
            _shared = Feed(poeticoins)
            loop.call_soon_threadsafe(_start, _shared)
        return _shared


def _start(feed: Feed) -> None:
    global _task
    _task = asyncio.get_running_loop().create_task(feed.run(), name="feed")
    _task.add_done_callback(_ended)


def _ended(task: asyncio.Task[None]) -> None:
    """A bug in the feed: nobody supervises a server that was started by hand, so the next session starts a new one."""
    if not task.cancelled() and (error := task.exception()):
        log.error("the feed has ended; reload the page to start it again", exc_info=error)
        share(None)
