"""One line of modules: each imports only from its left, each outside library has one door, none pays for pandas."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINE = [
    # nouns
    {"errors"}, {"model"}, {"exchange_tables", "reports", "messages"}, {"setting_values"}, {"config"}, {"log"},
    {"words", "status_table"},
    # rules: no I/O, no clock, no chance
    {"restarts", "ration", "sequence", "record", "liveness", "candles", "backfill", "load", "arrivals"},
    {"continuity", "ring", "lifecycle", "troubles", "link", "joining", "told", "journal_layout"},
    {"wire", "chart", "answers", "window", "gaps"}, {"history"}, {"exchanges"}, {"recording"},
    # doors
    {"private"}, {"bus", "journal", "control", "rest", "budget", "sealed"}, {"questions"},
    # processes
    {"publication", "nursery"}, {"late"}, {"intake"}, {"feed", "child", "stream", "refill", "archive", "prehistory"},
    {"connection"}, {"follower"},
    {"client", "historical", "simulator", "tree"}, {"arguments", "spawning", "reloading"}, {"supervised"},
    {"status", "keeping", "notify"}, {"supervision"}, {"command"},
    # the public face
    {"dataframes"}, {"context"}, {"demonstration"}, {"__init__"}, {"__main__"},
]  # fmt: skip
PLACE = {name: place for place, names in enumerate(LINE) for name in names}
PURE = {
    "errors", "model", "reports", "restarts", "ration", "sequence", "record", "liveness", "candles", "lifecycle",
    "continuity", "ring", "messages", "wire", "history", "exchanges", "backfill", "troubles", "link", "words",
    "reloading", "answers", "joining", "told", "chart", "window", "gaps", "load", "arrivals", "journal_layout",
    "status_table",
}  # fmt: skip
IMPURE_LIBRARIES = {"time", "random", "socket", "asyncio", "subprocess", "threading", "os", "pathlib", "mmap"}
DOORS = {
    "zmq": {"bus", "nursery"},  # nursery only imports it ahead of need
    "websockets": {"connection", "simulator", "nursery"},
    "aiohttp": {"rest", "nursery"},
    "mmap": {"journal"},
    "subprocess": {"demonstration"},
    "multiprocessing": {"spawning", "supervised", "child", "nursery", "command"},
    "pandas": {"dataframes", "context"},
    "numpy": {"ring", "candles", "joining", "chart", "window", "history", "dataframes", "context"},
    "rich": {"status_table", "command"},
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


OURS = [ROOT / "supervisor.py", *(ROOT / "poeticoins").rglob("*.py"), *(ROOT / "dashboards").rglob("*.py")]
CODE_AS_BYTES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "code"}
"""Libraries that run what they read. multiprocessing does so itself: see `test_only_the_supervisor_is_unpickled`."""
CALLS_THAT_RUN_BYTES = {
    "recv_pyobj", "send_pyobj", "recv_serialized", "read_pickle", "to_pickle", "eval", "exec", "Manager", "Queue",
    "SimpleQueue", "JoinableQueue", "Listener", "Client",
}  # fmt: skip
UNCHECKED = ("allow_pickle", "np.load(", "CERT_NONE", "_create_unverified", "SSLContext(", "verify=False", "ssl=False")


def what_runs_bytes(text: str) -> set[str]:
    """What in a source could have bytes from elsewhere run as code, or leaves a certificate unchecked."""
    tree = ast.parse(text)
    found = {word for word in UNCHECKED if word in text}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] in CODE_AS_BYTES}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            found |= {node.module} if node.module.split(".")[0] in CODE_AS_BYTES else set()
            if node.module.split(".")[0] == "multiprocessing":
                found |= names & (CALLS_THAT_RUN_BYTES | {"managers", "queues", "shared_memory"})
        elif isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            of_queue = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("asyncio", "queue")
            is_ours = called == "Client" and isinstance(node.func, ast.Name)  # client.py's own
            found |= {called} & CALLS_THAT_RUN_BYTES if not (of_queue or is_ours) else set()
    return found


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_bytes_are_run_as_code_and_no_certificate_goes_unchecked(file):
    assert what_runs_bytes(file.read_text()) == set()


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "def f():\n    from pickle import loads", "import marshal as m", "import shelve",
        "socket.recv_pyobj()", "from multiprocessing.connection import Listener", "multiprocessing.Manager()",
        "from multiprocessing import managers", "pandas.read_pickle(x)", "numpy.load(x, allow_pickle=True)", "eval(x)",
        "context.verify_mode = ssl.CERT_NONE", "context.Queue()",
    ],
)  # fmt: skip
def test_the_check_itself_sees_what_runs_bytes(text):
    assert what_runs_bytes(text) != set()


def test_the_bus_has_no_address_but_a_file():
    calls = [
        node for node in ast.walk(ast.parse((ROOT / "poeticoins" / "bus.py").read_text())) if isinstance(node, ast.Call)
    ]
    doors = [node for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in ("bind", "connect")]

    assert [ast.unparse(node.args[0]) for node in doors] == ["f'ipc://{path}'"] * 2


def test_only_the_supervisor_is_unpickled():
    """
    multiprocessing's fork server is sent a child's target and settings as a pickle: by the supervisor, through a pipe
    that it alone holds, over a socket in the run directory. Nothing comes back that way: a child's pipes are read as
    bytes, since `recv` of a Connection would unpickle what the child, which hears the world, had written.
    """
    holders = [file for name, file in modules() if name in DOORS["multiprocessing"]]

    calls = {
        node.func.attr
        for file in holders
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }

    assert holders
    assert not calls & {"recv", "recv_bytes", "recv_bytes_into"}


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
