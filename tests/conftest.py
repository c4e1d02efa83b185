import shutil
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import settings

# Before anybody imports it, or its claims would not say what came.
pytest.register_assert_rewrite("tests.faults.watched")
# How long one example takes says how busy the machine is; a test that cares for time measures it itself.
settings.register_profile("poeticoins", deadline=None)
settings.load_profile("poeticoins")


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A directory whose path is short enough for sockets, unlike tmp_path."""
    path = Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Puts a file in the browser after each two of the others: those keep a processor busy, where the others mostly wait.

    The workers take the files in this order, so that few of them burn the processors at once; the fault tests, which
    take longest, come first, and no worker is left with a long file at the end.
    """
    files = [list(one) for _, one in groupby(items, key=lambda item: item.path)]
    busy = [one for one in files if any("chromium" in getattr(item, "fixturenames", ()) for item in one)]
    others = [one for one in files if one not in busy]
    others.sort(key=lambda one: "faults" not in one[0].path.parts)
    turns: list[list[pytest.Item]] = []
    while busy or others:
        turns += [*others[:2], *busy[:1]]
        del others[:2], busy[:1]
    items[:] = [item for one in turns for item in one]
