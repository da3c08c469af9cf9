"""`png`: a picture as pixels. Needs `resvg-py` (the extra `png`), which is a wheel that needs nothing of the system."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

from orchestration.errors import Defect

MOST = 12_000  # pixels that a side may have
SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')
BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'


class MissingResvg(ImportError):
    """A picture as PNG needs a package that comes with the extra `png`."""

    def __init__(self) -> None:
        """Say how to get it; `name` is the package, as in every `ImportError`."""
        super().__init__("a picture as PNG needs resvg-py: pip install 'orchestration[png]'", name="resvg_py")


class MissingFonts(Defect):
    """This machine has no fonts, so a picture as PNG would have no words."""


def png(svg: str, *, scale: float = 2.0) -> bytes:
    """Return a picture as PNG, `scale` times as large; as large as it may be, where that would be too large.

    Pixels do not adapt to who looks at them: make the picture with `theme="light"` or `"dark"`.

    Raises:
        MissingResvg: if `resvg-py` is not installed.
        MissingFonts: if this machine has no fonts.
    """
    resvg = _resvg()
    if not _has_fonts():
        mend = "Install some, such as the package fonts-liberation, or take the SVG."
        raise MissingFonts("png", found="no fonts on this machine", expected="some to write names with", mend=mend)
    size = SIZE.search(svg)
    side = max(map(float, size.groups())) if size is not None else 1.0
    return bytes(resvg.svg_to_bytes(svg_string=svg, zoom=min(scale, MOST / side)))


def _resvg() -> Any:  # noqa: ANN401 - a module without types
    try:
        return import_module("resvg_py")
    except ImportError as error:
        raise MissingResvg from error


@lru_cache(maxsize=1)
def _has_fonts() -> bool:
    """Tell whether words leave anything behind: without fonts they are left out in silence."""
    empty, words = (_resvg().svg_to_bytes(svg_string=BLANK.format(text)) for text in ("", '<text y="15">W</text>'))
    return bool(empty != words)
