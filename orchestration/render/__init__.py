"""Pictures of plans, and of runs over their plans: pure functions from values to SVG and HTML, without a browser."""

from orchestration.render.picture import svg

__all__ = ["svg"]
