import pytest

from poeticoins import wire
from poeticoins.errors import JournalError
from poeticoins.exchanges import EXCHANGES
from poeticoins.feed import Feed
from poeticoins.intake import Intake
from poeticoins.messages import WIRE_VERSION, ReplayQuestion
from poeticoins.model import SECOND, Gap, Refill, Trade
from poeticoins.sequence import Merge
from tests.makers import BTC, LTC, NOON, make_settings, make_trade

WHEN = NOON + 10**15  # when frames are received


class Bench:
    """An intake whose bus and searches are lists."""

    def __init__(self, run_dir, product=BTC, contiguous: bool = True, refills: bool = True, **chosen) -> None:
        self.settings = make_settings(run_dir, **chosen)
        self.settings.journal(product).parent.mkdir(parents=True, exist_ok=True)
        self.product, self.contiguous, self.refills = product, contiguous, refills
        self.sent, self.needs = [], []
        self.start()

    def start(self) -> None:
        want = self.needs.append if self.refills else None
        self.intake = Intake(self.product, self.settings, self.contiguous, self._note, want)

    def _note(self, frame: bytes) -> None:
        self.sent.append(wire.item_of(wire.decode_frame(frame)[1], self.product))

    def restart(self, *, killed: bool) -> None:
        if not killed:
            self.intake.close()
        self.start()

    def trade(self, *ids: int) -> None:
        for n in ids:
            self.intake.trade(make_trade(n, at=n, product=self.product), WHEN)

    def found(self, *ids: int, complete: bool = True, need: int = -1) -> None:
        trades = [make_trade(n, at=n, product=self.product, origin="backfill") for n in ids]
        self.intake.refilled(self.needs[need], trades, complete=complete)

    @property
    def words(self) -> list[str]:
        """What was published: "5" a trade, "5l" a late one, "gap", "refill"."""
        return [
            f"{item.trade_id}{'l' * item.late}" if isinstance(item, Trade) else type(item).__name__.lower()
            for item in self.sent
        ]


@pytest.fixture
def with_history(run_dir):
    """An intake that has published trade 1 and knows of nothing missing."""
    bench = Bench(run_dir)
    bench.trade(1)
    return bench


@pytest.fixture
def by_time(run_dir):
    """The same for an exchange whose ids do not count by one."""
    bench = Bench(run_dir, product=LTC, contiguous=False)
    bench.intake.connected(WHEN)
    bench.found()
    bench.trade(1)
    return bench


def test_a_hole_that_is_refilled_in_time_leaves_perfect_order_and_no_trace(with_history):
    with_history.trade(5, 6)

    assert with_history.words == ["1"]
    with_history.found(2, 3, 4)

    assert with_history.words == ["1", "2", "3", "4", "5", "6"]
    assert [item.origin for item in with_history.sent] == ["live", "backfill", "backfill", "backfill", "live", "live"]
    assert with_history.intake.published.gaps == 0


def test_a_hole_that_is_refilled_too_late_is_a_gap_then_late_trades_then_a_refill(with_history):
    with_history.trade(5, 6)
    with_history.intake.release(with_history.needs[0])

    assert with_history.words == ["1", "gap", "5", "6"]
    with_history.found(2, 3, 4)

    assert with_history.words == ["1", "gap", "5", "6", "2l", "3l", "4l", "refill"]
    assert with_history.sent[-1].gap == with_history.sent[1].sequence
    assert (with_history.intake.published.gaps, with_history.intake.published.refills) == (1, 1)
    assert with_history.intake.published.open_needs(0) == []


def test_a_hole_that_is_refilled_in_part_names_the_rest_and_goes_on(with_history):
    with_history.trade(5, 6)
    with_history.found(2, 4, complete=False)

    assert with_history.words == ["1", "2", "gap", "4", "5", "6"]
    assert (with_history.sent[2].first_id, with_history.sent[2].last_id) == (3, 3)


