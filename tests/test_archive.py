"""Bars on disk: what survives which death, and what a bad file or a full disk does."""

import asyncio
import logging
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from random import Random

import msgspec
import numpy as np
import pytest

import poeticoins
from poeticoins import bus, messages, sealed, wire
from poeticoins.archive import BARS
from poeticoins.candles import BAR_DTYPE, TIERS, rolled_up
from poeticoins.chart import Kept
from poeticoins.errors import PoeticoinsError
from poeticoins.historical import Historical
from poeticoins.history import History
from poeticoins.journal import Journal
from poeticoins.model import SECOND, Product
from poeticoins.ring import RECORD_DTYPE
from tests.makers import BTC, make_settings, make_trade
from tests.test_line import PublisherOfOne
from tests.trees import ROOT, until

DEADLINE = 20
HISTORICAL = """
import asyncio, multiprocessing, sys
from pathlib import Path
from poeticoins.child import Child
from poeticoins.historical import run
from tests.makers import make_settings

async def live():
    settings = make_settings(Path(sys.argv[1]), exchanges=("coinbase",), journal_capacity=2000)
    await run(settings, Child("historical", multiprocessing.Pipe(False)[1]))

asyncio.run(live())
"""


@pytest.fixture
def settings(run_dir):
    settings = make_settings(run_dir, exchanges=("coinbase",), journal_capacity=2000)
    settings.journal(BTC).parent.mkdir(parents=True, exist_ok=True)
    return settings


@contextmanager
def historical_process(settings):
    command = [sys.executable, "-c", HISTORICAL, str(settings.run_dir)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            until(lambda: tiers_answered(settings) is not None, DEADLINE)
            yield process
        finally:
            process.kill()


def tiers_answered(settings) -> list | None:
    """All candles of each length, as historical answers; None if it does not."""
    try:
        return [_answered(settings, interval) for interval in TIERS]
    except (PoeticoinsError, OSError):
        return None


def _answered(settings, interval: int) -> list:
    question = wire.encode(messages.CandlesQuestion(messages.WIRE_VERSION, str(BTC), interval, 60_000))
    answer = wire.decode_answer(bus.ask(settings.socket("historical"), question, 0.5))
    assert isinstance(answer, messages.CandlesAnswer)
    return np.frombuffer(answer.records, BAR_DTYPE).tolist()


def alike(some: list, others: list) -> bool:
    """Equal, but for the order in which floats were added up."""
    return all(
        len(a) == len(b) and np.allclose(np.array(a), np.array(b), rtol=1e-12)
        for a, b in zip(some, others, strict=True)
    )


def on_disk(settings) -> Kept | None:
    content = sealed.read(settings.bars(BTC), BARS, settings.mode, BTC)
    return None if content is None else msgspec.msgpack.decode(content, type=Kept)


def charted(settings, count: int) -> bool:
    answered = tiers_answered(settings)
    return answered is not None and sum(bar[-1] for bar in answered[-1]) == count


async def test_no_candle_is_lost_by_a_kill_after_many_times_what_the_journal_holds(settings):
    chance = Random(5)
    published = 0
    publisher = PublisherOfOne(settings)

    def publish_all() -> None:
        nonlocal published
        for trade_id in range(published + 1, published + 201):
            at, late = (trade_id - chance.randrange(60), True) if trade_id % 50 == 0 else (trade_id, False)
            price = str(100 + chance.randrange(50))
            publisher.intake.trade(make_trade(trade_id, at=max(at, 0) + 0.25 * late, price=price, late=late), 5)
        published += 200

    with ExitStack() as stack:
        stack.callback(publisher.close)
        for rounds in (20, 3):  # 4,600 trades; the journal holds 2,000
            with historical_process(settings) as process:
                for _ in range(rounds):
                    publish_all()
                    await asyncio.to_thread(until, lambda: charted(settings, published), DEADLINE)
                    await asyncio.to_thread(until, lambda: saved_within(settings, 1500, published), DEADLINE)
                before = tiers_answered(settings)
                process.send_signal(signal.SIGKILL)
                process.wait(5)
            with historical_process(settings):
                await asyncio.to_thread(until, lambda: charted(settings, published), DEADLINE)
                after = tiers_answered(settings)

            assert alike(after, before)


def saved_within(settings, records: int, published: int) -> bool:
    kept = on_disk(settings)
    return published < records or (kept is not None and published - kept.sequence < records)


def filled(settings, first: int, last: int) -> None:
    """Journals trades, one a second, as a client does."""
    journal = Journal(settings.journal(BTC), BTC, settings.mode, settings.journal_capacity)
    for trade_id in range(first, last + 1):
        journal.append(make_trade(trade_id, at=trade_id))
    journal.close()


async def restored(settings) -> History:
    historical = Historical(settings)
    await historical.restore()
    historical.close()
    return historical._histories[str(BTC)]


def trades_in(history: History) -> int:
    return int(history.candles(TIERS[3], 99)["trades"].sum())


async def test_a_clean_stop_writes_what_is_new_and_leaves_no_other_file(settings):
    filled(settings, 1, 100)

    await restored(settings)
    filled(settings, 101, 2090)  # the first ninety are gone from the journal
    history = await restored(settings)

    assert trades_in(history) == 2090
    assert not history.gaps
    assert sorted(path.name for path in settings.bars(BTC).parent.iterdir()) == ["BTC-USD.bars", "BTC-USD.journal"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda whole: whole[:-1], "expected .* bytes as they were written"),
        (lambda whole: whole[:60], "expected a header"),
        (lambda whole: whole[:-9] + b"\1" + whole[-8:], "bytes as they were written, found"),
        (lambda whole: b"poeticoins bars 9\0\0\0" + whole[20:], "found 'poeticoins bars 9'"),
        (lambda whole: whole[:20] + b"live coinbase:BTC-USD".ljust(44, b"\0") + whole[64:], "that of 'live coinbase"),
        (lambda _: b"", "expected a header"),
    ],
)
async def test_a_file_that_is_torn_or_foreign_is_put_aside_with_one_line(settings, caplog, spoil, why):
    filled(settings, 1, 100)
    await restored(settings)
    path = settings.bars(BTC)
    spoilt = spoil(path.read_bytes())
    path.write_bytes(spoilt)

    with caplog.at_level(logging.WARNING):
        history = await restored(settings)

    assert trades_in(history) == 100  # all of which the journal has
    aside = next(path.parent.glob("*.quarantined-*"))
    assert aside.read_bytes() == spoilt
    lines = [record for record in caplog.records if record.message == "put bars aside"]
    assert len(lines) == 1
    assert re.search(why, str(lines[0].facts["why"]))


