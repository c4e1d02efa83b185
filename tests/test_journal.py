import contextlib
import multiprocessing
import os
import signal
import struct
from types import SimpleNamespace

import pytest

from poeticoins import journal as journal_module
from poeticoins.errors import JournalError
from poeticoins.journal import Journal, read_tail, writing
from poeticoins.journal_layout import new_epoch
from poeticoins.model import Gap
from poeticoins.record import RECORD_SIZE, unpack, unpacked
from tests.makers import BTC, LTC, make_trade


def opened(path, capacity: int = 100, product=BTC, mode: str = "demo") -> Journal:
    return Journal(path, product, mode, capacity)


def items(tail, product=BTC):
    return unpacked(tail.records, product)


def test_what_is_appended_is_read_in_order_with_its_epoch_and_sequence(tmp_path):
    journal = opened(tmp_path / "j")
    written = [journal.append(make_trade(n)) for n in (5, 6)] + [journal.append(Gap(BTC, "client down", 1, 2))]

    tail = read_tail(tmp_path / "j", BTC, "demo")

    assert items(tail) == items(journal.tail()) == written
    assert [item.sequence for item in written] == [1, 2, 3]
    assert {item.epoch for item in written} == {tail.epoch}
    assert journal.trades == 2


def test_a_journal_goes_on_where_it_ended(tmp_path):
    first = opened(tmp_path / "j")
    first.append(make_trade(5))
    first.alive(123)
    first.close()

    second = opened(tmp_path / "j")

    assert (second.epoch, second.next, second.trades, second.alive_at_ns) == (first.epoch, 2, 1, 123)
    assert second.append(make_trade(6)).sequence == 2


def test_the_oldest_records_go_and_the_readers_answer_says_where_it_begins(tmp_path):
    journal = opened(tmp_path / "j", capacity=10)
    for n in range(1, 26):
        journal.append(make_trade(n))

    tail = read_tail(tmp_path / "j", BTC, "demo")

    assert (tail.first, tail.last) == (17, 25)  # the tenth oldest may be overwritten while it is copied
    assert [item.trade_id for item in items(tail)] == [*range(17, 26)]


@pytest.mark.parametrize(
    ("first", "limit", "expected"), [(3, None, [3, 4, 5]), (3, 2, [3, 4]), (6, None, []), (9, 4, [])]
)
def test_a_part_can_be_read(tmp_path, first, limit, expected):
    journal = opened(tmp_path / "j")
    for n in range(1, 6):
        journal.append(make_trade(n))

    for tail in (read_tail(tmp_path / "j", BTC, "demo", first, limit), journal.tail(first, limit)):
        assert [item.trade_id for item in items(tail)] == expected


def test_another_capacity_puts_the_file_aside_and_takes_another_epoch(tmp_path):
    old = opened(tmp_path / "j")
    old.append(make_trade(5, received_at_ns=6))

    new = opened(tmp_path / "j", capacity=50)

    assert new.epoch != old.epoch
    assert unpack(new.inherited.record, BTC).trade_id == 5
    assert new.next == 1
    assert "capacity is 100" in new.quarantined
    assert len(list(tmp_path.glob("j.quarantined-*"))) == 1


def test_what_was_done_can_be_read_from_the_files_own_bytes(tmp_path):
    journal = opened(tmp_path / "j")
    journal.append(make_trade(5))
    journal.alive(123)
    journal.audited(456)

    content = (tmp_path / "j").read_bytes()

    assert struct.unpack_from("<4Q", content, 128) == (2, 123, 1, 456)
    assert (journal.alive_at_ns, journal.trades, journal.audited_at_ns) == (123, 1, 456)
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_no_journal_is_written_through_a_link(tmp_path):
    opened(tmp_path / "elsewhere").close()
    (tmp_path / "j").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "k.new").symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").read_bytes()

    with pytest.raises(OSError, match="symbolic links"):
        opened(tmp_path / "j")
    with pytest.raises(JournalError, match="symbolic links"):
        opened(tmp_path / "k")
    assert (tmp_path / "elsewhere").read_bytes() == before


