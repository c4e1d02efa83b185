"""
The processes of a world as their supervisor holds them: the real Keeper and the real rules of `lifecycle` and
`restarts` start, watch, end and replace simulated processes. And whether they do: what they promise, looked at from
outside.
"""

import signal
from collections.abc import Callable, Coroutine
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from poeticoins.lifecycle import ABORT_GRACE, RestartPolicy
from poeticoins.supervised import Heartbeat, Supervised
from poeticoins.tree import ChildSpec
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.world import World

POLICY = RestartPolicy(first_delay=0.1, longest_delay=1.5, stable_after=2.0)
LEISURE = 0.6
"""Seconds that the supervisor may take for what is due: a look each beat_interval, and a bit."""
_numbers = count(1)


class _Pipe:
    """What Keeper needs of one: a number."""

    def __init__(self) -> None:
        self._number = next(_numbers)

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        pass


class Place(Supervised):
    """One child's place in the tree. `main(child)` is what its processes run."""

    def __init__(self, world: "World", name: str, main: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        super().__init__(ChildSpec(name, ""))
        self._world, self._main = world, main
        self._beat: Heartbeat | None = None
        self._died_at = world.loop.now
        self._in_a_row = 0
        self._asked = False  # whether somebody asked for the end of this process
        self._stood_at: float | None = None  # since when it stands still, or stood last
        self._made()

    @property
    def running(self) -> Process:
        """The newest process, be it alive or not."""
        return self._process

    @property
    def pid(self) -> int | None:
        return 1 if self.process else None

    # -- what Keeper asks for

    def spawn(self, settings: Any, lifeline: Any) -> None:
        self._judge_start()
        self._made()
        self.process: Any = SimpleNamespace(sentinel=next(_numbers), pid=1)
        self.beats, self.words = _Pipe(), _Pipe()  # type: ignore[assignment]
        self._process.start(self._main(self._process.child), settings.beat_interval)
        self.made.set()

    def _made(self) -> None:
        self._asked, self._stood_at = False, None
        self._started_at, self._ready_at = self._world.loop.now, None
        self._process = Process(self.spec.name, self._world.loop, self._gone, self._beaten)

    def listen(self) -> Heartbeat | None:
        if not self._process.alive:
            raise EOFError
        return self._beat

    def hear(self) -> bool:
        return False

    def settle(self) -> None:
        pass

    def reap(self) -> str:
        self.process = self.beats = self.words = None
        return "SIGKILL" if self._process.failure is None else "exit 1"

    def send(self, number: signal.Signals) -> None:
        if number == signal.SIGTERM:
            self._asked = True
            self._world.loop.call_soon(self._process.child.stopping.set, context=self._process.context)
            return
        stands = self._stood_at is not None
        if self._process.alive and not (stands or self._asked):
            self._world.wrong.append(f"{self.spec.name} was ended by {number.name}, and was well")
        if number == signal.SIGKILL or not self._process.deaf:
            self._process.kill()

    # -- what happens to it

    def stand(self, seconds: float, *, deaf: bool) -> None:
        """Nothing of it runs for so long. deaf: no signal that it could answer reaches it, as if it were stopped."""
        world, process = self._world, self._process
        self._stood_at = world.loop.now
        process.deaf = deaf
        world.loop.stand(process)
        world.loop.call_later(seconds, world.loop.go_on, process)
        settings = world.settings
        patience = max(settings.hang_after, settings.stop_timeout, settings.start_timeout) + 2 * ABORT_GRACE + LEISURE
        if seconds > patience:
            world.loop.call_later(patience, self._judge_hang, process)

    def _beaten(self, ready: bool) -> None:
        self._beat = Heartbeat(ready, 0, 0, {})
        if ready and self._ready_at is None:
            self._ready_at = self._world.loop.now
        if self.beats:
            self._world.loop.readable(self.beats.fileno())

    def _gone(self, process: Process) -> None:
        now = self._world.loop.now
        stable = self._ready_at is not None and now - self._ready_at >= POLICY.stable_after
        self._in_a_row = 0 if self._asked else 1 if stable else self._in_a_row + 1
        self._died_at = now
        self._world.died(process)
        if self.beats and self.process:
            sentinel = self.process.sentinel
            self._world.loop.readable(self.beats.fileno())
            self._world.loop.readable(sentinel)

    # -- what is promised

    def _judge_hang(self, process: Process) -> None:
        if process.alive:
            self._world.wrong.append(f"{process.name} hung, and was not replaced")

    def _judge_start(self) -> None:
        """After each exit in a row twice as late as before, and never much later."""
        waited = self._world.loop.now - self._died_at
        delay = min(POLICY.longest_delay, POLICY.first_delay * 2.0 ** (self._in_a_row - 2)) if self._in_a_row > 1 else 0
        if not 0.8 * delay - 1e-6 <= waited <= delay + LEISURE:
            what = f"started {waited:.2f} s after exit {self._in_a_row} in a row, expected {0.8 * delay:.2f} to {delay}"
            self._world.wrong.append(f"{self.spec.name} was {what}")
