"""
What must hold once a world has come to rest. Each promise that is broken is one line.

Every trade has been delivered to each reader, and is in historical's answers, exactly once and in order (or flagged as
late); what has not is within a gap that was named; no gap is open that the REST could fill; sequences are unbroken.
"""

from collections import defaultdict
from typing import TYPE_CHECKING

from poeticoins.history import History
from poeticoins.intake import Intake
from poeticoins.model import SECOND, Gap, Item, Refill, Trade
from poeticoins.record import LATE
from tests.faults.witness import disorder
from tests.simulation.plan import LAG, STREAM

if TYPE_CHECKING:
    from tests.simulation.hurting import Reader
    from tests.simulation.world import World


SLY = (*STREAM, *LAG)
"""What makes a socket leave out a trade without a word."""


def unsettled(world: "World") -> str | None:
    """What still has to happen; None once nothing has."""
    if world.client is None or world.historical is None:
        return "a process has not begun"
    intake, history = _intake(world), _history(world)
    published = intake.published
    newest_ns = published.last_trade.traded_at_ns if published.last_trade else 0
    if not world.plan.quiet and newest_ns < world.healed_at_ns:
        return "no trade has come since"
    if published.journal._gone or not intake._stands or intake._waiting or intake._hole:
        return "the client is not connected, or searches"
    if needs := published.open_needs(0):
        return f"open gaps want {needs}"
    place = published.journal.epoch, published.journal.next
    if history.next != place or history.wanted:
        return f"historical is at {history.next}, the journal at {place}"
    for reader in world.readers:
        merge = reader.stream and reader.stream._followers[str(world.product)].merge
        if reader.process.alive and not (merge and (merge.epoch, merge.next) == place and not reader.stream._ready):
            return f"{reader.name} is at {merge and (merge.epoch, merge.next)}, the journal at {place}"
    return None


def judged(world: "World") -> list[str]:
    """The broken promises."""
    wrong = [f"{name}: {what}" for reader in world.readers for name, what in _of_reader(world, reader)]
    return wrong + _of_history(world) + _of_bars(world) + _of_late(world)


def _intake(world: "World") -> Intake:
    assert world.client
    return world.client._intakes[world.product]


def _history(world: "World") -> History:
    assert world.historical
    return world.historical._histories[str(world.product)]


def _of_reader(world: "World", reader: "Reader") -> list[tuple[str, str]]:
    trades = [item for item in reader.items if isinstance(item, Trade)]
    wrong = disorder(trades) + _breaks(world, reader.items)
    if reader.process.failure is not None:
        wrong.append(f"ended by {reader.process.failure!r}")
    first = next((trade for trade in trades if not trade.late), None)
    if first is None:
        wrong += ["has got nothing"] if reader.process.alive and not world.plan.quiet else []
    elif reader.process.alive:
        missing = _since(world, first.trade_id) - {trade.trade_id for trade in trades}
        undisclosed = sorted(missing - _disclosed(world, reader.items))
        wrong += [f"has not got {undisclosed[:10]}, and no gap says so"] if undisclosed else []
    return [(reader.name, what) for what in wrong]


def _since(world: "World", trade_id: int) -> set[int]:
    """The ids that were traded from that one on and that the line has had time to deliver."""
    delivered = max((item.trade_id for item in world.published.values() if isinstance(item, Trade)), default=0)
    return {trade.trade_id for trade in world.exchange.trades if trade_id <= trade.trade_id <= delivered}


