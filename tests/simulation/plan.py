"""
The faults of a world, drawn from its seed: what, when and how much. Pure.

A fault is armed at its time and strikes the next thing of its kind that happens. So a plan without some of its faults
is a plan too, which is what shrinking needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

STREAM = (  # what an exchange's socket may do with a message
    "skipped", "repeated", "swapped", "garbage",
)  # fmt: skip
STALL = ("stalled",)
CONNECTION = ("cut", "deaf", "mute", "refused", "no ack", "asked to leave")
REST = (
    "rest error", "rest slow", "rest silent", "rest torn", "rest empty", "rest short", "rest overlaps", "rest busy",
)  # fmt: skip
LAG = ("rest lags",)
BUS = ("bus drops", "bus breaks", "answer lost", "answer slow", "question lost")
DEATHS = (
    "client killed", "historical killed", "client stopped", "historical stopped", "client stands", "historical stands",
)  # fmt: skip
FILES = ("journal deleted", "journal torn", "bars deleted", "bars torn")
READERS = ("reader stalls", "reader joins", "reader leaves")
CLOCK = ("clock stepped",)

WORDS = {
    "skipped": "the exchange leaves a trade out",
    "repeated": "the exchange sends a trade twice",
    "swapped": "the exchange sends a trade {size}0 ms late, behind later ones",
    "garbage": "the exchange sends half a frame",
    "stalled": "the connection stands still for {size}00 ms",
    "cut": "the connection is cut",
    "deaf": "the connection is dead, and nobody says so",
    "mute": "the connection is silent from now on, but for its pongs",
    "refused": "the exchange refuses a connection",
    "no ack": "the exchange does not confirm a subscription",
    "asked to leave": "the exchange asks for a new connection",
    "rest error": "the REST answers 500",
    "rest slow": "the REST takes {size}00 ms",
    "rest silent": "the REST does not answer",
    "rest torn": "the REST's answer is cut off",
    "rest empty": "the REST lists nothing",
    "rest short": "the REST leaves out the oldest {size} of a page",
    "rest overlaps": "the REST lists more than it was asked for, some of it twice",
    "rest busy": "the REST answers 429",
    "rest lags": "the REST does not list the last {size}00 ms yet",
    "bus drops": "a subscriber loses {size} frames",
    "bus breaks": "a subscriber loses its connection",
    "answer lost": "an answer is lost",
    "answer slow": "an answer takes {size}00 ms",
    "question lost": "a question is lost",
    "client killed": "the client is killed {size} effects later",
    "historical killed": "historical is killed {size} effects later",
    "client stopped": "the client is stopped",
    "historical stopped": "historical is stopped",
    "client stands": "the client does not run for {size}00 ms",
    "historical stands": "historical does not run for {size}00 ms",
    "journal deleted": "the journal is deleted",
    "journal torn": "the client is killed, and its journal cut short",
    "bars deleted": "historical is killed, and its bars deleted",
    "bars torn": "historical is killed, and its bars torn",
    "reader stalls": "a reader stands still for {size}00 ms",
    "reader joins": "a reader joins, with a history of {size}",
    "reader leaves": "a reader leaves",
    "clock stepped": "our clock is set {size}00 ms off",
}
SIZES = {
    "swapped": 12, "stalled": 80, "rest slow": 50, "rest short": 20, "rest lags": 30, "bus drops": 60,
    "answer slow": 12, "client killed": 40, "historical killed": 25, "client stands": 60, "historical stands": 60,
     "journal torn": 40, "bars torn": 40,
    "reader stalls": 60, "reader joins": 100,
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """`kind`, armed `at` seconds after the beginning. size: how much of it, see WORDS."""

    at: float
    kind: str
    size: int

    @property
    def words(self) -> str:
        """What it does, for people."""
        return WORDS[self.kind].format(size=self.size)


@dataclass(frozen=True)
class Plan:
    """
    A world: what the exchange is like, for how long it is hurt, and the faults, by time. quiet: afterwards nobody
    trades, so that what was lost is not revealed by what follows.
    """

    seed: int
    contiguous: bool
    seconds: float
    per_second: float
    journal_capacity: int
    audit: float
    reconnects: bool
    faults: Sequence[Fault]
    quiet: bool = False


def plan(seed: int) -> Plan:
    """The plan of a seed."""
    random = Random(seed)
    contiguous = random.random() < 0.5
    kinds = _weather(random, contiguous)
    seconds = random.choice([3.0, 6.0, 12.0, 25.0])
    count = round(seconds * random.choice([2, 10, 30, 80]))
    faults = [_fault(random, kinds, seconds) for _ in range(count)]
    # a gap that is open when a small journal comes round to it is disclosed, and forgotten by the client's next life
    lasting = not contiguous or any(fault.kind in (*DEATHS[::2], *FILES) for fault in faults)
    return Plan(
        seed,
        contiguous,
        seconds,
        per_second=random.choice([3.0, 10.0, 25.0]),
        journal_capacity=2000 if lasting else random.choice([300, 500, 2000]),
        audit=10.0,
        reconnects=random.random() < 0.5,
        faults=sorted(faults, key=lambda fault: fault.at),
        quiet=random.random() < 0.2,
    )


def _weather(random: Random, contiguous: bool) -> list[tuple[str, float]]:
    """
    The kinds of faults of one world, each with its weight.

    Where ids do not count by one, what a socket leaves out without a word is found by the audit alone: it is promised
    for an exchange whose REST and connection are well meanwhile.
    """
    anywhere = {"bus": (BUS, 8.0), "readers": (READERS, 2.0), "historical": (DEATHS[1::2], 0.3), "stall": (STALL, 0.5)}
    rough = {
        "connection": (CONNECTION, 0.5), "rest": (REST, 2.0), "client": (DEATHS[::2], 0.4), "files": (FILES, 0.1),
        "clock": (CLOCK, 0.2),
    }  # fmt: skip
    sly = {"stream": (STREAM, 8.0), "lag": (LAG, 1.0)}
    groups = anywhere | rough | sly if contiguous else anywhere | (rough if random.random() < 0.7 else sly)
    chosen = [name for name in groups if random.random() < 0.7] or ["bus"]
    return [(kind, groups[name][1] * random.random()) for name in chosen for kind in groups[name][0]]


def _fault(random: Random, kinds: list[tuple[str, float]], seconds: float) -> Fault:
    [kind] = random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
    size = random.randint(1, SIZES.get(kind, 1))
    if kind == "clock stepped":
        size = random.choice([-30, -5, 5, 30])
    return Fault(round(random.uniform(0, seconds), 3), kind, size)