def test_what_was_found_of_a_gap_is_not_published_again_once_the_journal_has_let_go_of_it(run_dir):
    bench = Bench(run_dir, journal_capacity=10)
    bench.trade(1, 5, 6)
    bench.found(2, 4, complete=False)
    still_wanted = bench.intake.published.open_needs(0)

    bench.trade(*range(7, 30))

    for need in (bench.needs[0], *still_wanted):
        bench.intake.refilled(need, [make_trade(n, at=n, origin="backfill") for n in (2, 3, 4)], complete=True)

    assert [(need.after_id, need.before_id) for need in still_wanted] == [(2, 4)]
    assert bench.words[-1] == "29"
    assert bench.intake.published.open_needs(0) == []
    assert len(bench.intake.published.open_gaps) == 1


def test_a_slow_search_tells_nothing_again_that_a_quicker_one_has_found(run_dir):
    bench = Bench(run_dir, journal_capacity=10)
    bench.trade(1, 5)
    bench.intake.release(bench.needs[0])
    bench.needs += bench.intake.published.open_needs(0)
    bench.found(2, 3, 4)
    bench.trade(*range(6, 30))  # so the journal has let go of all this

    bench.found(2, 3, 4, need=0)

    assert bench.words[:7] == ["1", "gap", "5", "2l", "3l", "4l", "refill"]
    assert bench.words[-1] == "29"


def test_a_slow_search_by_time_tells_nothing_again_that_a_quicker_one_has_found(run_dir):
    bench = Bench(run_dir, product=LTC, contiguous=False, journal_capacity=10)
    bench.intake.connected(WHEN)
    bench.found()
    bench.trade(1)
    bench.intake.disconnected(WHEN + 1)
    bench.intake.connected(WHEN + 2)
    bench.intake.release(bench.needs[-1])
    bench.needs += bench.intake.published.open_needs(0)
    bench.found(3)
    bench.trade(*range(6, 30))

    bench.found(3, need=1)

    assert bench.words[:4] == ["1", "gap", "3", "refill"]
    assert bench.words[-1] == "29"


def test_a_search_that_finds_nothing_leaves_a_gap(with_history):
    with_history.trade(5)
    with_history.found(complete=False)

    assert with_history.words == ["1", "gap", "5"]


def test_a_second_hole_among_the_held_trades_is_searched_for_too(with_history):
    with_history.trade(3, 6)
    with_history.found(2)

    assert with_history.words == ["1", "2", "3"]
    assert (with_history.needs[1].after_id, with_history.needs[1].before_id) == (3, 6)
    with_history.found(4, 5)
    assert with_history.words == ["1", "2", "3", "4", "5", "6"]


def test_a_search_that_is_over_does_not_end_another_one(with_history):
    with_history.trade(3)
    with_history.intake.release(with_history.needs[0])
    with_history.trade(6)

    with_history.found(2, need=0)

    assert with_history.words == ["1", "gap", "3", "2l", "refill"]
    with_history.found(4, 5, need=1)
    assert with_history.words[-3:] == ["4", "5", "6"]


def test_at_first_start_the_past_comes_before_the_present(run_dir):
    bench = Bench(run_dir)

    bench.trade(50, 51)
    bench.found(48, 49)

    assert bench.words == ["48", "49", "50", "51"]
    assert bench.intake.published.gaps == 0


def test_what_a_rest_left_out_and_the_connection_has_brought_goes_into_its_place(run_dir):
    bench = Bench(run_dir, product=LTC, contiguous=False)
    bench.intake.connected(WHEN)
    bench.trade(4, 5, 9)

    bench.found(2, 3, 5, 7)

    assert bench.words == ["2", "3", "4", "5", "7", "9"]


def test_at_first_start_without_an_answer_the_present_goes_out_and_nothing_is_called_missing(run_dir):
    bench = Bench(run_dir)

    bench.trade(50, 51)
    bench.intake.release(bench.needs[0])

    assert bench.words == ["50", "51"]
    bench.found(48, 49)
    assert bench.words == ["50", "51", "49l", "48l"]


def test_a_connection_lost_while_the_past_is_searched_for_in_vain_is_a_gap_after_what_had_come(run_dir):
    bench = Bench(run_dir, product=LTC, contiguous=False)
    bench.intake.connected(WHEN)
    bench.intake.trade(make_trade(1, at=1, product=LTC), WHEN + 1)
    bench.intake.disconnected(WHEN + 2)
    bench.intake.connected(WHEN + 3)
    bench.found(complete=False, need=0)
    bench.intake.trade(make_trade(3, at=3, product=LTC), WHEN + 4)

    bench.found(complete=False)

    assert bench.words == ["1", "gap", "3"]