def test_journals_made_at_one_time_are_told_apart_though_the_one_before_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("poeticoins.journal.time", SimpleNamespace(time_ns=lambda: 1_790_000_000_000_000_000))
    epochs = []
    for _ in range(5):
        epochs.append(opened(tmp_path / "j").epoch)
        (tmp_path / "j").unlink()

    assert len(set(epochs)) == 5


@pytest.mark.parametrize(
    ("previous", "drawn", "epoch"),
    [(0, 5, 5), (5, 5, 6), (0, 0, 1), (9, 0, 1), (9, 1, 1), (0, 2**32, 1), (2**32 - 1, 2**32 - 1, 1)],
)
def test_an_epoch_is_never_zero_nor_the_one_before(previous, drawn, epoch):
    assert new_epoch(previous, drawn) == epoch


@pytest.mark.parametrize(("appended", "oldest"), [(0, 1), (1, 1), (9, 1), (10, 2), (11, 3), (25, 17)])
def test_the_oldest_that_may_be_read_is_not_the_one_that_the_next_replaces(tmp_path, appended, oldest):
    journal = opened(tmp_path / "j", capacity=10)

    for number in range(1, appended + 1):
        journal.append(make_trade(number))

    assert journal.oldest == oldest
    assert journal.tail().first == oldest


@pytest.mark.parametrize("content", [b"", b"x", b"poeticoins journal 1", os.urandom(8192)])
def test_a_foreign_file_is_put_aside(tmp_path, content):
    (tmp_path / "j").write_bytes(content)

    assert read_tail(tmp_path / "j", BTC, "demo") is None
    journal = opened(tmp_path / "j")

    assert journal.quarantined
    assert journal.append(make_trade(1)).sequence == 1


def test_a_demos_journal_never_becomes_the_markets(tmp_path):
    opened(tmp_path / "j").append(make_trade(1))

    assert read_tail(tmp_path / "j", BTC, "live") is None
    assert read_tail(tmp_path / "j", LTC, "demo") is None
    assert "expected the journal of" in opened(tmp_path / "j", mode="live").quarantined


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_a_journal_with_a_torn_record_is_put_aside(tmp_path, slot):
    journal = opened(tmp_path / "j")
    for number in (1, 2, 3):
        journal.append(make_trade(number))
    journal.close()
    with (tmp_path / "j").open("r+b") as file:
        file.seek(4096 + slot * RECORD_SIZE)
        file.write(struct.pack("<Q", 77))

    assert "some of its records" in opened(tmp_path / "j").quarantined


@pytest.mark.parametrize(
    ("at", "torn"),
    [(8, b"\0" * 48), (50, b"\x09"), (50, b"\1\x7f"), (32, b"\0" * 8), (16, b"\xff" * 8), (7, b"\xf8"), (52, b"\xf8")],
)
def test_a_journal_with_a_record_that_only_begins_as_it_should_is_put_aside_and_not_read(tmp_path, at, torn):
    """Its sequence lay on a page of the disk that was saved, the rest on one that was not."""
    journal = opened(tmp_path / "j")
    for number in (1, 2, 3):
        journal.append(make_trade(number))
    journal.close()
    with (tmp_path / "j").open("r+b") as file:
        file.seek(4096 + 2 * RECORD_SIZE + at)
        file.write(torn)

    assert read_tail(tmp_path / "j", BTC, "demo") is None
    reopened = opened(tmp_path / "j")
    assert "some of its records" in reopened.quarantined
    assert unpack(reopened.inherited.record, BTC).trade_id == 2


def test_no_space_is_one_clear_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(JournalError, match=r"cannot make the journal .*j \(2\.8 MB\): No space left on device"):
        opened(tmp_path / "j", capacity=50_000)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_gone_is_one_clear_error_too(tmp_path):
    with pytest.raises(JournalError, match="No such file or directory"):
        opened(tmp_path / "gone" / "j")


