"""Recordings are read as they were captured, and what cannot be read is named by file and line."""

import json
import os
from pathlib import Path

import pytest

from poeticoins.errors import ConfigurationError
from poeticoins.model import Product
from poeticoins.recording import LINE_LIMIT, TOTAL_LIMIT, Frame, products_in, read_frames

COINBASE, OLD_COINBASE, BITSTAMP = (
    "wss://ws-feed.exchange.coinbase.com",
    "wss://ws-feed.pro.coinbase.com",
    "wss://ws.bitstamp.net/",
)
HEARTBEAT = '{"type":"heartbeat","last_trade_id":1,"product_id":"BTC-USD","sequence":1,"time":"2026-09-21T14:13:20Z"}'
ACK = '{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}'


def match(trade_id: int, product: str = "BTC-USD") -> str:
    return json.dumps({
        "type": "match", "trade_id": trade_id, "side": "buy", "size": "1", "price": "2", "product_id": product,
        "time": "2026-09-21T14:13:20Z",
    })  # fmt: skip


def line(t: float, raw: str = HEARTBEAT, *, url: str = COINBASE, dir: str = "in") -> str:
    return json.dumps({"t": t, "dir": dir, "url": url, "raw": raw})


def recording(folder: Path, *lines: str, name: str = "a.jsonl") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def times(*lines: str, folder: Path) -> list[float]:
    return [round(frame.at, 6) for frame in read_frames([recording(folder, *lines)])]


def test_frames_come_in_order_with_seconds_since_the_first(tmp_path: Path) -> None:
    file = recording(tmp_path, line(100.0, match(1)), line(100.25), line(130.0, match(2), url=OLD_COINBASE))

    frames = read_frames([file])

    assert frames == [
        Frame("coinbase", 0.0, match(1)),
        Frame("coinbase", 0.25, HEARTBEAT),
        Frame("coinbase", 30.0, match(2)),
    ]


def test_each_exchange_has_its_own_clock(tmp_path: Path) -> None:
    assert times(line(100), line(5000, "{}", url=BITSTAMP), line(101), line(5002, "{}", url=BITSTAMP),
                 folder=tmp_path) == [0, 0, 1, 2]  # fmt: skip


def test_what_was_sent_to_the_exchange_is_left_out(tmp_path: Path) -> None:
    file = recording(tmp_path, line(1, '{"type":"subscribe"}', dir="out"), line(2, match(1)))

    assert [frame.raw for frame in read_frames([file])] == [match(1)]


def test_acks_are_left_out_but_count_for_the_time(tmp_path: Path) -> None:
    file = recording(tmp_path, line(1, ACK), line(3, match(1)))

    assert read_frames([file]) == [Frame("coinbase", 2.0, match(1))]


def test_frames_that_mean_nothing_or_are_bad_are_kept(tmp_path: Path) -> None:
    file = recording(tmp_path, line(1, "garbage {"), line(1, '{"type":"ticker"}'))

    assert [frame.raw for frame in read_frames([file])] == ["garbage {", '{"type":"ticker"}']


def test_a_pause_between_connections_is_cut_to_one_second(tmp_path: Path) -> None:
    subscribe = line(159, '{"type":"subscribe"}', dir="out")

    assert times(line(100), line(110), subscribe, line(160), folder=tmp_path) == [0, 10, 11]


def test_a_short_pause_between_connections_stays(tmp_path: Path) -> None:
    assert times(line(100), line(100.1, dir="out"), line(100.4), folder=tmp_path) == [0, 0.4]


def test_a_quiet_market_is_not_a_new_connection(tmp_path: Path) -> None:
    assert times(line(100), line(155), folder=tmp_path) == [0, 55]


def test_a_jump_of_months_is_a_new_connection(tmp_path: Path) -> None:
    assert times(line(1_600_000_000), line(1_700_000_000), folder=tmp_path) == [0, 1]


def test_time_never_runs_backwards(tmp_path: Path) -> None:
    assert times(line(100), line(99.9), line(101), folder=tmp_path) == [0, 0, 1.1]
    assert times(line(100), line(50), line(51), folder=tmp_path) == [0, 1, 2]


def test_a_directory_means_its_recordings_by_name(tmp_path: Path) -> None:
    recording(tmp_path, line(200, match(2)), name="b.jsonl")
    recording(tmp_path, line(100, match(1)), name="a.jsonl")
    recording(tmp_path, "not a recording", name="README.md")

    assert [frame.raw for frame in read_frames([tmp_path])] == [match(1), match(2)]