class Death(Exception):
    """The process ends here."""


def killed_after(bench, count, *ids):
    """The end of a search that finds `ids`, in the midst of whose publication the process is killed."""
    note, left = bench._note, iter(range(count))

    def dying(frame):
        note(frame)
        if next(left, None) is None:
            raise Death

    bench.intake.published._send = dying
    with pytest.raises(Death):
        bench.found(*ids)
    bench.restart(killed=True)


def test_a_death_while_a_late_past_is_published_leaves_no_hole_in_it(run_dir):
    bench = Bench(run_dir)
    bench.trade(10)
    bench.intake.release(bench.needs[-1])

    killed_after(bench, 4, *range(1, 10))
    bench.trade(11)

    published = sorted(item.trade_id for item in bench.sent)
    assert published == [*range(published[0], 12)]
    assert published[0] < 10


def test_a_death_while_the_past_is_published_leaves_the_rest_of_it_to_be_searched_for(run_dir):
    bench = Bench(run_dir, product=LTC, contiguous=False)
    bench.intake.connected(WHEN)

    killed_after(bench, 4, *range(1, 10))
    bench.intake.connected(WHEN)

    last = bench.sent[-1]
    assert bench.needs[-1].after_id == last.trade_id < 9
    assert bench.needs[-1].from_ns <= last.traded_at_ns


def test_a_lost_connection_is_refilled_by_time_where_ids_do_not_tell(by_time):
    by_time.intake.disconnected(WHEN + 5)

    by_time.intake.connected(WHEN + 9)
    by_time.trade(90)
    by_time.found(30, 40, 90)

    assert by_time.words == ["1", "30", "40", "90"]
    assert (by_time.needs[-1].after_id, by_time.needs[-1].from_ns) == (1, WHEN + 5)
    assert by_time.intake.published.gaps == 0


def test_a_lost_connection_that_is_refilled_too_late_is_a_gap_and_then_a_refill(by_time):
    by_time.intake.disconnected(WHEN + 5)
    by_time.intake.connected(WHEN + 9)
    by_time.trade(90)
    by_time.intake.release(by_time.needs[-1])

    by_time.found(30, 40, 90)

    assert by_time.words == ["1", "gap", "90", "30l", "40l", "refill"]
    assert by_time.sent[1].reason == "disconnected"


def test_without_a_rest_a_hole_is_a_gap_at_once(run_dir):
    bench = Bench(run_dir, refills=False)

    bench.trade(1, 5)

    assert bench.words == ["1", "gap", "5"]


def test_a_death_while_trades_are_held_forgets_no_hole(with_history):
    with_history.trade(5, 6)

    with_history.restart(killed=True)
    with_history.trade(7)

    assert (with_history.needs[-1].after_id, with_history.needs[-1].before_id) == (1, 7)
    with_history.found(2, 3, 4, 5, 6)
    assert with_history.words == ["1", "2", "3", "4", "5", "6", "7"]


def test_a_death_between_gap_and_refill_forgets_neither_hole_nor_search(with_history):
    with_history.trade(5)
    with_history.intake.release(with_history.needs[0])

    with_history.restart(killed=True)
    [need] = with_history.intake.published.open_needs(0)
    with_history.needs.append(need)
    with_history.found(2, 3, 4)

    assert with_history.words == ["1", "gap", "5", "2l", "3l", "4l", "refill"]
    with_history.restart(killed=True)
    assert with_history.intake.published.open_needs(0) == []
    assert (with_history.intake.published.gaps, with_history.intake.published.refills) == (1, 1)


@pytest.mark.parametrize("repeated", [2, 250, 399, 400])
def test_a_trade_is_known_after_a_restart_however_far_back_its_journal_has_it(with_history, monkeypatch, repeated):
    monkeypatch.setattr("poeticoins.publication.RECENT", 100)
    with_history.trade(*range(2, 401))
    with_history.restart(killed=True)
    with_history.sent.clear()

    with_history.trade(repeated, 401)

    assert with_history.words == ["401"]


