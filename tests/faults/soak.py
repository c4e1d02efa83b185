"""
The line under random faults of all kinds, for as long as you like; then nothing may be missing, twice or in disorder.

    python -m tests.faults.soak SECONDS SEED        # make soak SECONDS=… SEED=…

A seed always gives the same plan of faults; what they meet is up to the machine. Prints each fault with its time, and
how the memory of each process has grown. Exit status: 0 if all promises were kept, else 1.
"""

import os
import resource
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import NamedTuple

from poeticoins.errors import PoeticoinsError
from tests.faults.harm import rss
from tests.faults.hostile import connect_only, send_bytes
from tests.faults.witness import disorder
from tests.faults.world import Market, World, world
from tests.trees import until

SHORTEST, LONGEST = 0.05, 1.5
"""Seconds between two faults."""
CALM = 90.0
"""Seconds that the line may take to be whole again."""


class Blow(NamedTuple):
    """One fault: after so many seconds, of which kind, to whom; `strength` from 0 to 1 says how much or how long."""

    after: float
    kind: str
    exchange: str
    strength: float

    def __str__(self) -> str:
        return f"{self.kind} {self.exchange} {self.strength:.2f}"


def plan(seed: int) -> Iterator[Blow]:
    """Without end; the same for the same seed."""
    chance = Random(seed)
    kinds, weights = [*KINDS], [weight for _, weight in KINDS.values()]
    while True:
        yield Blow(
            round(chance.uniform(SHORTEST, LONGEST), 3),
            chance.choices(kinds, weights)[0],
            chance.choice(["coinbase", "bitstamp"]),
            round(chance.random(), 3),
        )


def strike(line: World, blow: Blow) -> None:
    """Does it. Returns when it is done, not when it is over."""
    with suppress(ProcessLookupError):  # whom it was meant for has just ended of the one before
        KINDS[blow.kind][0](line, blow)


# -- what may happen


def _kill(line: World, blow: Blow) -> None:
    line.kill(blow.exchange)


def _kill_historical(line: World, _: Blow) -> None:
    line.kill("historical")


def _kill_all(line: World, _: Blow) -> None:
    line.kill_all()
    line.start()


def _stop(line: World, blow: Blow) -> None:
    """SIGSTOP for less than it takes to be called hung, or for more: then it is killed."""
    name = "historical" if blow.strength < 0.4 else blow.exchange
    pid = line.kill(name, signal.SIGSTOP)
    time.sleep(blow.strength * 4)
    os.kill(pid, signal.SIGCONT)


