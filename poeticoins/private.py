"""Files and directories that are their owner's alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def directory(path: Path) -> None:
    """Makes `path`, and what is above it, if they are not there. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # `mode` is not for the parents that it makes
    path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[int]:
    """
    The descriptor of an empty file, which at the end of the block takes the place of `path`.

    It is made under another name, so that any death leaves the old one or the new one; a link there is not followed.
    Raises OSError: then, and if the block raises it, what was at `path` is there still.
    """
    half_made = path.with_name(f"{path.name}.new")
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(half_made, flags, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        half_made.rename(path)
    except OSError:
        half_made.unlink(missing_ok=True)
        raise
