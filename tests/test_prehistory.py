"""Candles from the embedded exchange's REST, over real HTTP, to the file and from there to historical."""

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from poeticoins import sealed
from poeticoins.candles import BAR_DTYPE, TIERS
from poeticoins.exchanges import EXCHANGES
from poeticoins.historical import Historical
from poeticoins.model import SECOND, Gap, Product
from poeticoins.prehistory import Manners, Prehistory, _decode
from poeticoins.record import pack
from poeticoins.rest import Rest
from poeticoins.simulator import market
from poeticoins.simulator.faults import Fault
from poeticoins.simulator.server import EmbeddedExchange
from poeticoins.told import CANDLES, Told
from tests.makers import make_settings

SEED = 7
BTC, STAMP = Product("coinbase", "LTC", "EUR"), Product("bitstamp", "LTC", "EUR")
QUICK = Manners(look=0.02, again=0.05, longest=0.1, backfill_first=0.0)
DEADLINE = 20


def settings_for(run_dir, exchange: EmbeddedExchange, product: Product):
    return make_settings(
        run_dir, exchanges=(product.exchange,), products={product.exchange: (product,)}, embedded_url=exchange.url
    )


@asynccontextmanager
async def asking(settings, product: Product):
    """A client's questions, beside an intake that says what is given."""
    says = SimpleNamespace(settled=True, published=SimpleNamespace(began_ns=None, open_gaps=[]))
    async with Rest(10, "none") as rest:
        prehistory = Prehistory(EXCHANGES[product.exchange], settings, {product: says}, rest, QUICK)
        running = asyncio.create_task(prehistory.run())
        try:
            yield says
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def on_disk(settings, product: Product) -> Told | None:
    try:
        content = sealed.read(settings.candles(product), CANDLES, settings.mode, product)
    except sealed.BrokenSeal:
        return None
    return None if content is None else _decode(content)