def test_a_journal_that_is_deleted_under_its_client_is_noticed(tmp_path):
    journal = opened(tmp_path / "j")
    (tmp_path / "j").unlink()

    with pytest.raises(JournalError, match="has been deleted"):
        journal.check()


def write_for_ever(path, started):
    journal = opened(path, capacity=64)
    number = 0
    while True:
        number += 1
        journal.append(make_trade(number))
        if number == 100:  # the ring has come round
            started.set()


def test_a_killed_writer_leaves_a_whole_journal(tmp_path):
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    writer = context.Process(target=write_for_ever, args=(tmp_path / "j", started))
    writer.start()
    assert started.wait(20)
    for _ in range(200):  # while it writes, every copy is whole
        tail = read_tail(tmp_path / "j", BTC, "demo")
        assert [item.sequence for item in items(tail)] == [*range(tail.first, tail.last + 1)]
        assert all(item.trade_id == item.sequence for item in items(tail))
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(20)

    journal = opened(tmp_path / "j", capacity=64)

    assert journal.quarantined is None
    assert [item.trade_id for item in items(journal.tail())] == [*range(journal.next - 63, journal.next)]


def test_a_directory_has_one_writer(tmp_path):
    with (
        writing(tmp_path / "d"),
        pytest.raises(JournalError, match="another client holds the lock"),
        writing(tmp_path / "d", patience=0.05),
    ):
        pass

    with writing(tmp_path / "d"), contextlib.suppress(OSError):
        pass


class Clock:
    """Goes on by sleeping alone; `at` some time something happens."""

    def __init__(self, at: float, happens) -> None:
        self.now, self._at, self._happens = 100.0, at, happens

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self._at:
            self._happens()


def test_a_successor_waits_for_a_predecessor_that_is_dying_and_takes_over_at_once(tmp_path, monkeypatch):
    with contextlib.ExitStack() as predecessor:
        predecessor.enter_context(writing(tmp_path / "d"))
        clock = Clock(103.5, predecessor.close)
        monkeypatch.setattr(journal_module, "time", clock)

        with writing(tmp_path / "d"):
            assert clock.now == pytest.approx(103.5, abs=0.02)


def test_a_successor_gives_up_on_a_predecessor_that_stays(tmp_path, monkeypatch):
    clock = Clock(1000, None)
    monkeypatch.setattr(journal_module, "time", clock)

    with writing(tmp_path / "d"), pytest.raises(JournalError, match="stop it first"), writing(tmp_path / "d", 2.0):
        pass
    assert clock.now == pytest.approx(102, abs=0.02)


def test_the_directory_of_the_journals_is_made_for_its_owner_alone(tmp_path):
    with writing(tmp_path / "a" / "b" / "c"):
        made = [tmp_path / "a" / "b", tmp_path / "a" / "b" / "c", tmp_path / "a" / "b" / "c" / "lock"]
        assert [oct(path.stat().st_mode & 0o777) for path in made] == ["0o700", "0o700", "0o600"]


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(JournalError, match=r"cannot make the journals' directory .*file/d: File exists"),
        writing(tmp_path / "file" / "d"),
    ):
        pass


@pytest.mark.parametrize("slot", [0, 1, 2, 4])
def test_a_torn_record_is_found_wherever_the_ring_has_got_to(tmp_path, slot):
    journal = opened(tmp_path / "j", capacity=5)
    for number in range(8):  # the slots hold 6 7 8 4 5, and the next to be written is that of 4
        journal.append(make_trade(number + 1))
    journal.close()
    with (tmp_path / "j").open("r+b") as file:
        file.seek(4096 + slot * RECORD_SIZE)
        file.write(struct.pack("<Q", 77))

    assert opened(tmp_path / "j", capacity=5).quarantined


@pytest.mark.parametrize("written", [0, 1, 4, 5, 6, 9, 10, 23])
def test_a_journal_is_found_whole_wherever_its_ring_ends(tmp_path, written):
    journal = opened(tmp_path / "j", capacity=5)
    for number in range(written):
        journal.append(make_trade(number + 1))
    journal.close()

    assert opened(tmp_path / "j", capacity=5).quarantined is None
