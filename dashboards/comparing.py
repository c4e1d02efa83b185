"""The Compare place: one table for all who compare the same coin, at a pace that can be read, and the lines before."""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from dashboards import format
from dashboards.answers import Answers
from dashboards.audience import Audience
from dashboards.clock import now_ms
from dashboards.compare import Comparison, Row, Side, Standing, coins, compared, lag_ms
from dashboards.days import Days
from dashboards.delivery import Viewer
from dashboards.pace import Pace
from dashboards.product import CANDLES, digits_of
from dashboards.quote import Quote
from dashboards.source import Source
from dashboards.texts import compact
from poeticoins import PoeticoinsError, Product

TABLE_S = 0.4
"""Seconds between two tables, at least: figures that change more often cannot be read."""
MILLI_NS = 1_000_000
POINT_DIGITS = Decimal("0.01")
RATE_DIGITS = Decimal("0.00001")


class Comparing:
    """On the server's loop only. market: the products as they stand now, in their order; replayed: by a replay."""

    def __init__(
        self, source: Source, audience: Audience, market: Callable[[], list[Standing]], replayed: Callable[[], bool]
    ) -> None:
        self._source, self._audience, self._market, self._replayed = source, audience, market, replayed
        self._pasts = Answers(self._past)
        self._told: dict[str, str] = {}
        self._pace = Pace(TABLE_S, self._tell_news)

    async def run(self) -> None:
        """Tells what is due, until cancelled; ends with a bug."""
        await self._pace.run()

    def heard(self, product: Product) -> None:
        """It has traded."""
        if product.base in self._told:
            self.due()

    def due(self) -> None:
        """Something may have changed, be it only that a price has become too old."""
        if self._told or self._audience.at("compare"):
            self._pace.due()

    def show(self, viewer: Viewer) -> None:
        """Gets `viewer` the table of the coin that it compares; `past` gets it the lines."""
        if coin := self.coin(viewer):
            self._told.setdefault(coin, "")  # the others have not heard what is told this one
            self._audience.tell(_stamped(self._table(coin)), [viewer])

    async def past(self, viewer: Viewer) -> None:
        """Asks for the closing prices of the coin that `viewer` compares, and tells it."""
        coin, interval = self.coin(viewer), viewer.interval
        products = tuple(each.product for each in self._market() if each.product.base == coin)
        if not products:
            return
        text = await self._pasts.text(products, interval)
        if (self.coin(viewer), viewer.interval) == (coin, interval):
            self._audience.tell(text, [viewer])

    def coin(self, viewer: Viewer, known: Mapping[str, str] | None = None) -> str:
        """
        What `viewer` compares, the first there is if it names none that can be; "" if it compares nothing.

        known: all that can be compared, for who has asked already.
        """
        if viewer.place != "compare":
            return ""
        known = self._coins() if known is None else known
        return viewer.compare if viewer.compare and viewer.compare in known else next(iter(known), "")

    def _coins(self) -> dict[str, str]:
        return coins(standing.product for standing in self._market())

    def _tell_news(self) -> None:
        viewers: dict[str, list[Viewer]] = {}
        known = self._coins()
        for viewer in self._audience.at("compare") if known else ():
            viewers.setdefault(self.coin(viewer, known), []).append(viewer)
        told, self._told = self._told, {coin: self._table(coin) for coin in viewers}
        for coin, table in self._told.items():
            if table != told.get(coin):
                self._audience.tell(_stamped(table), viewers[coin])

    def _table(self, coin: str) -> str:
        replayed = self._replayed()
        comparison = compared(coin, self._market(), time.time_ns(), replayed=replayed)
        return table_part(comparison, self._coins(), replayed=replayed)

    def _past(self, products: tuple[Product, ...], interval: str) -> str:
        """{"kind": "compare-past", "coin", "interval", "lines": {key: line, …}}, or "problem" instead of the lines."""
        message: dict[str, object] = {"kind": "compare-past", "coin": products[0].base, "interval": interval}
        try:
            lines = {str(each): _line(self._source.get_candles(each, interval, limit=CANDLES)) for each in products}
        except PoeticoinsError as error:
            return compact(message | {"problem": format.clean(str(error))})
        return compact(message | {"lines": lines})


def standings(quotes: Mapping[str, Quote], days: Days, status: Mapping[str, Any]) -> list[Standing]:
    """What a comparison needs of what the page knows. status: as of health.describe, with the newest gaps."""
    nobody = "not followed" if status["kind"] == "none" else ""
    troubles, gaps = status["troubles"], status["gaps"]
    return [
        Standing(
            quote.product,
            quote.last,
            nobody or troubles.get(quote.product.exchange, ""),
            gaps.get(key, ()),
            *days.volume(key),
        )
        for key, quote in quotes.items()
    ]


def _line(candles: Any) -> list[list[float]]:
    """[[start in seconds since 1970, closing price], …], oldest first."""
    return [[int(at.timestamp()), close] for at, close in zip(candles.index, candles["close"].tolist(), strict=True)]


def table_part(comparison: Comparison, names: Mapping[str, str], *, replayed: bool) -> str:
    """
    A table as JSON but for its time: coin, coins (all that can be compared, with their names), rate, of, sides.

    A side: quote, median, of, lowest, highest, rows; a row: [key, exchange's name, price, traded at, heard at (in a
    replay, else null), basis points from the median, volume, its seconds, lag in ms, EUR/USD, why it is left out].
    Prices and rates are text, times in ms since 1970, null is what nobody knows.
    """
    made = {
        "coin": comparison.coin,
        "coins": names,
        "rate": _rate_text(comparison.rate),
        "of": comparison.of,
        "sides": [_side(side, replayed) for side in comparison.sides],
    }
    return compact(made)


def _side(side: Side, replayed: bool) -> dict[str, object]:
    return {
        "quote": side.quote,
        "median": median_text(side),
        "of": side.of,
        "lowest": list(map(format.exchange_name, side.lowest)),
        "highest": list(map(format.exchange_name, side.highest)),
        "rows": [_row(row, replayed) for row in side.rows],
    }


def _row(row: Row, replayed: bool) -> list[object]:
    product, last = row.standing.product, row.standing.last
    return [
        str(product),
        format.exchange_name(product.exchange),
        format.number_text(last.price) if last else None,
        last.traded_at_ns // MILLI_NS if last else None,
        last.received_at_ns // MILLI_NS if last and replayed else None,
        None if row.difference is None else float(row.difference.quantize(POINT_DIGITS)),
        row.standing.volume,
        row.standing.seconds,
        lag_ms(last, replayed=replayed) if last else None,
        _rate_text(row.rate),
        row.reason,
    ]


def median_text(side: Side) -> str | None:
    """In the digits of the prices, and one more where the middle of two falls between them."""
    if side.median is None:
        return None
    digits = max(digits_of(row.standing.last.price) for row in side.rows if row.standing.last)
    short = side.median.quantize(Decimal(1).scaleb(-digits))
    return format.number_text(short if short == side.median else side.median.quantize(Decimal(1).scaleb(-digits - 1)))


def _rate_text(rate: Decimal | None) -> str | None:
    return None if rate is None else format.number_text(rate.quantize(RATE_DIGITS))


def _stamped(table: str) -> str:
    """{"kind": "compare", "now", "table": as of table_part}."""
    return f'{{"kind":"compare","now":{now_ms()},"table":{table}}}'
