"""
How Coinbase talks to one client, with its texts, its order and its quirks: the ack comes after the first trades.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from typing import Any

from poeticoins.errors import UnknownProduct
from poeticoins.model import SECOND, Product, Trade, datetime_from_ns
from poeticoins.simulator.protocol import Close, Send, Shop, from_json, say


class CoinbaseConversation:
    """One client's connection to Coinbase. `ticker` is acked, but nothing is sent on it."""

    CHANNELS = ("matches", "heartbeat", "ticker")
    CLOSED_CHANNELS = ("level2", "level3", "full")

    def __init__(self) -> None:
        self.patience: float | None = 5.0
        self._channels: dict[str, dict[Product, None]] = {name: {} for name in self.CHANNELS}

    @property
    def products(self) -> set[Product]:
        return set(self._channels["matches"])

    @property
    def heartbeats(self) -> set[Product]:
        return set(self._channels["heartbeat"])

    def answer(self, frame: str | bytes, shop: Shop) -> list[Send | Close]:
        wish = from_json(frame)
        if not isinstance(wish, dict):
            return [say({"type": "error", "message": "Malformed JSON"})]
        subscribing = wish.get("type") == "subscribe"
        if not subscribing and wish.get("type") != "unsubscribe":
            return [say({"type": "error", "message": f"{str(wish.get('type'))[:40]} is not a valid type"})]
        channels = wish.get("channels")
        if not isinstance(channels, list) or not channels:
            return [_refused("No channels provided")]
        bad = [pair for pair in _pairs(wish.get("product_ids")) if not _is_listed(pair, shop)]
        if subscribing and bad and shop.spoilt():
            return [_refused(f"{str(bad[0])[:80]} is not a valid product")]
        said: list[Send | Close] = []
        for channel in channels:
            said += self._subscribe(channel, wish.get("product_ids"), shop, subscribing)
        refused = sum('"type":"error"' in one.raw for one in said if isinstance(one, Send))
        # An error does not spoil the rest. The ack lists all that the connection has, and comes after the first trades.
        return said if refused == len(said) and refused and not self.products else [*said, self._ack()]

    def trade(self, trade: Trade) -> Send:
        return self._match("match", trade)

    def welcome(self, trade: Trade) -> Send:
        return self._match("last_match", trade)

    def heartbeat(self, product: Product, last_id: int, now_ns: int) -> Send:
        return say({
            "type": "heartbeat", "last_trade_id": last_id, "product_id": product.pair,
            "sequence": last_id * 64 + now_ns // SECOND % 64, "time": _iso(now_ns),
        })  # fmt: skip

    def _subscribe(self, channel: Any, product_ids: Any, shop: Shop, subscribing: bool) -> list[Send]:
        name = channel.get("name") if isinstance(channel, dict) else channel
        if isinstance(channel, dict):
            product_ids = channel.get("product_ids", product_ids)
        if name in self.CLOSED_CHANNELS:
            return [_refused("level2, level3, and full channels now require authentication. "
                             "https://docs.cloud.coinbase.com/exchange/docs/websocket-auth")]  # fmt: skip
        if name not in self.CHANNELS:
            return [_refused(f"{str(name)[:80]} is not a valid channel")]
        said: list[Send] = []
        for pair in _pairs(product_ids):
            product = _product(pair)
            if product is None or not shop.listed(product):
                said.append(_refused(f"{str(pair)[:80]} is not a valid product"))
            elif not subscribing:
                self._channels[name].pop(product, None)
            elif product not in self._channels[name]:
                self._channels[name][product] = None
                said += shop.welcome(product) if name == "matches" else []
        return said

    def _ack(self) -> Send:
        return say({"type": "subscriptions", "channels": [
            {"name": name, "product_ids": [product.pair for product in products], "account_ids": None}
            for name, products in self._channels.items() if products
        ]})._replace(is_ack=True)  # fmt: skip

    def _match(self, kind: str, trade: Trade) -> Send:
        maker = "sell" if trade.side == "buy" else "buy"
        return say({
            "type": kind, "trade_id": trade.trade_id, "maker_order_id": _uuid(2 * trade.trade_id),
            "taker_order_id": _uuid(2 * trade.trade_id + 1), "side": maker, "size": f"{trade.size:f}",
            "price": f"{trade.price:f}", "product_id": trade.product.pair, "sequence": trade.trade_id * 64,
            "time": _iso(trade.traded_at_ns),
        }, trade)  # fmt: skip


def _refused(reason: str) -> Send:
    return say({"type": "error", "message": "Failed to subscribe", "reason": reason})


def _pairs(product_ids: object) -> list[object]:
    """The products that are asked for; none is an error like one that is unknown."""
    return product_ids if isinstance(product_ids, list) and product_ids else [""]


def _is_listed(pair: object, shop: Shop) -> bool:
    product = _product(pair)
    return product is not None and shop.listed(product)


def _product(pair: object) -> Product | None:
    try:
        return Product.parse(f"coinbase:{pair}")
    except UnknownProduct:
        return None


def _iso(ns: int) -> str:
    return datetime_from_ns(ns).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _uuid(number: int) -> str:
    text = f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
