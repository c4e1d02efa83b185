"""The page by keyboard alone: a key for everything, a sheet of them, and the focus in sight wherever it goes."""

import pytest

from tests.dashboards.states import STATES

pytestmark = pytest.mark.browser
BTC, ETH, LTC = "coinbase:BTC-USD", "bitstamp:ETH-EUR", "coinbase:LTC-USD"
KEYS = "[...board.querySelectorAll('.grid .card')].map(card => card.dataset.key).join()"
FOCUSED = """() => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    if (!node || node === document.body || node === document.documentElement) return null;
    window.walked ??= new Map();
    if (!walked.has(node)) walked.set(node, walked.size);
    const { x, y, width, height } = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    const deep = (x, y) => {
        let found = document.elementFromPoint(x, y);
        while (found?.shadowRoot?.elementFromPoint(x, y) && found.shadowRoot.elementFromPoint(x, y) !== found)
            found = found.shadowRoot.elementFromPoint(x, y);
        return found;
    };
    const isWithin = (one, other) => {
        for (let at = one; at; at = at.parentNode ?? at.host) if (at === other) return true;
        return false;
    };
    const points = [0.1, 0.5, 0.9].flatMap(a => [0.1, 0.5, 0.9].map(b => [x + width * a, y + height * b]));
    return {
        id: walked.get(node),
        name: node.getAttribute('aria-label') || node.textContent.slice(0, 40),
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        inSight: points.map(point => deep(...point)).some(at => isWithin(at, node) || isWithin(node, at)),
    };
}"""


def walk(page, key, most=150):
    """What has the focus after each press of `key`, until it leaves the page or comes back to where it began."""
    steps = []
    for _ in range(most):
        page.keyboard.press(key)
        focused = page.evaluate(FOCUSED)
        if focused is None or (steps and focused["id"] == steps[0]["id"]):
            return steps
        steps.append(focused)
    raise AssertionError(f"a trap: {[step['name'] for step in steps[-6:]]}")


@pytest.mark.parametrize("name", ["open", "no supervisor", "empty", "paused", "gapped", "compare", "system", "fired"])
def test_tab_walks_the_whole_page_in_sight_and_is_never_trapped(served, screen, name):
    shown = STATES[name].reached(served, screen, height=700)
    shown.page.mouse.click(2, 300)
    controls = shown.page.locator(
        "button:visible, a[href]:visible, .card:visible, .chart:visible, .lines:visible, .tape:visible"
    ).count()

    there, back = walk(shown.page, "Tab"), walk(shown.page, "Shift+Tab")

    names = [step["name"] for step in there]
    assert len(there) >= controls - 1, names
    assert len(back) >= controls - 1
    assert [step["name"] for step in there + back if not step["outlined"]] == []
    assert [step["name"] for step in there + back if not step["inSight"]] == []
    assert shown.troubles == []


def test_everything_is_done_by_keys_alone(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC},{ETH}")
    press, until = shown.page.keyboard.press, shown.until
    until("board.querySelectorAll('.card:not(.waiting)').length === 2")

    press("?")
    until("board.querySelector('.sheet').open")
    press("Escape")
    until("!board.querySelector('.sheet').open")
    press("a")
    shown.page.keyboard.type("litecoin coinbase usd")
    press("Enter")
    press("Escape")
    until(f"{KEYS} === argument", f"{BTC},{ETH},{LTC}")
    press("j")
    press("j")
    press("Alt+ArrowLeft")
    until(f"{KEYS} === argument", f"{ETH},{BTC},{LTC}")
    press("Enter")
    until("!board.querySelector('.focus').hidden")
    press("2")
    until("location.search.includes('interval=5s')")
    press("c")
    until("board.activeElement.classList.contains('chart')")
    press("Escape")
    until("board.querySelector('.focus').hidden")
    until("board.activeElement.dataset.key === argument", ETH)
    press("Delete")
    until(f"{KEYS} === argument", f"{BTC},{LTC}")
    until("board.activeElement.dataset.key === argument", BTC)
    press("t")
    until("location.search.includes('theme=dark')")
    press("p")
    until("!board.querySelector('.paused').hidden")
    press("p")
    until("board.querySelector('.paused').hidden")
    press("v")
    until("location.search.includes('place=compare')")

    assert shown.troubles == []


def test_sheet_lists_every_key_and_is_opened_by_a_button(served, screen):
    shown = screen(served("demo").url)
    shown.until("board.querySelectorAll('.card').length === 12")

    shown.page.get_by_role("button", name="Keys and settings").click()

    listed = shown.page.locator(".sheet kbd").all_inner_texts()
    assert set(listed) >= {"?", "a", "j", "k", "1", "9", "c", "Esc", "p", "t", "v", "Enter", "Delete", "End"}
    shown.page.keyboard.press("Escape")
    shown.until("board.activeElement.classList.contains('help')")  # back where it came from
    assert shown.troubles == []


def test_keys_are_silent_in_a_field_in_a_dialog_and_with_ctrl(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")

    shown.page.keyboard.press("Control+p")
    shown.page.keyboard.press("a")
    shown.page.keyboard.type("tpav?")

    assert shown.page.get_by_role("searchbox").input_value() == "tpav?"
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("p")
    assert shown.page.locator(".paused").is_hidden()
    assert not shown.page.locator(".sheet").is_visible()
    assert "theme" not in shown.page.url


def test_keys_of_one_character_can_be_switched_off_for_good(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC}&focus={BTC}")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")

    shown.page.get_by_role("button", name="Keys and settings").click()
    shown.page.get_by_label("Keys of one character").uncheck()
    shown.page.keyboard.press("Escape")
    shown.page.reload()
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 1")
    shown.page.keyboard.press("p")
    shown.page.keyboard.press("Escape")

    shown.until("board.querySelector('.focus').hidden")
    assert shown.page.locator(".paused").is_hidden()
