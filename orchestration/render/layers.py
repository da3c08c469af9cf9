"""Side by side: blocks in layers, each below all that it needs, with lines between them (a small Sugiyama layout).

What needs nothing is led to from where the whole is entered, what gives something to where it is left. A line that
crosses a layer has a narrow *lane* in it, which all lines from the same place share; those from the entrance are on
the left, those to the exit on the right.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from orchestration.render.scene import Block, Curve, Line, Placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestration.render.scene import Point

ENTRANCE, EXIT = -1, -2
WIDE = 1_150.0  # a layer that would be wider is broken into several
APART, LANE = 26.0, 10.0  # between two blocks of a layer; the width of a lane
ROOM, LEAST, MOST = 5.0, 34.0, 90.0  # between two layers: for each line, at least, at most
SWEEPS = 6


class Spot(NamedTuple):
    """What stands in a layer: a block by its number, or a lane of the lines from (for `EXIT`: to) a block."""

    number: int
    lane: int = 0  # the layer of the lane, 0 for a block itself


def layered(blocks: Sequence[Block], edges: Sequence[tuple[int, int]], gives: Iterable[int] | None = None) -> Block:
    """Lay out blocks, numbered from 0, that need each other as `edges` say: (what is needed, what needs it).

    `gives` are those that lead to where the whole is left; without it all that nothing needs.
    """
    needed, needing = {one for one, _ in edges}, {other for _, other in edges}
    numbers = range(len(blocks))
    given = [number for number in numbers if number not in needed] if gives is None else list(gives)
    entered = [(ENTRANCE, number) for number in numbers if number not in needing]
    layer_of = _layers(blocks, edges)
    last = max(layer_of.values()) + 1
    layer_of |= {ENTRANCE: 0, EXIT: last}
    links: dict[tuple[Spot, Spot], bool] = {}  # between spots of neighbouring layers; whether it ends at a block
    for one, other in (*entered, *edges, *((number, EXIT) for number in given)):
        _lead(one, other, layer_of, links)
    rows: list[list[Spot]] = [[] for _ in range(last + 1)]
    for spot in dict.fromkeys(spot for link in links for spot in link):
        rows[spot.lane or layer_of[spot.number]].append(spot)
    for number in numbers:  # what nothing leads from or to has its place all the same
        if (spot := Spot(number)) not in rows[layer_of[number]]:
            rows[layer_of[number]].append(spot)
    return _Laid(blocks, [_sorted(row) for row in rows], links).block()


def _layers(blocks: Sequence[Block], edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Return the layer of each block, from 1: below all that it needs, and no layer too wide."""
    needs: dict[int, list[int]] = {number: [] for number in range(len(blocks))}
    for one, other in edges:
        needs[other].append(one)
    ranks: dict[int, int] = {}
    waiting = list(needs)
    while waiting:  # as often as the longest chain of needs is long
        ready = [number for number in waiting if all(need in ranks for need in needs[number])]
        ranks |= {number: 1 + max((ranks[need] for need in needs[number]), default=0) for number in ready}
        waiting = [number for number in waiting if number not in ranks]
    layers: dict[int, int] = {}
    layer = 0
    for rank in sorted(set(ranks.values())):
        members = [number for number in needs if ranks[number] == rank]
        total = sum(blocks[number].width + APART for number in members)
        share, width = total / math.ceil(total / WIDE), math.inf
        for number in members:
            if width + blocks[number].width / 2 > share:
                layer, width = layer + 1, 0.0
            layers[number] = layer
            width += blocks[number].width + APART
    return layers


def _lead(one: int, other: int, layer_of: dict[int, int], links: dict[tuple[Spot, Spot], bool]) -> None:
    """Lead a line from one block to another, through lanes of the layers between."""
    through = EXIT if other == EXIT else one
    spots = [Spot(through, lane) for lane in range(layer_of[one] + 1, layer_of[other])]
    route = [Spot(one), *spots, Spot(other)]
    for start, end in pairwise(route):
        links[start, end] = end.lane == 0


def _sorted(row: list[Spot]) -> list[Spot]:
    return sorted(row, key=lambda spot: (bool(spot.lane), spot.number))


def _is_rail(spot: Spot) -> bool:
    """Tell whether a lane is that of the entrance or the exit: straight lines to the left and right of all."""
    return spot.lane > 0 and spot.number < 0


