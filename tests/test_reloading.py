"""What new settings mean for a running tree."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from poeticoins import reloading
from poeticoins.config import Settings
from poeticoins.errors import ConfigurationError
from poeticoins.exchanges import followed
from poeticoins.model import Product
from poeticoins.reloading import Changes, changes, taken_over
from poeticoins.tree import children

SETTINGS = replace(Settings(), run_dir=Path("/run/p"), mode="demo", dashboard=True)
ALL = ("simulator", "historical", "bitstamp", "coinbase", "dashboard")
SOL = {"coinbase": (Product("coinbase", "SOL", "EUR"),)}


def changes_by(old: Settings = SETTINGS, **new: object) -> Changes:
    after = replace(old, **new)
    return changes(old, after, children(old), children(after))


@pytest.mark.parametrize(
    ("new", "restarted"),
    [
        ({}, ()),
        ({"products": SOL}, ("historical", "coinbase", "dashboard")),
        ({"port": 9}, ("dashboard",)),
        ({"host": "::1"}, ("dashboard",)),
        ({"allow_origin": ("a:1",)}, ("dashboard",)),
        ({"ring_capacity": 9}, ("historical",)),
        ({"bars_1h": 9}, ("historical",)),
        ({"journal_capacity": 99}, ("historical", "bitstamp", "coinbase")),  # which saves bars by it
        ({"audit": 9.0}, ("bitstamp", "coinbase")),
        ({"good_after": 9.0}, ("bitstamp", "coinbase")),
        ({"proxy": "none"}, ("bitstamp", "coinbase")),
        ({"urls": {"coinbase": "wss://a.b"}}, ("coinbase",)),
        ({"rest_urls": {"bitstamp": "https://a.b"}}, ("bitstamp",)),
        ({"seed": 9}, ("simulator",)),
        ({"beat_interval": 0.5}, ALL),
        ({"stop_timeout": 1.0, "hang_after": 9.0, "rss_limit": 0}, ()),
        ({"exchanges": ("bitstamp", "coinbase")}, ()),
    ],
)
def test_only_children_that_read_what_changed_are_restarted(new, restarted):
    found = changes_by(**new)

    assert found == Changes(restart=restarted)


def test_the_defaults_spelled_out_change_nothing():
    assert changes_by(products={"coinbase": followed(SETTINGS)["coinbase"]}) == Changes()


def test_an_exchange_that_is_no_longer_followed_ends_and_a_new_one_begins():
    found = changes_by(exchanges=("coinbase",))
    assert (found.end, found.restart, found.add) == (("bitstamp",), ("historical", "dashboard"), ())

    found = changes_by(replace(SETTINGS, exchanges=("coinbase",)), exchanges=())

    assert [spec.name for spec in found.add] == ["bitstamp"]
    assert (found.end, found.restart) == ((), ("historical", "dashboard"))


def test_an_exchange_that_is_not_known_is_a_wrong_configuration():
    with pytest.raises(ConfigurationError, match="coinbsae"):
        changes_by(exchanges=("coinbsae",))


@pytest.mark.parametrize("new", [{"run_dir": Path("/run/q")}, {"mode": "live"}])
def test_run_directory_and_mode_stay(new):
    with pytest.raises(
        ConfigurationError, match=f"{next(iter(new))}: expected .* until the supervisor is started anew"
    ):
        taken_over(SETTINGS, replace(SETTINGS, **new))


def test_what_was_found_out_at_the_start_is_taken_over():
    recorded = {"coinbase": (Product("coinbase", "BTC", "USD"),)}
    old = replace(SETTINGS, mode="replay", embedded_url="ws://x", replay_products=recorded, ring_capacity=99_999)
    read = replace(Settings(), run_dir=Path("/run/p"), mode="replay", dashboard=True, port=9)

    new = taken_over(old, read)

    assert (new.embedded_url, new.replay_products, new.ring_capacity, new.port) == ("ws://x", recorded, 99_999, 9)
    assert changes(old, new, children(old), children(new)) == Changes(restart=("dashboard",))


def test_every_setting_that_is_said_to_have_one_reader_exists():
    assert set().union(*reloading._READERS.values()) <= {field.name for field in fields(Settings)}
