"""The connect budget on disk survives deaths, and nothing that lies there can keep a client from connecting."""

import pytest

from poeticoins.budget import BudgetFile
from poeticoins.restarts import Budget

FULL = Budget()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "connects"


def test_what_is_left_is_found_by_the_next_process(path):
    _, after = Budget(tokens=3.5, at=100.0).take(101.0)
    BudgetFile(path).save(after)

    assert BudgetFile(path).load(FULL, now=101.5) == after == Budget(tokens=3.0, at=101.0)


def test_without_a_file_the_budget_is_full_and_nothing_is_said(path, caplog):
    assert BudgetFile(path).load(FULL, now=5.0) == FULL
    assert not caplog.records


@pytest.mark.parametrize(
    "content",
    [b"", b'{"tokens":', b"\0" * 64, b"[]", b'{"tokens":-1,"at":1}', b'{"tokens":1e999,"at":1}', b'{"at":1}',
     b'{"tokens":"5","at":1}', b'{"tokens":0,"at":1,"more":1}'],
)  # fmt: skip
def test_what_cannot_be_read_counts_as_full_and_is_one_line_in_the_log(path, content, caplog):
    path.write_bytes(content)

    assert BudgetFile(path).load(FULL, now=5.0) == FULL
    assert [record.getMessage() for record in caplog.records] == [
        "the connect budget cannot be read and counts as full"
    ]


def test_a_time_ahead_of_now_is_of_another_boot(path, caplog):
    BudgetFile(path).save(Budget(tokens=0.0, at=1e6))

    assert BudgetFile(path).load(FULL, now=5.0) == FULL
    assert not caplog.records


def test_more_than_there_can_be_is_full(path):
    path.write_bytes(b'{"tokens":1000,"at":4.0}')

    assert BudgetFile(path).load(FULL, now=5.0).tokens == 5.0


def test_a_file_that_cannot_be_written_is_one_line_in_the_log(tmp_path, caplog):
    BudgetFile(tmp_path / "nowhere" / "connects").save(FULL)

    assert [record.getMessage() for record in caplog.records] == ["the connect budget cannot be written"]
