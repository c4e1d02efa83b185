"""What is exported, as tables and as the bytes of a file. Pure, but for the library that writes Parquet."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from dashboards.product import INTERVALS
from poeticoins import Trade

KINDS = ("cards", "candles", "trades")
FORMS = ("csv", "parquet")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula: such a text gets a quote before it."""
NO_PARQUET = "Parquet needs the package pyarrow beside the server: pip install 'poeticoins[export]', and start it again"


class NoParquet(Exception):
    """The library that writes it is not installed; the text says what to do."""


@dataclass(frozen=True)
class Order:
    """kind: the last trades of the cards, or one product's candles or trades. form: csv or parquet."""

    kind: str
    form: str
    key: str = ""
    interval: str = ""


def ordered(said: Any) -> Order | None:
    """What a browser asks for: {"kind", "form"}, with "key" and for candles "interval"; None if it is no such thing."""
    if not isinstance(said, dict):
        return None
    kind, form, key, interval = (said.get(name, "") for name in ("kind", "form", "key", "interval"))
    if kind not in KINDS or form not in FORMS or not isinstance(key, str):
        return None
    if kind == "candles" and interval not in INTERVALS:
        return None
    return Order(kind, form, "" if kind == "cards" else key, interval if kind == "candles" else "")


def file_name(order: Order, mode: str, now: datetime) -> str:
    """`poeticoins-coinbase-BTC-USD-1m-20261124T122252Z.csv`; prices that are not the market's have their mode in it."""
    made = mode if mode in ("demo", "replay") else ""
    about = order.interval or {"cards": "last-trades", "trades": "trades"}[order.kind]
    at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return "-".join(filter(None, ("poeticoins", made, order.key.replace(":", "-"), about, at))) + f".{order.form}"


def last_trades(trades: Sequence[Trade]) -> pd.DataFrame:
    """A row a card, in their order; prices and sizes are the exchange's own decimals."""
    rows = [
        (
            pd.Timestamp(trade.traded_at_ns, unit="ns", tz="UTC"),
            str(trade.product),
            trade.price,
            trade.size,
            trade.side,
            trade.trade_id,
        )
        for trade in trades
    ]
    frame = pd.DataFrame(rows, columns=["traded_at", "product", "price", "size", "side", "trade_id"])
    return frame.set_index(pd.DatetimeIndex(frame.pop("traded_at"), tz="UTC"))


def of_product(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """`frame` as the context answers, with its product in front."""
    return pd.concat([pd.Series(key, index=frame.index, name="product"), frame], axis=1)


def contents(frame: pd.DataFrame, form: str) -> bytes:
    """The file. Raises NoParquet."""
    return csv(frame) if form == "csv" else parquet(frame)


def csv(frame: pd.DataFrame) -> bytes:
    """Times are ISO 8601 in UTC, to the nanosecond; what nobody knows is empty."""
    plain = pd.DataFrame({frame.index.name: iso(frame.index), **{name: _plain(frame[name]) for name in frame}})
    return plain.to_csv(index=False).encode()


def _plain(column: pd.Series) -> Any:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return iso(pd.DatetimeIndex(column))
    if pd.api.types.is_numeric_dtype(column) or column.map(type).isin((int, float)).all():
        return column.to_numpy()
    return [f"'{value}" if str(value).startswith(FORMULA) else str(value) for value in column]


def iso(times: Any) -> Any:
    return np.char.add(np.datetime_as_string(times.tz_convert(None).to_numpy(), unit="ns"), "Z")


def parquet(frame: pd.DataFrame) -> bytes:
    """The same columns as they are, with their types."""
    buffer = io.BytesIO()
    try:
        frame.reset_index().to_parquet(buffer, index=False, engine="pyarrow")
    except ImportError:
        raise NoParquet(NO_PARQUET) from None
    return buffer.getvalue()
