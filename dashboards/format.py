"""Words and numbers for people: pure functions, no clock, no markup. What they return is only ever shown as text."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from poeticoins import Product

COINS = {
    "ADA": "Cardano",
    "AVAX": "Avalanche",
    "BCH": "Bitcoin Cash",
    "BTC": "Bitcoin",
    "DOGE": "Dogecoin",
    "DOT": "Polkadot",
    "ETH": "Ethereum",
    "LINK": "Chainlink",
    "LTC": "Litecoin",
    "SOL": "Solana",
    "UNI": "Uniswap",
    "XLM": "Stellar",
    "XRP": "XRP",
}
QUOTES = ("USD", "EUR")
START_LIVE = "python supervisor.py"
START_DEMO = "python supervisor.py --demo"
WORD_LIMIT = 160


class FeedState(Protocol):
    """What the status says about one exchange; `next_try_in` is in seconds."""

    @property
    def exchange(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def host(self) -> str | None: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def next_try_in(self) -> float | None: ...


def number_text(value: Decimal) -> str:
    """The exchange's own digits, trailing zeros kept, thousands separated, never an exponent: `67,829.30`."""
    return f"{value:,f}"


def size_text(size: Decimal) -> str:
    """A size without the zeros that some exchanges pad it with: `0.0119`."""
    text = number_text(size)
    return text.rstrip("0").rstrip(".") if "." in text else text


def coin_name(base: str) -> str:
    """`Bitcoin` for `BTC`; a coin that is not known by name keeps its code."""
    return COINS.get(base, base)


def exchange_name(exchange: str) -> str:
    return exchange.capitalize()


def in_order(products: Iterable[Product]) -> list[Product]:
    """A row a coin: bitcoin, ether, then by code; within it USD, EUR, others; exchanges stay as they came."""
    return sorted(products, key=lambda p: (_rank(p.base, ("BTC", "ETH")), p.base, _rank(p.quote, QUOTES), p.quote))


def _rank(word: str, first: tuple[str, ...]) -> int:
    return first.index(word) if word in first else len(first)


def span_text(seconds: float) -> str:
    """A duration in its largest whole unit: `4 s`, `12 min`, `3 h`, `2 d`. Less than nothing is nothing."""
    seconds = max(0, round(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clean(text: str) -> str:
    """Foreign text as one printable line of at most 160 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: WORD_LIMIT * 4]).split())
    return line if len(line) <= WORD_LIMIT else line[: WORD_LIMIT - 1] + "…"


def feed_words(feed: FeedState, mode: str) -> tuple[str, str]:
    """
    One exchange's trouble as (a word or two for its cards, a sentence for the page); ("", "") while it is live.

    The sentence gives host, reason and the next try; on the live market it also names the demo, which needs no network.
    """
    if feed.state == "live":
        return "", ""
    name, host = exchange_name(feed.exchange), clean(feed.host or "its host")
    problem = f": {clean(feed.problem)}" if feed.problem else ""
    wait = None if feed.next_try_in is None else round(feed.next_try_in)
    retry = "" if wait is None else f", next try in {span_text(wait)}" if wait > 0 else ", next try now"
    demo = f" — without a network, try {START_DEMO}" if mode == "live" and feed.state == "reconnecting" else ""
    match feed.state:
        case "reconnecting" | "connecting":
            return feed.state, f"{name}: {feed.state} to {host}{problem}{retry}{demo}"
        case "degraded":
            return "degraded", f"{name}: {host} sends only a part{problem}"
        case "starting":
            return "starting", f"{name}: its process is starting"
        case "restarting":
            return "restarting", f"{name}: its process is being started again"
        case other:
            return clean(other), f"{name}: {clean(other)}{problem}{retry}"


def child_words(name: str, state: str) -> str:
    """A sentence about a process that is not an exchange's, or that keeps failing; "" if it is ready."""
    match state:
        case "ready":
            return ""
        case "degraded":
            return f"{exchange_name(name)}: its process keeps failing; it is started again, slowly, until it stays up"
        case "starting":
            return f"{exchange_name(name)}: starting"
        case _:
            return f"{exchange_name(name)}: being started again"


BADGES: Mapping[str, tuple[str, str]] = {
    "live": ("Live", ""),
    "demo": ("Demo", "Made-up prices from the embedded exchange. This is not the market."),
    "replay": ("Replay", "Recorded trades, played again. This is not the market now."),
    "reconnecting": ("Reconnecting", ""),
    "opening": ("Connecting", ""),
    "none": ("No supervisor", "Nobody follows the exchanges, so nothing here moves."),
}
"""By what the page shows: the badge's word, and the sentence of the ribbon that says it aloud."""


def badge_kind(mode: str, feed_states: Iterable[str]) -> str:
    """
    A key of BADGES. Demo and replay come before all trouble: made-up prices are never shown as anything else.
    """
    states = list(feed_states)
    if mode == "live" and states and all(state in ("reconnecting", "connecting") for state in states):
        return "reconnecting"
    return mode if mode in BADGES else "live"
