"""What is told of the whole: the supervisor's status as the pages show it, asked again and again, off the loop."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence

from dashboards import format
from dashboards.clock import now_ms
from dashboards.health import describe, no_supervisor, opening
from dashboards.missing import Missing, counts_of
from dashboards.source import Source
from dashboards.system import Heard, System
from poeticoins import FeedUnavailable, PoeticoinsError

RATE_POLLS = 3
"""The rate is the mean over so many looks: steady enough to read, quick enough to believe."""


class Outlook:
    """`look()` once a second; `status` is what the pages show, and `complaint` why the feed has no answer yet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._missing = Missing(source)
        self._rates: deque[float] = deque(maxlen=RATE_POLLS)
        self._mode = ""
        self._looked = time.monotonic()
        self.status = opening()
        self.system = System()
        self.complaint = ""

    async def look(self, heard: int, newest: Mapping[str, int], keys: Sequence[str]) -> str:
        """
        The mode of who runs now, "" if nobody does.

        heard: trades since the look before; newest: by exchange, when the newest of them was traded, in ns since 1970;
        keys: the products that are followed.
        """
        elapsed, self._looked = time.monotonic() - self._looked, time.monotonic()
        try:
            answer = await asyncio.to_thread(self._source.get_status)
            self._rates.append(heard / max(elapsed, 0.001))
            rate = sum(self._rates) / len(self._rates)
            told = describe(answer, rate=rate, newest=newest, now_ns=time.time_ns(), complaint=self.complaint)
            self.system.take(answer, Heard(told["troubles"], rate), now_ms())  # also while historical is away
            gaps = await self._missing.look(answer, keys)
        except FeedUnavailable as error:
            self._rates.clear()
            self._mode, self.status = "", no_supervisor(str(error))
            self.system.absent(now_ms())
        except PoeticoinsError as error:  # mostly RequestTimeout: it is starting, and what was known still holds
            self.status = self.status | {"notices": [format.clean(str(error))]}
        else:
            self._mode = str(answer.mode)
            self.status = told | {"gaps": gaps, "counts": counts_of(answer)}
            self.system.missing(self._missing.recent)
        return self._mode
