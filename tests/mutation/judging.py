"""
Whether the tests notice a mutant: each is judged in a process of its own, forked from one that has loaded all but ours.

A process has so much processor time and so much memory, so that a mutant that never ends is stopped, however busy the
machine is. hypothesis makes the same few examples each time.
"""

import contextlib
import gc
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import hypothesis
import pytest

from tests.mutation.mutants import Mutant, source_of

Verdict = Literal["killed", "stopped", "mistyped", "survived"]
EXAMPLES = 40
MEMORY = 4 << 30
"""Bytes of address space that a mutant may take; more is a MemoryError, which a test notices."""
LONGEST = 120
"""Seconds by the clock after which a mutant that sleeps is stopped."""
_SURVIVED = 0
_SILENT = ["-q", "-x", "-s", "--assert=plain", "-p", "no:cacheprovider", "-o", "addopts="]


@dataclass(frozen=True)
class Rule:
    """A module, the test files that are about it, and tests of theirs that could not notice its mutants."""

    module: str
    tests: tuple[str, ...]
    but: tuple[str, ...] = ()


class _Few:
    """For pytest: few examples, whatever profile the tests' own conftest has chosen."""

    def pytest_collection(self) -> None:
        hypothesis.settings.load_profile("mutation")


def load_all_but_ours() -> None:
    """What every judge needs is loaded once; nothing of the project's, since that must come upon the mutant."""
    import asyncio  # noqa: F401
    import multiprocessing  # noqa: F401

    import msgspec  # noqa: F401
    import numpy  # noqa: F401
    from hypothesis import strategies  # noqa: F401

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=EXAMPLES,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # a counterexample need not be short
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        pytest.main([*_SILENT, "--collect-only", "tests/mutation"])
    gc.freeze()


def seconds_unbroken(rule: Rule) -> float:
    """The processor time that the rule's tests take of the module as it stands. Raises RuntimeError if they fail."""
    before = processor_time()
    _, status = os.waitpid(_fork(rule, source_of(rule.module)[1], LONGEST), 0)
    if status != _SURVIVED:
        raise RuntimeError(f"the tests of {rule.module} must pass before it is broken: pytest {' '.join(rule.tests)}")
    return processor_time() - before


def processor_time() -> float:
    """Seconds that this process has taken so far, and those that it has waited for."""
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return of_children.ru_utime + of_children.ru_stime + time.process_time()


def judged(rule: Rule, mutants: Iterable[Mutant], seconds: float, jobs: int) -> Iterator[tuple[Mutant, Verdict]]:
    """Each mutant with its verdict, as they come. seconds: of processor time that one may take; jobs: at a time."""
    waiting, running = iter(mutants), dict[int, Mutant]()
    while True:
        while len(running) < jobs and (mutant := next(waiting, None)):
            running[_fork(rule, mutant.source, seconds)] = mutant
        if not running:
            return
        process, status = os.wait()
        mutant = running.pop(process)
        yield mutant, _verdict(rule, mutant, status)


def _verdict(rule: Rule, mutant: Mutant, status: int) -> Verdict:
    if status == _SURVIVED:
        return "survived" if _is_well_typed(rule, mutant) else "mistyped"
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL):
        return "stopped"
    return "killed"


def _is_well_typed(rule: Rule, mutant: Mutant) -> bool:
    """Whether `make check` would let it pass: mypy is a test too, but a slow one, so only survivors come before it."""
    path, _ = source_of(rule.module)
    with tempfile.NamedTemporaryFile("w", suffix=".py") as broken:
        broken.write(mutant.source)
        broken.flush()
        asked = [sys.executable, "-m", "mypy", "--shadow-file", str(path), broken.name, str(path)]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _fork(rule: Rule, source: str, seconds: float) -> int:
    process = os.fork()
    if process:
        return process
    try:
        os._exit(_judge(rule, source, seconds))
    finally:
        os._exit(1)  # whatever went wrong, it was noticed


def _judge(rule: Rule, source: str, seconds: float) -> int:
    """In the forked process: the exit status of the rule's tests upon that source."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    limit = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(LONGEST)
    _put_in_place(rule.module, source)
    with tempfile.TemporaryDirectory(prefix="mutant-") as room:
        without = [f"--deselect={test}" for test in rule.but]
        return int(pytest.main([*_SILENT, f"--basetemp={room}/tests", *without, *rule.tests], [_Few()]))


def _put_in_place(name: str, source: str) -> None:
    import poeticoins

    path, _ = source_of(name)
    module = types.ModuleType(f"poeticoins.{name}")
    module.__file__, module.__package__ = str(path), "poeticoins"
    sys.modules[module.__name__] = module
    setattr(poeticoins, name, module)
    exec(compile(source, str(path), "exec"), module.__dict__)
