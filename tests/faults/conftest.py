from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.faults.watched")  # before it is imported, or its claims would not say what came

from tests.faults.world import Kept, World  # noqa: E402


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    lines = Kept()
    yield lines
    lines.drop()


@pytest.fixture
def line(kept: Kept, request: pytest.FixtureRequest) -> Iterator[World]:
    """A line that is live, with its witnesses: the one of the test before, if that left it whole."""
    failed, it = request.session.testsfailed, kept.one()
    yield it
    if request.session.testsfailed > failed:
        print(it.tree.log.read_text())
        kept.drop()
