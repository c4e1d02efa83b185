"""An exchange's REST is asked politely: so often a second, and not at all while it says that it has enough."""

import asyncio
import time
from urllib.parse import urlsplit

import pytest

from poeticoins.rest import NoAnswer, Rest
from poeticoins.simulator.faults import Fault
from poeticoins.simulator.server import EmbeddedExchange


def address(exchange: EmbeddedExchange) -> str:
    return f"http://{urlsplit(exchange.url).netloc}/coinbase/products/BTC-USD/trades?limit=1"


async def test_a_first_start_of_many_products_makes_no_storm():
    async with EmbeddedExchange() as exchange, Rest(per_second=5.0, proxy="none") as rest:
        begun = time.monotonic()

        await asyncio.gather(*(rest.read(address(exchange), bytes) for _ in range(12)))

        assert time.monotonic() - begun >= 7 / 5 - 0.01  # five at once, then one each fifth of a second


async def test_a_429_holds_back_every_request_for_as_long_as_it_says():
    async with EmbeddedExchange() as exchange, Rest(per_second=50.0, proxy="none") as rest:
        exchange.faults["coinbase"].append(Fault("rest", seconds=0, status=429))  # says: in a second
        first = asyncio.create_task(rest.read(address(exchange), bytes))
        async with asyncio.timeout(10):
            while exchange.faults["coinbase"]:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)
            begun = time.monotonic()

            await rest.read(address(exchange), bytes)

            assert time.monotonic() - begun > 0.5
            assert await first


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (400, 1), (500, 4), (503, 4)])
async def test_tries_end_and_those_that_would_not_help_are_not_made(status, tries):
    async with EmbeddedExchange() as exchange, Rest(per_second=50.0, proxy="none") as rest:
        fault = Fault("rest", count=100, seconds=0, status=status)
        exchange.faults["coinbase"].append(fault)

        with pytest.raises(NoAnswer, match=f"HTTP {status}"):
            await rest.read(address(exchange), bytes)

        assert fault.count == 100 - tries


async def test_an_answer_that_takes_long_to_read_holds_up_nothing_else():
    async with EmbeddedExchange() as exchange, Rest(per_second=50.0, proxy="none") as rest:
        beats: list[float] = []

        async def beat() -> None:
            while True:
                beats.append(time.monotonic())
                await asyncio.sleep(0.01)

        def slowly(body: bytes) -> int:
            time.sleep(0.5)
            return len(body)

        beating = asyncio.create_task(beat())
        length = await rest.read(address(exchange), slowly)
        beating.cancel()

    assert length > 10
    assert len([at for at in beats if at > beats[-1] - 0.5]) > 5
