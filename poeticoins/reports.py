"""What the supervisor reports of itself, typed: the same names as in `status --json`, whose contract this is."""

from typing import Any, Literal

import msgspec

from poeticoins.errors import PoeticoinsError
from poeticoins.model import Mode

ChildState = Literal["starting", "ready", "degraded", "backoff", "stopping", "stopped"]


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """
    One end of one process. at: when it was noticed, ISO 8601; how: why and how, such as "SIGKILL" or "hung: no
    heartbeat for 5 s; SIGABRT"; ran_for: seconds, 0 if it could not be made; words: the last_words of that time.
    """

    at: str
    how: str
    ran_for: float
    words: list[str] = []


class ChildStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    One process. uptime and next_try_in in seconds; last_exit in words such as "SIGKILL" or "exit 1"; exits: the last
    five, oldest first; cpu: its share of one core over the last 10 s, rss: bytes of memory in use, each None if it does
    not run or has not said yet; last_words: the last lines that it wrote before a bad exit, or the first of its stacks
    if it hung or crashed.
    """

    name: str
    state: ChildState
    pid: int | None
    restarts: int
    uptime: float
    last_exit: str | None
    next_try_in: float | None = None
    cpu: float | None = None
    rss: int | None = None
    last_words: list[str] = []
    exits: list[Exit] = []


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """
    From trade to receipt in ms, by the exchange's clock and by ours: the middle and the 99th percentile of the live
    `trades` of the last `window` seconds. Less than nothing: the exchange's clock is ahead of ours, or ours behind.
    """

    p50: int
    p99: int
    trades: int
    window: int


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Why the last connection was lost, and when the exchange was last heard on it (ISO 8601; None: never)."""

    why: str
    heard_at: str | None


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    One exchange. state: "starting", "connecting", "live", "degraded" (some products are not confirmed), "reconnecting"
    or "restarting". trades and gaps count over restarts, bad_frames and reconnects since the client's last start. rate:
    live trades a second over the last 10 s; delay: of those of the last minute, never of late, backfilled or replayed
    ones; both None while no client is ready.
    """

    exchange: str
    state: str
    trades: int
    last_trade_at: str | None
    bad_frames: int
    reconnects: int
    gaps: int
    refills: int = 0
    host: str | None = None
    problem: str | None = None
    next_try_in: float | None = None
    products: list[str] = []
    rate: float | None = None
    delay: Delay | None = None
    last_loss: Loss | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """
    The whole tree. pid, uptime, cpu and rss are the supervisor's own, as those of a ChildStatus. url: the dashboard's
    address, None if it is not supervised or not up yet.
    """

    mode: Mode
    pid: int
    run_dir: str
    started_at: str
    uptime: float
    wire: int
    children: list[ChildStatus]
    feeds: list[FeedStatus]
    url: str | None = None
    cpu: float | None = None
    rss: int | None = None


def status_of(answer: dict[str, Any]) -> Status:
    """The supervisor's answer, typed. Raises PoeticoinsError if it is none, as one of another version may give."""
    try:
        return msgspec.convert(answer, Status)
    except msgspec.ValidationError as error:
        raise PoeticoinsError(f"the supervisor's status is not understood ({error}): restart the supervisor") from None