def test_a_stop_while_trades_are_held_loses_none_of_them(with_history):
    with_history.trade(5, 6)

    with_history.restart(killed=False)

    assert with_history.words == ["1", "gap", "5", "6"]
    assert len(with_history.intake.published.open_needs(0)) == 1


def test_more_trades_than_can_be_held_stop_waiting(with_history, monkeypatch):
    monkeypatch.setattr("poeticoins.intake.MOST_HELD", 3)

    with_history.trade(5, 6, 7, 8)

    assert with_history.words == ["1", "gap", "5", "6", "7", "8"]


@pytest.mark.parametrize("trouble", ["another capacity", "a torn record"])
def test_a_journal_that_is_put_aside_leaves_no_hole_unnamed(with_history, trouble):
    path = with_history.settings.journal(BTC)
    with_history.intake.close()
    if trouble == "another capacity":
        with_history.settings = make_settings(with_history.settings.run_dir, journal_capacity=99)
    else:
        with path.open("r+b") as file:
            file.seek(128)
            file.write((9).to_bytes(8, "little"))  # says that eight records were written

    with_history.start()
    with_history.trade(5)
    with_history.found(complete=False)

    assert with_history.intake.published.journal.quarantined
    assert with_history.words == ["1", "1", "gap", "5"]
    assert (with_history.sent[2].first_id, with_history.sent[2].last_id) == (2, 4)


def test_a_new_journal_begins_with_the_newest_trade_that_was_known_and_a_hole_since_then(by_time):
    by_time.intake.close()
    by_time.settings.journal(LTC).unlink()

    by_time.start()
    by_time.intake.inherit(make_trade(7, at=7, product=LTC, origin="backfill", received_at_ns=WHEN, late=True))
    by_time.intake.connected(WHEN + 9)
    by_time.intake.release(by_time.needs[-1])

    assert by_time.words == ["1", "7", "gap"]
    assert by_time.sent[-1].from_ns == NOON + 7 * SECOND  # when it was fetched proves nothing of those after it


def test_a_first_past_that_comes_late_is_told_after_what_has_been_traded_meanwhile(run_dir):
    bench = Bench(run_dir, product=LTC, contiguous=False)
    bench.intake.connected(WHEN)
    bench.trade(5)
    bench.intake.release(bench.needs[0])

    bench.found(3, 4, 5, 6, 7)

    assert bench.words == ["5", "6", "7", "4l", "3l"]


def test_a_time_hole_begins_at_the_last_proof_of_life(by_time):
    by_time.intake.alive(WHEN + 77)

    by_time.restart(killed=True)
    by_time.intake.connected(WHEN + 99)
    by_time.intake.release(by_time.needs[-1])

    gap = by_time.sent[-1]
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.from_ns) == ("client down", WHEN + 77)
    assert not any(isinstance(item, Refill) for item in by_time.sent)


def test_a_trade_that_waited_in_the_socket_proves_nothing_of_the_time_in_which_it_did(by_time):
    by_time.restart(killed=True)
    by_time.intake.connected(WHEN + 99)
    by_time.intake.release(by_time.needs[-1])

    assert by_time.sent[-1].from_ns == by_time.sent[0].traded_at_ns < by_time.sent[0].received_at_ns


def test_an_older_gaps_refill_that_reaches_into_a_new_hole_makes_no_gap_that_nobody_searches_for(by_time):
    by_time.intake.disconnected(WHEN + 1)
    by_time.intake.connected(WHEN + 2)
    by_time.intake.release(by_time.needs[-1])
    by_time.trade(5)
    by_time.restart(killed=True)
    [older] = by_time.intake.published.open_needs(0)
    by_time.needs.append(older)

    by_time.found(3, 7)  # the answer reaches up to now, and so into the hole that this death has made
    by_time.intake.connected(WHEN + 9)
    by_time.found(7, 8)

    assert by_time.words == ["1", "gap", "5", "3l", "7", "refill", "8"]


