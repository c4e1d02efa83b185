"""Whoever looks at the page, and however: axe-core's rules and the contrast of all that is shown, in every state."""

from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.dashboards.conftest import Screen
from tests.dashboards.states import STATES

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 375, "height": 812}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = "color-contrast"
EXCEPTIONS: dict[str, str] = {}
"""Rules of axe-core that are switched off, each with its reason. None is."""
FINISH = "document.getAnimations().forEach(each => { try { each.finish(); } catch { each.cancel(); } })"
"""Whatever moves is where it goes to; what would move for ever stands."""
CONTRASTS = Path(__file__).with_name("contrast.js").read_text("utf-8")


PAGES = {state.page: [name for name, other in STATES.items() if other.page == state.page] for state in STATES.values()}


@pytest.fixture(scope="module")
def window(chromium):
    """One window for all pages: to open another, and to read BokehJS anew, takes longer than the looks at it."""
    shown = Screen(chromium, "about:blank")
    shown.touches = shown.context.new_cdp_session(shown.page)
    yield shown
    shown.context.close()


@pytest.mark.parametrize("names", PAGES.values(), ids=", ".join)
def test_page_breaks_no_rule_of_access_and_is_readable(served, window, names):
    shown = STATES[names[0]].reached(served, window.go)
    faults = {names[0]: looked_at(shown)}

    for before, name in pairwise(names):
        STATES[before].undo(shown)
        STATES[name].enter(shown)
        faults[name] = looked_at(shown)

    assert {name: found for name, found in faults.items() if found} == {}
    if "lost" not in names:
        assert shown.troubles == []


def looked_at(shown):
    """Whatever is wrong with what is shown, on a desk and in a hand, in dark and in light, a line each."""
    page = shown.page
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # axe's own look at contrast takes longer than all its others together, and ours sees more: it is asked once.
    found = measured(page, "dark") + [f"desk: {each}" for each in violations(page)]
    found += measured(page, "light")
    hold(shown, PHONE, is_touched=True)
    found += measured(page, "light") + [f"phone: {each}" for each in violations(page, CONTRAST)]
    found += measured(page, "dark")
    hold(shown, DESKTOP, is_touched=False)
    return found


def hold(shown, size, *, is_touched):
    """Has the window's size, and a finger or a pointer at it."""
    shown.touches.send("Emulation.setTouchEmulationEnabled", {"enabled": is_touched})
    shown.page.set_viewport_size(size)
    assert shown.page.evaluate("matchMedia('(pointer: coarse)').matches") is is_touched


def measured(page, theme):
    """What cannot be read in `theme` or does not fit into the window, a line each."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    faint = [f"{theme}: {what}: {ratio:.2f} < {needed}" for what, ratio, needed in contrasts(page) if ratio < needed]
    [width, room] = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return faint + [f"{width} pixels in a window of {room}"] * (width > room)


def violations(page, *without):
    """
    What axe-core finds against WCAG 2.0 to 2.2, A and AA, and against its best practices; a line each.

    without: rules that are not looked at, beside the exceptions.
    """
    options = {"runOnly": TAGS, "rules": {rule: {"enabled": False} for rule in (*EXCEPTIONS, *without)}}
    # What is right is left there: it is told node by node, and its way here takes longer than the look at it.
    found = page.evaluate(
        "async options => (await axe.run(document, { ...options, resultTypes: ['violations'] })).violations", options
    )
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def contrasts(page):
    """[what, its contrast, what it needs] of every text and of every control's edge on the screen."""
    page.evaluate(FINISH)
    measured = page.evaluate(CONTRASTS)
    assert len(measured) > 5
    return measured


def test_contrast_is_measured_through_shadows_gradients_and_opacity(chromium):
    page = chromium.new_page()
    page.set_content("""<body style="background: #fff"><div id="host"></div>
      <p class="half" style="color: #000; opacity: 0.5">half</p>
      <p class="stripes" style="color: #fff; background: linear-gradient(#000, #777)">stripes</p>
      <p style="display: none; color: #fff">hidden</p>
      <button style="border: 1px solid #eee; background: #fff">b</button>
    """)
    page.evaluate("host.attachShadow({mode: 'open'}).innerHTML = '<p class=deep style=\"color: #777\">deep</p>'")

    found = {what.split()[0]: ratio for what, ratio, _ in page.evaluate(CONTRASTS)}

    assert found["p.deep"] == pytest.approx(4.48, abs=0.01)
    assert found["p.half"] == pytest.approx(3.98, abs=0.05)
    assert found["p.stripes"] == pytest.approx(4.48, abs=0.01)
    assert found["button.'s"] < 1.2
    assert len(found) == 5
    page.close()
