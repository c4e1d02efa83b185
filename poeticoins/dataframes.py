"""Records of trades, candles and gaps as pandas DataFrames: what their columns mean stands with context's questions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from poeticoins.candles import BAR_DTYPE
from poeticoins.messages import GapMessage
from poeticoins.record import LATE, ORIGIN_SHIFT, ORIGINS, SELL
from poeticoins.ring import Records, floats

CANDLE_ORIGINS = ("trades", "exchange", "mixed")
NOT_A_TIME = int(np.iinfo(np.int64).min)  # which datetime64 takes for NaT


def of_trades(records: Records) -> pd.DataFrame:
    """One row a record, in their order."""
    flags = records["flags"]
    return pd.DataFrame(
        {
            "price": floats(records["price_mantissa"], records["price_exponent"]),
            "size": floats(records["size_mantissa"], records["size_exponent"]),
            "side": pd.Categorical.from_codes((flags & SELL).astype(np.int8), pd.Index(["buy", "sell"])),
            "trade_id": records["trade_id"].copy(),
            "received_at": _times(records["received_at_ns"]),
            "origin": pd.Categorical.from_codes((flags >> ORIGIN_SHIFT & 3).astype(np.int8), pd.Index(ORIGINS)),
            "late": (flags & LATE) > 0,
        },
        index=_times(records["traded_at_ns"], "traded_at"),
    )


def of_candles(records: bytes) -> pd.DataFrame:
    """One row a candle record (60 bytes each, see candles.py), in their order."""
    bars = np.frombuffer(records, BAR_DTYPE)
    columns: dict[str, Any] = {name: bars[name].copy() for name in ("open", "high", "low", "close", "volume")}
    columns["vwap"] = bars["turnover"] / bars["volume"]
    columns["trades"] = bars["trades"].astype(np.int64)
    codes = np.isnan(bars["turnover"]) * (1 + (bars["trades"] > 0))
    columns["origin"] = pd.Categorical.from_codes(codes.astype(np.int8), pd.Index(CANDLE_ORIGINS))
    return pd.DataFrame(columns, index=_times(bars["start_ns"], "started_at"))


def of_gaps(gaps: Sequence[GapMessage]) -> pd.DataFrame:
    """One row a gap, in their order."""
    refilled_at = [NOT_A_TIME if gap.refilled_at_ns is None else gap.refilled_at_ns for gap in gaps]
    return pd.DataFrame(
        {
            "reason": pd.Series([gap.reason for gap in gaps], dtype="str"),
            "began_at": _times(np.array([gap.from_ns for gap in gaps], np.int64)),
            "ended_at": _times(np.array([gap.to_ns for gap in gaps], np.int64)),
            "first_id": pd.array([gap.first_id for gap in gaps], dtype="Int64"),
            "last_id": pd.array([gap.last_id for gap in gaps], dtype="Int64"),
            "missing": pd.array([gap.missing for gap in gaps], dtype="Int64"),
            "refilled_at": _times(np.array(refilled_at, np.int64)),
        }
    )


def _times(ns: np.ndarray[Any, np.dtype[Any]], name: str | None = None) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(ns.astype("datetime64[ns]"), name=name).tz_localize("UTC")
