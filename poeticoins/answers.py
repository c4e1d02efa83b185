"""
What an answer of historical cannot be: about something else than was asked, of records that are none or out of order,
more than there can be. Pure.

It is ours, and is believed about what was traded. But an answer that contradicts its question or itself is never
handed on, be it a bug, a torn message or a stranger in historical's place.
"""

from collections.abc import Iterable
from itertools import pairwise

from poeticoins import messages
from poeticoins.candles import are_candles
from poeticoins.errors import UnknownProduct, WrongAnswer
from poeticoins.model import Item, Product
from poeticoins.record import RECORD_SIZE, are_those, are_whole, other_places, places, unpacked


def require_fitting(question: messages.Question, answer: messages.Answer) -> None:
    """Raises WrongAnswer unless `answer`, which is of the kind that was asked for, may be the one to `question`."""
    match question, answer:
        case messages.ProductsQuestion(), messages.ProductsAnswer(products=names):
            _require(_are_products(names), "products", names)
        case messages.LastTradesQuestion(products=asked), messages.LastTradesAnswer(trades=trades):
            names = [name for name, _ in trades]
            known = names if asked is None else [name for name in asked if name in names]
            _require(_are_products(names) and names == known, f"last trades of {asked}", names)
        case messages.TradesQuestion(), messages.TradesAnswer():
            _require(answer.product == question.product, f"trades of {question.product}", answer.product)
            _trades(question, answer.records)
        case messages.CandlesQuestion(interval_ns=interval_ns), messages.CandlesAnswer(records=records):
            of = answer.product, answer.interval_ns
            _require(of == (question.product, interval_ns), f"candles of {question.product}", of)
            are_right = are_candles(records, interval_ns, question.limit)
            _require(are_right, f"candles of {interval_ns} ns in their order", f"{len(records)} other bytes")
        case messages.GapsQuestion(product=asked), messages.GapsAnswer(product=product, gaps=gaps):
            _require(product == asked, f"gaps of {asked}", product)
            _require(all(map(_is_gap, gaps)), "gaps that agree with their numbers", gaps)


def replayed(answer: messages.ReplayAnswer, product: Product) -> list[Item]:
    """The items that an answer replays, which are all of its range. Raises WrongAnswer."""
    records = answer.records
    are_right = are_those(records, answer.epoch, answer.first, answer.last)
    _require(are_right, f"the sequences {answer.first} to {answer.last} of {product}", f"{len(records)} other bytes")
    return unpacked(records, product)


def _trades(question: messages.TradesQuestion, records: bytes) -> None:
    are_trades = are_whole(records) and not other_places(records)
    _require(are_trades, f"trades of {question.product}", f"{len(records)} other bytes")
    _require(len(records) <= question.limit * RECORD_SIZE, f"at most {question.limit} trades", f"{len(records)} bytes")
    found = places(records)
    _require(_grow(found), "trades in their order, each once", f"{len(found)} others")
    if found:
        _require(found[0][0] >= question.since_ns, f"trades since {question.since_ns}", found[0])
        _require(question.before is None or found[-1] < question.before, f"trades before {question.before}", found[-1])


def _are_products(names: list[str]) -> bool:
    try:
        return len({Product.parse(name) for name in names}) == len(names)
    except UnknownProduct:
        return False


def _is_gap(gap: messages.GapMessage) -> bool:
    if gap.first_id is None or gap.last_id is None:
        return True
    most = gap.last_id - gap.first_id + 1
    return most > 0 and (gap.missing is None or gap.missing <= most)


def _grow(found: Iterable[tuple[int, int]]) -> bool:
    return all(one < following for one, following in pairwise(found))


def _require(is_right: bool, expected: str, got: object) -> None:
    if not is_right:
        raise WrongAnswer(
            f"expected {expected} from historical, got {str(got)[:200]};"
            " `python supervisor.py restart historical` makes another one"
        )
