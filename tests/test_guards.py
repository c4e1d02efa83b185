"""Every promise of docs/guards.md is broken somewhere in tests/guards/, and each break can be made."""

import re
from pathlib import Path

import pytest

from tests.guards.__main__ import BREAKS, node

ROOT = Path(__file__).parent.parent
ROWS = re.findall(r"^\| (.+?) \| .+ \| (`test_.+) \|$", (ROOT / "docs" / "guards.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: f"{broken.guard}, {broken.file}")
def test_what_a_break_replaces_is_there_once_and_so_is_its_test(broken):
    assert (ROOT / broken.file).read_text().count(broken.text) == 1
    assert broken.instead != broken.text
    file, _, test = node(broken.test).partition("::")
    assert f"def {test.partition('[')[0]}(" in (ROOT / file).read_text()


@pytest.mark.parametrize(("guard", "tests"), ROWS, ids=[guard for guard, _ in ROWS])
def test_every_test_that_a_guard_names_is_tried_without_it(guard, tests):
    tried = {broken.test.partition("[")[0] for broken in BREAKS if broken.guard == guard}

    assert tried == set(re.findall(r"`(test_\w+)`", tests))


def test_every_other_break_is_of_a_row_of_the_faults():
    rows = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "faults.md").read_text(), re.MULTILINE)

    assert {broken.guard for broken in BREAKS} <= {guard for guard, _ in ROWS} | {f"row {row}" for row in rows}
