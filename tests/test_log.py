"""The log: lines that stay lines, whatever they are about, and that nobody waits for."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins import log
from poeticoins.log import VALUE_LIMIT, Allowance, LineFormatter, escaped, fact

ROOT = Path(__file__).parent.parent


def line(message: str = "connected", about: str | None = None, error: BaseException | None = None, **facts) -> str:
    record = logging.LogRecord("x", logging.INFO, "", 0, message, (), error and (type(error), error, None))
    record.facts, record.about = facts, about
    return LineFormatter("coinbase").format(record)


def test_a_line_begins_with_the_time_and_the_child():
    shown = line(host="a.b", tries=3, wait=1.234)

    assert re.fullmatch(r"\d\d:\d\d:\d\d coinbase    connected host=a.b tries=3 wait=1.23", shown)
    assert re.match(r"\d\d:\d\d:\d\d historical  connected$", line(about="historical"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "key=plain"),
        ("two words", "key='two words'"),
        ("", "key=''"),
        ("a=b", "key='a=b'"),
        ("a\nb", r"key=a\nb"),
        ("\x1b[31m", r"key=\x1b[31m"),
        ("\u202e", r"key=\u202e"),
        ("\ud800", r"key=\ud800"),
        (None, "key=None"),
        (1.23456, "key=1.23"),
    ],
)
def test_a_value_from_outside_cannot_write_lines_of_its_own(value, expected):
    assert fact("key", value) == expected


@given(st.text())
def test_no_text_breaks_its_line(text):
    shown = escaped(text)

    assert shown.isprintable() or not shown
    assert len(line(text, key=text).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "http://me:canary@proxy:3128", "connect to wss://canary@host/x failed", "https://host/x?api_key=canary&n=1",
        "POETICOINS_TOKEN=canary", "Authorization: Bearer canary", "{'password': 'canary'}", '{"secret":"canary"}',
        "x-signature: canary", "x" * (VALUE_LIMIT - 15) + " http://me:canary" + "y" * 100 + "@proxy",
    ],
)  # fmt: skip
def test_no_secret_gets_into_a_line_not_even_half_of_it(text):
    assert "canary" not in escaped(text)


@pytest.mark.parametrize(
    "text", ["token of the exchange", "https://host/path?limit=10", "expected a key, got 'a'", "1@2"]
)
def test_what_is_no_secret_stays(text):
    assert escaped(text) == text


def test_a_long_value_is_cut():
    assert len(escaped("x" * 1000)) == log.VALUE_LIMIT
    assert escaped("x" * 1000).endswith("…")


def test_every_line_of_a_traceback_is_about_its_child():
    shown = line(error=ValueError("first\nsecond"))

    assert len(shown.splitlines()) == 3
    assert all(" coinbase " in each for each in shown.splitlines())


def test_a_storm_of_warnings_becomes_ten_a_second_and_a_number():
    allowance, written, mentioned = Allowance(per_second=10), 0, []

    for i in range(3_000):
        allowance, allowed, more = allowance.take(i / 1_000)
        written += allowed
        mentioned += [more] if more else []
    allowance, more = allowance.settle(3.5)

    assert written == 30
    assert mentioned == [990, 990]
    assert more == 990
    assert allowance.settle(4.0)[1] == 0


def run(code: str, **pipes) -> subprocess.CompletedProcess:
    setup = "import logging, os, sys\nfrom poeticoins import log\nlog.set_up('child')\n"
    setup += "logger = logging.getLogger('poeticoins.x')\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", setup + code], env=environment, timeout=20, check=False, **pipes)


def test_a_closed_stderr_ends_nothing():
    code = "os.close(2); log.say(logger, 'a'); sys.stderr = None; log.warn(logger, 'b'); print('done')"

    assert run(code, stdout=subprocess.PIPE).stdout == b"done\n"


def test_a_reader_that_does_not_read_holds_up_nobody():
    reading, writing = os.pipe()
    try:
        done = run(
            "for i in range(5_000): log.say(logger, 'x' * 100)\nprint('done')", stdout=subprocess.PIPE, stderr=writing
        )
    finally:
        os.close(reading)
        os.close(writing)

    assert done.stdout == b"done\n"


@pytest.mark.parametrize(("level", "written"), [("info", 50), ("warning", 10), ("error", 10), ("critical", 10)])
def test_lines_that_repeat_are_counted_instead_of_written(level, written):
    code = f"""
now = 0.0
log.time.monotonic = lambda: now
for _ in range(822):
    logger.{level}("again")
now = 1.01
log.settle()
"""

    lines = run(code, stderr=subprocess.PIPE).stderr.decode().splitlines()

    assert len(lines) == written + 1
    assert lines[-1].endswith(f"child       … and {822 - written} more")


def test_a_flood_of_one_level_silences_no_other():
    code = "for _ in range(822): log.warn(logger, 'again')\nlogger.error('the reason')"

    assert run(code, stderr=subprocess.PIPE).stderr.decode().splitlines()[-1].endswith("the reason")