def _stop_supervisor(line: World, blow: Blow) -> None:
    pid = line.status()["pid"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(blow.strength * 4)
    os.kill(pid, signal.SIGCONT)


def _stop_exchange(line: World, blow: Blow) -> None:
    os.kill(line.exchange.process.pid, signal.SIGSTOP)
    time.sleep(blow.strength * 8)
    os.kill(line.exchange.process.pid, signal.SIGCONT)


def _restart_exchange(line: World, _: Blow) -> None:
    line.exchange.kill()
    line.exchange.start()


def _order(words: str) -> Callable[[World, Blow], None]:
    return lambda line, blow: line.order(blow.exchange, words) and None


def _restart(line: World, blow: Blow) -> None:
    line.restart(blow.exchange)


def _fill_disk(line: World, blow: Blow) -> None:
    pid = line.pid("historical" if blow.strength < 0.5 else blow.exchange)
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    time.sleep(blow.strength)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _strangers(line: World, blow: Blow) -> None:
    sockets = [f"{blow.exchange}", f"{blow.exchange}-replay", "historical", "control"]
    where = line.settings.socket(sockets[int(blow.strength * 3.99)])
    send_bytes(where, times=30, seed=int(blow.strength * 1000))
    connect_only(where, times=200, at_once=50)


def _suffer(fault: str, **fields: Callable[[float], object]) -> Callable[[World, Blow], None]:
    """A fault of the embedded exchange, see simulator/faults.py; its fields by the strength."""
    return lambda line, blow: line.exchange.suffer(
        blow.exchange, fault, **{name: of(blow.strength) for name, of in fields.items()}
    )


def _some(most: int) -> Callable[[float], int]:
    return lambda strength: 1 + round(strength * (most - 1))


KINDS: dict[str, tuple[Callable[[World, Blow], None], int]] = {
    "kill": (_kill, 6),
    "kill historical": (_kill_historical, 3),
    "kill everyone": (_kill_all, 1),
    "stop": (_stop, 4),
    "stop the supervisor": (_stop_supervisor, 1),
    "stop the exchanges": (_stop_exchange, 1),
    "restart the exchanges": (_restart_exchange, 1),
    "restart": (_restart, 2),
    "crash": (_order("segfault"), 2),
    "bug": (_order("fail"), 2),
    "hang": (_order("block"), 1),
    "fill the disk": (_fill_disk, 2),
    "strangers": (_strangers, 2),
    "drop": (_suffer("drop"), 6),
    "close": (_suffer("close", code=lambda strength: (1000, 1001, 1011, 1012, 1013, 4000)[int(strength * 5.99)]), 4),
    "stall": (_suffer("stall", seconds=lambda strength: strength * 8), 2),
    "deafen": (_suffer("deafen"), 1),
    "garbage": (_suffer("garbage", text=lambda strength: "[" * round(strength * 9000)), 3),
    "too large": (_suffer("garbage", text=lambda _: "x" * 1024, count=lambda _: 1025), 1),
    "refuse": (_suffer("refuse", count=_some(2), status=lambda s: 503 if s < 0.5 else 429, seconds=lambda s: s), 3),
    "hang up": (_suffer("hang_up", count=_some(2)), 2),
    "hang in the handshake": (_suffer("hang", seconds=lambda strength: strength * 4), 1),
    "lose an ack": (_suffer("lose_ack"), 2),
    "ask to reconnect": (lambda line, blow: line.exchange.suffer("bitstamp", "request_reconnect", seconds=2.0), 2),
    "skip": (_suffer("skip", count=_some(40)), 6),
    "repeat": (_suffer("repeat", count=_some(40)), 4),
    "reorder": (_suffer("reorder", count=_some(10)), 4),
    "slow REST": (_suffer("rest", status=lambda _: 200, seconds=lambda strength: strength * 4), 3),
    "failing REST": (
        _suffer("rest", status=lambda s: (404, 429, 500, 503)[int(s * 3.99)], seconds=lambda _: 0, count=_some(3)),
        3,
    ),
    "lying REST": (_suffer("rest", status=lambda _: 200, seconds=lambda _: 0, text=lambda _: "[{]"), 1),
}
"""What is done, and how often beside the others."""


class Memory:
    """Notes what each process of the line has of memory, once a second."""

    def __init__(self, line: World) -> None:
        self._line = line
        self._seen: dict[str, list[tuple[float, float, int]]] = {}

    def look(self) -> None:
        with suppress(PoeticoinsError, OSError):  # nobody there, at the moment
            status = self._line.status()
            pids = {child["name"]: child["pid"] for child in status["children"]} | {"supervisor": status["pid"]}
            for name, pid in pids.items():
                if pid:
                    self._seen.setdefault(name, []).append((time.monotonic(), rss(pid), pid))

    def told(self) -> Iterator[str]:
        """A line for each: the growth of its longest life, without its first five seconds."""
        for name, seen in self._seen.items():
            lives = {pid: [(at, size) for at, size, its in seen if its == pid] for _, _, pid in seen}
            life = max(lives.values(), key=lambda one: one[-1][0] - one[0][0])
            grown = [(at - life[0][0], size) for at, size in life if at > life[0][0] + 5]
            slope = statistics.linear_regression(*zip(*grown, strict=True)).slope * 3600 if len(grown) > 2 else 0.0
            seconds = life[-1][0] - life[0][0]
            yield f"  {name:<12}{life[-1][1]:7.1f} MB, {slope:+8.1f} MB/h over its longest life of {seconds:.0f} s"


def soak(line: World, blows: Iterator[Blow], tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Strikes all blows, then waits for the calm after them; what was wrong then, nothing if all promises were kept."""
    began = time.monotonic()
    for blow in blows:
        time.sleep(blow.after)
        tell(f"  {time.monotonic() - began:7.2f} s  {blow}")
        strike(line, blow)
    try:
        until(line.all_live, CALM)
        line.goes_on()
        line.whole()
    except AssertionError as error:
        return [str(error)]
    return [words for product in line.products for words in disorder(line.heard(product))]


def until_time(blows: Iterator[Blow], seconds: float) -> Iterator[Blow]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield next(blows)


def main(seconds: float, seed: int) -> int:
    with world(Market(seed, pace=10), STABLE_AFTER="0", JOURNAL_CAPACITY="20000") as line:
        memory, over = Memory(line), threading.Event()

        def watch() -> None:
            while not over.wait(1):
                memory.look()

        watching = threading.Thread(target=watch)
        watching.start()
        wrong = soak(line, until_time(plan(seed), seconds), print)
        over.set()
        watching.join()
        delivered = sum(len(line.heard(product)) for product in line.products)
        print(f"seed {seed}: {delivered} trades delivered,", f"{len(wrong)} promises broken" if wrong else "all kept")
        print(*memory.told(), *wrong, sep="\n")
        if wrong:
            print(line.tree.log.read_text())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2])))