def _disclosed(world: "World", items: list[Item]) -> set[int]:
    """The ids of which a reader was told that they are missing: by an overrun, or by a journal that is gone."""
    current = _intake(world).published.journal.epoch
    closed = {(item.epoch, item.gap) for item in items if isinstance(item, Refill)}
    ids = _unheard(world, [(item.epoch, item.sequence) for item in items], current)
    for at, item in enumerate(items):
        if isinstance(item, Gap) and item.missing and item.reason == "overrun":
            first, last = _around(items, at, item.epoch)
            lost = [world.published.get((item.epoch, number)) for number in range(first, last + 1)]
            ids |= {one.trade_id for one in lost if isinstance(one, Trade)}
            gaps = [one for one in lost if isinstance(one, Gap)]
            ids |= {trade.trade_id for trade in world.exchange.trades if any(_covers(gap, trade) for gap in gaps)}
        elif isinstance(item, Gap) and _is_given_up(world, item) and (item.epoch, item.sequence) not in closed:
            ids |= {trade.trade_id for trade in world.exchange.trades if _covers(item, trade)}
    return ids


def _unheard(world: "World", heard: list[tuple[int, int]], current: int) -> set[int]:
    """
    The ids that a reader could not know of: late trades at the end of a journal that was destroyed, published after the
    last that the reader had `heard` of it, as (epoch, sequence). What came in order, a new journal repeats or names.
    """
    last: dict[int, int] = {}
    for epoch, sequence in heard:
        last[epoch] = max(last.get(epoch, 0), sequence)
    unheard = [
        item
        for (epoch, sequence), item in world.published.items()
        if epoch != current and sequence > last.get(epoch, 0)
    ]
    return {item.trade_id for item in unheard if isinstance(item, Trade) and item.late}


def _is_given_up(world: "World", gap: Gap) -> bool:
    """Whether nobody searches for it any more: its journal is gone, or has let go of it."""
    journal = _intake(world).published.journal
    return gap.epoch != journal.epoch or gap.sequence < journal.oldest


def _covers(gap: Gap, trade: Trade) -> bool:
    if gap.first_id is not None and gap.last_id is not None:
        return gap.first_id <= trade.trade_id <= gap.last_id
    margin = 5_000_000_000
    return gap.from_ns - margin <= trade.traded_at_ns <= gap.to_ns + margin


def _around(items: list[Item], at: int, epoch: int) -> tuple[int, int]:
    """The sequences of an epoch that lie between the neighbours of a place."""
    before = next((item.sequence for item in reversed(items[:at]) if item.sequence and item.epoch == epoch), 0)
    after = next((item.sequence for item in items[at + 1 :] if item.sequence and item.epoch == epoch), None)
    gap = items[at]
    assert isinstance(gap, Gap)
    return before + 1, (before + (gap.missing or 0) if after is None else after - 1)


def _breaks(world: "World", items: list[Item]) -> list[str]:
    """Where sequences are broken, and neither a gap nor an earlier delivery says why."""
    wrong: list[str] = []
    known: set[int] = set()
    last: dict[int, int] = {}
    excused = False
    for item in items:
        if isinstance(item, Gap) and item.reason == "overrun":
            excused = excused or item.missing is not None
            continue
        between = range(last.get(item.epoch, item.sequence - 1) + 1, item.sequence)
        skipped = [world.published.get((item.epoch, number)) for number in between]
        unknown = [one for one in skipped if not (isinstance(one, Trade) and one.trade_id in known)]
        if unknown and not excused:
            wrong.append(f"sequences {between[0]} to {between[-1]} of {item.epoch} were left out: {unknown[:2]}")
        excused = False
        last[item.epoch] = item.sequence
        if isinstance(item, Trade):
            known.add(item.trade_id)
    return wrong


