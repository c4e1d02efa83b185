"""
The chart of the open product: Bokeh figures, made once for each process and sent as text, empty, to who opens one.

They belong to no session. The browser draws them (`assets/chart.js`), finds the models by the names given here, fills
the source and sets ranges and colours itself, so that a growing candle costs the server nothing.
"""

from functools import cache
from typing import Any

from bokeh.embed import json_item
from bokeh.layouts import column
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CrosshairTool,
    DatetimeTickFormatter,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.models.annotations import Span
from bokeh.models.layouts import Column
from bokeh.plotting import figure

from dashboards.texts import compact

COLUMNS = ("x", "left", "right", "high", "low", "top", "bottom", "close", "vwap", "volume", "tone", "alpha")
"""x: middle, left and right edge of a candle in ms, shifted to the browser's zone, since Bokeh's axes print UTC."""
GAPS = ("left", "right", "y", "words")
"""A band each, from left to right; y: where its words stand."""
PRICES_HEIGHT, VOLUMES_HEIGHT = 310, 110
"""Pixels; the browser gives the prices less where there is less room."""
EDGE = 2
"""Pixels around each figure: Bokeh clears its canvas from half a pixel on, and what is drawn before that stays."""
MONTHS, DAYS, MINUTES, SECONDS = "%b %Y", "%b %d", "%H:%M", "%H:%M:%S"


@cache
def text() -> str:
    """{"kind": "chart", "item": …}: what Bokeh.embed.embed_item takes. Takes 0.2 s, once."""
    return compact({"kind": "chart", "item": json_item(made())})


def made() -> Column:
    """Candles, the lines of their closing and of their average prices, and their volume below, on one axis of time."""
    source = ColumnDataSource({name: [] for name in COLUMNS}, name="candles")
    gaps = ColumnDataSource({name: [] for name in GAPS}, name="gaps")
    shared = Range1d(start=0, end=1, name="times")
    crosshair = Span(dimension="height", line_width=1, line_dash="dotted", name="crosshair")
    prices, volumes = figure_of("prices", shared, crosshair), figure_of("volumes", shared, crosshair)
    prices.xaxis.visible = False
    for each in (prices, volumes):  # below all else
        each.vstrip("left", "right", source=gaps, fill_alpha=0.16, line_alpha=0, hatch_pattern="/", hatch_alpha=0.35,
                    hatch_scale=9, name="bands")  # fmt: skip
    prices.segment("x", "high", "x", "low", source=source, color="tone", line_width=1, name="wicks")
    prices.quad("left", "right", "top", "bottom", source=source, color="tone", fill_alpha="alpha", line_width=1,
                name="bodies")  # fmt: skip
    prices.line("x", "close", source=source, line_width=1.6, name="line", visible=False)
    prices.line("x", "vwap", source=source, line_width=1.3, line_dash=[5, 3], name="average")
    prices.add_layout(Span(dimension="width", location=0, line_width=1, line_dash="dashed", name="now"))
    prices.text(
        "left", "y", "words", source=gaps, x_offset=-4, text_align="right", text_font_size="12px", name="gap-words"
    )
    volumes.quad("left", "right", "volume", 0, source=source, color="tone", fill_alpha=0.55, line_alpha=0, name="bars")
    prices.height, volumes.height = PRICES_HEIGHT, VOLUMES_HEIGHT
    volumes.yaxis.ticker = BasicTicker(desired_num_ticks=2)
    volumes.yaxis.formatter = NumeralTickFormatter(format="0.[00]a")
    return column(prices, volumes, sizing_mode="stretch_width", spacing=0)


def figure_of(name: str, times: Range1d, crosshair: Span, **more: Any) -> figure:
    """An empty figure with prices at its right and time below, without any of Bokeh's frames. more: as of figure."""
    made = figure(
        name=name,
        x_range=times,
        y_range=Range1d(start=0, end=1, name=f"{name}-range"),
        x_axis_type="datetime",
        y_axis_location="right",
        tools="xpan,xwheel_zoom",
        active_scroll="xwheel_zoom",
        toolbar_location=None,
        sizing_mode="stretch_width",
        min_border=EDGE,
        min_border_right=78,
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        **more,
    )
    made.add_tools(CrosshairTool(overlay=crosshair))
    made.yaxis.formatter = NumeralTickFormatter(format="0,0.[00000000]")
    made.xaxis.formatter = DatetimeTickFormatter(
        milliseconds=SECONDS, seconds=SECONDS, minsec=SECONDS, minutes=MINUTES, hourmin=MINUTES, hours=MINUTES,
        days=DAYS, months=MONTHS,
    )  # fmt: skip
    for axis in made.axis:
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = None
    return made
