"""`Tree`: a run over its plan, as the rows of a tree with a mark for each place. It knows no clock and no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import frozen
from orchestration.observe.current import Current
from orchestration.observe.marks import ACTIVE, LOUD, Mark, Marked, Seen, left_by, marked
from orchestration.observe.places import Extent, Place, extents, places_of
from orchestration.observe.progress import Progress
from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.engine import Turned
    from orchestration.interpreter.state import State
    from orchestration.observe.current import Here
    from orchestration.observe.progress import Counts
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan

LONG = 1.0  # seconds from which on it is told how long something has been under way


@frozen
class Row:
    """A line of the tree: `guide` draws its branches, `notes` are what there is to say besides the mark.

    `done` of `total` say how many of many; `ancestors` are the numbers of the rows that it belongs to.
    """

    guide: str
    name: str
    mark: Mark
    done: int | None = None
    total: int | None = None
    notes: tuple[str, ...] = ()
    ancestors: tuple[int, ...] = ()


class Tree:
    """Takes the turns of a run, and gives the rows of its picture."""

    def __init__(self, plan: Plan, known: Progress | None = None, effects: Iterable[Effect] = ()) -> None:
        """Begin; of a run that is taken up again, `known` is what it has done and `effects` what it waits for."""
        self.places: tuple[Place, ...] = places_of(plan)
        self.progress: Progress = Progress(name=plan.name) if known is None else known
        self.began: float | None = None
        self.state: State | None = None
        self._current = Current(effects)
        self._extents: dict[str, Extent] = {}
        self._maps = {place.map_path: place for place in _all(self.places) if place.map_path is not None}

    @property
    def busy(self) -> bool:
        """Whether anything is under way or waits for a time, so that the picture changes by itself."""
        return self.outcome is None and bool(self._current)

    @property
    def outcome(self) -> Outcome | None:
        """How the run has ended, if it has."""
        return None if self.state is None else self.state.outcome

    def take(self, turned: Turned) -> None:
        """Take the next turn of the run."""
        self.progress = self.progress.fold(turned.event)
        self._current.take(turned)
        self.state = turned.state
        self.began = self.state.at if self.began is None else self.began
        if len(self._extents) < len(self._maps) and any("]" in effect.path for effect in turned.effects):
            self._extents |= extents(turned.state)  # a map may be over before the next picture

    def rows(self, now: float) -> list[Row]:
        """Return the rows as they are at a time, in seconds on the clock of the run's events."""
        if self.state is not None:
            ended = {path: self._at_its_end(path, extent) for path, extent in self._extents.items()}
            self._extents = ended | extents(self.state)
        waiting = () if self.state is None else self.state.ledger.mail.waiting.values()
        waits = {static_path(path): signal for signal, path in waiting}
        totals = {path: extent.total for path, extent in self._extents.items()}
        seen = Seen(self.progress, self._current.places(), waits, left_by(self.outcome), totals, self.outcome, now)
        rows: list[Row] = []
        self._add(rows, marked(self.places, seen), seen, "", ())
        return rows

    def _add(
        self, rows: list[Row], found: tuple[Marked, ...], seen: Seen, guide: str, ancestors: tuple[int, ...]
    ) -> None:
        """Add the rows of places beside each other, each with those below it."""
        for one in found:
            last = one is found[-1]
            rows.append(self._row(one, seen, f"{guide}{'└─ ' if last else '├─ '}", ancestors))
            self._add(rows, one.below, seen, f"{guide}{'   ' if last else '│  '}", (*ancestors, len(rows) - 1))

    def _row(self, one: Marked, seen: Seen, guide: str, ancestors: tuple[int, ...]) -> Row:
        place, mark, _ = one
        extent = self._extents.get(place.map_path or "")
        done = seen.counts_at(place).done if place.repeated and not place.children else 0
        total = None
        if extent is not None:
            done, total = extent
        notes = tuple(self._notes(place, mark, seen))
        return Row(guide, place.name, mark, done if done or total is not None else None, total, notes, ancestors)

    def _notes(self, place: Place, mark: Mark, seen: Seen) -> Iterator[str]:
        here, counts = seen.here_at(place), seen.counts_at(place)
        if place.repeated:
            yield from _many(here, counts)
        elif here.attempt > 1 or counts.retried:
            yield f"attempt {here.attempt or counts.retried + 1} of {place.attempts}"
        if here.due is not None:
            yield f"{'ends in' if place.kind == 'sleep' else 'next in'} {span(here.due - seen.now)}"
        elif here.since is not None and seen.now - here.since >= LONG and not place.repeated:
            yield span(seen.now - here.since)
        for path in place.paths:
            if path in seen.waits:
                yield f"waits for {seen.waits[path]}"
            yield from seen.left.get(path, ())
            failure = self._current.failures.get(path)
            if failure is not None and mark in ("failed", "waiting", "running"):
                yield f"{failure.kind.rpartition('.')[2]}: {failure.message}".removesuffix(": ")

    def _at_its_end(self, path: str, extent: Extent) -> Extent:
        """Return the extent of a map that has ended: without a failure, all its items have."""
        failed = any(self.progress.at(inner).failed for place in _all((self._maps[path],)) for inner in place.paths)
        whole = not failed and self.progress.cancelled is None and extent.total is not None
        return Extent(extent.total or 0, extent.total) if whole else extent


