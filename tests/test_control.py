"""The run directory, its lock and the control socket."""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from poeticoins import control
from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError, FeedUnavailable, RequestTimeout

needs_a_plain_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def settings() -> Iterator[Settings]:
    directory = Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))  # short: it has to leave room for a socket's name
    yield replace(Settings(), run_dir=directory)
    directory.chmod(0o700)
    shutil.rmtree(directory)


@contextlib.contextmanager
def served(settings: Settings, answer: control.Answer) -> Iterator[None]:
    """The control socket, served by a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(control.serve(settings.socket("control"), answer), loop).result(5)
        yield
        loop.call_soon_threadsafe(server.close)
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def raw(settings: Settings, data: bytes) -> list[dict]:
    """What the socket answers to bytes, line by line, until it closes or a second has passed."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(5)
        peer.connect(str(settings.socket("control")))
        with contextlib.suppress(BrokenPipeError):
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := peer.recv(65536):
                received += part
    return [msgspec.json.decode(line) for line in received.splitlines()]


def test_a_new_run_directory_is_its_owners_alone(settings):
    new = settings.run_dir / "a" / "b"

    control.prepare(new)

    assert new.stat().st_mode & 0o777 == 0o700


def test_an_empty_directory_that_others_may_enter_is_closed_to_them(settings):
    settings.run_dir.chmod(0o755)

    control.prepare(settings.run_dir)

    assert settings.run_dir.stat().st_mode & 0o777 == 0o700


def test_a_directory_with_other_things_in_it_is_left_as_it_is(settings):
    settings.run_dir.chmod(0o755)
    (settings.run_dir / "thesis").touch()

    with pytest.raises(ConfigurationError, match="mode 0700, got 0755"):
        control.prepare(settings.run_dir)

    assert settings.run_dir.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_run_directory_that_cannot_be_made_is_a_wrong_configuration(settings, name):
    (settings.run_dir / "file").touch()

    with pytest.raises(ConfigurationError, match="run_dir: "):
        control.prepare(settings.run_dir / name)


@needs_a_plain_user
def test_a_run_directory_that_cannot_be_written_is_a_wrong_configuration(settings):
    settings.run_dir.chmod(0o500)

    with pytest.raises(ConfigurationError, match="can be written"):
        control.prepare(settings.run_dir)


def test_the_lock_names_its_holder_and_lets_no_second_in(settings):
    assert control.holder(settings.run_dir) is None

    with control.locked(settings.run_dir):
        assert control.holder(settings.run_dir) == os.getpid()
        with pytest.raises(control.AlreadyRunning, match=str(os.getpid())), control.locked(settings.run_dir):
            pass

    assert control.holder(settings.run_dir) is None


def test_a_lock_file_that_a_power_loss_left_holds_nobody_up(settings):
    (settings.run_dir / "lock").write_text("1")
    (settings.run_dir / "control.sock").touch()

    with control.locked(settings.run_dir), served(settings, lambda request: {"got": request}):
        assert control.ask(settings, {"verb": "status"}) == {"got": {"verb": "status"}}


def test_who_asks_for_the_holder_does_not_keep_a_supervisor_from_starting(settings):
    (settings.run_dir / "lock").touch()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            control.holder(settings.run_dir)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(20):
            with control.locked(settings.run_dir):
                pass
    finally:
        done.set()
        for watcher in watchers:
            watcher.join()


def test_a_link_in_place_of_the_lock_is_not_followed(settings):
    (settings.run_dir / "elsewhere").write_text("precious")
    (settings.run_dir / "lock").symlink_to(settings.run_dir / "elsewhere")

    with pytest.raises(ConfigurationError), control.locked(settings.run_dir):
        pass

    assert (settings.run_dir / "elsewhere").read_text() == "precious"


def test_without_a_supervisor_the_answer_is_at_once_how_to_start_one(settings):
    began = time.monotonic()

    with pytest.raises(FeedUnavailable, match=rf"{settings.run_dir}.*python supervisor\.py.*--demo"):
        control.ask(settings, {"verb": "status"})

    assert time.monotonic() - began < 0.5


def test_a_supervisor_that_is_starting_is_waited_for(settings):
    with control.locked(settings.run_dir):
        with pytest.raises(RequestTimeout):
            control.ask(settings, {"verb": "status"}, timeout=0.2)

        answers: list[dict] = []
        asking = threading.Thread(target=lambda: answers.append(control.ask(settings, {"verb": "status"}, timeout=5)))
        asking.start()
        with served(settings, lambda request: {"late": True}):
            asking.join(5)

    assert answers == [{"late": True}]


def test_a_supervisor_that_does_not_answer_is_a_timeout(settings):
    with control.locked(settings.run_dir), socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(settings.socket("control")))
        silent.listen()

        with pytest.raises(RequestTimeout):
            control.ask(settings, {"verb": "status"}, timeout=0.2)


def refuse(request: object) -> dict:
    raise ValueError("expected a verb")


@pytest.mark.parametrize(
    "line",
    [b"\n", b"null\n", b"[]\n", b"\xff\xfe\n", b"{\n", b"[" * 4000 + b"\n", b'{"verb":1e999}\n', b'{"verb":"no"}\n'],
)
def test_a_bad_request_is_told_so_and_the_next_one_is_answered(settings, line):
    with served(settings, refuse):
        answers = raw(settings, line + b'{"verb":"no"}\n')

        assert [list(answer) for answer in answers] == [["error"], ["error"]]
        assert answers[1]["error"] == "expected a verb"


def test_a_request_without_an_end_is_refused(settings):
    with served(settings, refuse):
        answers = raw(settings, b"x" * 1_000_000)

        assert "4096 bytes" in answers[0]["error"]


def test_the_socket_is_its_owners_alone(settings):
    with served(settings, refuse):
        assert settings.socket("control").stat().st_mode & 0o777 == 0o600
