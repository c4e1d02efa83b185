"""
The exchanges that are known, and what each one's module must offer.

An exchange is data and pure functions: it has no state, does no I/O, and nothing to inherit. Adding one is one module
here, one fixture file under tests/fixtures/ and one word in EXCHANGES.
"""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError
from poeticoins.exchanges import bitstamp as bitstamp
from poeticoins.exchanges import coinbase as coinbase
from poeticoins.model import Candle, Event, Product, Trade


class Exchange(Protocol):
    """The promises that every exchange module keeps; tests/exchanges/test_contract.py holds each to them."""

    @property
    def NAME(self) -> str:
        """Its name in products, such as "coinbase"."""

    @property
    def URL(self) -> str:
        """Its public WebSocket."""

    @property
    def HOSTS(self) -> Sequence[str]:
        """The hosts that it has been reached at over the years; recordings are recognised by them."""

    @property
    def PRODUCTS(self) -> Sequence[Product]:
        """What is followed unless the settings say otherwise."""

    @property
    def CONTIGUOUS_IDS(self) -> bool:
        """Whether a product's trade ids count up by one, so that a jump proves a hole and no jump proves none."""

    @property
    def PING(self) -> str | None:
        """A frame that the exchange answers with a Heartbeat, to be sent when it is silent; None if it never is."""

    def subscribe_frames(self, products: Sequence[Product]) -> list[str]:
        """The frames to send after connecting, in order."""

    def parse(self, frame: str | bytes) -> list[Trade | Event]:
        """
        What a frame means, oldest trade first; [] for what does not concern us. Raises BadFrame.

        received_at_ns, epoch and sequence are left at 0: whoever publishes the trade fills them in.
        """

    @property
    def BACKFILL_SPANS(self) -> Sequence[int]:
        """How far back its REST's answers reach, in seconds, nearest first; empty if it takes a trade id as cursor."""

    @property
    def REST_PER_SECOND(self) -> float:
        """How many requests a second its REST is asked at most, well below what it allows."""

    def backfill_url(self, product: Product, before: int | None = None, most: int = 1000) -> str:
        """
        Where its REST lists the newest trades: older than the id `before`, or for the span of that number; at most
        `most` of them, from 1 to 1000, where one may say so.
        """

    def parse_backfill(self, product: Product, body: str | bytes) -> list[Trade]:
        """The trades of such an answer, oldest first, with origin "backfill". Raises BadFrame."""

    @property
    def MOST_CANDLES(self) -> int:
        """How many candles one answer of its REST holds at most."""

    def candles_url(self, product: Product, interval: int, since: int, until: int) -> str:
        """
        Where its REST tells the candles that begin in since <= t < until, at most MOST_CANDLES of them.

        In whole seconds since 1970, multiples of `interval`: 60, 3600 or 86400. The answer may hold others too.
        """

    def parse_candles(self, product: Product, body: str | bytes) -> list[Candle]:
        """The candles of such an answer, oldest first; those of spans without a trade are left out. Raises BadFrame."""


EXCHANGES: dict[str, Exchange] = {module.NAME: module for module in (bitstamp, coinbase)}


def reached_at(exchange: Exchange, url: str, settings: Settings) -> str:
    """The exchange's own address; or the same path where the settings say, or at the embedded exchange."""
    parts = urlsplit(url)
    if settings.embedded_url:
        return f"http://{urlsplit(settings.embedded_url).netloc}/{exchange.NAME}{parts.path}?{parts.query}"
    host = settings.rest_urls.get(exchange.NAME) or f"{parts.scheme}://{parts.netloc}"
    return f"{host}{parts.path}?{parts.query}"


def followed(settings: Settings) -> dict[str, tuple[Product, ...]]:
    """The products to follow, by exchange. Raises ConfigurationError for an exchange that is not known."""
    if settings.mode == "replay":
        return dict(settings.replay_products)
    for name in (*settings.exchanges, *settings.products):
        if name not in EXCHANGES:
            raise ConfigurationError(f"exchanges: expected names out of {', '.join(EXCHANGES)}, got {name!r}")
    names = settings.exchanges or tuple(EXCHANGES)
    return {name: settings.products.get(name) or tuple(EXCHANGES[name].PRODUCTS) for name in names}