def test_an_audit_publishes_what_the_socket_has_left_out_and_nothing_from_before_our_history(by_time):
    by_time.trade(5, 9)
    listed = [make_trade(n, at=n, product=LTC, origin="backfill") for n in (0, 1, 3, 5, 7, 9)]

    assert by_time.intake.audited(listed, WHEN) == 2

    assert by_time.words == ["1", "5", "9", "3l", "7l"]
    assert by_time.intake.audited(listed, WHEN) == 0


def test_an_audit_tells_nothing_again_that_the_journal_has_let_go_of(by_time):
    by_time.trade(*range(2, 601))  # more than the journal keeps
    listed = [make_trade(n, at=n, product=LTC, origin="backfill") for n in range(1, 601)]

    assert by_time.intake.audited(listed, WHEN) == 0


def test_an_audit_that_was_not_whole_is_owed_still_after_a_death_too(by_time):
    began = by_time.intake.unaudited_since_ns
    by_time.intake.audited([], 0)
    assert by_time.intake.unaudited_since_ns == began > 0

    by_time.restart(killed=True)
    assert by_time.intake.unaudited_since_ns == began
    by_time.intake.audited([], WHEN)
    by_time.restart(killed=True)

    assert by_time.intake.unaudited_since_ns == WHEN


def test_a_connection_lost_and_regained_while_a_search_is_under_way_has_one_of_its_own(by_time):
    by_time.intake.disconnected(WHEN + 1)
    by_time.intake.connected(WHEN + 2)
    by_time.trade(5)
    by_time.intake.disconnected(WHEN + 3)
    by_time.intake.connected(WHEN + 4)
    by_time.trade(9)

    by_time.found(3)  # asked for before the second loss

    assert by_time.words == ["1", "3"]
    assert by_time.needs[-1].from_ns == WHEN + 3
    by_time.found(5, 7)
    assert by_time.words == ["1", "3", "5", "7", "9"]


def heartbeats(bench, newest: int) -> None:
    """The exchange says for two seconds that its newest trade is `newest`."""
    bench.intake.newest(newest, 100.0)
    bench.intake.newest(newest, 102.0)


def test_what_only_a_heartbeat_reveals_is_fetched_and_published_in_order(with_history):
    heartbeats(with_history, 3)
    with_history.trade(4)
    with_history.found(2, 3)

    assert (with_history.needs[-1].after_id, with_history.needs[-1].before_id) == (1, 4)
    assert with_history.words == ["1", "2", "3", "4"]


def test_what_only_a_heartbeat_reveals_and_nobody_lists_is_a_gap_although_no_trade_follows(with_history):
    heartbeats(with_history, 3)
    with_history.found(2, complete=False)

    assert with_history.words == ["1", "2", "gap"]
    assert (with_history.sent[-1].first_id, with_history.sent[-1].last_id) == (3, 3)
    [need] = with_history.intake.published.open_needs(0)
    assert (need.after_id, need.before_id) == (2, 4)


def test_a_gap_that_a_heartbeat_revealed_is_made_once_over_a_restart_and_closed_by_its_refill(with_history):
    heartbeats(with_history, 3)
    with_history.intake.release(with_history.needs[-1])
    with_history.restart(killed=True)
    heartbeats(with_history, 3)
    [need] = with_history.intake.published.open_needs(0)
    with_history.needs.append(need)

    with_history.trade(4)
    with_history.found(2, 3)

    assert with_history.words == ["1", "gap", "4", "2l", "3l", "refill"]


def test_without_a_rest_what_a_heartbeat_reveals_is_a_gap_at_once(run_dir):
    bench = Bench(run_dir, refills=False)
    bench.trade(1)

    heartbeats(bench, 3)

    assert bench.words == ["1", "gap"]


def test_a_refill_of_a_declared_hole_is_published_even_while_a_newer_hole_is_searched_for(with_history):
    heartbeats(with_history, 3)
    with_history.intake.release(with_history.needs[-1])
    with_history.trade(9)  # waits for 4 to 8

    with_history.found(2, 3, need=0)
    with_history.found(complete=False)

    assert with_history.words == ["1", "gap", "2", "3", "refill", "gap", "9"]


