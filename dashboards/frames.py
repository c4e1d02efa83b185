"""
What trades have changed, cut into frames: a page gets one at once if it got none for a while, else when its turn comes.

Pages that show the same get the same frame. A trade of what nobody on a page shows costs that page nothing, not its
turn either.
"""

import asyncio
from collections.abc import Iterable, Sequence

from dashboards import terse
from dashboards.audience import Audience, Shown
from dashboards.clock import now_ms
from dashboards.delivery import Viewer
from dashboards.pace import Pace
from dashboards.prices import Prices
from poeticoins import Trade

FRAME_S = 0.1
"""Seconds between two frames of a page, at least."""
BEATS = 2
"""Moments in that time at which frames may be cut, at most: pages whose turns are near share what is made for both."""
EARLY_S = 0.001
"""So much too early is a turn taken for come, since timers are not exact."""


class Frame:
    """Of one moment: each product's card is made once, and each run of trades, for all who are told of it then."""

    def __init__(self, prices: Prices) -> None:
        self._prices, self._now_ms = prices, now_ms()
        self._cards: dict[str, str] = {}
        self._tapes: dict[tuple[str, int], str] = {}

    def text(self, keys: Iterable[str], focus: str | None, trades: Sequence[Trade]) -> str:
        """A terse frame: the cards of `keys`, and `trades`, which are all that `focus` had until now since some one."""
        return terse.frame(self._now_ms, map(self._card, keys), self._tape(focus, trades) if focus and trades else "")

    def _card(self, key: str) -> str:
        if key not in self._cards:
            self._cards[key] = self._prices.card(key, self._now_ms)
        return self._cards[key]

    def _tape(self, key: str, trades: Sequence[Trade]) -> str:
        run = key, len(trades)  # which says all: every run ends now
        if run not in self._tapes:
            self._tapes[run] = self._prices.tape(key, trades, self._now_ms)
        return self._tapes[run]


class Turn:
    """Of the pages that show the same: since when they may get a frame, and what they have not been told yet."""

    def __init__(self, shown: Shown, keys: Sequence[str]) -> None:
        self.shown, self.keys, self.focus = shown, keys, shown[1]
        self.viewers: list[Viewer] = []
        self.comes = 0.0
        self.fresh: set[str] = set()
        self.trades: list[Trade] = []

    def take(self, key: str, trade: Trade) -> None:
        self.fresh.add(key)
        if key == self.focus:
            self.trades.append(trade)

    def told(self, frame: Frame) -> str:
        """What they have not been told yet."""
        return frame.text([key for key in self.keys if key in self.fresh], self.focus, self.trades)

    def begin(self, comes: float) -> None:
        """They have been told all, and get nothing more until then."""
        self.comes, self.fresh, self.trades = comes, set(), []


class Frames:
    """`run()` until cancelled; `take()` every trade. On the server's loop only."""

    def __init__(self, prices: Prices, audience: Audience, frame_s: float = FRAME_S) -> None:
        self._prices, self._audience, self._frame_s = prices, audience, frame_s
        self._pace = Pace(frame_s / BEATS, self._cut)
        self._groups: dict[Shown, list[Viewer]] = {}
        self._turns: dict[Shown, Turn] = {}
        self._of: dict[str, list[Turn]] = {}
        self._next: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Ends with a bug alone."""
        await self._pace.run()

    def clear(self) -> None:
        """Other products are followed, or another market's: nothing of these is told any more."""
        self._groups, self._turns = {}, {}

    def take(self, key: str, trade: Trade) -> None:
        """A trade of the product `key`, which its quote has taken already."""
        if self._audience.groups() is not self._groups:
            self._regroup()
        for turn in self._of.get(key, ()):
            if not turn.fresh:  # else it is waited for already
                self._pace.due()
            turn.take(key, trade)

    def _cut(self) -> None:
        if self._audience.groups() is not self._groups:
            self._regroup()
        loop = asyncio.get_running_loop()
        frame, now, waiting = Frame(self._prices), loop.time(), list[float]()
        for turn in self._turns.values():
            if turn.fresh and now < turn.comes - EARLY_S:
                waiting.append(turn.comes)
            elif turn.fresh:
                self._audience.tell(turn.told(frame), turn.viewers)
                turn.begin(now + self._frame_s)
        if self._next:
            self._next.cancel()
        self._next = loop.call_at(min(waiting), self._pace.due) if waiting else None

    def _regroup(self) -> None:
        """Who shows what has changed."""
        groups = self._audience.groups()
        for turn in self._turns.values():
            self._tell_who_left(turn)
        self._groups, before = groups, self._turns
        self._turns, self._of = {}, {}
        for shown, viewers in groups.items():
            turn = self._turns[shown] = before.get(shown) or Turn(shown, self._prices.keys(shown[0]))
            turn.viewers = viewers
            for key in dict.fromkeys((*turn.keys, *([turn.focus] if turn.focus else []))):
                self._of.setdefault(key, []).append(turn)

    def _tell_who_left(self, turn: Turn) -> None:
        """Who shows something else now, and may share some of it, would not be told what it has missed here."""
        left = [viewer for viewer in turn.viewers if self._audience.shown(viewer) not in (None, turn.shown)]
        if turn.fresh and left:
            self._audience.tell(turn.told(Frame(self._prices)), left)
