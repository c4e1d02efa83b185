"""What ended or prevented a connection decides what is said, how long to wait, and whether people must know."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeticoins.restarts import ConnectionBackoff
from poeticoins.troubles import Ending, retry_after, trouble_of

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ending", "least", "most", "alert", "words"),
    [
        (Ending("http", 401), 60, 300, True, "HTTP 401"),
        (Ending("http", 403), 60, 300, True, "HTTP 403"),
        (Ending("http", 451), 60, 300, True, "HTTP 451"),
        (Ending("http", 403, retry_after=1.0), 60, 300, True, "HTTP 403"),
        (Ending("http", 429), 30, 36, False, "HTTP 429: too many requests"),
        (Ending("http", 418), 30, 36, False, "HTTP 418: too many requests"),
        (Ending("http", 429, retry_after=7.0), 7, 8.4, False, "too many requests"),
        (Ending("http", 429, retry_after=0.0), 1, 1.2, False, "too many requests"),
        (Ending("http", 429, retry_after=1e6), 300, 360, False, "too many requests"),
        (Ending("http", 404), 0, 0, False, "refused with HTTP 404"),
        (Ending("http", 500), 0, 0, False, "HTTP 500"),
        (Ending("http", 503, retry_after=5.0), 5, 0, False, "HTTP 503"),
        (Ending("http", 522), 0, 0, False, "HTTP 522"),
        (Ending("closed", 1000), 0, 0, False, "closed by the exchange: 1000"),
        (Ending("closed", 1011, "oops"), 0, 0, False, "closed by the exchange: 1011 oops"),
        (Ending("closed", 1012, "restart"), 1, 2, False, "closed by the exchange: 1012 restart"),
        (Ending("closed", 1013), 1, 2, False, "closed by the exchange: 1013"),
        (Ending("closed", 4000), 0, 0, False, "closed by the exchange: 4000"),
        (Ending("broken off"), 0, 0, False, "broke off"),
        (Ending("no pong"), 0, 0, False, "no answer to a ping"),
        (Ending("silent", text="15 s"), 0, 0, False, "silent for 15 s"),
        (Ending("no ack", text="none within 5 s"), 0, 0, False, "no subscription was confirmed"),
        (Ending("certificate", text="self-signed certificate"), 30, 60, True, "self-signed certificate"),
        (Ending("tls", text="bad record"), 0, 0, False, "TLS failed: bad record"),
        (Ending("unknown host", text="a.invalid"), 0, 0, False, "not known: a.invalid"),
        (Ending("refused"), 0, 0, False, "nobody listens there"),
        (Ending("no answer", text="10 s"), 0, 0, False, "no answer within 10 s"),
        (Ending("no websocket", text="SSH-2.0"), 0, 0, False, "speaks no WebSocket: SSH-2.0"),
        (Ending("proxy", text="HTTP 407"), 5, 10, True, "the proxy does not work: HTTP 407"),
        (Ending("network", text="no route to host"), 0, 0, False, "no route to host"),
        (Ending("asked"), 0, 0, False, "asked to reconnect"),
    ],
)
def test_what_happened_decides_the_wait_the_alert_and_the_words(ending, least, most, alert, words):
    trouble = trouble_of(ending)

    assert (trouble.least_wait, round(trouble.most_wait, 6), bool(trouble.alert)) == (least, most, alert)
    assert words in trouble.words
    assert trouble.wanted == (ending.kind == "asked")


KINDS = st.sampled_from(Ending.__annotations__["kind"].__args__)


@given(
    st.lists(st.builds(Ending, KINDS, st.integers(0, 5000), st.text(), st.none() | st.floats(0, 1e12)), max_size=40),
    st.floats(0, 1),
)
def test_no_run_of_troubles_ends_the_tries_or_makes_one_wait_for_longer_than_six_minutes(endings, random):
    backoff = ConnectionBackoff()
    for ending in endings:
        trouble = trouble_of(ending)
        delay, backoff = backoff.next_attempt(0.0, random, trouble.least_wait, trouble.most_wait)
        backoff = ConnectionBackoff(attempts=backoff.attempts)  # the budget's own waits are another matter

        assert max(trouble.least_wait, 0) <= delay <= 360


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:30", 30.0),
        ("-5", None),
        ("1e9", None),
        ("٧", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(text, seconds):
    assert retry_after(text, NOW) == seconds
