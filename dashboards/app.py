"""What `panel serve dashboards/app.py` opens, and what the supervised server serves at `/`. No logic here."""

import logging
from pathlib import Path

from bokeh.io import curdoc
from jinja2 import Environment

try:
    from dashboards.page import serve_board

    serve_board()
except Exception as error:  # any at all, be it that this package is not installed: a blank page would say nothing
    logging.getLogger("poeticoins.dashboard").exception("the page could not be made")
    apology = Path(__file__).with_name("assets") / "apology.html"
    curdoc().clear()
    curdoc().template = Environment(autoescape=True).from_string(apology.read_text("utf-8"))
    curdoc().template_variables["reason"] = f"{type(error).__name__}: {error}"[:300]
