"""
How many lines of a target's modules its corpus reaches, and how many there are: `python -m tests.fuzz.lines NAME DIR`.

Lines inside functions: those outside are reached by whoever imports the module.
"""

import logging
import sys
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parent.parent.parent


def inner(code: CodeType) -> set[int]:
    """The lines of all functions in a module's code."""
    found: set[int] = set()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & 0x2:  # a function, not a class
                found |= {line for _, _, line in constant.co_lines() if line and line != constant.co_firstlineno}
            found |= inner(constant)
    return found


def main(name: str, corpus: Path) -> None:
    target = TARGETS[name]
    files = {str(ROOT / module): set[int]() for module in target.modules}

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        lines = files.get(frame.f_code.co_filename)
        if lines is None:
            return None
        if event == "line":
            lines.add(frame.f_lineno)
        return trace

    logging.disable(logging.NOTSET if name.endswith("feed") else logging.CRITICAL)
    sys.settrace(trace)
    for file in sorted(corpus.iterdir())[:2000]:
        with suppress(Exception):
            target.take(file.read_bytes())
    sys.settrace(None)
    all_lines = {file: inner(compile(Path(file).read_text(), file, "exec")) for file in files}
    print(sum(len(files[file] & all_lines[file]) for file in files), sum(map(len, all_lines.values())))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
