"""
An intake through any life: trades, lost connections, searches that answer, fail or come late, deaths; in any order.

The market is a list, the clock a number. Whatever happens, once the exchange is there again and lists all it has,
every trade has been published, once and in its order unless flagged as late, and no gap is open.
"""

import shutil
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from poeticoins import wire
from poeticoins.backfill import Need, Search
from poeticoins.intake import Intake
from poeticoins.model import SECOND, Gap, Refill, Trade
from tests.makers import BTC, LTC, NOON, make_settings, make_trade

SPANS = (60, 3600, 86_400)


class Life(RuleBasedStateMachine):
    """One product of an exchange whose ids do not count by one; `Counting` is one whose ids do."""

    contiguous = False
    product = LTC

    def __init__(self) -> None:
        super().__init__()
        self.run_dir = Path(tempfile.mkdtemp(prefix="pc-"))
        self.settings = make_settings(self.run_dir, journal_capacity=2000)
        self.settings.journal(self.product).parent.mkdir(parents=True)
        self.now, self.number = NOON, 100
        self.market: list[Trade] = []
        self.published: list[Trade | Gap | Refill] = []
        self.needs: list[Need] = []
        self.subscribed = False
        self.clock = mock.patch("poeticoins.intake.time_ns", side_effect=lambda: self.now)
        self.clock.start()
        self.begin()
        self.connects()

    def begin(self) -> None:
        self.intake = Intake(self.product, self.settings, self.contiguous, self.note, self.want)

    def note(self, frame: bytes) -> None:
        message = wire.decode_frame(frame)[1]
        self.published.append(wire.item_of(message, self.product))

    def want(self, need: Need) -> None:
        if need not in self.needs:
            self.needs.append(need)

    # -- what may happen

    @rule(seconds=st.sampled_from([0, 0.2, 3, 50]), jump=st.integers(1, 4), skipped=st.booleans())
    def trades(self, seconds: float, jump: int, skipped: bool) -> None:
        self.now += round(seconds * SECOND)
        self.number += 1 if self.contiguous else jump
        trade = make_trade(self.number, (self.now - NOON) / SECOND, product=self.product)
        self.market.append(trade)
        if self.subscribed and not (skipped and self.contiguous):
            self.intake.trade(trade, self.now)

    @precondition(lambda self: not self.subscribed)
    @rule()
    def connects(self) -> None:
        self.now += SECOND // 10
        for need in self.intake.published.open_needs(0):
            self.want(need)
        self.subscribed = True
        self.intake.connected(self.now)

    @precondition(lambda self: self.subscribed)
    @rule()
    def is_cut_off(self) -> None:
        self.intake.disconnected(self.now)
        self.subscribed = False

    @precondition(lambda self: self.subscribed)
    @rule()
    def beats(self) -> None:
        self.intake.alive(self.now)

    @precondition(lambda self: self.needs)
    @rule(which=st.integers(0, 9))
    def is_answered(self, which: int) -> None:
        need = self.needs.pop(which % len(self.needs))
        search = Search(need, () if self.contiguous else SPANS, self.now)
        while search.page(self.listed(search.cursor)):
            pass
        self.intake.refilled(need, search.trades, complete=search.complete)

    def listed(self, cursor: int | None) -> list[Trade]:
        """What the exchange's REST lists for a cursor: what is older than that id, or of that span."""
        if self.contiguous:
            return [trade for trade in self.market if cursor is None or trade.trade_id < cursor][-1000:]
        since = self.now - SPANS[cursor or 0] * SECOND
        return [trade for trade in self.market if trade.traded_at_ns >= since]

    @precondition(lambda self: self.needs)
    @rule(which=st.integers(0, 9))
    def fails_to_answer(self, which: int) -> None:
        need = self.needs.pop(which % len(self.needs))
        self.intake.refilled(need, [], complete=False)

    @precondition(lambda self: self.needs)
    @rule(which=st.integers(0, 9))
    def answers_too_late(self, which: int) -> None:
        self.intake.release(self.needs[which % len(self.needs)])

    @rule(killed=st.booleans())
    def dies(self, killed: bool) -> None:
        if killed:
            self.intake.published.journal.close()
        else:
            self.intake.close()
        self.needs.clear()
        self.subscribed = False
        self.begin()

    # -- what must hold

    @invariant()
    def nothing_comes_twice_or_out_of_order(self) -> None:
        ids = [item.trade_id for item in self.published if isinstance(item, Trade)]
        assert len(ids) == len(set(ids))
        in_order = [item.trade_id for item in self.published if isinstance(item, Trade) and not item.late]
        assert in_order == sorted(in_order)

    def teardown(self) -> None:
        try:
            for _ in range(3):  # a search may show that there is more to search for
                if self.subscribed:
                    self.is_cut_off()
                self.connects()
                while self.needs:
                    self.is_answered(0)
            published = {item.trade_id for item in self.published if isinstance(item, Trade)}
            wanted = {trade.trade_id for trade in self.market if not published or trade.trade_id >= min(published)}
            if not self.contiguous or published:  # without any trade of it, no search begins where a cursor is needed
                assert wanted <= published
            gaps = {item.sequence for item in self.published if isinstance(item, Gap)}
            assert gaps == {item.gap for item in self.published if isinstance(item, Refill)}
            self.nothing_comes_twice_or_out_of_order()
            self.intake.close()
        finally:
            self.clock.stop()
            shutil.rmtree(self.run_dir)


class Counting(Life):
    """Its last trades are only missed once a later one comes, so one that comes is the end of it."""

    contiguous = True
    product = BTC

    def teardown(self) -> None:
        if not self.subscribed:
            self.connects()
        self.trades(0, 1, skipped=False)
        super().teardown()


@pytest.mark.parametrize("machine", [Life, Counting])
def test_a_life_of_any_kind_ends_with_every_trade_published_once(machine):
    case = machine.TestCase()
    case.settings = settings(max_examples=150, stateful_step_count=30)

    case.runTest()
