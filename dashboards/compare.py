"""
One coin on every exchange: what its last trades say together, and who is left out of that. Rules; no I/O, no clock.

Last trades are of different ages, so that what lies between them is a difference, and no spread.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from dashboards.format import QUOTES, coin_name, in_order, span_text
from dashboards.health import STALLED_S
from dashboards.quote import WINDOW_S
from poeticoins import Product, Trade

BASIS_POINTS = 10_000
MILLI_NS = 1_000_000
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Standing:
    """
    One product, as much of it as a comparison needs.

    trouble: its exchange's, in a word or two, "" if it is live. gap: its newest, as of missing.newest_gap, or ().
    volume: in base, of the last `seconds` (24 h, or less while less is known); None: not known.
    """

    product: Product
    last: Trade | None = None
    trouble: str = ""
    gap: Sequence[int | None] = ()
    volume: float | None = None
    seconds: int = 0


@dataclass(frozen=True)
class Row:
    """
    A standing among its like. reason: why it is left out of all that is common, "" if it is not.

    difference: from the median, in basis points; rate: US dollars for a euro, by this exchange's two prices.
    """

    standing: Standing
    reason: str
    difference: Decimal | None
    rate: Decimal | None


@dataclass(frozen=True)
class Side:
    """
    One currency. median: of the `of` last prices that are not left out, None of none.

    lowest, highest: the exchanges with the best of these for who buys and for who sells; more than one if alike.
    """

    quote: str
    median: Decimal | None
    of: int
    lowest: tuple[str, ...]
    highest: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Comparison:
    """rate: the median of what the exchanges' own prices imply, US dollars for a euro; of: how many of them."""

    coin: str
    sides: tuple[Side, ...]
    rate: Decimal | None
    of: int


def coins(products: Iterable[Product]) -> dict[str, str]:
    """What can be compared: the coins that more than one product has, by code, with their names."""
    bases = (product.base for product in in_order(products))
    return {base: coin_name(base) for base, count in Counter(bases).items() if count > 1}


def left_out(standing: Standing, now_ns: int, *, replayed: bool) -> str:
    """
    Why a last price is not one of now, in words; "" if it is.

    A gap counts for as long as the cards tell it; the age of a trade of last year counts from when it was played.
    """
    last = standing.last
    if standing.trouble:
        return standing.trouble
    if last is None:
        return "no trade yet"
    if standing.gap and _ended_ms(standing.gap) >= last.traded_at_ns // MILLI_NS - WINDOW_S * 1000:
        missing = standing.gap[2]
        words = "trades may be" if missing is None else "1 trade" if missing == 1 else f"{missing} trades"
        return f"{words} missing in the last {span_text(WINDOW_S)}"
    if now_ns - (last.received_at_ns if replayed else last.traded_at_ns) > STALLED_S * SECOND_NS:
        return f"no trade for over {span_text(STALLED_S)}"
    return ""


def _ended_ms(gap: Sequence[int | None]) -> int:
    return gap[1] or 0


def compared(coin: str, standings: Iterable[Standing], now_ns: int, *, replayed: bool) -> Comparison:
    """`standings`: every product there is, in the order to show them; those of other coins do not matter."""
    here = [standing for standing in standings if standing.product.base == coin]
    reasons = {standing.product: left_out(standing, now_ns, replayed=replayed) for standing in here}
    rates = {name: rate for name in _exchanges(here) if (rate := implied(name, here))}
    trusted = [rate for name, rate in rates.items() if not any(_reasons(name, reasons))]
    quotes = dict.fromkeys(standing.product.quote for standing in here)
    sides = tuple(
        _side(quote, [each for each in here if each.product.quote == quote], reasons, rates) for quote in quotes
    )
    return Comparison(coin, sides, median(trusted) if trusted else None, len(trusted))


def _exchanges(standings: Iterable[Standing]) -> dict[str, None]:
    return dict.fromkeys(standing.product.exchange for standing in standings)


def _reasons(exchange: str, reasons: dict[Product, str]) -> list[str]:
    """Why the two prices that its rate is made of are left out."""
    return [why for each, why in reasons.items() if each.exchange == exchange and each.quote in QUOTES]


def implied(exchange: str, standings: Iterable[Standing]) -> Decimal | None:
    """US dollars for a euro, by the last prices of one coin in both on `exchange`; None if it lacks one of them."""
    usd, euro = QUOTES
    prices = {
        each.product.quote: each.last.price for each in standings if each.product.exchange == exchange and each.last
    }
    return prices[usd] / prices[euro] if usd in prices and prices.get(euro) else None


def _side(quote: str, standings: Sequence[Standing], reasons: dict[Product, str], rates: dict[str, Decimal]) -> Side:
    prices = {each.product.exchange: each.last.price for each in standings if each.last and not reasons[each.product]}
    middle = median(prices.values()) if prices else None
    rows = tuple(
        Row(each, reasons[each.product], _apart(each, middle, prices), rates.get(each.product.exchange))
        for each in standings
    )
    return Side(quote, middle, len(prices), _having(prices, min), _having(prices, max), rows)


def _apart(standing: Standing, middle: Decimal | None, prices: dict[str, Decimal]) -> Decimal | None:
    """In basis points; None where there is no other to differ from."""
    if standing.last is None or not middle or list(prices) == [standing.product.exchange]:
        return None
    return basis_points(standing.last.price, middle)


def basis_points(price: Decimal, middle: Decimal) -> Decimal:
    """How far `price` is from `middle`, in hundredths of a percent of that."""
    return (price - middle) / middle * BASIS_POINTS


def _having(prices: dict[str, Decimal], best: Callable[[Iterable[Decimal]], Decimal]) -> tuple[str, ...]:
    return tuple(name for name, price in prices.items() if price == best(prices.values()))


def lag_ms(trade: Trade, *, replayed: bool) -> int | None:
    """
    From the exchange's clock to ours; None of what was not heard live. Less than nothing if the clocks differ.
    """
    if replayed or trade.late or trade.origin != "live":
        return None
    return round((trade.received_at_ns - trade.traded_at_ns) / MILLI_NS)
