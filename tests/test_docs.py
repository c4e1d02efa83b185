"""The README says what is there, all of it, and its scripts run."""

import re
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest

import poeticoins
from poeticoins.config import NOT_IN_FILES, Settings
from poeticoins.exchanges import EXCHANGES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """The text from the heading `title` to the next one of the same depth."""
    return re.split(rf"^{title}$", README, flags=re.MULTILINE)[1].split(f"\n{title.split()[0]} ")[0]


@pytest.mark.parametrize("name", poeticoins.__all__)
def test_every_public_name_is_in_the_readme(name):
    assert re.search(rf"`{name}\b", section("## In Python")), f"{name} is missing from README.md, In Python"


@pytest.mark.parametrize("name", [f.name for f in fields(Settings) if f.name not in NOT_IN_FILES])
def test_every_setting_is_in_the_readme(name):
    assert f"`{name}`" in section("## Settings"), f"{name} is missing from README.md, Settings"


@pytest.mark.parametrize("file", sorted((ROOT / "poeticoins").glob("*.py")), ids=lambda file: file.name)
def test_every_module_can_be_found(file):
    if file.stem.startswith("_") or file.stem in ("errors", "model", "record", "questions", "reports", "nursery"):
        return  # nouns and parts that their users name
    assert f"`{file.name}`" in README or f"`poeticoins/{file.name}`" in README


def test_every_exchange_has_its_fixtures():
    for name in EXCHANGES:
        assert (ROOT / "tests" / "fixtures" / f"{name}.jsonl").is_file()


def test_every_link_leads_somewhere():
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text(), (ROOT / "docs" / "wire.md").read_text()):
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), target


def test_the_readmes_scripts_run_with_nothing_but_pyzmq_and_msgspec(run_dir):
    listen, ask = [
        script for script in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "import msgspec, zmq" in script
    ]
    assert "poeticoins." not in (listen + ask).replace(".local/state", "")
    assert max(len(script.splitlines()) for script in (listen, ask)) <= 11

    with poeticoins.demo(run_dir=run_dir):
        environment = {"POETICOINS_RUN_DIR": str(run_dir), "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(
            [sys.executable, "-uc", listen], stdout=subprocess.PIPE, text=True, env=environment
        ) as script:
            lines = [script.stdout.readline() for _ in range(20)]
            script.kill()
        end = time.monotonic() + 20
        while poeticoins.get_last_trade("bitstamp:BTC-EUR") is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        answer = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, env=environment, timeout=20
        )

    assert all(re.match(r"coinbase:[A-Z]+-[A-Z]+ (trade|heartbeat) 1 \d+ \d+", line) for line in lines), lines
    assert any(" trade " in line for line in lines)
    assert answer.stdout.startswith("demo {'coinbase:BTC-USD': ['trade', 1, ")
    assert "bitstamp:BTC-EUR" in answer.stdout


def test_every_guard_names_tests_that_are_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "guards.md").read_text()))
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }

    assert len(named) > 20
    assert named - there == set()
