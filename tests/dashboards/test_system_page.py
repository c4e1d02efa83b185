"""The System place in Chromium: every process and exchange in words, on every size, and a death as it happens."""

import os
import signal
import time

import pytest

import poeticoins

pytestmark = pytest.mark.browser
ROW = (
    "[...board.querySelectorAll('.live tbody tr')].find(row => row.querySelector('.what').textContent === argument[0])"
)
PHONE = {"width": 390, "height": 844, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


def row(shown, name: str) -> str:
    """All that the row of `name` says."""
    return shown.page.locator(f".live tbody tr:has(th .what:text-is('{name}'))").inner_text()


def test_every_process_and_exchange_has_a_row_in_a_real_table(served, screen):
    shown = screen(served("live").url + "?place=system")
    shown.until("board.querySelectorAll('.live tbody tr').length > 5")

    page = shown.page
    assert page.locator(".system caption").all_inner_texts() == ["Processes", "Exchanges", "What happened lately"]
    for name in ("supervisor", "coinbase", "bitstamp", "historical", "Coinbase", "Bitstamp"):
        assert page.get_by_role("rowheader", name=name).first.is_visible()
    assert page.get_by_role("columnheader", name="Memory").is_visible()
    assert page.locator(".live thead th:not([scope=col]), .live tbody th:not([scope=row])").count() == 0
    for text in ("follows Coinbase", "ready", "100", "1.0%", "30 MB", "1.5"):
        assert text in row(shown, "coinbase").replace("\xa0", "")
    assert "live" in row(shown, "Coinbase")
    assert page.locator(".system-line").inner_text().startswith("As of ")
    assert not page.locator(".card").count()
    assert shown.troubles == []


def test_trouble_is_told_in_words_and_what_others_wrote_stays_text(served, screen):
    shown = screen(served("trouble").url + "?place=system", timezone_id="Asia/Kolkata")
    shown.until("board.querySelectorAll('.live .unwell').length === 2")

    process, exchange, other = row(shown, "coinbase"), row(shown, "Coinbase"), row(shown, "Bitstamp")

    assert "waits to be restarted" in process
    assert "next try in 8 s" in process
    assert "18:00:00: exit 1" in process
    assert "last words: ValueError: name not found <img src=x onerror=alert(1)>" in process
    assert "reconnecting" in exchange
    assert "name not found <img src=x onerror=alert(1)>; next try in 4 s" in exchange
    assert "\u221212 ms / 1.3 s" in other
    assert "its clock is ahead of ours" in other
    assert "ended after 1 min: exit 1" in shown.text(".events")
    assert not shown.page.locator(".system img").count()
    assert shown.troubles == []


def test_without_a_supervisor_it_says_so_and_how_to_start_one(served, screen):
    shown = screen(served("none").url + "?place=system")
    shown.until("board.querySelector('.system-line').textContent.startsWith('No supervisor runs')")

    assert "python supervisor.py" in shown.text(".absence")
    assert not shown.page.locator(".system .live").first.is_visible()
    assert shown.troubles == []


def test_what_was_last_known_stays_when_the_supervisor_goes_and_is_said_to_be_old(served, screen):
    shown = screen(served("leaving").url + "?place=system")
    shown.until("board.querySelector('.system.old')")

    assert "No supervisor runs. What stands here is the last that is known" in shown.text(".system-line")
    assert "python supervisor.py" in shown.text(".system-line")
    assert "follows Coinbase" in row(shown, "coinbase")
    assert "gone: nobody follows the exchanges any more" in shown.text(".events")
    assert shown.troubles == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_on_a_phone_every_value_has_its_name_and_nothing_is_cut_off(served, screen, scheme):
    shown = screen(served("trouble").url + "?place=system", color_scheme=scheme, **PHONE)
    shown.until("board.querySelectorAll('.live .unwell').length === 2")

    page = shown.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    label = "cell => getComputedStyle(cell, '::before').content"
    assert page.locator(".live td").first.evaluate(label) == '"State"'
    assert page.get_by_role("row").count() >= 7  # blocks, and still a table
    assert page.get_by_role("cell").first.is_visible()
    wide = page.locator(".live :is(td, th, .what, .small)").evaluate_all(
        "nodes => nodes.filter(node => node.offsetParent && node.getBoundingClientRect().right > innerWidth).length"
    )
    assert wide == 0
    assert shown.troubles == []


def test_a_killed_child_its_reason_and_its_return_are_on_the_page_within_seconds(screen):
    with poeticoins.demo(dashboard=True) as status:
        shown = screen(status.url + "?place=system")
        shown.page.set_default_timeout(30_000)  # the tree has just begun, perhaps on a busy machine
        shown.until(f"{ROW}?.textContent.includes('ready')", ["historical"])
        victim = next(child.pid for child in status.children if child.name == "historical")
        shown.until(f"{ROW}?.textContent.includes(argument[1])", ["historical", str(victim)])
        delays = "[...board.querySelectorAll('.exchanges td:nth-child(3)')]"
        shown.until(f"{delays}.length === 2 && {delays}.every(cell => cell.textContent.includes(' ms'))")

        os.kill(victim, signal.SIGKILL)
        began = time.monotonic()
        shown.until(f"{ROW}?.textContent.includes('SIGKILL')", ["historical"])
        shown.until(
            f"/ready/.test({ROW}?.textContent) && !{ROW}.textContent.includes(argument[1])", ["historical", str(victim)]
        )

        assert time.monotonic() - began < 20  # mostly two or three looks, but the machine may be busy
        happened = shown.text(".events")
        assert "SIGKILL" in happened
        assert "ready, as process" in happened
        assert shown.troubles == []
