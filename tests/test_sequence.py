import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.sequence import IdWindow, Lost, Merge, Wanted, follows


def followed(merge: Merge[int], epoch: int, sequence: int) -> list[int | Lost]:
    return list(merge.message(epoch, sequence, sequence))


def answered(merge: Merge[int], epoch: int, first: int, last: int) -> list[int | Lost]:
    return list(merge.answer(epoch, first, last, [(n, n) for n in range(first, last + 1)]))


def test_a_reader_in_step_gets_each_message_at_once():
    merge: Merge[int] = Merge(epoch=7, following=4)

    assert followed(merge, 7, 5) == [5]
    assert followed(merge, 7, 6) == [6]
    assert merge.wanted is None


def test_a_repeated_message_is_dropped():
    merge: Merge[int] = Merge(epoch=7, following=4)
    followed(merge, 7, 5)

    assert followed(merge, 7, 5) == []
    assert followed(merge, 7, 3) == []


def test_what_was_lost_is_wanted_exactly_and_delivered_before_what_follows():
    merge: Merge[int] = Merge(epoch=7, following=4)

    assert followed(merge, 7, 8) == []
    assert merge.wanted == Wanted(7, 5, 7)
    assert answered(merge, 7, 5, 7) == [5, 6, 7, 8]
    assert merge.wanted is None


def test_what_was_missing_and_comes_by_itself_lets_go_what_was_held():
    merge: Merge[int] = Merge(epoch=7, following=4)

    assert [followed(merge, 7, number) for number in (7, 5, 6)] == [[], [5], [6, 7]]


def test_a_reader_holds_4096_messages_and_has_the_rest_fetched():
    merge: Merge[int] = Merge(epoch=7, following=4)
    for number in range(6, 6 + 4097):
        followed(merge, 7, number)

    assert answered(merge, 7, 5, 5) == [*range(5, 6 + 4096)]
    assert merge.wanted == Wanted(7, 6 + 4096, 6 + 4096)


def test_a_lost_tail_is_seen_by_the_heartbeat():
    merge: Merge[int] = Merge(epoch=7, following=4)

    merge.heartbeat(7, 6)

    assert merge.wanted == Wanted(7, 5, 6)


def test_an_answer_that_ends_early_leaves_the_rest_wanted():
    merge: Merge[int] = Merge(epoch=7, following=4)
    followed(merge, 7, 9)

    assert answered(merge, 7, 5, 6) == [5, 6]
    assert merge.wanted == Wanted(7, 7, 8)


def test_a_follower_is_told_what_is_gone_for_good():
    merge: Merge[int] = Merge(epoch=7, following=4)
    followed(merge, 7, 100)

    assert answered(merge, 7, 98, 99) == [Lost(7, 5, 97), 98, 99, 100]


def test_a_joiner_begins_where_history_begins():
    merge: Merge[int] = Merge(history=50)
    followed(merge, 7, 100)

    assert merge.wanted == Wanted(7, 50, 99)
    assert answered(merge, 7, 80, 99) == [*range(80, 101)]


def test_a_joiner_that_wants_more_than_there_ever_was_asks_from_the_first():
    merge: Merge[int] = Merge(history=50)
    followed(merge, 7, 3)

    assert merge.wanted == Wanted(7, 1, 2)


@pytest.mark.parametrize("merge", [Merge[int](), Merge[int](epoch=7, following=0)])
def test_who_has_heard_nothing_stands_before_the_first_message_and_misses_nothing(merge):
    assert (merge.next, merge.wanted) == (1, None)
    assert followed(merge, 7, 1) == [1]


def heard_live(merge: Merge[int]) -> list[int | Lost]:
    return followed(merge, 7, 10)


def fetched(merge: Merge[int]) -> list[int | Lost]:
    merge.heartbeat(7, 10)
    return answered(merge, 7, merge.next, 10)


def heard_late(merge: Merge[int]) -> list[int | Lost]:
    return [item for number in (10, 8, 9) for item in followed(merge, 7, number)]


