"""The key that signs what a page has to show in order to come back: kept, so that it may come back after a restart."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

NAME = "dashboard.key"
SIZE = 64  # characters: 32 bytes of chance in hexadecimal


def key(directory: Path | None) -> bytes:
    """The key of the run directory, made if there is none that can be used; None: one that nobody keeps."""
    if directory is None:
        return _new()
    path = directory / NAME
    with suppress(OSError), os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        found = file.read(SIZE + 1)
        if len(found) == SIZE and os.fstat(file.fileno()).st_mode & 0o077 == 0:
            return found  # one that others could have read would be no secret
    made = _new()
    with suppress(OSError):  # without a place for it, pages are loaded anew after a restart
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(made)
    return made


def _new() -> bytes:
    return secrets.token_hex(SIZE // 2).encode()
