"""What is in a picture: its boxes and words, read from the SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "{http://www.w3.org/2000/svg}"


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Tell whether two have more than an edge in common."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > 0.5 and down > 0.5

    def holds(self, other: Box) -> bool:
        """Tell whether another lies in this one."""
        return (
            self.left <= other.left + 0.5
            and self.top <= other.top + 0.5
            and self.right >= other.right - 0.5
            and self.bottom >= other.bottom - 0.5
        )


def parsed(svg: str) -> ET.Element:
    """Return a picture as XML; one that is no XML fails the test."""
    return ET.fromstring(svg)  # noqa: S314 - of our own making


def boxes(root: ET.Element, style: str) -> list[Box]:
    """Return the boxes of a class."""
    found = (one for one in root.iter(f"{NAMESPACE}rect") if style in one.get("class", "").split())
    return [_box(one) for one in found]


def _box(one: ET.Element) -> Box:
    x, y, width, height = (float(one.get(name, "0")) for name in ("x", "y", "width", "height"))
    return Box(x, y, x + width, y + height)


def canvas(root: ET.Element) -> Box:
    """Return the whole picture."""
    _, _, width, height = map(float, root.get("viewBox", "").split())
    return Box(0, 0, width, height)


def words(root: ET.Element) -> list[str]:
    """Return all that is written."""
    return [one.text or "" for one in root.iter(f"{NAMESPACE}text")]


def titles(root: ET.Element) -> list[str]:
    """Return all that is said to who points at something."""
    return [one.text or "" for one in root.iter(f"{NAMESPACE}title")]


def groups(root: ET.Element, style: str) -> Iterator[ET.Element]:
    """Yield the groups of a class."""
    for one in root.iter(f"{NAMESPACE}g"):
        if style in one.get("class", "").split():
            yield one


def ends(root: ET.Element) -> list[tuple[float, float]]:
    """Return the tips of all arrows."""
    heads = (one for one in root.iter(f"{NAMESPACE}polygon"))
    return [tuple(map(float, re.split("[ ,]", one.get("points", ""))[:2])) for one in heads]  # type: ignore[misc]  # two of them
