"""What lies in files: journals, bars, the exchange's candles, recordings, settings, the lock, the budget, the key."""

import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

from dashboards import signing
from poeticoins import config, control, sealed
from poeticoins.archive import BARS, Archive
from poeticoins.budget import BudgetFile
from poeticoins.errors import ConfigurationError
from poeticoins.exchanges import EXCHANGES
from poeticoins.historical import Historical
from poeticoins.history import History
from poeticoins.intake import Intake
from poeticoins.journal import read_tail
from poeticoins.model import Candle
from poeticoins.prehistory import Prehistory
from poeticoins.record import pack
from poeticoins.recording import products_in, read_frames
from poeticoins.rest import Rest
from poeticoins.restarts import Budget
from poeticoins.told import CANDLES, MINUTE, Told, telling
from tests.fuzz import processes
from tests.fuzz.exchanges import frames
from tests.fuzz.target import Target, directory, is_told_of
from tests.makers import BTC, NOON, make_settings, make_trade


def fresh(name: str) -> Path:
    path = directory() / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


# -- journals


def _settings(name: str) -> config.Settings:
    settings = make_settings(fresh(name), **processes.SMALL)
    settings.journal(BTC).parent.mkdir(parents=True)
    return settings


@cache
def a_journal() -> bytes:
    settings = _settings("a-journal")
    intake = Intake(BTC, settings, True, lambda frame: None)
    intake.connected(NOON)
    for n in (1, 2, 3, 7, 8):
        intake.trade(make_trade(n, at=n), NOON)
    intake.close()
    return settings.journal(BTC).read_bytes()


def journal(data: bytes) -> None:
    """
    Whatever lies in place of a journal: historical reads what it can, and its client goes on, with it or with a new
    one; what it then publishes is read again.
    """
    settings = _settings("journal")
    path = settings.journal(BTC)
    path.write_bytes(data)
    read_tail(path, BTC, settings.mode)
    historical = Historical(settings)
    processes.in_loop(lambda: historical._read(historical._histories[str(BTC)], limit=None))
    for question in processes.QUESTIONS:
        processes.answered(historical, question)
    intake = Intake(BTC, settings, True, lambda frame: None)
    intake.connected(NOON)
    before = intake.published.journal.next
    for trade_id in (2**40, 2**40 + 1):
        intake.trade(make_trade(trade_id, at=5), NOON)
    intake.close()
    tail = read_tail(path, BTC, settings.mode, before)
    assert tail is not None
    assert tail.last >= before


def records(data: bytes) -> None:
    """The same, with a header that is as it must be: what is harmed is in the records."""
    whole = a_journal()
    journal(whole[:4096] + data[: len(whole) - 4096].ljust(len(whole) - 4096, b"\0"))


# -- files that are sealed


def _sealed(kind: str, path: Callable[[config.Settings], Path], content: bytes) -> config.Settings:
    settings = _settings("sealed")
    sealed.write(path(settings), kind, settings.mode, BTC, content)
    return settings


def bars(data: bytes) -> None:
    """Bars whose seal is good, whatever is in them: taken, or put aside; what is asked for is answered."""
    settings = _sealed(BARS, lambda s: s.bars(BTC), data)
    historical = Historical(settings)
    history = historical._histories[str(BTC)]
    historical._archive.restore(history)
    for question in processes.QUESTIONS:
        processes.answered(historical, question)


def told(data: bytes) -> None:
    """The exchange's candles, at historical and at its client."""
    settings = _sealed(CANDLES, lambda s: s.candles(BTC), data)
    history = History(BTC, settings)
    Archive(settings, [history])._hear(history)
    history.candles(60 * 10**9, 100)
    Prehistory(EXCHANGES["coinbase"], settings, {}, Rest(1, "none"))._on_disk(BTC)


def seal(data: bytes) -> None:
    path = fresh("seal") / "x"
    path.write_bytes(data)
    with suppress(sealed.BrokenSeal):
        assert isinstance(sealed.read(path, BARS, "demo", BTC), bytes)


@cache
def some_bars() -> bytes:
    settings = make_settings(directory(), **processes.SMALL)
    history = History(BTC, settings)
    for item in processes.ITEMS:
        history.message(item.epoch, item.sequence, pack(item))
    return msgspec.msgpack.encode(history.kept())


@cache
def a_seal() -> bytes:
    settings = _sealed(BARS, lambda s: s.bars(BTC), b"content")
    return settings.bars(BTC).read_bytes()


def some_candles() -> bytes:
    first = NOON // 10**9 // MINUTE * MINUTE
    minutes = [Candle((first + n * MINUTE) * 10**9, 1.0, 3.0, 0.5, 2.0, 9.0) for n in range(3)]
    found = telling(minutes, MINUTE, (first, first + 300))
    assert found
    return msgspec.msgpack.encode(Told(time.time_ns(), {MINUTE: found}))