def lost_and_regained_twice(intake):
    """The second time while the search for the first is under way."""
    intake.disconnected(WHEN + 1)
    intake.connected(WHEN + 2)
    intake.trade(make_trade(5, at=5, product=LTC), WHEN + 2)
    intake.disconnected(WHEN + 3)
    intake.connected(WHEN + 4)
    intake.trade(make_trade(9, at=9, product=LTC), WHEN + 5)


def test_a_connection_lost_and_regained_while_a_search_takes_too_long_is_a_gap_with_a_search_of_its_own(by_time):
    lost_and_regained_twice(by_time.intake)

    by_time.intake.release(by_time.needs[-1])

    assert by_time.words == ["1", "gap", "5", "gap", "9"]
    assert [item.from_ns for item in by_time.sent if isinstance(item, Gap)] == [WHEN + 1, WHEN + 3]
    slow, own = by_time.needs[-2:]
    by_time.found(3, need=by_time.needs.index(slow))
    assert by_time.words[5:] == ["3l", "refill"]
    assert [need.gap for need in by_time.intake.published.open_needs(0)] == [own.gap]
    by_time.found(7, need=by_time.needs.index(own))
    assert by_time.words[7:] == ["7l", "refill"]
    assert by_time.intake.published.open_needs(0) == []


def test_a_connection_lost_twice_while_a_search_is_under_way_leaves_a_gap_for_each_loss(by_time):
    lost_and_regained_twice(by_time.intake)

    by_time.intake.disconnected(WHEN + 6)

    assert by_time.words == ["1", "gap", "5", "gap", "9"]
    assert [item.from_ns for item in by_time.sent if isinstance(item, Gap)] == [WHEN + 1, WHEN + 3]
    by_time.intake.connected(WHEN + 7)
    assert by_time.needs[-1].from_ns == WHEN + 6
    by_time.found(11)
    assert by_time.words[5:] == ["11"]


def test_an_intake_says_when_it_began_and_whether_anything_is_waited_for(run_dir):
    bench = Bench(run_dir)
    assert (bench.intake.published.began_ns, bench.intake.settled) == (None, False)

    bench.intake.connected(WHEN)
    bench.trade(1, 2, 5)
    bench.intake.release(bench.needs[-1])

    assert bench.intake.settled
    assert bench.intake.published.began_ns == make_trade(1, at=1).traded_at_ns
    assert [(gap.first_id, gap.last_id) for gap in bench.intake.published.open_gaps] == [(3, 4)]
    bench.trade(*range(6, 600))  # more than the journal keeps
    assert bench.intake.published.began_ns is None


def test_an_intake_that_waits_for_what_was_missed_is_not_settled(with_history):
    with_history.intake.connected(WHEN)
    assert with_history.intake.settled

    with_history.trade(5)

    assert not with_history.intake.settled


def test_a_question_about_a_journal_that_is_gone_says_nothing_of_the_one_after_it(run_dir):
    """Its answer may come when its reader is in the new journal already, and wants that from its beginning."""
    bench = Bench(run_dir)
    bench.trade(1)
    journal = bench.intake.published.journal
    question = ReplayQuestion(WIRE_VERSION, str(BTC), journal.epoch - 1, 87, 90)
    reader = Merge(epoch=journal.epoch, following=0)

    answer = bench.intake.published.replay(question, 100)

    assert reader.answer(answer.epoch, answer.first, answer.last, []) == ()
    assert reader.next == 1


def test_a_refill_longer_than_the_memory_tells_nothing_twice_that_a_part_of_it_has_told(run_dir):
    bench = Bench(run_dir, journal_capacity=10)
    bench.trade(1, 11)
    bench.intake.release(bench.needs[0])
    bench.found(9, 10, complete=False)
    bench.trade(*range(12, 17))

    bench.found(*range(2, 11))

    told = [item.trade_id for item in bench.sent if isinstance(item, Trade)]
    assert sorted(told) == [*range(1, 17)]


def test_a_journal_that_is_deleted_is_noticed_also_while_a_search_goes_on(with_history):
    feed = Feed(EXCHANGES["coinbase"], {BTC: with_history.intake}, strict_time=True)
    with_history.trade(5)

    with_history.settings.journal(BTC).unlink()

    with pytest.raises(JournalError):
        feed.beat()
