from collections.abc import Iterator

import pytest

from tests.faults.world import Kept, World


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
