"""What contradicts its question or itself is no answer; what historical says, is."""

import msgspec
import numpy as np
import pytest

from poeticoins import messages
from poeticoins.answers import replayed, require_fitting
from poeticoins.candles import BAR_DTYPE
from poeticoins.errors import WrongAnswer
from poeticoins.messages import WIRE_VERSION
from poeticoins.model import Gap
from poeticoins.record import pack
from poeticoins.wire import gap_message, trade_message
from tests.makers import BTC, LTC, NOON, make_trade

MINUTE = 60_000_000_000
TRADES = [make_trade(n, at=n, epoch=7, sequence=n) for n in range(1, 6)]
RECORDS = [pack(trade) for trade in TRADES]
GAP = Gap(BTC, "skipped ids", NOON, NOON, first_id=3, last_id=5, missing=3, epoch=7, sequence=6)


def bars(*starts: int, **rest: float) -> bytes:
    made = np.zeros(len(starts), BAR_DTYPE)
    for name in ("open", "high", "low", "close", "volume"):
        made[name] = rest.get(name, 1.0)
    made["start_ns"] = starts
    return made.tobytes()


def trades(*records: bytes) -> messages.TradesAnswer:
    return messages.TradesAnswer(WIRE_VERSION, "demo", str(BTC), b"".join(records), False)


def candles(records: bytes, **rest) -> messages.CandlesAnswer:
    fields = {"product": str(BTC), "interval_ns": MINUTE} | rest
    return messages.CandlesAnswer(WIRE_VERSION, "demo", records=records, **fields)


def gaps(product=BTC, **rest) -> messages.GapsAnswer:
    made = gap_message(msgspec.structs.replace(GAP, **rest))
    return messages.GapsAnswer(WIRE_VERSION, "demo", str(product), [made])


def lasts(*products) -> messages.LastTradesAnswer:
    made = [(str(product), trade_message(make_trade(1, product=product))) for product in products]
    return messages.LastTradesAnswer(WIRE_VERSION, "demo", made)


