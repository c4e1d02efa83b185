"""A connection is judged by what it was heard to say, never by how much is traded on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.liveness import Patience, verdict
from tests.makers import make_settings

USUAL = Patience()


@pytest.mark.parametrize(
    ("after", "heard", "pinged", "acked", "expected"),
    [
        (4.9, 0, 0, False, "alive"),
        (5.0, 4.9, 0, False, "no ack"),
        (5.0, 4.9, 0, True, "alive"),
        (9.9, 0, 0, True, "alive"),
        (10.0, 0, 0, True, "ping"),
        (10.5, 0, 10.0, True, "alive"),
        (14.9, 0, 10.0, True, "alive"),
        (15.0, 0, 10.0, True, "silent"),
        (3600.0, 3595.0, 10.0, True, "alive"),
        (3605.0, 3595.0, 10.0, True, "ping"),
    ],
)
def test_silence_is_first_asked_about_and_then_given_up_on(after, heard, pinged, acked, expected):
    opened = 1000.0

    judged = verdict(
        USUAL, now=opened + after, opened=opened, heard=opened + heard, pinged=opened + pinged, acked=acked
    )

    assert judged == expected


@given(st.lists(st.floats(0.1, 9.9), min_size=1, max_size=50))
def test_a_market_that_is_quiet_for_hours_is_left_alone_while_the_exchange_beats(pauses):
    now = heard = 0.0
    for pause in pauses * 20:
        now += pause
        assert verdict(USUAL, now=now, opened=0.0, heard=heard, pinged=0.0, acked=True) == "alive"
        heard = now


def test_patience_comes_from_the_settings(run_dir):
    settings = make_settings(
        run_dir,
        open_timeout=1,
        ack_within=2,
        ping_interval=3,
        silent_after=6,
        renew_after=7,
    )

    assert Patience.of(settings) == Patience(1, 2, 3, 6, 7)
    assert Patience.of(settings).ping_after == 4
    assert Patience.of(make_settings(run_dir)) == Patience()


@pytest.mark.parametrize(("ack_within", "silent_after", "interval"), [(50, 50, 1), (2, 50, 0.4), (50, 3, 0.6)])
def test_a_connection_is_looked_at_often_enough_for_whatever_is_due_first(ack_within, silent_after, interval):
    assert Patience(ack_within=ack_within, silent_after=silent_after).watch_interval == interval
