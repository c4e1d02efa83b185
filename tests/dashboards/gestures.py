"""What a hand does to a chart."""

from functools import partial

RESTS_MS = 150
"""A finger that rests so long before it is lifted leaves nothing swinging on, on which a tap would only stop it."""


def middle(chart):
    box = chart.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(shown, chart, by):
    """By so many pixels to the right, with the pointer; from high up, where every chart has its figure."""
    x, y = middle(chart)[0], chart.bounding_box()["y"] + 100
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + by, y, steps=8)
    shown.page.mouse.up()


def swipe(shown, chart, right, down):
    """A finger on the chart, from its middle, that rests before it is lifted."""
    x, y = middle(chart)
    session = shown.context.new_cdp_session(shown.page)
    touch = partial(session.send, "Input.dispatchTouchEvent")
    touch({"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        touch({"type": "touchMove", "touchPoints": [{"x": x + right * step / 10, "y": y + down * step / 10}]})
    shown.page.wait_for_timeout(RESTS_MS)
    touch({"type": "touchMove", "touchPoints": [{"x": x + right, "y": y + down}]})
    touch({"type": "touchEnd", "touchPoints": []})