ABOUT_PRODUCTS = messages.ProductsQuestion()
ABOUT_LASTS = messages.LastTradesQuestion(products=[str(BTC), str(LTC)])
ABOUT_TRADES = messages.TradesQuestion(WIRE_VERSION, str(BTC), 3)
SINCE = msgspec.structs.replace(ABOUT_TRADES, since_ns=TRADES[2].traded_at_ns)
BEFORE = msgspec.structs.replace(ABOUT_TRADES, before=(TRADES[3].traded_at_ns, 4))
ABOUT_CANDLES = messages.CandlesQuestion(WIRE_VERSION, str(BTC), MINUTE, 2)
ABOUT_GAPS = messages.GapsQuestion(WIRE_VERSION, str(BTC))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (ABOUT_PRODUCTS, messages.ProductsAnswer(WIRE_VERSION, "demo", [str(BTC), str(LTC)])),
        (ABOUT_LASTS, lasts(BTC, LTC)), (ABOUT_LASTS, lasts(LTC)), (ABOUT_LASTS, lasts()),
        (messages.LastTradesQuestion(), lasts(LTC, BTC)),
        (ABOUT_TRADES, trades()), (ABOUT_TRADES, trades(*RECORDS[:3])), (SINCE, trades(*RECORDS[2:5])),
        (BEFORE, trades(*RECORDS[:3])),
        (ABOUT_CANDLES, candles(b"")), (ABOUT_CANDLES, candles(bars(0, 5 * MINUTE))),
        (ABOUT_CANDLES, candles(bars(MINUTE, volume=0.0))),
        (ABOUT_GAPS, gaps()), (ABOUT_GAPS, gaps(missing=1)), (ABOUT_GAPS, gaps(first_id=None)),
    ],
)  # fmt: skip
def test_what_may_be_the_answer_is_taken(question, answer):
    require_fitting(question, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (ABOUT_PRODUCTS, messages.ProductsAnswer(WIRE_VERSION, "demo", ["<script>"])),
        (ABOUT_PRODUCTS, messages.ProductsAnswer(WIRE_VERSION, "demo", [str(BTC), str(BTC)])),
        (ABOUT_LASTS, lasts(LTC, BTC)), (ABOUT_LASTS, lasts(BTC, BTC)),
        (messages.LastTradesQuestion(products=[str(BTC)]), lasts(LTC)),
        (messages.LastTradesQuestion(), lasts(BTC, BTC)),
        (ABOUT_TRADES, msgspec.structs.replace(trades(), product=str(LTC))),
        (ABOUT_TRADES, trades(RECORDS[0], b"\0")), (ABOUT_TRADES, trades(b"\xff" * 56)),
        (ABOUT_TRADES, trades(pack(GAP))),
        (ABOUT_TRADES, trades(*RECORDS[:4])), (ABOUT_TRADES, trades(RECORDS[1], RECORDS[0])),
        (ABOUT_TRADES, trades(RECORDS[0], RECORDS[0])),
        (SINCE, trades(RECORDS[1], RECORDS[2])), (BEFORE, trades(RECORDS[2], RECORDS[3])),
        (ABOUT_CANDLES, candles(b"", product=str(LTC))), (ABOUT_CANDLES, candles(b"", interval_ns=1)),
        (ABOUT_CANDLES, candles(bars(0)[1:])), (ABOUT_CANDLES, candles(bars(0, MINUTE, 2 * MINUTE))),
        (ABOUT_CANDLES, candles(bars(MINUTE, 0))), (ABOUT_CANDLES, candles(bars(0, 0))),
        (ABOUT_CANDLES, candles(bars(1))), (ABOUT_CANDLES, candles(bars(-MINUTE))),
        (ABOUT_CANDLES, candles(bars(0, close=float("nan")))), (ABOUT_CANDLES, candles(bars(0, high=float("inf")))),
        (ABOUT_CANDLES, candles(bars(0, low=0.0))), (ABOUT_CANDLES, candles(bars(0, volume=-1.0))),
        (ABOUT_CANDLES, candles(bars(0, volume=float("nan")))),
        (ABOUT_GAPS, gaps(LTC)), (ABOUT_GAPS, gaps(missing=4)), (ABOUT_GAPS, gaps(last_id=2, missing=None)),
    ],
)  # fmt: skip
def test_what_cannot_be_the_answer_is_refused_with_what_was_expected(question, answer):
    with pytest.raises(WrongAnswer, match=r"expected .* from historical, got .*; `python supervisor\.py restart"):
        require_fitting(question, answer)


def replay(records: bytes, first: int = 2, last: int = 4, epoch: int = 7) -> messages.ReplayAnswer:
    return messages.ReplayAnswer(WIRE_VERSION, "demo", str(BTC), epoch, first, last, records)


def test_a_replay_is_all_of_its_range():
    assert replayed(replay(b"".join(RECORDS[1:4])), BTC) == TRADES[1:4]
    assert replayed(replay(b"", first=1, last=0), BTC) == []


@pytest.mark.parametrize(
    "answer",
    [
        replay(b"".join(RECORDS[1:3])), replay(b"".join(RECORDS[1:5])), replay(b"".join(RECORDS[0:3])),
        replay(RECORDS[2] + RECORDS[1] + RECORDS[3]), replay(RECORDS[1] + RECORDS[1] + RECORDS[3]),
        replay(b"".join(RECORDS[1:4]), epoch=8), replay(b"".join(RECORDS[1:4])[:-1]), replay(b"\xff" * 168),
        replay(b"", first=2, last=2**62), replay(RECORDS[0], first=1, last=0),
    ],
)  # fmt: skip
def test_a_replay_of_something_else_is_refused(answer):
    with pytest.raises(WrongAnswer):
        replayed(answer, BTC)
