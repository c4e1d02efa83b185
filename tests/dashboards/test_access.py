"""Whoever looks at the page, and however: axe-core's rules and the contrast of all that is shown, in every state."""

from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.dashboards.states import STATES

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 375, "height": 812}
PHONES = {**PHONE, "has_touch": True, "is_mobile": True}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST_ALONE = {"type": "rule", "values": ["color-contrast"]}
EXCEPTIONS: dict[str, str] = {}
"""Rules of axe-core that are switched off, each with its reason. None is."""
CONTRASTS = Path(__file__).with_name("contrast.js").read_text("utf-8")


PAGES = {state.page: [name for name, other in STATES.items() if other.page == state.page] for state in STATES.values()}


@pytest.mark.parametrize("window", [DESKTOP, PHONES], ids=["desktop", "phone"])
@pytest.mark.parametrize("names", PAGES.values(), ids=", ".join)
def test_page_breaks_no_rule_of_access_and_is_readable(served, screen, names, window):
    shown = STATES[names[0]].reached(served, screen, color_scheme="dark", **window)
    faults = {names[0]: looked_at(shown.page)}

    for before, name in pairwise(names):
        STATES[before].undo(shown)
        STATES[name].enter(shown)
        faults[name] = looked_at(shown.page)

    assert {name: found for name, found in faults.items() if found} == {}
    if "lost" not in names:
        assert shown.troubles == []


def looked_at(page):
    """Whatever is wrong with what `page` shows, in dark and in light, a line each."""
    found = []
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        # The rules about anything but colours hold in both or in neither.
        found += [f"{theme}: {each}" for each in violations(page, TAGS if theme == "dark" else CONTRAST_ALONE)]
        faint = [each for each in contrasts(page) if each[1] < each[2]]
        found += [f"{theme}: {what}: {ratio:.2f} < {needed}" for what, ratio, needed in faint]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("it is wider than the window")
    return found


def violations(page, tags):
    """What axe-core finds against WCAG 2.0 to 2.2, A and AA, and against its best practices; a line each."""
    options = {"runOnly": tags, "rules": {rule: {"enabled": False} for rule in EXCEPTIONS}}
    # What is right is left there: it is told node by node, and its way here takes longer than the look at it.
    found = page.evaluate(
        "async options => (await axe.run(document, { ...options, resultTypes: ['violations'] })).violations", options
    )
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def contrasts(page):
    """[what, its contrast, what it needs] of every text and of every control's edge on the screen."""
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished.catch(() => {})))")
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
