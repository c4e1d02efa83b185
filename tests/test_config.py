from pathlib import Path

import pytest

from poeticoins import config
from poeticoins.config import Settings, load
from poeticoins.errors import ConfigurationError
from poeticoins.exchanges import followed
from poeticoins.model import Product


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "poeticoins.toml"
    file.write_text(text)
    return file


def test_defaults_hold_where_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = load(environment={"XDG_STATE_HOME": "/s"})

    assert settings == Settings(run_dir=Path("/s/poeticoins"))


def test_the_environment_overrules_the_file(tmp_path):
    file = written(tmp_path, 'run_dir = "/from/file"\nport = 1234\nring_capacity = 60000\n')

    settings = load(file, {"POETICOINS_RUN_DIR": "/from/env", "POETICOINS_PORT": "4321"})

    assert (settings.run_dir, settings.port, settings.ring_capacity) == (Path("/from/env"), 4321, 60_000)


def test_products_are_set_by_exchange_and_leave_other_exchanges_alone(tmp_path):
    file = written(tmp_path, '[exchanges.coinbase]\nproducts = ["BTC-USD", "SOL-EUR"]\n')

    products = followed(load(file, {}))

    assert products["coinbase"] == (Product("coinbase", "BTC", "USD"), Product("coinbase", "SOL", "EUR"))
    assert len(products["bitstamp"]) == 6


def test_exchanges_can_be_chosen(tmp_path):
    assert list(followed(load(written(tmp_path, 'exchanges = ["bitstamp"]'), {}))) == ["bitstamp"]
    assert list(followed(load(written(tmp_path, ""), {"POETICOINS_EXCHANGES": "coinbase"}))) == ["coinbase"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", ["poeticoins.toml", "colour", "not a known key"]),
        ("port = 'x'", ["poeticoins.toml", "port", "expected a whole number", "'x'"]),
        ("port = 70000", ["port", "65535", "70000"]),
        ("port = 1.5", ["port", "whole number", "1.5"]),
        ("speed = -1", ["speed", "expected a number from 0", "-1"]),
        ("ring_capacity = 0", ["ring_capacity", "from 1 to"]),
        ("journal_capacity = 1", ["journal_capacity", "from 10 to"]),
        ("beat_interval = 0", ["beat_interval", "from 0.01 to"]),
        ("beat_interval = 10", ["hang_after", "2.5 times beat_interval"]),
        ("allow_origin = ['*']", ["allow_origin", "prices.example", "'*'"]),
        ("allow_origin = ['*.example:443']", ["allow_origin", "'*.example:443'"]),
        ("allow_origin = ['https://prices.example']", ["allow_origin", "'https://prices.example'"]),
        ("backfill = 'perhaps'", ["backfill", "true or false", "perhaps"]),
        ("run_dir = ''", ["run_dir", "expected a path"]),
        ("run_dir = '~nobody-of-that-name/x'", ["run_dir", "expected a path"]),
        ('run_dir = "/x\\u0000y"', ["run_dir", "expected a path"]),
        ("hang_after = nan", ["hang_after", "nan"]),
        ("[exchanges.coinbase]\nproducts = ['BTCUSD']", ["exchanges.coinbase", "BASE-QUOTE", "BTCUSD"]),
        ("[exchanges.coinbase]\nproducts = []", ["exchanges.coinbase", "expected a list"]),
        ("[exchanges.coinbase]\nproduct = ['BTC-USD']", ["exchanges.coinbase", "product", "not a known key"]),
        (
            "[exchanges.coinbase]\nurl = 'https://x.org'",
            ["exchanges.coinbase] url", "wss:// or ws://", "https://x.org"],
        ),
        ("[exchanges.coinbase]\nurl = 'wss://'", ["exchanges.coinbase] url", "and a host"]),
        ("[exchanges.coinbase]\nurl = 'wss://x:99999'", ["exchanges.coinbase] url", "wss://x:99999"]),
        ("[exchanges.coinbase]\nurl = 5", ["exchanges.coinbase] url", "got 5"]),
        ("[exchanges.coinbase]\nrest_url = 'wss://x.org'", ["exchanges.coinbase] rest_url", "https:// or http://"]),
        ("proxy = 'ftp://x'", ["poeticoins.toml: proxy", "http:// or https:// or socks5://", "ftp://x"]),
        ("proxy = 'direct'", ["proxy", "'direct'"]),
        ("renew_after = 0.5", ["renew_after", "from 1 to"]),
        ("exchanges = ['coinbase']\n[exchanges.coinbase]\nurl = 'wss://x.org'", ["poeticoins.toml", "expected TOML"]),
        ("mode = 'demo'", ["mode", "not a known key"]),
        ("port = ", ["poeticoins.toml", "expected TOML"]),
    ],
)
def test_a_wrong_file_names_itself_the_key_and_what_was_expected(tmp_path, text, words):
    with pytest.raises(ConfigurationError) as error:
        load(written(tmp_path, text), {})

    assert all(word in str(error.value) for word in words), str(error.value)
    assert "\n" not in str(error.value)


def test_a_wrong_variable_names_itself():
    with pytest.raises(ConfigurationError, match="POETICOINS_PORT: expected a whole number"):
        load(environment={"POETICOINS_PORT": "many"})


def test_an_unknown_exchange_names_the_known_ones(tmp_path):
    with pytest.raises(ConfigurationError, match="bitstamp, coinbase"):
        followed(load(written(tmp_path, "exchanges = ['mtgox']"), {}))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml", {})


def test_a_run_directory_too_long_for_a_socket_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="run_dir: expected at most"):
        load(environment={"POETICOINS_RUN_DIR": "/" + "x" * 100})


def test_every_socket_fits_in_the_longest_directory():
    names = ["historical", "control", *(n for e in ("coinbase", "bitstamp") for n in (e, f"{e}-replay"))]

    assert max(len(f"{name}.sock") for name in names) <= len(config.LONGEST_SOCKET)


def test_an_exchange_may_have_other_addresses_and_no_products_of_its_own(tmp_path):
    text = "[exchanges.coinbase]\nurl = 'wss://feed.example:444/x/'\nrest_url = 'https://rest.example/'\n"

    settings = load(written(tmp_path, text), {})

    assert settings.urls == {"coinbase": "wss://feed.example:444/x"}
    assert settings.rest_urls == {"coinbase": "https://rest.example"}
    assert len(followed(settings)["coinbase"]) == 6
    assert list(followed(settings)) == ["bitstamp", "coinbase"]  # a table chooses no exchange


def test_an_address_for_an_exchange_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="mtgox"):
        followed(load(written(tmp_path, "[exchanges.mtgox]\nurl = 'wss://mtgox.example'"), {}))


@pytest.mark.parametrize("proxy", ["", "none", "http://proxy:8080", "https://me:secret@proxy", "socks5://proxy:1080"])
def test_a_proxy_is_a_url_or_none(proxy):
    assert load(environment={"POETICOINS_PROXY": proxy}).proxy == proxy


def test_no_error_and_no_shown_setting_repeats_the_password_of_a_proxy():
    with pytest.raises(ConfigurationError) as error:
        load(environment={"POETICOINS_PROXY": "ftp://me:se@cret@proxy"})

    assert "ftp://…@proxy" in str(error.value)
    assert "cret" not in str(error.value)
    assert "secret" not in repr(load(environment={"POETICOINS_PROXY": "http://me:secret@proxy"}))
