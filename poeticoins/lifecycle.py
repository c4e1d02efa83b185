"""
A child's life as the supervisor sees it: a pure function from what happened to its new state and what to do.

Times are seconds of a monotonic clock. The shell around it (supervision.py) owns processes, pipes and the clock.
"""

import signal
from dataclasses import dataclass, replace
from typing import Literal

from poeticoins.config import Settings
from poeticoins.restarts import RestartPolicy, on_exit

State = Literal["starting", "ready", "degraded", "backoff", "stopping", "stopped"]
ABORT_GRACE = 1.0
"""Seconds from SIGABRT, in which a hung child writes down its stacks, to SIGKILL."""
OVER_BEATS = 3
"""Heartbeats in a row above `rss_limit` that end a child: one is a peak, and may be over with the next."""
MB = 1_000_000


@dataclass(frozen=True)
class Life:
    """What is known of one child."""

    state: State = "stopped"
    running: bool = False
    started_at: float = 0.0
    starts: int = 0
    ready_at: float | None = None
    beat_at: float | None = None
    """When it last showed life; None before its first heartbeat."""
    exits: int = 0
    """Consecutive exits, as the restart policy counts them."""
    last_exit: str | None = None
    next_try: float | None = None
    kill_at: float | None = None
    """When patience with a child that is to end is over."""
    final: bool = False
    """Whether it is to stay down once it has ended."""
    asked: bool = False
    """Whether somebody asked for its restart, so that its end is no failure."""
    rss: int = 0
    """Bytes of memory in use, as its last heartbeat said; 0: not known."""
    over: int = 0
    """Heartbeats in a row in which that was above the limit."""
    ended_for: str | None = None
    """Why the supervisor ends it, in words; None if it ended by itself, or with all others."""


@dataclass(frozen=True)
class Started:
    """A process has been made for it."""


@dataclass(frozen=True)
class Beat:
    """A heartbeat arrived. rss: the child's memory in bytes; 0: not known."""

    ready: bool
    rss: int = 0


@dataclass(frozen=True)
class Exited:
    """It ended, or could not be made. how: "exit 1", "SIGKILL" …; random: 0 to 1, for the restart's jitter."""

    how: str
    random: float


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class Overslept:
    """The supervisor itself did not run for `gap` seconds, so it missed heartbeats that nobody failed to send."""

    gap: float


@dataclass(frozen=True)
class StopWanted:
    """It is to end for good, by SIGKILL at `kill_at` if it must be."""

    kill_at: float


@dataclass(frozen=True)
class RestartWanted:
    """Somebody asks for a new process in its place."""


Event = Started | Beat | Exited | Tick | Overslept | StopWanted | RestartWanted


@dataclass(frozen=True)
class Start:
    """Make a process for it, now."""


@dataclass(frozen=True)
class Send:
    """Send it a signal."""

    signal: signal.Signals


Action = Start | Send | None
TERM, ABORT, KILL = Send(signal.SIGTERM), Send(signal.SIGABRT), Send(signal.SIGKILL)


def step(life: Life, event: Event, now: float, settings: Settings) -> tuple[Life, Action]:
    """The child's life after `event`, and what is to be done."""
    match event:
        case Started():
            return _started(life, now, settings), None
        case Beat(ready, rss):
            return _weighed(_beaten(life, ready, now), rss, now, settings)
        case Exited(how, random):
            how = f"{life.ended_for}; {how}" if life.ended_for else how
            return _exited(replace(life, running=False, kill_at=None, last_exit=how, rss=0), random, now, settings)
        case Tick():
            return _ticked(life, now, settings)
        case Overslept(gap):
            return _overslept(life, gap, now), None
        case StopWanted(kill_at):
            return _stopping(replace(life, final=True), kill_at)
        case RestartWanted():
            if life.final or life.asked:
                return life, None
            if not life.running:
                return _to_start(replace(life, exits=0))
            return _stopping(replace(life, asked=True, ended_for="asked for"), now + settings.stop_timeout)


def deadline(life: Life, settings: Settings) -> float | None:
    """When a Tick will next make a difference to it; None: never, as things are."""
    if not life.running:
        return life.next_try
    if life.kill_at is not None:
        return life.kill_at
    if life.beat_at is None:
        return life.started_at + settings.start_timeout
    return life.beat_at + settings.hang_after


def policy(settings: Settings) -> RestartPolicy:
    """The restart policy that the settings ask for."""
    return RestartPolicy(first_delay=settings.restart_delay, stable_after=settings.stable_after)


def _started(life: Life, now: float, settings: Settings) -> Life:
    state: State = "degraded" if life.exits >= policy(settings).degraded_after else "starting"
    return replace(
        life, state=state, running=True, started_at=now, starts=life.starts + 1, ready_at=None, beat_at=None,
        next_try=None, kill_at=None, asked=False, rss=0, over=0, ended_for=None,
    )  # fmt: skip


def _beaten(life: Life, ready: bool, now: float) -> Life:
    if not ready or life.state in ("ready", "stopping", "stopped"):
        return replace(life, beat_at=now)
    return replace(life, beat_at=now, state="ready", ready_at=now)


def _weighed(life: Life, rss: int, now: float, settings: Settings) -> tuple[Life, Action]:
    """Its memory, and its graceful end if that is too much; what follows is an exit like any other, with backoff."""
    limit = settings.rss_limit * MB
    life = replace(life, rss=rss, over=life.over + 1 if limit and rss > limit else 0)
    if life.over < OVER_BEATS or life.state == "stopping":
        return life, None
    why = f"above rss_limit: {rss // MB} MB in use, {settings.rss_limit} MB allowed"
    return _stopping(replace(life, ended_for=why), now + settings.stop_timeout)


def _exited(life: Life, random: float, now: float, settings: Settings) -> tuple[Life, Action]:
    if life.final:
        return replace(life, state="stopped"), None
    if life.asked:
        return _to_start(replace(life, exits=0))
    ready_for = now - life.ready_at if life.ready_at is not None else 0.0
    exits, restart = on_exit(life.exits, ready_for, policy(settings), random)
    life = replace(life, exits=exits, ready_at=None)
    if restart.delay == 0:
        return _to_start(life)
    return replace(life, state="degraded" if restart.degraded else "backoff", next_try=now + restart.delay), None


def _to_start(life: Life) -> tuple[Life, Action]:
    return replace(life, state="starting", next_try=None, asked=False), Start()


def _ticked(life: Life, now: float, settings: Settings) -> tuple[Life, Action]:
    due = deadline(life, settings)
    if due is None or now < due:
        return life, None
    if not life.running:
        return replace(life, next_try=None), Start()
    if life.kill_at is None:
        return replace(life, state="stopping", kill_at=now + ABORT_GRACE, ended_for=_silence(life, settings)), ABORT
    return replace(life, kill_at=now + ABORT_GRACE), KILL


def _silence(life: Life, settings: Settings) -> str:
    if life.beat_at is None:
        return f"hung: not up within {settings.start_timeout:g} s"
    return f"hung: no heartbeat for {settings.hang_after:g} s"


def _overslept(life: Life, gap: float, now: float) -> Life:
    if life.beat_at is None:
        return replace(life, started_at=min(now, life.started_at + gap))  # it may have been started after the gap began
    return replace(life, beat_at=now)


def _stopping(life: Life, kill_at: float) -> tuple[Life, Action]:
    if not life.running:
        return replace(life, state="stopped", next_try=None), None
    return replace(life, state="stopping", kill_at=kill_at), TERM
