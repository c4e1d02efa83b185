"""
What happens to a world: its faults, from their arming to what they strike, and the readers that some of them are about.
"""

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from poeticoins import stream
from poeticoins.lifecycle import RestartWanted
from poeticoins.model import SECOND, Item
from tests.simulation.kept import Place
from tests.simulation.plan import Fault
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.world import World


class Reader:
    """One TradeStream, and all that it has delivered."""

    def __init__(self, world: "World", name: str, past: int) -> None:
        self.name, self.items = name, list[Item]()
        self.stream: stream.TradeStream | None = None
        self.stalled_until = 0.0
        self._world, self._past = world, past
        self.process = Process(name, world.loop, lambda process: None)
        self.process.start(self._read())

    async def _read(self) -> None:
        self.stream = stream.TradeStream(self._world.settings, [self._world.product], self._past)
        async for item in self.stream:
            self.items.append(item)
            if (pause := self.stalled_until - self._world.loop.now) > 0:
                await asyncio.sleep(pause)


class Faults:
    """struck: those that happened, and when, in seconds. journal_hurt: whether a journal was among what they struck."""

    def __init__(self, world: "World") -> None:
        self.struck: list[tuple[float, Fault]] = []
        self.journal_hurt = False
        self._world = world
        self._armed: dict[str, deque[Fault]] = defaultdict(deque)

    def end(self) -> None:
        """What is armed strikes nothing any more."""
        self._armed.clear()

    def strikes(self, kind: str) -> Fault | None:
        """The armed fault of that kind, if there is one: it happens now."""
        armed = self._armed
        if not armed or kind not in armed:
            return None
        fault = armed[kind].popleft()
        if not armed[kind]:
            del armed[kind]
        self._happens(fault)
        return fault

    def _happens(self, fault: Fault) -> None:
        self.struck.append((self._world.loop.now - 1000.0, fault))

    def arm(self, fault: Fault) -> None:
        match fault.kind.split():
            case ["client" | "historical" as name, verb]:
                self._hurt_process(fault, self._world.places[name], verb)
            case ["journal" | "bars", _]:
                self._hurt_file(fault)
            case ["reader", verb]:
                self._hurt_reader(fault, verb)
            case ["clock", "stepped"]:
                if self._world.clock.step_ns != fault.size * SECOND // 10:
                    self._happens(fault)
                    self._world.clock.step_ns = fault.size * SECOND // 10
            case _:
                self._armed[fault.kind].append(fault)

    def _hurt_process(self, fault: Fault, place: Place, verb: str) -> None:
        process = place.running
        if not process.alive:
            return
        if verb == "killed" and process.fuse is None:
            process.fuse, process.torn = fault.size, fault.size * 7 % 56
            process.blown = lambda: self._happens(fault)
        elif verb == "stopped" and place.life.running and not place.life.asked:
            self._happens(fault)
            self._world.keeper.happened(place, RestartWanted())
        elif verb == "stands" and not process.stands:
            self._happens(fault)
            place.stand(fault.size / 10, deaf=bool(fault.size % 2))

    def _hurt_file(self, fault: Fault) -> None:
        """Of the journal, also while it is written; of the bars, while nobody has them."""
        world, of_journal = self._world, fault.kind.startswith("journal")
        file = (world.settings.journal if of_journal else world.settings.bars)(world.product)
        if not file.exists():
            return
        self._happens(fault)
        self.journal_hurt |= of_journal
        if fault.kind != "journal deleted":
            world.places["client" if of_journal else "historical"].running.kill()
        if "deleted" in fault.kind:
            file.unlink()
            return
        with file.open("r+b") as opened:
            opened.truncate(fault.size * 100)

    def _hurt_reader(self, fault: Fault, verb: str) -> None:
        alive = [reader for reader in self._world.readers if reader.process.alive]
        if verb == "joins" and len(alive) < 4:
            self._world.readers.append(Reader(self._world, f"reader {len(self._world.readers) + 1}", fault.size))
        elif verb == "stalls" and alive:
            alive[fault.size % len(alive)].stalled_until = self._world.loop.now + fault.size / 10
        elif verb == "leaves" and len(alive) > 1:
            alive[-1].process.kill()
        else:
            return
        self._happens(fault)
