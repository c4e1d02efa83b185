"""Row 36: an exchange that sends too much: a frame beyond the limit, a deflate bomb, tiny frames without end."""

import asyncio
import logging
import time
import zlib
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

from poeticoins.child import resident
from tests.faults.serving import in_a_thread
from tests.following import BTC, following
from tests.trees import until

TINY = b'{"type":"heartbeat"}'
FRAMES = 20_000


def framed(payload: bytes, first: int = 0x81) -> bytes:
    """A frame of RFC 6455; first: its first byte, 0xC1 for a deflated text."""
    return bytes([first, 127]) + len(payload).to_bytes(8) + payload


def huge() -> bytes:
    return framed(b" " * 2_097_152)


def bomb() -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return framed(deflate.compress(b" " * 200_000_000) + deflate.flush(zlib.Z_SYNC_FLUSH), first=0xC1)


@asynccontextmanager
async def exchange_that_sends(data: bytes):
    """Its address, and how often it was connected to; each connection gets `data` raw and is then left alone."""
    connected = []

    async def send(websocket) -> None:
        connected.append(websocket)
        websocket.transport.write(data)
        await websocket.wait_closed()

    async with serve(send, "127.0.0.1", 0) as server:  # which would deflate for whoever asks it to
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", connected


@pytest.mark.row(36)
@pytest.mark.parametrize(
    ("made", "words"),
    [(huge, "more than 1048576 bytes"), (bomb, "it broke the protocol")],
    ids=["2 MiB", "deflate bomb"],
)
def test_a_frame_too_large_or_deflated_ends_the_connection_is_not_kept_and_concerns_no_other(line, made, words):
    before = line.tree.child("coinbase")["rss"]
    with in_a_thread(exchange_that_sends(made())) as (url, connected), line.elsewhere("coinbase", url):
        line.seen("coinbase", lambda feed: words in (feed["problem"] or ""))
        until(lambda: len(connected) >= 2)  # it goes on trying

        assert line.tree.child("coinbase")["rss"] - before < 20_000_000
        line.unbroken("bitstamp")
    assert line.restarts("coinbase") == 2  # both asked for
    line.whole()


@pytest.mark.row(36)
async def test_tiny_frames_without_end_leave_the_loop_its_turns(run_dir, caplog):
    caplog.set_level(logging.CRITICAL, "poeticoins")  # pytest would keep every line
    async with exchange_that_sends(b"".join([bytes([0x81, len(TINY)]) + TINY] * FRAMES)) as (url, _):
        before = resident()
        async with following(run_dir, None, BTC, urls={"coinbase": url}, backfill=False, silent_after=2) as client:
            longest, end = 0.0, time.monotonic() + 60
            while client.facts["reconnects"] < 1:  # it took all of them, and then heard nothing more
                assert time.monotonic() < end
                before_turn = time.thread_time()  # what others take of the processor is not its doing
                await asyncio.sleep(0.001)
                longest = max(longest, time.thread_time() - before_turn)

            assert longest < 0.5  # some milliseconds in truth
            assert resident() - before < 20_000_000
            assert client.ended == []
