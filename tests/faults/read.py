"""A reader in a process of its own, to be stopped: prints `product trade_id late` for every trade that comes."""

import asyncio

import poeticoins


async def main() -> None:
    async for trade in poeticoins.stream_trades(poeticoins.available_products()):
        print(trade.product, trade.trade_id, int(trade.late), trade.traded_at_ns, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
