"""What is written on the picture of a plan about a run: on what was done, and on what was passed, skipped, not reached.

What has no events of its own (pure functions, pivots, waits for signals, arms that were not taken) is found out from
what comes before and behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestration.plan.nodes import (
    Branch,
    Cleanup,
    Fold,
    Graph,
    Loop,
    Map,
    Node,
    Pivot,
    Pure,
    Recover,
    Retried,
    Scope,
    Sleep,
    Step,
    WaitFor,
)
from orchestration.plan.tree import child_path, children_of, walk
from orchestration.render.cards import Told
from orchestration.render.drawing import Drawer
from orchestration.render.naming import lasting
from orchestration.render.places import failures_of, places_of
from orchestration.render.signs import GRAVEST, WORDS, gravest

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from orchestration.failures import Failure
    from orchestration.render.chronicle import Chronicle
    from orchestration.render.places import Place, Thing
    from orchestration.render.signs import Status

EFFECTS = (Step, Sleep, Cleanup, WaitFor)
ONE: Final = 1


def drawer_of(chronicle: Chronicle, things: Mapping[str, Thing]) -> Drawer:
    """Return what draws a plan with what happened in a run."""
    places = places_of(dict(things))
    teller = _Teller(chronicle, places)
    teller.fill_chain(chronicle.root.children, chronicle.root.name, passed=teller.succeeded, entered=True)
    undos = {path: _counted(place.undos, place, undo=True) for path, place in places.items() if place.undos}
    return Drawer(teller.told, undos)


def _counted(statuses: Counter[Status], place: Place, *, undo: bool = False) -> Told:
    worst = gravest(statuses)
    total, thing = statuses.total(), place.thing
    if total == ONE and thing is not None:
        words = [WORDS[worst]] if undo else _words(thing)
        return Told(worst, " · ".join(words), _title(thing, undo=undo))
    ranked = sorted(statuses, key=GRAVEST.index, reverse=True)
    return Told(worst, ", ".join(f"{statuses[status]:,} {WORDS[status].partition(':')[0]}" for status in ranked))


def _words(thing: Thing) -> list[str]:
    """Say in few words what became of the one thing at a place."""
    words = [said_of(thing)]
    if thing.failure is not None:
        words.append(short_kind(thing.failure))
    if thing.attempts > ONE:
        words.append(f"{thing.attempts} attempts")
    if thing.end is not None and thing.attempts and thing.end > thing.begin:
        words.append(brief(thing.end - thing.begin))
    return words


def said_of(thing: Thing) -> str:
    """Say what became of something: `done, then undone`."""
    if thing.what == "backoff" and thing.status == "done":
        return "waited, then tried again"
    if thing.undo is None or thing.undo == thing.status:
        return WORDS[thing.status]
    return f"{WORDS[thing.status]}, {'then ' if thing.undo in ('undone', 'running') else ''}{WORDS[thing.undo]}"


def _title(thing: Thing, *, undo: bool) -> str:
    failure = thing.undo_failure if undo else thing.failure
    message = "" if failure is None else f"{failure.kind}: {failure.message}"
    return "\n".join(filter(None, (" · ".join(_words(thing)), message, thing.because)))


def short_kind(failure: Failure) -> str:
    """Return the name of a failure's class without its module."""
    return failure.kind.rpartition(".")[2]


