"""The System place: from the status to its rows, and who gets them."""

import asyncio
import json
from types import SimpleNamespace

import pandas as pd
import pytest

from dashboards.feed import Feed
from dashboards.missing import newest_gaps
from dashboards.system import Heard, System, exchanges, processes
from tests.dashboards.market import PRODUCTS, Market, status
from tests.dashboards.test_feed import Viewer, until
from tests.dashboards.test_lately import an_exit

NOW = 1_788_000_000_000
HEARD = Heard({}, 12.0)


def delay(p50, p99):
    return SimpleNamespace(p50=p50, p99=p99, trades=60, window=60)


def test_supervisor_is_the_first_process_and_clients_have_their_exchanges_rate():
    rows = processes(status(), HEARD)

    assert [(row["name"], row["pid"], row["rate"]) for row in rows] == [
        ("supervisor", 99, None), ("coinbase", 100, 1.5), ("bitstamp", 101, 1.5), ("historical", 102, None),
    ]  # fmt: skip
    assert [row["role"] for row in rows[1:3]] == ["follows Coinbase", "follows Bitstamp"]
    assert all(row["well"] and row["cpu"] == 0.01 and row["up"] == 60 for row in rows)


@pytest.mark.parametrize(
    ("state", "word", "well"),
    [
        ("ready", "ready", True), ("starting", "starting", False), ("backoff", "waits to be restarted", False),
        ("degraded", "keeps failing", False), ("stopping", "stopping", False), ("stopped", "stopped", False),
    ],
)  # fmt: skip
def test_state_of_a_process_is_a_word(state, word, well):
    one = status()
    one.children[0].__dict__.update(state=state, pid=None, next_try_in=2.5, exits=[an_exit("exit 1", 4, ["a <b>bug"])])

    row = processes(one, HEARD)[1]

    assert (row["state"], row["well"], row["up"], row["next"]) == (word, well, None, 2.5)
    assert (row["why"], row["words"]) == ("exit 1", "a <b>bug")


@pytest.mark.parametrize(
    ("feed", "troubles", "shown"),
    [
        ({}, {}, ("live", True)),
        ({}, {"coinbase": "stalled"}, ("stalled", False)),
        ({"state": "degraded"}, {"coinbase": "degraded"}, ("degraded", False)),
        ({"state": "reconnecting"}, {}, ("reconnecting", False)),
        ({"state": "<b>\n"}, {}, ("<b>", False)),
    ],
)
def test_state_of_an_exchange_is_a_word(feed, troubles, shown):
    one = status()
    one.feeds[0].__dict__.update(feed)

    row = exchanges(one, Heard(troubles, 0))[0]

    assert (row["state"], row["well"]) == shown


@pytest.mark.parametrize(
    ("told", "shown", "ahead"),
    [(None, None, False), (delay(12, 80), [12, 80, 60, 60], False), (delay(-5, 80), [-5, 80, 60, 60], True)],
)
def test_delay_less_than_nothing_means_that_the_exchanges_clock_is_ahead(told, shown, ahead):
    row = exchanges(status(delay=told), HEARD)[0]

    assert (row["delay"], row["ahead"]) == (shown, ahead)


def test_without_a_supervisor_the_last_that_is_known_stays_and_is_of_then():
    system = System()
    assert json.loads(system.text(NOW))["as_of"] is None
    system.take(status(), HEARD, NOW)

    system.absent(NOW + 5_000)
    system.absent(NOW + 6_000)

    message = json.loads(system.text(NOW + 7_000))
    assert (message["alive"], message["as_of"], len(message["processes"])) == (False, NOW, 4)
    assert [event[3][:4] for event in message["events"]] == ["gone", "star"]  # once


def test_events_are_told_again_only_when_there_are_others():
    system = System()
    system.take(status(), HEARD, NOW)
    first, second = json.loads(system.news(NOW)), json.loads(system.news(NOW + 1_000))
    assert (len(first["events"]), second["events"]) == (1, None)

    system.absent(NOW + 2_000)

    assert len(json.loads(system.news(NOW + 2_000))["events"]) == 2
    assert len(json.loads(system.text(NOW + 3_000))["events"]) == 2


def test_newest_gaps_are_told_with_their_refills_and_no_more_than_twenty():
    at = pd.Timestamp("2026-01-01T12:00Z")
    rows = [(at, at, i, "skipped ids", at if i % 2 else pd.NaT) for i in range(30)]
    frame = pd.DataFrame(rows, columns=["began_at", "ended_at", "missing", "reason", "refilled_at"])

    found = newest_gaps(frame.astype({"missing": "Int64"}))

    assert [gap[2] for gap in found] == list(range(10, 30))
    assert found[0][4] is None
    assert found[1][4] == found[1][0] == at.value // 1_000_000


async def test_only_those_who_look_at_the_system_hear_of_it_and_at_once():
    market = Market()
    feed, here, elsewhere = Feed(market, poll_s=0.05), Viewer(), Viewer()
    here.place = "system"
    task = asyncio.create_task(feed.run())
    try:
        await until(lambda: market.listeners)
        feed.join(elsewhere)
        feed.join(here)
        assert here.of("system")

        market.status = status()
        market.status.children[0].__dict__.update(pid=555, restarts=1, exits=[an_exit()])
        await until(lambda: here.of("system")[-1]["processes"][1]["restarts"] == 1)

        events = next(message["events"] for message in reversed(here.of("system")) if message["events"])
        assert sorted(event[3] for event in events)[:2] == ["ended after 3 min: SIGKILL", "ready, as process 555"]
        assert elsewhere.of("system") == []

        market.open = False
        await until(lambda: not here.of("system")[-1]["alive"])
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_gaps_that_the_context_knows_are_among_the_events():
    market, viewer = Market(), Viewer()
    viewer.place = "system"
    at = pd.Timestamp.now("UTC")
    market.gaps[PRODUCTS[1]] = [(at, at, 3, "skipped ids", pd.NaT)]
    market.status.feeds[0].gaps = 1
    feed = Feed(market, poll_s=0.05)
    task = asyncio.create_task(feed.run())
    try:
        feed.join(viewer)

        def gaps():
            return [event for message in viewer.of("system") for event in message["events"] or () if event[1] == "gap"]

        await until(gaps)

        told = gaps()[0]
        assert told[2:4] == [str(PRODUCTS[1]), "skipped ids: 3 trades missing"]
    finally:
        task.cancel()
        await asyncio.wait({task})
