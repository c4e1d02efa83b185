"""The line from an intake over the bus to historical and readers, on real sockets in one process."""

import asyncio
from contextlib import ExitStack, contextmanager

import pytest

from poeticoins import messages, wire
from poeticoins.bus import Answerer, Asker, Publisher, Subscriber
from poeticoins.errors import FeedUnavailable
from poeticoins.historical import Historical
from poeticoins.intake import Intake
from poeticoins.model import Gap, Trade
from poeticoins.stream import TradeStream
from tests.makers import BTC, make_settings, make_trade

DEADLINE = 10


class PublisherOfOne:
    """What a client is, without its exchange: one product's intake and its sockets."""

    def __init__(self, settings) -> None:
        self.publisher = Publisher(settings.socket("coinbase"), lambda _: self.intake.published.heartbeat())
        self.intake = Intake(BTC, settings, True, self.publisher.send)
        self.replayer = Answerer(settings.socket("coinbase-replay"), self._answer)

    def _answer(self, question: bytes) -> bytes:
        return wire.encode(self.intake.published.replay(wire.decode_question(question), 100))

    def publish(self, *ids: int) -> None:
        for trade_id in ids:
            self.intake.trade(make_trade(trade_id, at=trade_id), 5)

    def lose(self, *ids: int) -> None:
        """Journals trades that are never sent: what a death between the two leaves."""
        published = self.intake.published
        send, published._send = published._send, lambda _: None
        self.publish(*ids)
        published._send = send

    def close(self) -> None:
        self.publisher.close()
        self.replayer.close()
        self.intake.published.journal.close()


@contextmanager
def closing(*things):
    with ExitStack() as stack:
        for thing in things:
            stack.callback(thing.close)
        yield things[0]


def directories(settings) -> None:
    settings.journal(BTC).parent.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def settings(run_dir):
    settings = make_settings(run_dir, exchanges=("coinbase",))
    directories(settings)
    return settings


async def taken(stream: TradeStream, count: int) -> list[Trade | Gap]:
    async with asyncio.timeout(DEADLINE):
        return [await anext(stream) for _ in range(count)]


def ids_of(items) -> list[int]:
    return [item.trade_id for item in items]


def opened(settings) -> Historical:
    historical = Historical(settings)
    historical.open()
    return historical


async def heard(historical: Historical, count: int) -> None:
    """Waits until historical has filed `count` trades."""
    async with asyncio.timeout(DEADLINE):
        while len(historical._histories[str(BTC)].trades(10_000)[0]) < count:
            await asyncio.sleep(0.01)


async def test_a_reader_gets_what_is_published(settings):
    with closing(PublisherOfOne(settings)) as client, closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 1))
        await joined(client)
        client.publish(1, 2, 3)

        assert ids_of([*await first, *await taken(stream, 2)]) == [1, 2, 3]


async def joined(client: PublisherOfOne) -> None:
    """Waits until a subscriber to the product has been greeted."""
    greeted = asyncio.Event()
    greet = client.publisher._joined

    def note(prefix: bytes) -> None:
        greet(prefix)
        if prefix == wire.topic(BTC):  # and not historical, which subscribes to the whole exchange
            greeted.set()

    client.publisher._joined = note
    async with asyncio.timeout(DEADLINE):
        await greeted.wait()


async def test_a_late_joiner_gets_the_history_it_wants_and_then_goes_on(settings):
    with closing(PublisherOfOne(settings)) as client, closing(opened(settings)) as historical:
        client.publish(*range(1, 21))
        await heard(historical, 20)

        with closing(TradeStream(settings, [BTC], history=5)) as stream:
            begin = await taken(stream, 5)
            client.publish(21)

            assert ids_of(begin + await taken(stream, 1)) == [16, 17, 18, 19, 20, 21]


async def test_what_a_reader_missed_comes_before_what_follows_it(settings):
    with (
        closing(PublisherOfOne(settings)) as client,
        closing(opened(settings)) as historical,
        closing(TradeStream(settings, [BTC])) as stream,
    ):
        first = asyncio.create_task(taken(stream, 1))
        await joined(client)
        client.publish(1)
        await first
        client.lose(2, 3)
        client.publish(4)

        assert ids_of(await taken(stream, 3)) == [2, 3, 4]
        await heard(historical, 4)


async def test_a_lost_tail_comes_with_the_next_heartbeat(settings):
    with closing(PublisherOfOne(settings)) as client, closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 1))
        await joined(client)
        client.publish(1)
        await first
        client.lose(2, 3)
        client.intake.published.heartbeat()

        assert ids_of(await taken(stream, 2)) == [2, 3]  # from the publisher itself: no historical runs


async def test_a_reader_goes_on_over_a_restarted_publisher(settings):
    with closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 2))
        with closing(PublisherOfOne(settings)) as client:
            await joined(client)
            client.publish(1, 2)
            await first
            client.lose(3)
        with closing(PublisherOfOne(settings)) as client:
            client.publish(3, 4)  # the exchange sends its last trade again

            assert ids_of(await taken(stream, 2)) == [3, 4]