async def test_a_file_whose_seal_holds_but_not_what_is_in_it_is_put_aside_too(settings):
    filled(settings, 1, 100)
    sealed.write(settings.bars(BTC), BARS, settings.mode, BTC, b"\x93\1\2\3")

    assert trades_in(await restored(settings)) == 100
    assert len(list(settings.bars(BTC).parent.glob("*.quarantined-*"))) == 1


async def test_a_full_disk_is_one_warning_and_is_tried_again(settings, caplog, monkeypatch):
    monkeypatch.setattr("poeticoins.archive.AGAIN", 0.0)
    filled(settings, 1, 100)
    await restored(settings)
    old = settings.bars(BTC).read_bytes()
    filled(settings, 101, 1600)
    historical = Historical(settings)
    await historical.restore()
    archive = historical._archive
    signal_before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    with caplog.at_level(logging.WARNING):
        following = asyncio.create_task(archive.follow(0.01))
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        try:
            async with asyncio.timeout(DEADLINE):
                while archive._failed_at is None:
                    await asyncio.sleep(0.01)
                failed = archive._failed_at
                while archive._failed_at == failed:
                    await asyncio.sleep(0.01)
            kept = settings.bars(BTC).read_bytes()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, signal_before)
        async with asyncio.timeout(DEADLINE):
            while (found := on_disk(settings)) is None or found.sequence < 1600:
                await asyncio.sleep(0.01)
        following.cancel()
    historical.close()

    assert kept == old
    assert [record.message for record in caplog.records].count("cannot keep bars on disk, will try again") == 1
    assert not list(settings.bars(BTC).parent.glob("*.new"))