def _of_history(world: "World") -> list[str]:
    history = _history(world)
    in_order = history._window.ring.in_order()
    trades = in_order[in_order["kind"] == 0]
    on_time = trades[trades["flags"] & LATE == 0]
    records, _ = history.trades(10**6)
    ids = [int(trade_id) for trade_id in records["trade_id"]]
    wrong = [] if len(ids) == len(set(ids)) else ["historical has a trade twice"]
    places = list(zip(records["traded_at_ns"].tolist(), ids, strict=True))
    wrong += [] if places == sorted(places) else ["historical's trades are out of order"]
    if not len(on_time):
        return [*wrong, "historical has nothing"]
    missing = sorted(_since(world, int(on_time["trade_id"][0])) - set(ids))
    gaps = [gap for gap in history.gaps if gap.refilled_at_ns is None]
    overrun = sum(gap.missing or 0 for gap in gaps if gap.reason == "overrun")
    old = [gap for gap in gaps if (gap.missing is None if gap.reason == "overrun" else _is_given_up(world, gap))]
    heard = in_order[["epoch", "sequence"]].tolist()
    old += _swallowed(world, heard, gaps)
    named = {trade.trade_id for trade in world.exchange.trades if any(_covers(gap, trade) for gap in old)}
    named |= _unheard(world, heard, history.next[0])
    missing = [trade_id for trade_id in missing if trade_id not in named]
    if len(missing) > overrun:
        wrong.append(f"historical has not got {missing[:10]}, and no gap says so")
    open_now = [gap for gap in gaps if not _is_given_up(world, gap) and gap.reason != "overrun"]
    return wrong + [f"historical holds {gap} for open" for gap in open_now]


def _swallowed(world: "World", heard: list[tuple[int, int]], gaps: list[Gap]) -> list[Gap]:
    """The gaps that were lost in an overrun of their epoch, which counts the places in the stream, and them for one."""
    overrun = {gap.epoch for gap in gaps if gap.reason == "overrun" and gap.missing}
    had = set(heard)
    published = world.published.items()
    return [item for at, item in published if isinstance(item, Gap) and item.epoch in overrun and at not in had]


def _of_bars(world: "World") -> list[str]:
    """Where a bar of one second is not that of what was traded in it; left out: where historical lacks a trade."""
    history = _history(world)
    records, _ = history.trades(10**6)
    had = set(records["trade_id"].tolist())
    open_gaps = [gap for gap in history.gaps if gap.refilled_at_ns is None]
    bars = {int(bar["start_ns"]): bar for bar in history.candles(SECOND, 10**6)}
    whole = _since(world, 0)
    by_second = defaultdict[int, list[Trade]](list)
    for trade in world.exchange.trades:
        if trade.trade_id in whole:
            by_second[trade.traded_at_ns // SECOND * SECOND].append(trade)
    wrong = []
    for start, trades in by_second.items():
        known = start > history.chart.began_ns and all(trade.trade_id in had for trade in trades)
        if known and not any(_covers(gap, trade) for gap in open_gaps for trade in trades):
            prices = [float(trade.price) for trade in trades]
            expected = (prices[0], max(prices), min(prices), prices[-1], sum(float(one.size) for one in trades))
            bar = bars.get(start)
            found = bar and tuple(float(bar[name]) for name in ("open", "high", "low", "close", "volume"))
            if found != expected or bar["trades"] != len(trades):
                wrong.append(f"the bar of {start} is {found}, expected {expected}")
    return wrong[:3]


def _of_late(world: "World") -> list[str]:
    """
    Where ids do not count by one: late trades that no gap before them has named, if no socket has left them out, and no
    REST what its socket was about to bring.
    """
    if world.plan.contiguous or any(fault.kind in SLY for fault in world.plan.faults):
        return []
    gaps: list[Gap] = []
    unnamed = []
    short = any(fault.kind == "rest short" for _, fault in world.faults.struck)
    begun: dict[int, int] = {}  # by epoch: what is older than its first trade has not been missing from it
    for item in world.published.values():
        if isinstance(item, Gap):
            gaps.append(item)
        elif isinstance(item, Trade):
            expected = item.traded_at_ns >= begun.setdefault(item.epoch, item.traded_at_ns)
            overtaken = short and item.origin == "live"
            if expected and item.late and not overtaken and not any(_covers(gap, item) for gap in gaps):
                unnamed.append(item.trade_id)
    return [f"{unnamed[:10]} came late, and no gap before them said so"] if unnamed else []
