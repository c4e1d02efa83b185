"""The door to HTTP: one GET with bounded time, size and tries, for an exchange's REST."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import random
from types import TracebackType
from typing import Self, TypeVar

import aiohttp

from poeticoins.errors import PoeticoinsError, without_secrets
from poeticoins.restarts import Budget
from poeticoins.troubles import retry_after

TIMEOUT = 5.0
"""Seconds that one try may take."""
TRIES = 4
LARGEST = 32 * 1024 * 1024
"""Bytes of one answer; a day of Bitstamp's busiest pair is some 10 MB."""
LONGEST_WAIT = 30.0
"""Seconds that an exchange's Retry-After is obeyed for at most, and that a 429 without one is."""
AT_ONCE = 3
T = TypeVar("T")


class NoAnswer(PoeticoinsError):
    """The REST gave no usable answer in all tries; says why the last one failed."""


class Rest:
    """
    One exchange's REST. A context manager; at most AT_ONCE requests are under way, and as many begin in a second as
    the exchange allows.

    per_second: how many that are; at first so many may begin at once. proxy: as the setting of that name: "" as the
    environment says, "none", or a URL.
    """

    def __init__(self, per_second: float, proxy: str = "") -> None:
        self._session: aiohttp.ClientSession | None = None
        self._from_environment = not proxy
        self._proxy = None if proxy in ("", "none") else proxy
        self._places = asyncio.Semaphore(AT_ONCE)
        self._budget = Budget(burst=max(per_second, 1.0), refill=1 / per_second, tokens=max(per_second, 1.0))

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            trust_env=self._from_environment,
            headers={"User-Agent": "poeticoins"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def read(self, url: str, parse: Callable[[bytes], T]) -> T:
        """
        What `parse` makes of the answer's body. Raises NoAnswer once all tries have failed.

        parse: raises PoeticoinsError for a body that is not usable; that counts as a failed try. It is called in a
        thread: a day of a busy pair takes half a second, in which the live trades must not wait.
        """
        why = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(0.25 * 2**attempt * (0.5 + 0.5 * random()))
            try:
                async with self._places:
                    await self._turn()
                    status, body = await self._try(url)
                if status == 200:
                    return await asyncio.to_thread(parse, body)
                why = f"HTTP {status}"
                if status < 500 and status != 429:
                    break  # to ask again would not help
            except (OSError, aiohttp.ClientError, PoeticoinsError) as error:
                why = str(error) or type(error).__name__
        raise NoAnswer(without_secrets(f"no answer from {url.partition('?')[0]}: {why}"))

    async def _turn(self) -> None:
        now = time.monotonic()
        when, self._budget = self._budget.take(now)
        await asyncio.sleep(when - now)

    def _pause(self, seconds: float) -> None:
        """None of the requests that follow begins before: an exchange that has enough means all of them."""
        until = max(self._budget.at, time.monotonic() + seconds)
        self._budget = replace(self._budget, tokens=1.0, at=until)

    async def _try(self, url: str) -> tuple[int, bytes]:
        assert self._session is not None
        if self._proxy and self._proxy.startswith("socks"):
            raise NoAnswer("the REST cannot be reached through a SOCKS proxy")
        async with self._session.get(url, allow_redirects=False, proxy=self._proxy) as answer:
            if answer.status == 429:
                wait = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
                self._pause(LONGEST_WAIT if wait is None else min(wait, LONGEST_WAIT))
            body = bytearray()
            async for part in answer.content.iter_chunked(65536):
                body += part
                if len(body) > LARGEST:
                    raise NoAnswer(f"an answer of more than {LARGEST} bytes")
            return answer.status, bytes(body)