async def told_in_full(settings, product: Product, minutes_until_ns: int = 0) -> Told:
    """What is on disk once hours, days and last the minutes are."""
    async with asyncio.timeout(DEADLINE):
        while True:
            found = on_disk(settings, product)
            if found and 60 in found.tellings and found.tellings[60].to_ns >= minutes_until_ns:
                return found
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("product", [BTC, STAMP])
async def test_a_first_start_fetches_a_day_of_minutes_and_three_hundred_hours_and_days(run_dir, product):
    async with EmbeddedExchange(seed=SEED) as exchange:
        settings = settings_for(run_dir, exchange, product)
        async with asking(settings, product):
            told = await told_in_full(settings, product)

    counts = {length: len(found.bars) // BAR_DTYPE.itemsize for length, found in told.tellings.items()}
    assert counts == {60: 1440, 3600: 300, 86_400: 300}
    assert all(found.to_ns % (length * SECOND) == 0 for length, found in told.tellings.items())


async def test_historical_shows_them_where_ours_begin_later_and_sums_up_both(run_dir):
    async with EmbeddedExchange(seed=SEED) as exchange:
        settings = settings_for(run_dir, exchange, BTC)
        async with asking(settings, BTC):
            await told_in_full(settings, BTC)
    now_ns = time.time_ns()
    historical = Historical(settings)
    await historical.restore()
    history = historical._histories[str(BTC)]
    began_ns = now_ns - 200 * SECOND
    _hear(history, market.trades(SEED, BTC, began_ns, now_ns))
    historical.close()

    minutes, hours, days = (history.candles(step, 300) for step in TIERS[1:])

    assert (len(minutes), len(hours), len(days)) == (300, 300, 300)
    assert np.isnan(days["turnover"]).all()
    assert days["trades"][:-2].sum() == 0
    since_ns = int(hours["start_ns"][-1])
    traded = market.trades(SEED, BTC, since_ns - 1, now_ns)
    assert hours["volume"][-1] == pytest.approx(float(sum(t.size for t in traded)))
    assert hours["high"][-1] == max(float(t.price) for t in traded)
    assert (hours["open"][-1], hours["close"][-1]) == (float(traded[0].price), float(traded[-1].price))
    assert minutes["trades"][-2] > 0
    assert not np.isnan(minutes["turnover"][-2])


def _hear(history, trades) -> None:
    for sequence, trade in enumerate(trades, 1):
        history.message(7, sequence, pack(msgspec.structs.replace(trade, epoch=7, sequence=sequence)))


async def test_nothing_is_fetched_without_backfill_and_in_a_replay(run_dir):
    async with EmbeddedExchange(seed=SEED) as exchange:
        for changes in ({"backfill": False}, {"mode": "replay"}):
            settings = replace(settings_for(run_dir, exchange, BTC), **changes)
            async with asking(settings, BTC):
                await asyncio.sleep(0.2)
            assert not settings.candles(BTC).exists()


async def test_a_restart_asks_nothing_again_until_a_gap_stays_open(run_dir, monkeypatch):
    monkeypatch.setattr("poeticoins.told.SOON", 0)
    async with EmbeddedExchange(seed=SEED) as exchange:
        settings = settings_for(run_dir, exchange, BTC)
        async with asking(settings, BTC):
            first = await told_in_full(settings, BTC)
        _backdate(settings, first)
        before = settings.candles(BTC).stat().st_mtime_ns
        async with asking(settings, BTC) as intake:
            await asyncio.sleep(0.2)
            assert settings.candles(BTC).stat().st_mtime_ns == before
            ended_ns = time.time_ns() - 200 * SECOND
            intake.published.open_gaps = [Gap(BTC, "disconnected", ended_ns - SECOND, ended_ns)]
            await told_in_full(settings, BTC, minutes_until_ns=ended_ns)


def _backdate(settings, told: Told) -> None:
    """The file as it was ten minutes ago."""
    minutes = told.tellings[60]
    minutes = msgspec.structs.replace(minutes, to_ns=minutes.to_ns - 600 * SECOND)
    told = Told(told.fetched_at_ns - 600 * SECOND, told.tellings | {60: minutes})
    sealed.write(settings.candles(BTC), CANDLES, settings.mode, BTC, msgspec.msgpack.encode(told))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("rest", count=1, seconds=0, status=404, path="/candles"),
        Fault("rest", count=4, seconds=0, status=500, path="/candles"),
        Fault("rest", count=4, seconds=0, status=200, text='[[1,"<b>"]]', path="/candles"),
    ],
    ids=lambda fault: str(fault.status),
)
async def test_a_failure_is_one_warning_and_another_try(run_dir, caplog, fault):
    async with EmbeddedExchange(seed=SEED) as exchange:
        exchange.faults["coinbase"].append(fault)
        settings = settings_for(run_dir, exchange, BTC)
        with caplog.at_level(logging.WARNING):
            async with asking(settings, BTC):
                await told_in_full(settings, BTC)

    assert [record.message for record in caplog.records] == ["could not fetch candles"]


async def test_a_full_disk_is_a_warning_and_another_try(run_dir, caplog, monkeypatch):
    write, fails = sealed.write, [OSError(28, "No space left on device")]
    monkeypatch.setattr(sealed, "write", lambda *given: (_ for _ in ()).throw(fails.pop()) if fails else write(*given))
    async with EmbeddedExchange(seed=SEED) as exchange:
        settings = settings_for(run_dir, exchange, BTC)
        with caplog.at_level(logging.WARNING):
            async with asking(settings, BTC):
                await told_in_full(settings, BTC)

    assert [record.message for record in caplog.records] == ["could not fetch candles"]


async def test_a_file_that_is_no_good_is_put_aside_and_fetched_again(run_dir, caplog):
    async with EmbeddedExchange(seed=SEED) as exchange:
        settings = settings_for(run_dir, exchange, BTC)
        settings.candles(BTC).parent.mkdir(parents=True)
        settings.candles(BTC).write_bytes(b"torn")
        with caplog.at_level(logging.WARNING):
            historical = Historical(settings)
            await historical.restore()
            async with asking(settings, BTC):
                await told_in_full(settings, BTC)
            historical._archive._hear(historical._histories[str(BTC)])

    messages = [record.message for record in caplog.records]
    assert messages == ["cannot read the exchange's candles", "put candles aside"]
    assert len(historical._histories[str(BTC)].candles(TIERS[3], 999)) == 300
    assert len(list(settings.candles(BTC).parent.glob("*.quarantined-*"))) == 1