async def test_a_write_under_way_at_the_end_is_waited_for_and_never_mixed_with_the_last(settings):
    filled(settings, 1, 100)
    historical = Historical(settings)
    await historical.restore()
    history = historical._histories[str(BTC)]
    old = history.kept()
    filled(settings, 101, 200)
    historical._read(history)

    historical.close()
    historical._archive._write(BTC, old)  # a thread that came too late

    assert on_disk(settings).sequence == 200


async def test_twelve_full_windows_with_full_bars_are_back_within_a_second(run_dir):
    products = tuple(Product("coinbase", f"C{number}", "USD") for number in range(12))
    settings = make_settings(
        run_dir, exchanges=("coinbase",), products={"coinbase": products}, journal_capacity=50_000, ring_capacity=50_000
    )
    settings.journal(products[0]).parent.mkdir(parents=True)
    Journal(settings.journal(products[0]), products[0], settings.mode, 50_000).close()
    template = settings.journal(products[0]).read_bytes()
    for product in products:
        _full_window(settings, product, template)

    took = []
    for _ in range(3):  # the machine may have other work: the quickest counts
        historical = Historical(settings)
        began = time.process_time()
        await historical.restore()
        took.append(time.process_time() - began)

    history = historical._histories[str(products[-1])]
    assert len(history.chart.tiers[0]) == settings.bars_1s * BAR_DTYPE.itemsize
    assert history.candles(TIERS[3], 9)["trades"].sum() == 86_400 + 12_500
    assert min(took) < 1.0, took


def _full_window(settings, product: Product, template: bytes) -> None:
    """A file of a day's bars, and a journal of which a quarter is newer."""
    history = History(product, settings)
    bars = np.zeros(86_400, BAR_DTYPE)
    bars["start_ns"] = 1_790_000_000 * SECOND + np.arange(86_400) * SECOND
    bars["trades"] = 1
    for name in ("open", "high", "low", "close", "volume", "turnover"):
        bars[name] = 1.0
    history.chart._ours.restore([rolled_up(bars, step) for step in TIERS])
    records = np.zeros(50_000, RECORD_DTYPE)
    records["sequence"] = records["trade_id"] = np.arange(1, 50_001)
    records["traded_at_ns"] = bars["start_ns"][-1] + (np.arange(50_000) - 37_499) * SECOND
    records["price_mantissa"] = records["size_mantissa"] = 1
    epoch = int.from_bytes(template[64:68], "little")
    records["epoch"] = epoch
    newest = int(records["traded_at_ns"][37_499]), 37_500
    kept = Kept(epoch, 37_500, newest, int(bars["start_ns"][0]), history.chart.tiers, b"")
    sealed.write(settings.bars(product), BARS, settings.mode, product, msgspec.msgpack.encode(kept))
    head = bytearray(template[:4096])
    head[20:64] = f"{settings.mode} {product}".encode().ljust(44, b"\0")
    head[128:136] = (50_001).to_bytes(8, "little")
    settings.journal(product).write_bytes(bytes(head) + records.tobytes())


def test_a_tree_that_is_stopped_and_started_again_has_all_its_candles(run_dir, monkeypatch):
    monkeypatch.setenv("POETICOINS_JOURNAL_CAPACITY", "300")

    with poeticoins.demo(("coinbase",), run_dir=run_dir):
        # more than the journal holds
        until(lambda: poeticoins.get_candles(BTC, "1s", limit=60_000)["trades"].sum() > 400, 3 * DEADLINE)
        before = poeticoins.get_candles(BTC, "1s", limit=60_000)[:-5]
    with poeticoins.demo(("coinbase",), run_dir=run_dir):
        after = poeticoins.get_candles(BTC, "1s", limit=60_000)

    common = before.index.intersection(after.index)
    assert len(common) == len(before) > 50
    assert np.allclose(after.loc[common].drop(columns="origin"), before.drop(columns="origin"), rtol=1e-12)
