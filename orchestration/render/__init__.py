"""Pictures of plans and of runs, and reports of runs: from values to SVG and HTML, without a browser or a network.

`svg` and `plan_html` draw a plan. A run is drawn by its `Chronicle`, which a `Chronicler` writes as the run goes on,
and `chronicle_in` reads from a journal: `run_svg`, `timeline_svg`, and `html` for a report. `png` makes any of the
pictures into pixels.
"""

from orchestration.render.chronicle import Chronicle, Span
from orchestration.render.picture import run_svg, svg, timeline_svg
from orchestration.render.plan_page import plan_html
from orchestration.render.raster import MissingFonts, MissingResvg, png
from orchestration.render.report import html
from orchestration.render.sources import Chronicler, chronicle_in, chronicle_of
from orchestration.render.theme import Theme

__all__ = [
    "Chronicle",
    "Chronicler",
    "MissingFonts",
    "MissingResvg",
    "Span",
    "Theme",
    "chronicle_in",
    "chronicle_of",
    "html",
    "plan_html",
    "png",
    "run_svg",
    "svg",
    "timeline_svg",
]
