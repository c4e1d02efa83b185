"""The past of the opened products, one answer shared by all who open the same at once."""

from collections.abc import Callable

from dashboards.answers import Answers
from dashboards.missing import open_gaps
from dashboards.product import CANDLES, TAPE, Past, history_text, problem_text
from dashboards.source import Source
from poeticoins import PoeticoinsError, Product

TRIES = 5


class Histories(Answers[str]):
    """`text(key, interval)`: the message for a page that opens a product: its history, or why there is none."""

    def __init__(self, source: Source, digits: Callable[[str], int]) -> None:
        """digits: the decimals of a product's prices, by its key."""
        super().__init__(self._asked)
        self._source, self._digits = source, digits

    def _asked(self, key: str, interval: str) -> str:
        try:
            return self._fetch(key, interval)
        except PoeticoinsError as error:
            return problem_text(key, interval, str(error))

    def _fetch(self, key: str, interval: str) -> str:
        product = Product.parse(key)
        trades = self._source.get_trades(product, limit=TAPE)
        for _ in range(TRIES):
            candles = self._source.get_candles(product, interval, limit=CANDLES)
            before, trades = trades, self._source.get_trades(product, limit=TAPE)
            # Nothing traded between the two answers: the candles hold exactly the trades up to the newest row.
            if before.trade_id.tolist()[-1:] == trades.trade_id.tolist()[-1:]:
                break
        gaps = open_gaps(self._source.get_gaps(product))
        return history_text(key, interval, Past(candles, trades, gaps, self._digits(key)))
