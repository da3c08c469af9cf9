"""Pictures as PNG: with the extra, and what is said without it."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from examples.checkout import checkout
from orchestration.render import MissingFonts, MissingResvg, png, raster, svg


class Renderer(ModuleType):
    """Stands for `resvg_py`: notes what it is asked for, and draws words or not."""

    def __init__(self, *, fonts: bool = True) -> None:
        """Stand for a machine with or without fonts."""
        super().__init__("resvg_py")
        self.zooms: list[float] = []
        self._fonts = fonts

    def svg_to_bytes(self, svg_string: str, zoom: float = 1.0) -> bytes:
        """Return something that differs if words are drawn."""
        self.zooms.append(zoom)
        return b"words" if self._fonts and "<text" in svg_string else b""


def install(monkeypatch: pytest.MonkeyPatch, module: ModuleType | None) -> None:
    """Put a module, or none, in the place of `resvg_py`."""
    raster._has_fonts.cache_clear()
    monkeypatch.setitem(sys.modules, "resvg_py", module)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is an `ImportError` that names the package and the extra."""
    install(monkeypatch, None)
    with pytest.raises(MissingResvg, match=r"orchestration\[png\]") as caught:
        png(svg(checkout.compile()))
    assert caught.value.name == "resvg_py"


def test_without_fonts_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture without words would be worse than none."""
    install(monkeypatch, Renderer(fonts=False))
    with pytest.raises(MissingFonts, match="no fonts on this machine"):
        png(svg(checkout.compile()))
    raster._has_fonts.cache_clear()


def test_a_picture_is_as_large_as_wanted_but_not_larger_than_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A side has at most so many pixels; else memory would end before the picture does."""
    renderer = Renderer()
    install(monkeypatch, renderer)
    assert png(svg(checkout.compile()), scale=3.0) == b"words"
    assert renderer.zooms[-1] == 3.0
    png('<svg width="24000" height="10"><text/></svg>')
    assert renderer.zooms[-1] == 0.5
    assert png("<svg><text/></svg>") == b"words"
    raster._has_fonts.cache_clear()


def test_a_picture_becomes_pixels() -> None:
    """With the real renderer: a PNG of twice the size."""
    pytest.importorskip("resvg_py", reason="the extra png is not installed")
    raster._has_fonts.cache_clear()
    picture = svg(checkout.compile(), theme="light")
    pixels = png(picture)
    assert pixels.startswith(b"\x89PNG\r\n\x1a\n")
    width = float(picture.partition(' width="')[2].partition('"')[0])
    assert abs(int.from_bytes(pixels[16:20], "big") - 2 * width) <= 1
