"""Blocks: parts of a picture that know their size, put together to larger ones, and written as SVG at the end.

A block is entered at the top, `enter` from its left, and left at the bottom, `leave` from its left. Sizes are in
pixels. Nothing here knows what a plan is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from orchestration.frozen import evolve, frozen
from orchestration.render.text import markup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP = 26.0  # between two blocks of a chain
CORNER = 7.0  # of a line that turns
HEAD = 6.0  # of an arrow
TALL = 1_150.0  # a chain that is taller is set in columns
GUTTER = 44.0  # between two columns
ASPECT = 1.35  # of a chain that is set in columns: its width to its height

Point = tuple[float, float]


class Shape(Protocol):
    """Something that is drawn at a place."""

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield the lines of SVG."""
        ...


@frozen
class Placed:
    """A shape, so far from the left and the top of the block that it is a part of."""

    x: float
    y: float
    shape: Shape


@frozen
class Block:
    """A part of a picture. `open` blocks begin with bare lines, to which no arrow leads."""

    width: float
    height: float
    enter: float
    leave: float
    parts: tuple[Placed, ...] = ()
    open: bool = False

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield the lines of SVG of all parts."""
        for part in self.parts:
            yield from part.shape.drawn(x + part.x, y + part.y)


@frozen
class Rect:
    """A box with round corners; its `style` is a class of the theme."""

    width: float
    height: float
    style: str
    radius: float = 8.0

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield an element."""
        size = f'width="{number(self.width)}" height="{number(self.height)}" rx="{number(self.radius)}"'
        yield f'<rect class="{self.style}" x="{number(x)}" y="{number(y)}" {size}/>'


@frozen
class Words:
    """A line of text; its place is that of its baseline's start, middle or end."""

    text: str
    style: str
    anchor: str = "start"

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield an element."""
        anchor = "" if self.anchor == "start" else f' text-anchor="{self.anchor}"'
        yield f'<text class="{self.style}" x="{number(x)}" y="{number(y)}"{anchor}>{markup(self.text)}</text>'


@frozen
class Mark:
    """A small sign, ten pixels wide and high, drawn with lines: fonts differ in which signs they have."""

    lines: str
    style: str

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield an element."""
        yield f'<path class="{self.style}" transform="translate({number(x)} {number(y)})" d="{self.lines}"/>'


@frozen
class Line:
    """A line through points, with round corners and, at its end, an arrow if it is to have one."""

    points: tuple[Point, ...]
    style: str = "line"
    arrow: bool = False

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield one element, or two."""
        points = [(x + across, y + down) for across, down in self.points]
        if self.arrow:
            yield _head(points[-2], points[-1], self.style)
            points[-1] = _short_of(points[-2], points[-1])
        yield f'<path class="{self.style}" d="{_rounded(points)}"/>'


@frozen
class Curve:
    """A line that leads down from one point to another, in a bow if the other is not below."""

    start: Point
    end: Point
    arrow: bool = False
    style: str = "line"

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield one element, or two."""
        (x1, y1), (x2, y2) = self.start, self.end
        x1, y1, x2, y2 = x + x1, y + y1, x + x2, y + y2
        if self.arrow:
            yield _head((x2, y2 - 1), (x2, y2), self.style)
            y2 -= HEAD - 1
        middle = number((y1 + y2) / 2)
        start, end = f"{number(x1)} {number(y1)}", f"{number(x2)} {number(y2)}"
        yield f'<path class="{self.style}" d="M{start}C{number(x1)} {middle} {number(x2)} {middle} {end}"/>'


@frozen
class Titled:
    """A block that says more when somebody points at it; `style` are the classes of all of it."""

    block: Shape
    title: str
    style: str = ""

    def drawn(self, x: float, y: float) -> Iterator[str]:
        """Yield a group."""
        style = f' class="{self.style}"' if self.style else ""
        yield f"<g{style}><title>{markup(self.title)}</title>"
        yield from self.block.drawn(x, y)
        yield "</g>"


def number(value: float) -> str:
    """Return a number as it is written in SVG, to a tenth of a pixel."""
    return f"{round(value, 1):g}"


def stack(blocks: Sequence[Block], gap: float = GAP, *, ends: bool = True) -> Block:
    """Put blocks one below the other, a line from each to the next; a stack that is too tall is set in columns.

    With `ends` lines lead into columns and out of them, as something is above and below.
    """
    height = sum(block.height for block in blocks) + gap * (len(blocks) - 1)
    width = max(block.width for block in blocks) + GUTTER
    count = math.ceil(math.sqrt(ASPECT * height / width))
    while count > 1 and max(block.height for block in blocks) > height / count:
        count -= 1  # a column is no shorter than what is in it
    if height > TALL and count > 1:
        return _in_columns(blocks, gap, height, count, ends=ends)
    return _stacked(blocks, gap)


