"""docs/faults.md and the tests name the same: every row of the fault matrix has its tests, with the three claims."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = (HERE.parents[1] / "docs" / "faults.md").read_text()
ROWS = range(1, 49)
NOBODY_ELSE = {7, 8, 9, 10, 12, 15, 18, 48}
"""Rows that end or hurt everyone: there is no other feed that could go on unbroken."""
STATUS = {"status", "feed", "child", "seen", "reconnected", "replaced", "restarts", "reconnects", "all_live", "start"}


def names(node: ast.AST) -> set[str]:
    """All that is called or named in it."""
    found = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return found | {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


@cache
def marked() -> dict[int, dict[str, set[str]]]:
    """By row, the tests that bear its mark, as `file::test`, and what each of them names, its helpers included."""
    rows: dict[int, dict[str, set[str]]] = defaultdict(dict)
    for file in sorted(HERE.glob("test_*.py")):
        functions = {node.name: node for node in ast.parse(file.read_text()).body if hasattr(node, "decorator_list")}
        for name, node in functions.items():
            used = names(node)
            used |= {more for helper in used & set(functions) for more in names(functions[helper])}
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.row":
                    rows[ast.literal_eval(mark.args[0])][f"{file.name}::{name}"] = used
    return rows


def listed() -> dict[int, set[str]]:
    lines = re.findall(r"^\| (\d+) \|.*\|([^|]*)\|$", TABLE, re.MULTILINE)
    return {int(number): set(re.findall(r"`(test_\w+\.py::test_\w+)`", tests)) for number, tests in lines}


def test_the_table_has_every_row_once_and_names_the_tests_that_bear_its_mark():
    assert sorted(map(int, re.findall(r"^\| (\d+) \|", TABLE, re.MULTILINE))) == [*ROWS]
    assert listed() == {row: set(tests) for row, tests in marked().items()}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_a_test_with_its_three_claims(row):
    tests = marked()[row]
    whole = {"whole"} if row in NOBODY_ELSE else {"whole", "unbroken"}

    claimed = [name for name, used in tests.items() if {"unharmed", "soak"} & used or (whole <= used and used & STATUS)]

    assert claimed, (
        f"of {[*tests]}, none claims the status, the others' unbroken feeds and the whole of what was traded"
    )