def test_exchanges_that_are_not_known_are_counted_by_host(tmp_path: Path) -> None:
    kraken = line(1, "{}", url="wss://ws.kraken.com/v2")
    skipped: dict[str, int] = {}

    frames = read_frames([recording(tmp_path, kraken, line(1), kraken)], skipped)

    assert len(frames) == 1
    assert skipped == {"ws.kraken.com": 2}


def test_a_host_that_only_ends_like_a_known_one_is_not_known(tmp_path: Path) -> None:
    assert read_frames([recording(tmp_path, line(1, url="wss://evil-ws.bitstamp.net.example"))]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "not json", "[]", "{}", '{"t":"1","dir":"in","url":"wss://x","raw":""}', '{"t":1,"dir":"up","url":"","raw":""}',
        '{"t":1,"dir":"in","url":"","raw":{}}', '{"t":-1,"dir":"in","url":"","raw":""}', '{"t":1e400,"dir":"in"}',
        '{"t":1,"dir":"in","url":"wss://[","raw":""}', "[" * 100_000, '{"t":' + "[" * 100_000,
    ],
    ids=lambda wrong: str(wrong)[:24],
)  # fmt: skip
def test_a_malformed_line_is_named_with_its_file_and_number(tmp_path: Path, wrong: str) -> None:
    file = recording(tmp_path, line(1), "", wrong, line(2))

    with pytest.raises(ConfigurationError, match=r'a\.jsonl:3: expected .*"dir"') as refused:
        read_frames([file])

    assert len(str(refused.value)) < 600


def test_bytes_that_are_no_text_are_a_malformed_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"t":1,"dir":"in","url":"wss://x","raw":"\xff"}\n')

    with pytest.raises(ConfigurationError, match=r"a\.jsonl:1"):
        read_frames([tmp_path / "a.jsonl"])


def test_a_line_longer_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    file = recording(tmp_path, line(1), line(2, "x" * LINE_LIMIT))

    with pytest.raises(ConfigurationError, match=r"a\.jsonl:2: .* 1 MiB"):
        read_frames([file])


def test_a_missing_file_and_an_empty_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.jsonl"):
        read_frames([tmp_path / "missing.jsonl"])
    with pytest.raises(ConfigurationError, match=r"\*\.jsonl"):
        read_frames([tmp_path])


def test_the_products_are_those_whose_trades_are_there(tmp_path: Path) -> None:
    bitstamp = json.dumps({
        "event": "trade", "channel": "live_trades_etheur",
        "data": {"id": 1, "type": 0, "price_str": "1", "amount_str": "1", "microtimestamp": "1790000000000000"},
    })  # fmt: skip
    file = recording(
        tmp_path, line(1, match(1, "NU-GBP")), line(1, HEARTBEAT), line(1, "bad"), line(2, match(1, "BAND-BTC")),
        line(1, bitstamp, url=BITSTAMP),
    )  # fmt: skip

    products = products_in(read_frames([file]))

    assert products == {
        "bitstamp": (Product("bitstamp", "ETH", "EUR"),),
        "coinbase": (Product("coinbase", "BAND", "BTC"), Product("coinbase", "NU", "GBP")),
    }


def test_a_link_out_of_a_directory_is_refused_and_one_within_it_is_followed(tmp_path: Path) -> None:
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    for folder in (there, elsewhere):
        folder.mkdir()
    recording(there, line(1, match(1)))
    (there / "b.jsonl").symlink_to("a.jsonl")
    assert len(read_frames([there])) == 2

    (there / "c.jsonl").symlink_to(recording(elsewhere, line(1, match(2))))

    with pytest.raises(ConfigurationError, match=r"c\.jsonl: expected a recording, but it is a link that leads out of"):
        read_frames([there])


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")

    for path in (tmp_path / "a.jsonl", tmp_path, Path("/dev/zero")):
        with pytest.raises(ConfigurationError, match="expected a recording, but it is no file"):
            read_frames([path])


def test_recordings_that_are_too_large_together_are_refused_before_they_are_read(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        recording(tmp_path, line(1), name=name)
        os.truncate(tmp_path / name, TOTAL_LIMIT // 2 + 1)  # sparse: nothing of it is on the disk

    with pytest.raises(ConfigurationError, match="expected recordings of at most 256 MiB in all, got 256 MiB"):
        read_frames([tmp_path])