@pytest.mark.parametrize(("begin", "history"), [(heard_live, 0), (fetched, 2), (heard_late, 2)])
def test_however_a_joiner_began_it_is_told_from_then_on_what_is_gone(begin, history):
    merge: Merge[int] = Merge(history=history)
    assert begin(merge)[-1] == 10

    followed(merge, 7, 13)

    assert answered(merge, 7, 12, 12) == [Lost(7, 11, 11), 12, 13]


def test_a_joiner_without_history_begins_with_the_first_live_message():
    merge: Merge[int] = Merge()

    assert followed(merge, 7, 100) == [100]
    assert merge.wanted is None


def test_a_joiner_that_hears_a_heartbeat_first_begins_behind_it():
    merge: Merge[int] = Merge()
    merge.heartbeat(7, 100)

    assert merge.wanted is None
    assert followed(merge, 7, 102) == []
    assert merge.wanted == Wanted(7, 101, 101)


def test_a_new_epoch_is_wanted_from_its_first_message_even_if_its_number_is_smaller():
    merge: Merge[int] = Merge(epoch=7, following=4)

    assert followed(merge, 3, 2) == []
    assert merge.wanted == Wanted(3, 1, 1)
    assert answered(merge, 3, 1, 1) == [1, 2]


def test_an_answer_about_another_epoch_changes_nothing():
    merge: Merge[int] = Merge(epoch=7, following=4)
    followed(merge, 7, 6)

    assert answered(merge, 6, 5, 5) == []
    assert merge.wanted == Wanted(7, 5, 5)


events = st.lists(
    st.one_of(
        st.tuples(st.just("lose"), st.integers(1, 6)),
        st.tuples(st.just("send"), st.integers(1, 6)),
        st.tuples(st.just("repeat"), st.integers(1, 30)),
        st.tuples(st.just("beat"), st.just(0)),
        st.tuples(st.just("answer"), st.integers(1, 5)),
        st.tuples(st.just("new journal"), st.just(0)),
    ),
    max_size=60,
)


@given(history=st.integers(0, 10), script=events)
def test_whatever_is_lost_or_repeated_everything_comes_once_and_in_order(history, script):
    merge: Merge[tuple[int, int]] = Merge(history=history)
    epoch, published, got = 1, 0, []

    def answer(limit: int) -> None:
        if merge.wanted:
            about, first, last = merge.wanted
            if about != epoch:  # the new journal knows nothing of the old one
                assert not merge.answer(epoch, first, first - 1, [])
                return
            assert last <= published
            last = min(last, first + limit - 1)
            got.extend(merge.answer(about, first, last, [(n, (about, n)) for n in range(first, last + 1)]))

    for action, count in script:
        if action == "lose":
            published += count
        elif action == "send":
            for _ in range(count):
                published += 1
                got.extend(merge.message(epoch, published, (epoch, published)))
        elif action == "repeat" and published:
            number = max(1, published - count)
            got.extend(merge.message(epoch, number, (epoch, number)))
        elif action == "beat":
            merge.heartbeat(epoch, published)
        elif action == "answer":
            answer(count)
        elif action == "new journal":
            epoch, published = epoch + 1, 0
    merge.heartbeat(epoch, published)
    while merge.wanted:
        answer(3)

    lost = [item for item in got if isinstance(item, Lost)]
    assert all(about < epoch for about, _, _ in lost)  # only with its journal
    spans = [item if isinstance(item, Lost) else Lost(*item, item[1]) for item in got]
    told = [(about, number) for about, first, last in spans for number in range(first, last + 1)]
    assert told == sorted(set(told))
    by_epoch = {e: [n for about, n in told if about == e] for e, _ in told}
    for numbers in by_epoch.values():
        assert numbers == [*range(numbers[0], numbers[-1] + 1)]
    if epoch in by_epoch:
        assert by_epoch[epoch][-1] == published


def test_what_is_gone_for_good_is_told_even_if_nothing_is_left():
    merge: Merge[int] = Merge(epoch=7, following=1)
    followed(merge, 7, 3)

    assert answered(merge, 7, 3, 2) == [Lost(7, 2, 2), 3]


