"""Dark and light: the system's, the viewer's, the address's; the same from the first paint, and in the chart."""

import pytest

pytestmark = pytest.mark.browser
BTC = "coinbase:BTC-USD"
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
DARK, LIGHT = "rgb(11, 14, 20)", "rgb(245, 246, 248)"
TINT = "Bokeh.documents.map(each => each.get_model_by_name('now')).filter(Boolean).at(-1)?.line_color"


def is_light(shown):
    return shown.page.locator(".page").evaluate("page => getComputedStyle(page).backgroundColor") == LIGHT


@pytest.mark.parametrize(
    ("query", "remembered", "system", "ground"),
    [
        ("", None, "dark", DARK),
        ("", None, "light", LIGHT),
        ("", "light", "dark", LIGHT),
        ("", "system", "light", LIGHT),
        ("?theme=dark", "light", "light", DARK),
        ("?theme=light", None, "dark", LIGHT),
        ("?theme=system", "dark", "light", LIGHT),
        ("?theme=<b>", "<b>", "dark", DARK),
    ],
)
def test_theme_is_right_from_the_first_paint(served, screen, query, remembered, system, ground):
    shown = screen(served("demo").url, color_scheme=system)
    note = f"addEventListener('DOMContentLoaded', () => {{ window.first = {GROUND} }})"
    shown.page.add_init_script(f"{note}; {remember(remembered)}")

    shown.page.goto(shown.url + query)

    shown.until("board.querySelectorAll('.card:not(.waiting)').length > 0")
    assert shown.page.evaluate("first") == ground
    assert shown.page.evaluate(GROUND) == ground
    assert is_light(shown) is (ground == LIGHT)
    assert shown.troubles == []


def remember(choice):
    return f"localStorage.setItem('poeticoins.theme', '{choice}')" if choice else "localStorage.clear()"


def test_theme_is_chosen_shared_remembered_and_the_chart_follows(served, screen):
    shown = screen(f"{served('demo').url}?focus={BTC}", color_scheme="dark")
    shown.until("board.querySelectorAll('.tape tbody tr').length > 3")
    shown.until(f"{TINT} === '#9aa4b5'")

    shown.page.get_by_role("button", name="Theme: as the system").click()
    shown.page.get_by_role("button", name="Theme: dark").click()

    shown.until(f"{TINT} === '#566072'")
    assert is_light(shown)
    assert shown.page.get_by_role("button", name="Theme: light").is_visible()
    assert shown.page.url.endswith(f"?focus={BTC}&theme=light")
    shown.page.goto(shown.url.split("?")[0])
    shown.until("board.querySelectorAll('.card:not(.waiting)').length > 0")
    assert is_light(shown)
    assert shown.troubles == []


def test_system_that_turns_light_turns_the_page_unless_the_viewer_chose(served, screen):
    shown = screen(served("demo").url, color_scheme="dark")
    shown.until("board.querySelectorAll('.card:not(.waiting)').length > 0")

    shown.page.emulate_media(color_scheme="light")
    shown.until("board.querySelector('.page').classList.contains('light')")
    shown.page.get_by_role("button", name="Theme: as the system").click()

    shown.until("!board.querySelector('.page').classList.contains('light')")
    shown.page.emulate_media(color_scheme="dark")
    shown.page.emulate_media(color_scheme="light")
    assert not is_light(shown)