# -- recordings


def recording(data: bytes) -> None:
    """A recording: frames, in order of time, of exchanges that we know; or what is wrong, and in which line."""
    file = fresh("recording") / "r.jsonl"
    file.write_bytes(data)
    try:
        found = read_frames([file], {})
    except ConfigurationError as error:
        is_told_of(error, f"{file}:")
        return
    assert all(frame.exchange in EXCHANGES and isinstance(frame.raw, str) for frame in found)
    assert all(frame.at >= 0 for frame in found)
    for products in products_in(found).values():
        assert products


def a_recording() -> bytes:
    urls = {name: exchange.URL for name, exchange in EXCHANGES.items()}
    lines = [
        {"t": 1_790_000_000 + n, "dir": "in", "url": urls[name], "raw": frame.decode("utf-8", "replace")}
        for name, exchange in EXCHANGES.items()
        for n, frame in enumerate(frames(exchange)[:6])
    ]
    lines.insert(3, {"t": 1_790_000_002, "dir": "out", "url": urls["coinbase"], "raw": "{}"})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


# -- settings, lock, budget, key

TOML = b"""run_dir = "/tmp/x"
port = 8050
host = "127.0.0.1"
allow_origin = ["prices.example", "box.lan:8050"]
beat_interval = 1.0
backfill = true
proxy = "http://someone:secret@127.0.0.1:1"
exchanges = ["coinbase"]
[exchanges.coinbase]
products = ["BTC-USD", "SOL-EUR"]
url = "wss://127.0.0.1:1"
rest_url = "https://127.0.0.1"
"""


def toml(data: bytes) -> None:
    file = directory() / "poeticoins.toml"
    file.write_bytes(data)
    with suppress(ConfigurationError):
        checked(config.load(file, {}))


def environment(data: bytes) -> None:
    lines = [line.partition("=") for line in data.decode("utf-8", "surrogateescape").split("\n")]
    with suppress(ConfigurationError):
        checked(config.load(directory() / "empty.toml", {name: value for name, _, value in lines}))


def checked(settings: config.Settings) -> None:
    assert settings.run_dir.is_absolute()
    assert 0 <= settings.port < 65536
    assert all(":" in url for url in settings.urls.values())


def lock(data: bytes) -> None:
    path = directory() / "lock-here"
    path.mkdir(exist_ok=True)
    (path / "lock").write_bytes(data)
    assert control.holder(path) is None
    with control.locked(path):
        (path / "lock").write_bytes(data)
        assert control.holder(path) is not None


def budget(data: bytes) -> None:
    path = directory() / "connects"
    path.write_bytes(data)
    full = Budget()
    found = BudgetFile(path).load(full, 100.0)
    assert 0 <= found.tokens <= full.burst
    when, _ = found.take(100.0)
    assert 100.0 <= when < 100.0 + 60


def key(data: bytes) -> None:
    path = directory() / signing.NAME
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    assert len(signing.key(directory())) == signing.SIZE


(directory() / "empty.toml").write_bytes(b"")
JOURNAL = ("poeticoins/journal.py", "poeticoins/record.py", "poeticoins/publication.py")
TARGETS = {
    "journal": Target([a_journal()], journal, JOURNAL, short=50),
    "journal records": Target([a_journal()[4096:]], records, (*JOURNAL, "poeticoins/history.py"), short=50),
    "bars": Target(
        [some_bars()], bars, ("poeticoins/archive.py", "poeticoins/history.py", "poeticoins/chart.py"), short=200
    ),
    "candles": Target(
        [some_candles()], told, ("poeticoins/prehistory.py", "poeticoins/archive.py", "poeticoins/told.py"), short=200
    ),
    "seal": Target([a_seal()], seal, ("poeticoins/sealed.py",)),
    "recording": Target([a_recording()], recording, ("poeticoins/recording.py",), short=100),
    "settings file": Target([TOML], toml, ("poeticoins/config.py", "poeticoins/exchange_tables.py")),
    "environment": Target(
        [
            b"POETICOINS_PORT=8050\nPOETICOINS_PROXY=http://a:b@c:1\nPOETICOINS_RUN_DIR=/tmp/x\nPOETICOINS_ALLOW_ORIGIN=a:1"
        ],
        environment,
        ("poeticoins/config.py",),
        short=100,
    ),
    "lock": Target([b"12345", b"0", b""], lock, ("poeticoins/control.py",)),
    "budget": Target([b'{"tokens":5,"at":90.5}'], budget, ("poeticoins/budget.py",)),
    "key": Target([signing._new()], key, ("dashboards/signing.py",)),
}
