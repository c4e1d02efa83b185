"""What a person does to the board: adds, removes, reorders, shares its address, goes back and forward."""

import pytest

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BTC, ETH, LTC = "coinbase:BTC-USD", "bitstamp:ETH-EUR", "coinbase:LTC-USD"
KEYS = "[...board.querySelectorAll('.grid .card')].map(card => card.dataset.key).join()"


def shows(shown, *keys):
    shown.until(f"{KEYS} === argument", ",".join(keys))


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_products_are_added_removed_and_kept_in_the_address(served, screen, window):
    shown = screen(f"{served('demo').url}?products={BTC}", **window)
    shows(shown, BTC)

    shown.page.get_by_role("button", name="Add product").click()
    shown.page.get_by_role("searchbox").fill("ether bitstamp eur")
    shown.page.locator(".choice").click()
    shown.page.keyboard.press("Escape")
    shows(shown, BTC, ETH)
    assert shown.page.url.endswith(f"?products={BTC},{ETH}")
    shown.page.get_by_role("button", name="Remove Bitcoin").click()
    shows(shown, ETH)
    shown.page.get_by_role("button", name="Remove Ethereum").click()

    shown.until("board.querySelector('.empty').checkVisibility()")
    assert "Add product" in shown.text(".empty")
    shown.page.go_back()
    shows(shown, ETH)
    shown.page.go_back()
    shows(shown, BTC, ETH)
    shown.page.go_forward()
    shows(shown, ETH)
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.troubles == []


def test_picker_is_used_by_keyboard_alone(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC}")
    shows(shown, BTC)

    shown.page.get_by_role("button", name="Add product").focus()
    shown.page.keyboard.press("Enter")
    assert shown.page.locator(".choices h3").all_inner_texts() == ["Coinbase", "Bitstamp"]
    assert shown.page.locator(".choice[aria-pressed=true]").count() == 1
    shown.page.keyboard.type("litecoin coinbase usd")
    shown.page.keyboard.press("Enter")
    shows(shown, BTC, LTC)
    shown.page.keyboard.press("ArrowDown")
    shown.page.keyboard.press("Enter")
    shows(shown, BTC)
    shown.page.keyboard.press("Escape")

    shown.until("!board.querySelector('.picker').open")
    assert shown.troubles == []


def test_cards_are_reordered_by_keyboard_and_it_is_said(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC},{ETH},{LTC}")
    shows(shown, BTC, ETH, LTC)

    shown.page.locator(f"[data-key='{BTC}']").focus()
    shown.page.keyboard.press("Alt+ArrowRight")
    shows(shown, ETH, BTC, LTC)
    shown.page.keyboard.press("Alt+ArrowRight")

    shows(shown, ETH, LTC, BTC)
    assert shown.text(".said") == f"{BTC} is now 3 of 3"
    assert f"products={ETH},{LTC},{BTC}" in shown.page.url
    shown.page.keyboard.press("Delete")
    shows(shown, ETH, LTC)


def test_cards_are_reordered_by_dragging(served, screen):
    shown = screen(f"{served('demo').url}?products={BTC},{ETH},{LTC}")
    shows(shown, BTC, ETH, LTC)

    shown.page.locator(f"[data-key='{LTC}']").drag_to(shown.page.locator(f"[data-key='{BTC}']"))

    shows(shown, LTC, BTC, ETH)
    assert shown.troubles == []


def test_last_selection_is_remembered_where_the_address_has_none(served, screen):
    shown = screen(served("demo").url)
    shown.until("board.querySelectorAll('.card').length === 12")
    assert shown.page.url == shown.url
    shown.page.get_by_role("button", name="Remove Bitcoin in US dollars on Coinbase").click()
    shown.until("board.querySelectorAll('.card').length === 11")

    shown.page.goto(shown.url)

    shown.until("board.querySelectorAll('.card').length === 11")
    assert "products=" in shown.page.url


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script src=x></script>',
    "javascript:alert(1)",
    "__proto__:A-B",
    "nobody:A-B",
]


def test_hostile_and_unknown_parameters_are_named_and_never_run(served, screen):
    shown = screen(served("demo").url)

    for text in HOSTILE:
        parameters = {"products": f"{text},{BTC}", "focus": text, "interval": text, "theme": text, text: text}
        parameters |= {"place": text, "compare": text, "sort": text}
        query = shown.page.evaluate("it => String(new URLSearchParams(it))", parameters)
        shown.page.goto(f"{shown.url}?{query}#{text}")
        shows(shown, BTC)
        shown.until("board.querySelector('.note').textContent.includes(argument)", text)

    assert shown.page.locator("img, script[src=x]").count() == 0
    assert shown.troubles == []


def test_address_of_100_kilobytes_is_named_and_left_out(served, screen):
    shown = screen(f"{served('demo').url}?products={'x' * 100_000},{BTC}")

    shows(shown, BTC)

    shown.until("board.querySelector('.note').textContent.includes(argument)", f"{'x' * 40}…")
    assert shown.troubles == []


def test_everything_is_wide_enough_for_a_finger(served, screen):
    shown = screen(f"{served('demo').url}?focus={BTC}", has_touch=True, is_mobile=True, **PHONE)
    shown.until("board.querySelectorAll('.card:not(.waiting)').length === 12")
    shown.page.get_by_role("button", name="Add product").tap()

    sizes = "all => all.filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect())"
    boxes = shown.page.locator("a, button, input").evaluate_all(
        f"all => ({sizes})(all).map(box => [box.width, box.height])"
    )

    assert len(boxes) > 30
    assert min(height for _, height in boxes) >= 40
    assert min(width for width, _ in boxes) >= 40
    assert shown.troubles == []


def test_gap_is_told_on_its_card(served, screen):
    shown = screen(served("hole").url)

    shown.until("board.querySelectorAll('.card.gapped').length === 1")

    assert shown.text(".card.gapped .trouble").startswith("3 trades missing at ")
