"""
The chart of a compared coin in one currency: a Bokeh figure, made once for each process and sent as text, empty.

The browser draws it once for each currency (`assets/lines.js`), fills the sources and sets ranges and colours itself.
"""

from functools import cache

from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from dashboards.charts import figure_of
from dashboards.texts import compact

LINES = ("xs", "ys", "tone", "dash", "alpha")
"""A stretch of one exchange's prices each: times in ms, shifted to the browser's zone, since Bokeh's axes print UTC."""
ENDS = ("x", "y", "place", "words", "ink", "tone", "alpha")
"""The newest price of each exchange; place: how many pixels above it its name stands, so that no two are on another."""
HEIGHT = 260


@cache
def text() -> str:
    """{"kind": "compare-chart", "item": …}: what Bokeh.embed.embed_item takes."""
    return compact({"kind": "compare-chart", "item": json_item(made())})


def made() -> figure:
    """Lines, a dot where each ends, and its name there."""
    lines = ColumnDataSource({name: [] for name in LINES}, name="lines")
    ends = ColumnDataSource({name: [] for name in ENDS}, name="ends")
    crosshair = Span(dimension="height", line_dash="dotted", name="crosshair")
    chart = figure_of("prices", Range1d(start=0, end=1, name="times"), crosshair, height=HEIGHT)
    chart.multi_line("xs", "ys", source=lines, line_color="tone", line_dash="dash", line_alpha="alpha", line_width=1.7)
    chart.scatter("x", "y", source=ends, color="tone", alpha="alpha", size=6)
    chart.text(
        "x", "y", "words", source=ends, x_offset=8, y_offset="place", text_color="ink",
        text_font_size="12px", text_baseline="middle",
    )  # fmt: skip
    return chart
