"""Trades and settings for tests, with what a test does not care about filled in."""

from decimal import Decimal
from pathlib import Path

from poeticoins.config import Settings
from poeticoins.model import SECOND, Product, Trade

BTC = Product("coinbase", "BTC", "USD")
LTC = Product("bitstamp", "LTC", "EUR")
NOON = 1_790_000_000 * SECOND


def make_trade(trade_id: int, at: float = 0.0, price: str = "100.50", size: str = "0.25", **rest) -> Trade:
    """A trade `at` seconds after NOON."""
    rest = {"product": BTC, "side": "buy"} | rest
    return Trade(
        trade_id=trade_id, price=Decimal(price), size=Decimal(size), traded_at_ns=NOON + round(at * SECOND), **rest
    )


def make_settings(run_dir: Path, **rest) -> Settings:
    """Settings with quick timers and small windows, in demo mode."""
    small = {"mode": "demo", "ring_capacity": 1000, "journal_capacity": 500, "beat_interval": 0.1}
    return Settings(run_dir=run_dir, **small | rest)
