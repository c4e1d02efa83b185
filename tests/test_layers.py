"""One line of modules: each imports only from its left, each outside library has one door, none pays for pandas."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINE = [
    # nouns
    {"errors"}, {"model"}, {"exchange_tables", "reports"}, {"config"}, {"log"}, {"words"},
    # rules: no I/O, no clock, no chance
    {"restarts", "ration", "sequence", "record", "liveness", "candles", "backfill", "load", "arrivals"},
    {"continuity", "ring", "lifecycle", "troubles", "link", "joining", "told"},
    {"wire", "chart"}, {"history"}, {"exchanges"}, {"recording"},
    # doors
    {"bus", "journal", "control", "rest", "budget", "sealed"}, {"questions"},
    # processes
    {"publication", "nursery"}, {"intake"}, {"feed", "child", "stream", "refill", "archive", "prehistory"},
    {"connection"}, {"follower"},
    {"client", "historical", "simulator", "tree"}, {"arguments", "spawning", "reloading"}, {"supervised"},
    {"status", "keeping", "notify"}, {"supervision"}, {"command"},
    # the public face
    {"context"}, {"demonstration"}, {"__init__"}, {"__main__"},
]  # fmt: skip
PLACE = {name: place for place, names in enumerate(LINE) for name in names}
PURE = {
    "errors", "model", "reports", "restarts", "ration", "sequence", "record", "liveness", "candles", "lifecycle",
    "continuity", "ring", "wire", "history", "exchanges", "backfill", "troubles", "link", "words", "reloading",
    "joining", "told", "chart", "load", "arrivals",
}  # fmt: skip
IMPURE_LIBRARIES = {"time", "random", "socket", "asyncio", "subprocess", "threading", "os", "pathlib", "mmap"}
DOORS = {
    "zmq": {"bus", "nursery"},  # nursery only imports it ahead of need
    "websockets": {"connection", "simulator", "nursery"},
    "aiohttp": {"rest", "nursery"},
    "mmap": {"journal"},
    "subprocess": {"demonstration"},
    "multiprocessing": {"spawning", "supervised", "child", "nursery", "command"},
    "pandas": {"context"},
    "numpy": {"ring", "candles", "joining", "chart", "history", "context"},
    "rich": {"status", "command"},
    "panel": set(),
    "bokeh": set(),
}


def modules() -> list[tuple[str, Path]]:
    """(its place in the line, file) of every module of the package."""
    files = sorted((ROOT / "poeticoins").rglob("*.py"))
    return [(file.relative_to(ROOT / "poeticoins").parts[0].removesuffix(".py"), file) for file in files]


def imports(file: Path, *, of_types: bool = False) -> set[str]:
    """The full names of the modules that a file imports, anywhere in it; those for type checking only if asked for."""
    found: set[str] = set()
    tree = ast.parse(file.read_text())
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in guarded and not of_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize(("name", "file"), modules(), ids=lambda value: str(value).removeprefix(str(ROOT)))
def test_a_module_imports_only_from_its_left(name, file):
    ours = {module.split(".")[1] for module in imports(file) if module.startswith("poeticoins.")}

    to_the_right = {other for other in ours - {name} if PLACE.get(other, -1) >= PLACE[name]}

    assert not to_the_right, f"{name} must not import {to_the_right}"


@pytest.mark.parametrize(("name", "file"), modules(), ids=lambda value: str(value).removeprefix(str(ROOT)))
def test_each_outside_library_has_one_door(name, file):
    libraries = {module.split(".")[0] for module in imports(file)}

    wrong = {library for library in libraries if name not in DOORS.get(library, {name})}

    assert not wrong, f"{name} must not import {wrong}: see DOORS"


@pytest.mark.parametrize("name", sorted(PURE))
def test_rules_know_no_clock_no_chance_and_no_files(name):
    files = [file for place, file in modules() if place == name]

    used = {module.split(".")[0] for file in files for module in imports(file)} & IMPURE_LIBRARIES

    assert not used


def test_the_dashboards_and_notebooks_know_only_the_public_face():
    for file in (ROOT / "dashboards").rglob("*.py"):
        beneath = {module for module in imports(file) if module.startswith("poeticoins.")}
        public = {f"poeticoins.{name}" for name in __import__("poeticoins").__all__}
        assert beneath <= public, f"{file.name} must import from poeticoins itself, not {beneath - public}"


def test_no_pickle_travels_between_processes_and_no_certificate_goes_unchecked():
    forbidden = ("pickle", "pyobj", "marshal", "yaml.load", "CERT_NONE", "_create_unverified", "SSLContext(")
    for folder in ("poeticoins", "dashboards"):
        for file in (ROOT / folder).rglob("*.py"):
            words = {word for word in forbidden if word in file.read_text()}
            assert not words, f"{file.name} uses {words}"


@pytest.mark.parametrize("module", ["poeticoins.command", "poeticoins.client", "poeticoins.simulator.server"])
def test_supervisor_and_clients_do_not_pay_for_pandas(module):
    heavy = "{'pandas', 'bokeh', 'panel', 'numpy', 'rich'}"

    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert answer.stdout.strip() == "[]"


def test_the_supervisor_knows_neither_sockets_of_zmq_nor_of_exchanges():
    code = "import sys, poeticoins.command; print(sorted({'zmq', 'websockets'} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert answer.stdout.strip() == "[]"
