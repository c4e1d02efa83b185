"""
The merge rule: how a reader of one product's stream gets every message once and in order, whatever gets lost.

Pure: the reader is told what came (live messages, heartbeats, answers to its questions) and is asked two things: what
to deliver, and which range is wanted. A late joiner is the same rule: it wants the past from its first message on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
HELD = 4096  # messages held while a range before them is fetched; more are dropped here and fetched later


class Wanted(NamedTuple):
    """The sequences `first` to `last` of `epoch`, both included: to be asked for."""

    epoch: int
    first: int
    last: int


class Lost(NamedTuple):
    """The sequences `first` to `last` of `epoch` are gone for good: the sender no longer has them."""

    epoch: int
    first: int
    last: int


class Merge(Generic[T]):
    """
    The state of one reader of one product.

    `history`: how many messages before the present a joiner wants. With `epoch` and `following` the reader resumes
    behind sequence `following`, which it has delivered already.
    """

    def __init__(self, *, history: int = 0, epoch: int | None = None, following: int | None = None) -> None:
        self.epoch = epoch
        self.next = 1 if following is None else following + 1
        self._history = history
        self._joining = following is None
        self._newest = self.next - 1  # the highest sequence known to exist
        self._held: dict[int, T] = {}
        self._left: set[int] = set()
        self._parting: list[T | Lost] = []  # the rest of an epoch that was left, to be delivered first

    def message(self, epoch: int, sequence: int, item: T) -> Sequence[T | Lost]:
        """A live message came; returns what to deliver now, in order."""
        if not self._hear(epoch, sequence - 1):
            return ()
        self._newest = max(self._newest, sequence)
        if sequence == self.next and not self._held and not self._parting:  # nearly always
            self.next += 1
            self._joining = False
            return (item,)
        if sequence >= self.next and len(self._held) < HELD:
            self._held[sequence] = item
        return self._released()

    def heartbeat(self, epoch: int, last: int) -> None:
        """The publisher says which sequence was its last, so that a lost tail is seen too."""
        if self._hear(epoch, last):
            self._newest = max(self._newest, last)

    def answer(self, epoch: int, first: int, last: int, items: Sequence[tuple[int, T]]) -> Sequence[T | Lost]:
        """
        The sequences `first` to `last`, as (sequence, item): what is not among them does not exist.

        Missing at the front is gone: for a joiner that is where history begins, for a follower it is Lost. Missing at
        the end is not there yet: it stays wanted. With last = first - 1 all before `first` is gone and nothing is there
        yet. An answer about another epoch says nothing.
        """
        if epoch != self.epoch or last < self.next:
            return ()
        out, self._parting = self._parting, []
        if first > self.next:
            if not self._joining:
                out.append(Lost(epoch, self.next, first - 1))
            self.next = first
        out += [item for sequence, item in items if self.next <= sequence <= last]
        self.next = max(self.next, last + 1)
        self._joining = False
        self._newest = max(self._newest, last)
        self._held = {sequence: item for sequence, item in self._held.items() if sequence >= self.next}
        return out + list(self._released())

    @property
    def wanted(self) -> Wanted | None:
        """What has to be asked for, None if nothing is known to be missing."""
        if self.epoch is None or self._newest < self.next or self.next in self._held:
            return None
        return Wanted(self.epoch, self.next, min(self._held, default=self._newest + 1) - 1)

    @property
    def following(self) -> bool:
        """Whether anything has been delivered: from then on, what is gone is lost and not just before our time."""
        return not self._joining

    def _hear(self, epoch: int, before: int) -> bool:
        """
        Epochs are compared for equality only: another one is a new journal, which is wanted from its beginning.

        What is known to be missing of the one before is lost with its journal. False for one that has been left
        already: a message of it was still under way.
        """
        if epoch == self.epoch:
            return True
        if epoch in self._left:
            return False
        if self.epoch is not None:
            self._left.add(self.epoch)
            self._parting += self._rest(self.epoch)
            self._joining = self._joining and not self._parting
        self.next = 1 if self.epoch is not None else max(1, before + 1 - self._history)
        self.epoch, self._newest, self._held = epoch, before, {}
        return True

    def _rest(self, epoch: int) -> list[T | Lost]:
        """What is held, with what is missing between and after it; for a follower, before it too."""
        out: list[T | Lost] = []
        following = self.next if self.following else min(self._held, default=self._newest + 1)
        for sequence in (*sorted(self._held), self._newest + 1):
            if sequence > following:
                out.append(Lost(epoch, following, sequence - 1))
            if sequence in self._held:
                out.append(self._held[sequence])
            following = max(following, sequence + 1)
        return out

    def _released(self) -> Sequence[T | Lost]:
        out, self._parting = self._parting, []
        while self.next in self._held:
            out.append(self._held.pop(self.next))
            self.next += 1
            self._joining = False
        return out


def follows(known: tuple[int, int], first: tuple[int, int]) -> bool:
    """
    Whether a new journal's first trade leaves no hole after the newest that is known; both as (traded_at_ns, trade_id).

    A journal that begins with what is known, or before it, repeats or names all that was traded since.
    """
    return first[1] <= known[1] + 1 or first[0] < known[0]


class IdWindow:
    """The newest `size` trade ids of a product, to drop a trade that a new epoch publishes again."""

    def __init__(self, size: int) -> None:
        self._order: deque[int] = deque(maxlen=size)
        self._ids: set[int] = set()
        self._up_to = 0
        self._recall: Callable[[], Iterable[int]] | None = None

    def add(self, trade_id: int) -> bool:
        """True if `trade_id` is new to the window. Never judged by being smaller: ids may begin anew."""
        if trade_id in self:
            return False
        if len(self._order) == self._order.maxlen:
            self._ids.discard(self._order[0])
        self._order.append(trade_id)
        self._ids.add(trade_id)
        return True

    def recall_later(self, up_to: int, recall: Callable[[], Iterable[int]]) -> None:
        """
        Further ids that belong to the window, in the order of their adding, before or among those that it has by then:
        `recall()` is asked for them once an id comes that may be one of them, which is none above `up_to`.

        A client that starts anew need not learn 50,000 ids to know that the next one is new.
        """
        self._up_to, self._recall = up_to, recall

    def __contains__(self, trade_id: int) -> bool:
        if self._recall and trade_id <= self._up_to and trade_id not in self._ids:
            recall, self._recall, known = self._recall, None, list(self._order)
            self._order.clear()
            self._ids.clear()
            for further in (*recall(), *known):
                self.add(further)
        return trade_id in self._ids

    @property
    def newest(self) -> int | None:
        """The id that was added last, None if none was."""
        return self._order[-1] if self._order else None