def test_an_epoch_that_was_left_is_not_entered_again():
    merge: Merge[int] = Merge(epoch=7, following=4)
    followed(merge, 9, 1)

    assert followed(merge, 7, 5) == []
    assert followed(merge, 9, 2) == [2]
    assert (merge.epoch, merge.wanted) == (9, None)


@given(st.lists(st.integers(0, 20), max_size=100), st.integers(1, 30))
def test_the_id_window_knows_the_newest_ids_and_no_others(ids, size):
    window = IdWindow(size)
    new = [number for number in ids if window.add(number)]

    assert window.newest == (new[-1] if new else None)
    assert all(number in window for number in new[-size:])
    assert not any(number in window for number in range(21) if number not in new[-size:])


ids = st.lists(st.integers(0, 40), max_size=60)


@given(ids, st.integers(0, 8), ids, st.integers(1, 30))
def test_a_window_that_recalls_later_answers_as_one_that_always_knew(before, recent, since, size):
    always, later = IdWindow(size), IdWindow(size)
    journal = [number for number in before if always.add(number)]
    for number in journal[max(0, len(journal) - min(recent, size)) :]:
        later.add(number)
    later.recall_later(max(journal, default=0), lambda: journal[-size:])

    for number in since:
        is_new = always.add(number)
        assert later.add(number) == is_new
        if is_new:
            journal.append(number)


def test_a_window_recalls_only_for_an_id_that_may_be_among_what_it_left_out():
    asked = []
    window = IdWindow(100)
    window.add(50)
    window.recall_later(50, lambda: asked.append(1) or [*range(1, 51)])

    assert [window.add(number) for number in (51, 50, 52)] == [True, False, True]
    assert not asked
    assert not window.add(7)
    assert asked


def test_what_was_missing_of_an_epoch_is_lost_with_its_journal_and_what_was_held_is_not():
    merge: Merge[int] = Merge(epoch=7, following=4)
    followed(merge, 7, 7)
    followed(merge, 7, 8)
    merge.heartbeat(7, 10)

    merge.heartbeat(9, 2)

    assert merge.wanted == Wanted(9, 1, 2)
    assert answered(merge, 9, 1, 2) == [Lost(7, 5, 6), 7, 8, Lost(7, 9, 10), 1, 2]


def test_a_message_of_a_new_epoch_comes_behind_what_is_lost_of_the_old_one():
    merge: Merge[int] = Merge(epoch=7, following=4)
    merge.heartbeat(7, 5)

    assert followed(merge, 9, 1) == [Lost(7, 5, 5), 1]


def test_what_is_lost_of_two_journals_in_a_row_is_told_of_both():
    merge: Merge[int] = Merge(epoch=7, following=4)
    merge.heartbeat(7, 5)
    merge.heartbeat(8, 1)
    merge.heartbeat(9, 1)

    assert answered(merge, 9, 1, 1) == [Lost(7, 5, 5), Lost(8, 1, 1), 1]


def test_what_a_joiner_heard_while_it_waited_for_the_past_is_not_dropped_with_the_journal():
    merge: Merge[int] = Merge(history=50)
    followed(merge, 7, 100)
    followed(merge, 7, 102)
    merge.heartbeat(7, 103)

    merge.heartbeat(9, 4)

    assert answered(merge, 9, 3, 4) == [100, Lost(7, 101, 101), 102, Lost(7, 103, 103), Lost(9, 1, 2), 3, 4]


def test_a_past_that_a_joiner_never_got_is_not_lost_with_its_journal():
    merge: Merge[int] = Merge(history=50)
    merge.heartbeat(7, 100)

    merge.heartbeat(9, 4)

    assert answered(merge, 9, 3, 4) == [3, 4]


@pytest.mark.parametrize(
    ("first", "leaves_no_hole"),
    [((11, 6), True), ((11, 5), True), ((11, 4), True), ((11, 7), False), ((10, 7), False), ((9, 7), True)],
)
def test_a_new_journal_leaves_no_hole_if_it_begins_with_the_next_id_or_what_was_traded_before(first, leaves_no_hole):
    assert follows((10, 5), first) is leaves_no_hole
