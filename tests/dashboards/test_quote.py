"""One product's card: its part of a frame, its line, and what late or old trades do to them."""

from dashboards.quote import WINDOW_S, Quote
from tests.dashboards.market import PRODUCTS, trade

BTC = PRODUCTS[1]
NOON = 1_788_000_000


def quote(*trades):
    made = Quote(BTC, 7)
    for each in trades:
        made.take(each)
    return made


def part(made, **options):
    return made.part(replayed=False, **options)


def test_part_is_the_newest_trade_in_the_exchanges_digits():
    made = quote(trade(BTC, "67829.10", at=NOON), trade(BTC, "67829.30", at=NOON + 0.25))

    assert part(made) == ["coinbase:BTC-EUR", "67,829.30", "0.0119", (NOON * 1000) + 250]


def test_move_is_the_last_change_of_the_price():
    made, moves = quote(), []

    for price in ("100.0", "101.0", "101.0", "99.5"):
        made.take(trade(BTC, price, at=NOON))
        moves.append(made.snapshot(replayed=False)["move"])

    assert moves == [0, 1, 1, -1]


def test_part_of_a_replay_says_when_it_was_heard():
    made = quote(trade(BTC, "100.0", at=NOON))

    assert made.part(replayed=True)[3:] == [NOON * 1000, NOON * 1000]


def test_late_trade_mends_the_line_and_not_the_price():
    made = quote(trade(BTC, "100.0", at=NOON), trade(BTC, "90.0", at=NOON - 10, late=True))

    assert part(made)[1] == "100.0"
    assert made.snapshot(replayed=False)["points"] == [(NOON - 10, 90.0), (NOON, 100.0)]


def test_line_has_one_point_for_two_seconds_the_last_price_of_them():
    made = quote(*(trade(BTC, f"{100 + i}.0", at=NOON + i) for i in range(4)))

    assert made.snapshot(replayed=False)["points"] == [(NOON, 101.0), (NOON + 2, 103.0)]


def test_line_is_bounded_and_keeps_the_price_that_held_when_it_opens():
    made = quote(*(trade(BTC, "100.0", at=NOON + 5 * i) for i in range(1000)))

    times = [second for second, _ in made.snapshot(replayed=False)["points"]]

    assert times[0] < times[-1] - WINDOW_S <= times[1]


def test_history_is_put_before_what_the_stream_brought():
    made = quote(trade(BTC, "100.0", at=NOON))

    made.fill(trade(BTC, "95.0", at=NOON - 60), [(NOON - 60, 95.0), (NOON - 59, 96.0), (NOON, 1.0)])

    assert part(made)[1] == "100.0"
    assert made.snapshot(replayed=False)["points"] == [(NOON - 60, 96.0), (NOON, 100.0)]


def test_history_newer_than_what_is_known_is_believed():
    made = quote(trade(BTC, "100.0", at=NOON))

    made.fill(trade(BTC, "95.0", at=NOON + 60), [])

    assert part(made)[1] == "95.0"


def test_card_without_a_trade_has_its_names_and_no_part():
    card = Quote(BTC, 7).snapshot(replayed=False)

    assert card == {
        "key": "coinbase:BTC-EUR", "number": 7, "exchange": "coinbase", "where": "Coinbase", "base": "BTC",
        "quote": "EUR", "coin": "Bitcoin", "points": [], "part": None, "move": 0,
    }  # fmt: skip
