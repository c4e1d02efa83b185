"""The pause: everything stands still as of a moment that is told, and catches up at once."""

import pytest

pytestmark = pytest.mark.browser
BTC, ETH = "coinbase:BTC-USD", "bitstamp:ETH-EUR"
SOURCE = "Bokeh.documents.map(each => each.get_model_by_name('candles')).filter(Boolean).at(-1)?.data"
BOARD = "[...document.querySelectorAll('*')].map(node => node.shadowRoot).find(root => root?.querySelector('.board'))"
STILL = f"[{BOARD}.querySelector('.prices').innerText, {SOURCE}.x.at(-1)]"
"""All text of the place, and the newest candle."""
BEHIND = r"^Paused at \d\d:\d\d:\d\d: \d+ s and \d+ prices? behind"


def test_nothing_moves_while_paused_and_all_of_it_catches_up(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC},{ETH}&focus={BTC}&interval=1s")
    shown.until(f"{SOURCE}?.x.length > 5 && board.querySelectorAll('.tape tbody tr').length > 3")

    text, candles = shown.page.get_by_role("button", name="Pause").evaluate(
        f"(pause) => {{ pause.click(); return {STILL} }}"
    )
    shown.until(r"Number(/and (\d+) prices/.exec(board.querySelector('.paused').innerText)?.[1]) > 20")

    assert shown.page.evaluate(STILL) == [text, candles]
    assert shown.page.evaluate("document.getAnimations().length") == 0
    assert shown.page.title() == "Paused · Demo · Poeticoins"
    shown.until("new RegExp(argument).test(board.querySelector('.paused').innerText)", BEHIND)
    shown.page.locator(".resume").click()
    shown.until("board.querySelector('.paused').hidden")
    shown.until(f"{SOURCE}.x.at(-1) > argument", candles)
    shown.until("[...board.querySelectorAll('.card .age')].some(age => age.textContent === 'now')")
    # every trade of the pause is in the tape
    shown.until("(ids => ids.length > 20)([...board.querySelectorAll('.tape tbody tr')])")
    assert shown.troubles == []


def test_product_that_is_opened_while_paused_stands_still_as_of_then(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    shown.page.keyboard.press("p")

    shown.page.locator(".card").click()
    shown.until(f"{SOURCE}?.x.length > 5")
    rows = shown.page.locator(".tape tbody tr").count()
    shown.until(r"Number(/and (\d+) prices/.exec(board.querySelector('.paused').innerText)?.[1]) > 5")

    assert shown.page.locator(".tape tbody tr").count() == rows
    assert shown.troubles == []


def test_who_wants_less_motion_sees_none(served, screen):
    shown = screen(served("demo").url, reduced_motion="reduce")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 12")

    for _ in range(20):  # but for the words that stand there if the connection does not come: they do not move
        moving = "document.getAnimations().filter((one) => !one.effect.target.closest('#opening')).length"
        assert shown.page.evaluate(moving) == 0
        shown.page.wait_for_timeout(50)
