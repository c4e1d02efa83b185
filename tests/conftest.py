import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long one example takes says how busy the machine is; a test that cares for time measures it itself.
settings.register_profile("poeticoins", deadline=None)
settings.load_profile("poeticoins")


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A directory whose path is short enough for sockets, unlike tmp_path."""
    path = Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)
