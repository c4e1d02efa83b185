"""The component's scripts: what must never be in them."""

import re

import pytest

from dashboards.cards import ASSETS, SCRIPTS, Cards, asset


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_makes_markup_of_text(name):
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", asset(name))


@pytest.mark.parametrize("path", sorted(ASSETS.iterdir()), ids=lambda path: path.name)
def test_no_asset_names_another_host(path):
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")  # the name of a vocabulary

    assert not re.search(r"https?://|@import|url\((?!#|`#)", text)


def test_component_hands_on_what_the_browser_says():
    heard = []

    Cards(heard.append)._handle_msg({"hello": 1})

    assert heard == [{"hello": 1}]
