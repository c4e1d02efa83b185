"""The notebooks run top to bottom as they are committed, say what they promise, and leave no process behind."""

import importlib.util
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.trees import alive, until

pytest.importorskip("nbformat", reason="the notebooks need the notebook extra: pip install -e '.[notebook]'")
pytest.importorskip("nbclient", reason="the notebooks need the notebook extra: pip install -e '.[notebook]'")
pytest.importorskip("ipykernel", reason="the notebooks need the notebook extra: pip install -e '.[notebook]'")

import nbformat

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 100 * 1024


def load_renew() -> ModuleType:
    spec = importlib.util.spec_from_file_location("renew", ROOT / "notebooks" / "renew.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


renew = load_renew()


@contextmanager
def nobody_left(mark: str) -> Iterator[None]:
    """Fails if a process that was started within outlives it; kernels and demos hand their environment on."""
    try:
        yield
        until(lambda: not marked(mark), within=5)
    finally:
        for pid in marked(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def marked(mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (entry / "environ").read_bytes()
            if mark.encode() in environment and int(entry.name) != os.getpid() and alive(int(entry.name)):
                found.append(int(entry.name))
    return found


def executed(number: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The words that a run of the notebook whose name begins with `number` prints and shows."""
    mark = f"POETICOINS_NOTEBOOK_OF={os.getpid()}-{number}"
    monkeypatch.setenv(*mark.split("="))
    file = next(file for file in FILES if file.name.startswith(number))
    with nobody_left(mark):
        notebook = renew.execute(file)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    return "\n".join(map(words, outputs))


def words(output: Any) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


def test_the_first_shows_trades_a_table_candles_and_live_cards(monkeypatch):
    said = executed("01", monkeypatch)

    assert "('demo', ['simulator', 'historical'" in said
    assert "coinbase:BTC-USD" in said
    assert len(re.findall(r"^\d\d:\d\d:\d\d\.\d{6} \S+ (?:buy|sell) [\d.]+ at [\d.]+$", said, re.MULTILINE)) == 5
    assert re.search(r"^Decimal\('\d+(?:\.\d+)?'\)$", said, re.MULTILINE)
    assert "vwap" in said
    assert "Bokeh(figure" in said
    assert "LiveCards(" in said


def test_the_second_kills_a_client_and_finds_the_stream_whole(monkeypatch):
    said = executed("02", monkeypatch)

    assert re.search(r"^coinbase +ready +\d+ +0", said, re.MULTILINE)
    assert re.search(r"^coinbase +ready +\d+ +1 +SIGKILL", said, re.MULTILINE)
    assert "after it: True True" in said
    assert "each once: True" in said
    assert "in order: True" in said
    traded = re.search(r"numbers not heard: (\d+)\n.*: (\d+)\nlost without a word: 0", said)
    assert traded
    assert traded[1] == traded[2]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_is_committed_with_outputs_that_are_small_and_the_same_after_stripping(file):
    committed, stripped = nbformat.read(file, as_version=4), nbformat.read(file, as_version=4)

    renew.strip(stripped)

    assert file.stat().st_size < LARGEST
    assert committed == stripped
    assert sum(bool(cell.outputs) for cell in committed.cells if cell.cell_type == "code") >= 5


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_says_that_prices_are_made_up_and_how_to_use_the_market_instead(file):
    prose = " ".join(cell.source for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "markdown")

    assert "made-up prices" in prose
    assert "leave out the next cell" in prose