def _all(places: tuple[Place, ...]) -> Iterator[Place]:
    for place in places:
        yield place
        yield from _all(place.children)


def _many(here: Here, counts: Counts) -> Iterator[str]:
    named = (
        (here.running, "under way"),
        (here.undoing, "being undone"),
        (here.waiting, "waiting"),
        (counts.failed, "failed"),
        (counts.retried, "retried"),
        (counts.undone, "undone"),
        (counts.lost, "lost"),
    )
    yield from (f"{count:,} {name}" for count, name in named if count)


def span(seconds: float) -> str:
    """Return a stretch of time as a person reads it: `0 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = max(0, round(seconds))
    for large, small, size in (("d", "h", 86_400), ("h", "min", 3_600), ("min", "s", 60)):
        if whole >= size:
            rest = whole % size // {"h": 3_600, "min": 60, "s": 1}[small]
            return f"{whole // size:,} {large}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


# --- when there are more rows than lines


def fitting(rows: list[Row], lines: int) -> list[Row | int]:
    """Return as many rows as there are lines, in their order: what goes on or went wrong, then what is near it.

    A number stands for so many rows that are left out.
    """
    if len(rows) <= lines:
        return [*rows]
    near = _nearness(rows)
    order = sorted(range(len(rows)), key=lambda index: (near[index], index))
    for count in range(lines, 0, -1):
        picture = _picture(rows, set(order[:count]))
        if len(picture) <= lines:
            return picture
    return [len(rows)]


def _nearness(rows: list[Row]) -> list[int]:
    """Return for each row how far it is from what matters, 0 for what does itself."""
    here = {index for index, row in enumerate(rows) if row.mark in ACTIVE or row.mark in LOUD} or {0}
    here |= {above for index in here for above in rows[index].ancestors}
    near = [0 if index in here else len(rows) for index in range(len(rows))]
    for index in range(1, len(rows)):
        near[index] = min(near[index], near[index - 1] + 1)
    for index in range(len(rows) - 2, -1, -1):
        near[index] = min(near[index], near[index + 1] + 1)
    return near


def _picture(rows: list[Row], chosen: set[int]) -> list[Row | int]:
    picture: list[Row | int] = []
    for index, row in enumerate(rows):
        last = picture[-1] if picture else None
        if index in chosen:
            picture.append(row)
        elif isinstance(last, int):
            picture[-1] = last + 1
        else:
            picture.append(1)
    return picture