def _stacked(blocks: Sequence[Block], gap: float) -> Block:
    enter = max(block.enter for block in blocks)
    parts: list[Placed] = []
    y, before = 0.0, None
    for block in blocks:
        if before is not None:
            parts.append(Placed(0, 0, _link((enter - before.enter + before.leave, y - gap), (enter, y), block)))
        parts.append(Placed(enter - block.enter, y, block))
        y, before = y + block.height + gap, block
    width = max(enter - block.enter + block.width for block in blocks)
    last = blocks[-1]
    return Block(width, y - gap, enter, enter - last.enter + last.leave, tuple(parts), open=blocks[0].open)


def _link(start: Point, end: Point, below: Block) -> Line | Curve:
    """Return the line that leads to a block from where the one above was left."""
    if 1 <= abs(start[0] - end[0]) < 2 * CORNER:
        return Curve(start, end, arrow=not below.open)
    middle = (start[1] + end[1]) / 2 - 3
    points = (start, end) if abs(start[0] - end[0]) < 1 else (start, (start[0], middle), (end[0], middle), end)
    return Line(points, arrow=not below.open)


def _in_columns(blocks: Sequence[Block], gap: float, height: float, count: int, *, ends: bool) -> Block:
    columns, most = list[list[Block]](), height / count
    filled = math.inf
    for block in blocks:
        if filled + block.height / 2 > most and len(columns) < count:
            columns.append([])
            filled = 0.0
        columns[-1].append(block)
        filled += block.height + gap
    stacks = [_stacked(column, gap) for column in columns]
    parts: list[Placed] = []
    x, y, before = 0.0, gap, None
    for column in stacks:
        if before is not None:
            left, bottom = x - GUTTER - before.width + before.leave, y + before.height
            gutter, top = x - GUTTER / 2, y - gap / 2 - 3
            turns = ((left, bottom + gap / 2), (gutter, bottom + gap / 2), (gutter, top), (x + column.enter, top))
            arrow = not column.open
            parts.append(Placed(0, 0, Line(((left, bottom), *turns, (x + column.enter, y)), arrow=arrow)))
        parts.append(Placed(x, y, column))
        x, before = x + column.width + GUTTER, column
    first, last = stacks[0], stacks[-1]
    tall = max(column.height for column in stacks) + 2 * gap
    leave = x - GUTTER - last.width + last.leave
    if ends:
        parts.append(Placed(0, 0, Line(((first.enter, 0), (first.enter, gap)), arrow=not first.open)))
        parts.append(Placed(0, 0, Line(((leave, gap + last.height), (leave, tall)))))
    return Block(x - GUTTER, tall, first.enter, leave, tuple(parts), open=True)


def beside(left: Block, right: Block, gap: float, lines: Sequence[Placed] = ()) -> Block:
    """Put a block to the right of another, which is the one that is entered and left; tops are level."""
    height = max(left.height, right.height)
    down = (Placed(0, 0, Line(((left.leave, left.height), (left.leave, height)))),) if height > left.height else ()
    parts = (*lines, *down, Placed(0, 0, left), Placed(left.width + gap, 0, right))
    return evolve(left, width=left.width + gap + right.width, height=height, parts=parts)


def _head(before: Point, tip: Point, style: str) -> str:
    """Return the head of an arrow: a triangle of its own, as markers need ids, which are one's own nowhere."""
    angle = math.atan2(tip[1] - before[1], tip[0] - before[0])
    corners = [tip]
    for side in (1, -1):
        turned = angle + math.pi - side * 0.42
        corners.append((tip[0] + math.cos(turned) * HEAD * 1.25, tip[1] + math.sin(turned) * HEAD * 1.25))
    points = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
    return f'<polygon class="{style}-head" points="{points}"/>'


def _short_of(before: Point, tip: Point) -> Point:
    """Return where the line of an arrow ends: in its head."""
    length = math.dist(before, tip) or 1.0
    share = max(0.0, 1 - (HEAD - 1) / length)
    return before[0] + (tip[0] - before[0]) * share, before[1] + (tip[1] - before[1]) * share


def _rounded(points: Sequence[Point]) -> str:
    parts = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(CORNER, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        into, out = _towards(corner, before, reach), _towards(corner, after, reach)
        parts.append(f"L{number(into[0])} {number(into[1])}")
        parts.append(f"Q{number(corner[0])} {number(corner[1])} {number(out[0])} {number(out[1])}")
    parts.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return "".join(parts)


def _towards(start: Point, end: Point, by: float) -> Point:
    length = math.dist(start, end)
    if length == 0:
        return start
    return start[0] + (end[0] - start[0]) * by / length, start[1] + (end[1] - start[1]) * by / length