def brief(seconds: float) -> str:
    """Return a stretch of time that was measured, to about three digits: `41 ms`, `1.24 s`, `3 min 5 s`."""
    if 0 < seconds < 0.001:  # noqa: PLR2004 - below that it is chance
        return "< 1 ms"
    if seconds < 1:
        return lasting(float(f"{seconds:.2g}"))
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3g} s"
    for size, unit, below, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = int(seconds % size // below)
            return f"{int(seconds // size):,} {unit}" + (f" {rest} {small}" if rest else "")
    raise AssertionError


class _Teller:
    """Goes through a plan, and says of each place what became of it."""

    def __init__(self, chronicle: Chronicle, places: Mapping[str, Place]) -> None:
        self.ended = chronicle.ended
        self.succeeded = chronicle.outcome is not None and chronicle.outcome.ok
        self.told: dict[str, Told] = {
            path: _counted(place.statuses, place) for path, place in places.items() if place.statuses
        }
        self.places = places
        self.reached: set[str] = set()
        self.busy: set[str] = set()
        for path, place in places.items():
            known = set(_prefixes(path))
            self.reached |= known
            if place.statuses["running"] or place.statuses["waiting"]:
                self.busy |= known
        blamed = {} if chronicle.outcome is None else {f.path: f for f in failures_of(chronicle.outcome)}
        self.blamed = blamed

    def mark(self, path: str, status: Status) -> None:
        """Say it, unless events have said more."""
        self.told.setdefault(path, Told(status, WORDS[status]))

    def mark_all(self, node: Node, path: str, status: Status) -> None:
        """Say the same of all that is done at or below a node."""
        if isinstance(node, Step | Pure | Sleep | Cleanup | WaitFor | Pivot):
            self.mark(path, status)
        for how, child in children_of(node):
            self.mark_all(child, child_path(path, how, child.name), status)

    def fill(self, node: Node, path: str, *, passed: bool, entered: bool) -> None:
        """Say what became of a node; `passed`: what follows it was reached; `entered`: so was the node itself."""
        match node:
            case Scope():
                self.fill_chain(node.children, path, passed=passed, entered=entered)
            case Branch():
                self._fill_branch(node, path, passed=passed, entered=entered)
            case Graph():
                self._fill_graph(node, path, passed=passed, entered=entered)
            case Map() | Fold() | Loop():
                self._fill_items(node, path, passed=passed, entered=entered)
            case Pure() | Pivot() | WaitFor() | Step() | Sleep() | Cleanup():
                waits = entered and not self.ended and isinstance(node, WaitFor)
                self.mark(path, "waiting" if waits and not passed else self._passed(node, passed=passed))
            case _:
                self._tell_tries(node, path)
                self.fill(node.body, path, passed=passed, entered=entered)

    def _passed(self, node: Node, *, passed: bool) -> Status:
        if passed and isinstance(node, Pure | Pivot | WaitFor):
            return "done"
        return "unreached"

    def _tell_tries(self, node: Node, path: str) -> None:
        place = self.places.get(path)
        if isinstance(node, Retried) and place is not None and place.tries > ONE and not place.statuses:
            status: Status = "failed" if path in self.blamed else "done"
            self.mark(path, "done")
            self.told[path] = Told(status, f"attempt {place.tries} of {node.retry.max_attempts}")

    def fill_chain(self, children: Sequence[Node], path: str, *, passed: bool, entered: bool) -> None:
        """Say what became of nodes one behind the other."""
        paths = [child_path(path, "named", child.name) for child in children]
        reached = [index for index, at in enumerate(paths) if at in self.reached]
        last = reached[-1] if reached else -1
        quiet = last < 0 or paths[last] not in self.busy
        for index, (child, at) in enumerate(zip(children, paths, strict=True)):
            goes_on = passed or index < last
            recovery = next(
                (later for later in reached if later > index and isinstance(children[later], Recover)), None
            )
            if recovery is not None:  # what it covers was left where it failed
                failed_at = max((before for before in reached if before < recovery), default=-1)
                goes_on = index < failed_at
            if isinstance(child, Recover) and index not in reached:
                self.mark_all(child, at, "skipped" if goes_on else "unreached")
                continue
            here = index == last + 1 and quiet and (entered if last < 0 else True)
            self.fill(child, at, passed=goes_on, entered=here and not isinstance(child, Recover))

    def _fill_branch(self, node: Branch, path: str, *, passed: bool, entered: bool) -> None:
        arms = [child for _, child in children_of(node)]
        paths = {arm.name: child_path(path, "named", arm.name) for arm in arms}
        taken = [arm for arm in arms if paths[arm.name] in self.reached]
        silent = [arm for arm in arms if not any(isinstance(part, EFFECTS) for part in walk(arm))]
        if not taken and passed and len(silent) == ONE:  # it can have been this one only
            taken = silent
        for arm in arms:
            if arm in taken:
                self.fill(arm, paths[arm.name], passed=passed, entered=entered)
            elif taken or (passed and arm not in silent):
                self.mark_all(arm, paths[arm.name], "skipped")
            elif not passed:
                self.mark_all(arm, paths[arm.name], "unreached")

    def _fill_graph(self, node: Graph, path: str, *, passed: bool, entered: bool) -> None:
        paths = {vertex.node.name: child_path(path, "named", vertex.node.name) for vertex in node.vertices}
        for vertex in node.vertices:
            name = vertex.node.name
            needed = any(name in other.needs and paths[other.node.name] in self.reached for other in node.vertices)
            here = entered and not vertex.needs
            self.fill(vertex.node, paths[name], passed=passed or needed, entered=here)

    def _fill_items(self, node: Map | Fold | Loop, path: str, *, passed: bool, entered: bool) -> None:
        below = child_path(path, "item", "")
        place = self.places.get(path)
        count = 0 if place is None else place.items
        if count and path not in self.told:
            inside = [told.status for at, told in self.told.items() if at.startswith(below)]
            status = gravest(inside)
            unit = "round" if isinstance(node, Loop) else "item"
            self.told[path] = Told(status, f"{count:,} {unit}{'' if count == ONE else 's'}")
        silent = not any(isinstance(part, EFFECTS) for part in walk(node.body))
        if below in self.reached or not passed or silent:
            self.fill(node.body, below, passed=passed, entered=entered and isinstance(node, Loop))
        else:
            self.mark_all(node.body, below, "skipped")


def _prefixes(path: str) -> list[str]:
    """Return a static path and those of all that it lies in."""
    ends = [index for index, char in enumerate(path) if char == "/" or path[index : index + 2] == "[]"]
    items = [index + 2 for index in ends if path[index] == "["]
    return [path, *(path[:end] for end in (*ends, *items))]