async def test_a_lost_journal_is_a_new_epoch_and_nothing_comes_twice(settings):
    with closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 2))
        with closing(PublisherOfOne(settings)) as client:
            await joined(client)
            client.publish(1, 2)
            await first
        settings.journal(BTC).unlink()
        with closing(PublisherOfOne(settings)) as client:
            client.intake.published.journal.epoch += 1  # a second later, in earnest
            client.publish(2, 3)

            assert ids_of(await taken(stream, 1)) == [3]


async def test_what_a_new_journal_holds_from_before_the_reader_is_flagged_as_late(settings):
    with closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 2))
        with closing(PublisherOfOne(settings)) as client:
            await joined(client)
            client.publish(11, 12)
            await first
        settings.journal(BTC).unlink()
        with closing(PublisherOfOne(settings)) as client:
            client.intake.published.journal.epoch += 1
            client.publish(9, 10, 11, 12, 13)  # as after a first start: the last of the exchange's trades

            assert [(trade.trade_id, trade.late) for trade in await taken(stream, 3)] == [
                (9, True),
                (10, True),
                (13, False),
            ]


async def test_historical_reads_what_a_dead_publisher_journalled(settings):
    with closing(PublisherOfOne(settings)) as client:
        client.publish(1, 2)
        client.lose(3)
    with closing(Historical(settings)) as historical:
        await historical.restore()

        assert historical._histories[str(BTC)].trades(10)[0]["trade_id"].tolist() == [1, 2, 3]


async def test_historical_follows_the_journal_of_a_publisher_that_falls_silent(settings):
    with closing(opened(settings)) as historical:
        following = asyncio.create_task(historical.follow_journals(0.02))
        with closing(PublisherOfOne(settings)) as client:
            client.publish(1)
            await heard(historical, 1)
            client.lose(2, 3)
        await heard(historical, 3)
        following.cancel()


async def test_a_slow_reader_loses_nothing_that_is_still_journalled(settings, monkeypatch):
    monkeypatch.setattr("poeticoins.stream.READY_LIMIT", 50)
    with closing(PublisherOfOne(settings)) as client, closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 1))
        await joined(client)
        got = []
        for start in range(1, 401, 40):
            client.publish(*range(start, start + 40))
            await asyncio.sleep(0)
        got += await first
        got += await taken(stream, 399)

        assert ids_of(got) == [*range(1, 401)]


async def test_a_reader_slower_than_the_journal_is_told_what_it_missed(settings):
    with closing(PublisherOfOne(settings)) as client, closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 1))
        await joined(client)
        client.publish(1)
        await first
        client.lose(*range(2, 1002))  # the journal keeps 500
        client.publish(1002)
        gap, *rest = await taken(stream, 500)

        assert isinstance(gap, Gap)
        assert (gap.reason, gap.missing) == ("overrun", 502)
        assert ids_of(rest) == [*range(504, 1003)]


async def test_garbage_on_the_sockets_is_answered_or_dropped_and_harms_nothing(settings):
    answers = []
    with closing(PublisherOfOne(settings)) as client, closing(opened(settings)) as historical:
        client.publish(1)
        with closing(Asker(settings.socket("historical"), answers.append)) as asker:
            for question in (
                b"",
                b"\xc1",
                b"GET / HTTP/1.1\r\n\r\n",
                wire.encode(messages.GapsQuestion(1, "x")),
                b"\x93" * 99,
            ):
                asker.ask(question)
            client.publisher.send(b"no topic")
            client.publisher.send(b"coinbase:BTC-USD\0\xc1")
            client.publisher.send(b"coinbase:XXX-USD\0" + wire.encode(messages.HeartbeatMessage(1, 1, 1, "demo")))
            async with asyncio.timeout(DEADLINE):
                while len(answers) < 5:
                    await asyncio.sleep(0.01)
        client.publish(2)
        await heard(historical, 2)

    assert {type(wire.decode_answer(answer)) for answer in answers} == {messages.ErrorAnswer}


async def test_another_wire_version_says_what_to_restart(settings):
    with closing(PublisherOfOne(settings)) as client, closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 1))
        await joined(client)
        client.publisher.send(wire.topic(BTC) + wire.encode(messages.HeartbeatMessage(2, 1, 1, "demo")))

        with pytest.raises(wire.WireMismatch, match="speaks wire version 2, this process 1: restart this process"):
            await first


async def test_a_stream_that_began_with_one_mode_never_goes_on_with_another(settings):
    with closing(PublisherOfOne(settings)) as client, closing(TradeStream(settings, [BTC])) as stream:
        first = asyncio.create_task(taken(stream, 1))
        await joined(client)
        client.publish(1)
        await first
        client.intake.published._mode = "live"
        client.intake.published.heartbeat()

        with pytest.raises(FeedUnavailable, match="began in mode demo, but the supervisor now runs in live"):
            await taken(stream, 1)


async def test_a_subscriber_of_one_product_hears_no_other(settings):
    heard_frames = []
    with (
        closing(PublisherOfOne(settings)) as client,
        closing(Subscriber(settings.socket("coinbase"), [wire.topic(BTC)], heard_frames.append)),
    ):
        await joined(client)
        client.publisher.send(b"coinbase:BTC-USDT\0other")
        client.publish(1)
        async with asyncio.timeout(DEADLINE):
            while not any(b"trade" in frame for frame in heard_frames):
                await asyncio.sleep(0.01)

    assert {frame.split(b"\0")[0] for frame in heard_frames} == {b"coinbase:BTC-USD"}
