"""
How Bitstamp talks to one client, with its texts and its quirks: an unknown pair is acked, and then silent.

https://www.bitstamp.net/websocket/v2/
"""

import re

from poeticoins.errors import BadFrame
from poeticoins.exchanges.bitstamp import product_of
from poeticoins.model import SECOND, Product, Trade
from poeticoins.simulator.protocol import Close, Send, Shop, from_json, say

REQUEST_RECONNECT = Send('{"event":"bts:request_reconnect","channel":"","data":""}')


class BitstampConversation:
    """One client's connection to Bitstamp. Of the channels that it acks, only live_trades_ says anything."""

    FRAME_LIMIT = 512
    _CHANNEL = re.compile("(live_trades|live_orders|order_book|detail_order_book|diff_order_book)_([a-z0-9]{2,20})")

    def __init__(self) -> None:
        self.patience: float | None = None
        self.products: set[Product] = set()
        self.heartbeats: set[Product] = set()

    def answer(self, frame: str | bytes, shop: Shop) -> list[Send | Close]:
        if len(frame.encode("utf-8", "replace") if isinstance(frame, str) else frame) > self.FRAME_LIMIT:
            return [Close(1009, "read limited at 513 bytes")]
        wish = from_json(frame)
        if not isinstance(wish, dict):
            return [_bitstamp_error("Incorrect JSON format.")]
        inner = wish.get("data")
        channel = inner.get("channel") if isinstance(inner, dict) else None
        match wish.get("event"), channel:
            case "bts:heartbeat", _:
                return [say({"event": "bts:heartbeat", "channel": "", "data": {"status": "success"}})]
            case "bts:subscribe" | "bts:unsubscribe" as event, str(channel):
                return list(self._subscribe(channel, shop, event == "bts:subscribe"))
        return [_bitstamp_error("Bad subscription string.")]

    def trade(self, trade: Trade) -> Send:
        later, earlier = trade.traded_at_ns // 1000 + trade.trade_id % 1000, trade.traded_at_ns // 1000 - 977
        bought = trade.side == "buy"  # the taker's order is the later one
        channel = f"live_trades_{trade.product.base}{trade.product.quote}".lower()
        return say({"data": {
            "id": trade.trade_id, "timestamp": str(trade.traded_at_ns // SECOND), "amount": float(trade.size),
            "amount_str": str(trade.size), "price": float(trade.price), "price_str": f"{trade.price:f}",
            "type": 0 if bought else 1, "microtimestamp": str(trade.traded_at_ns // 1000),
            "buy_order_id": later if bought else earlier, "sell_order_id": earlier if bought else later,
        }, "channel": channel, "event": "trade"}, trade)  # fmt: skip

    def welcome(self, trade: Trade) -> None:
        """Nothing: the first trade that a subscriber hears is a live one."""

    def heartbeat(self, product: Product, last_id: int, now_ns: int) -> Send:
        raise NotImplementedError("Bitstamp's heartbeats are answers")

    def _subscribe(self, channel: str, shop: Shop, subscribing: bool) -> list[Send]:
        found = self._CHANNEL.fullmatch(channel)
        if not found:
            return [_bitstamp_error("Invalid channel provided.")]
        outcome = "subscription_succeeded" if subscribing else "unsubscription_succeeded"
        said = [say({"event": f"bts:{outcome}", "channel": channel, "data": {}})._replace(is_ack=True)]
        try:
            product = product_of(found[2])
        except BadFrame:
            return said  # an unknown pair is acked too, and then silent
        if found[1] == "live_trades" and not subscribing:
            self.products.discard(product)
        elif found[1] == "live_trades" and shop.listed(product) and product not in self.products:
            self.products.add(product)
            said += shop.welcome(product)
        return said


def _bitstamp_error(message: str) -> Send:
    return say({"event": "bts:error", "channel": "", "data": {"code": None, "message": message}})