class _Laid:
    """Blocks in their layers on the way to their places."""

    def __init__(self, blocks: Sequence[Block], rows: list[list[Spot]], links: dict[tuple[Spot, Spot], bool]) -> None:
        self.blocks = blocks
        self.rows = [[spot for spot in row if not _is_rail(spot)] for row in rows]
        self.where = {spot: index for index, row in enumerate(rows) for spot in row}
        self.links = links
        self.above: dict[Spot, list[Spot]] = {}
        self.below: dict[Spot, list[Spot]] = {}
        for start, end in links:
            if not (_is_rail(start) or _is_rail(end)):
                self.above.setdefault(end, []).append(start)
                self.below.setdefault(start, []).append(end)
        self.x: dict[Spot, float] = {}

    def block(self) -> Block:
        """Return the whole, with its lines."""
        for row in self.rows:
            self._spread(row)
        for sweep in range(SWEEPS):
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                self._order(row, self.above if sweep % 2 == 0 else self.below)
        for sweep in range(SWEEPS):
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                self._align(row)
        self.x[Spot(EXIT)] = self.x[Spot(ENTRANCE)]  # alone in its layer
        right = max(self.x[spot] + self._width(spot) for spot in self.x)
        left = min(self.x.values())
        for spot in filter(_is_rail, self.where):
            self.x[spot] = left - APART if spot.number == ENTRANCE else right + APART - LANE
        left = min(self.x.values())
        self.x = {spot: x - left for spot, x in self.x.items()}
        return self._drawn()

    # --- across

    def _width(self, spot: Spot) -> float:
        return LANE if spot.lane else self.blocks[spot.number].width if spot.number >= 0 else 0.0

    def _gap(self, left: Spot, right: Spot) -> float:
        return APART / 2 if left.lane and right.lane else APART

    def _enter(self, spot: Spot) -> float:
        inside = self.blocks[spot.number].enter if spot.number >= 0 and not spot.lane else self._width(spot) / 2
        return self.x[spot] + inside

    def _leave(self, spot: Spot) -> float:
        inside = self.blocks[spot.number].leave if spot.number >= 0 and not spot.lane else self._width(spot) / 2
        return self.x[spot] + inside

    def _spread(self, row: list[Spot]) -> None:
        """Put a layer around the middle."""
        x = 0.0
        for index, spot in enumerate(row):
            x += self._gap(row[index - 1], spot) if index else 0.0
            self.x[spot] = x
            x += self._width(spot)
        for spot in row:
            self.x[spot] -= x / 2

    def _order(self, row: list[Spot], neighbours: dict[Spot, list[Spot]]) -> None:
        """Order a layer by where its lines come from."""

        def middle(spot: Spot) -> float:
            known = [self.x[other] + self._width(other) / 2 for other in neighbours.get(spot, ())]
            return sum(known) / len(known) if known else self.x[spot] + self._width(spot) / 2

        row.sort(key=middle)
        self._spread(row)

    def _align(self, row: list[Spot]) -> None:
        """Move a layer's spots to where their lines are straight, as far as they have room."""
        wanted = []
        for spot in row:
            pulls = [self._leave(other) - (self._enter(spot) - self.x[spot]) for other in self.above.get(spot, ())]
            pulls += [self._enter(other) - (self._leave(spot) - self.x[spot]) for other in self.below.get(spot, ())]
            wanted.append(sum(pulls) / len(pulls) if pulls else self.x[spot])
        placed = self._pushed(row, wanted)
        off = sum(is_at - want for is_at, want in zip(placed, wanted, strict=True)) / len(row)
        for spot, x in zip(row, placed, strict=True):
            self.x[spot] = x - off

    def _pushed(self, row: list[Spot], wanted: list[float]) -> list[float]:
        """Return places near the wanted ones that do not overlap: the mean of pushing right and pushing left."""
        right: list[float] = []
        for index, spot in enumerate(row):
            least = right[-1] + self._width(row[index - 1]) + self._gap(row[index - 1], spot) if index else -math.inf
            right.append(max(wanted[index], least))
        left = [0.0] * len(row)
        for index in range(len(row) - 1, -1, -1):
            spot = row[index]
            most = left[index + 1] - self._width(spot) - self._gap(spot, row[index + 1]) if row[index + 1 :] else None
            left[index] = wanted[index] if most is None else min(wanted[index], most)
        return [(one + other) / 2 for one, other in zip(left, right, strict=True)]

    # --- down, and lines

    def _drawn(self) -> Block:
        parts: list[Placed] = []
        y = 0.0
        tops = [0.0] * len(self.rows)
        for index, row in enumerate(self.rows):
            tops[index] = y
            y += self._height(row)
            if index + 1 < len(self.rows):
                crossing = sum(
                    self.where[start] == index and not (_is_rail(start) or _is_rail(end)) for start, end in self.links
                )
                y += min(MOST, max(LEAST, ROOM * crossing)) if index else min(MOST, max(LEAST / 2, ROOM * crossing))
        where = self.where
        for (start, end), arrow in self.links.items():
            above, top = where[start], tops[where[end]]
            bottom = tops[above] + self._height(self.rows[above])
            x = self._leave(start)
            done = tops[above] + (self.blocks[start.number].height if start.number >= 0 and not start.lane else 0.0)
            if done < bottom:
                parts.append(Placed(0, 0, Line(((x, done), (x, bottom)))))
            open_end = end.number < 0 or self.blocks[end.number].open
            tip = (self._enter(end), top)
            parts.append(Placed(0, 0, self._line(start, end, (x, bottom), tip, arrow=arrow and not open_end)))
        for number, block in enumerate(self.blocks):
            parts.append(Placed(self.x[Spot(number)], tops[where[Spot(number)]], block))
        width = max(self.x[spot] + self._width(spot) for spot in where)
        return Block(width, y, self.x[Spot(ENTRANCE)], self.x[Spot(EXIT)], tuple(parts), open=True)

    def _line(self, start: Spot, end: Spot, above: Point, below: Point, *, arrow: bool) -> Line | Curve:
        """Return the line between two neighbours; those to and from the rails run along each other."""
        if not (_is_rail(start) or _is_rail(end)) or above[0] == below[0]:
            return Curve(above, below, arrow=arrow)
        share = 0.3 if EXIT in (start.number, end.number) else 0.55
        turn = above[1] + (below[1] - above[1]) * share
        return Line((above, (above[0], turn), (below[0], turn), below), arrow=arrow)

    def _height(self, row: list[Spot]) -> float:
        return max((self.blocks[spot.number].height for spot in row if spot.number >= 0 and not spot.lane), default=0.0)
