"""What became of each place of a plan: a mark, from the counts of its steps and from what is under way there.

What has no events of its own (a signal that came, an arm that was not taken) follows from what has begun behind or
beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from orchestration.observe.current import NOWHERE, Here
from orchestration.observe.progress import NOTHING, Counts, Progress
from orchestration.outcomes import Held, InDoubt, Kept, Outcome, Succeeded, UndoFailed
from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from orchestration.observe.places import Place

Mark = Literal[
    "to come", "running", "waiting", "done", "failed", "stopped", "undoing", "undone", "not undone", "not taken"
]
ACTIVE: tuple[Mark, ...] = ("undoing", "running", "waiting")
LOUD: tuple[Mark, ...] = ("not undone", "failed")  # of a part, the loudest of its places is told first
ENDED: tuple[Mark, ...] = ("done", "undone", "not taken")
KEPT: dict[type, str] = {UndoFailed: "NOT undone", Held: "held", InDoubt: "IN DOUBT", Kept: "kept"}


class Seen(NamedTuple):
    """What is known when a picture is drawn, by static path.

    `waits` are the signals that are waited for, `left` what the rollback left standing, `totals` how
    many items maps have.
    """

    progress: Progress
    here: dict[str, Here]
    waits: dict[str, str]
    left: dict[str, list[str]]
    totals: dict[str, int | None]
    outcome: Outcome | None
    now: float

    def here_at(self, place: Place) -> Here:
        """Return what is under way at a place."""
        return next((self.here[path] for path in place.paths if path in self.here), NOWHERE)

    def counts_at(self, place: Place) -> Counts:
        """Return the counts of a place."""
        counts = self.progress.counts
        return next((counts[path] for path in place.paths if path in counts), NOTHING)


class Marked(NamedTuple):
    """A place with its mark, and what is below it."""

    place: Place
    mark: Mark
    below: tuple[Marked, ...] = ()


def marked(places: tuple[Place, ...], seen: Seen) -> tuple[Marked, ...]:
    """Return places that stand beside each other with their marks."""
    found: list[Marked] = []
    for place in places:
        below = marked(place.children, seen)
        mark = _mark_of_all([inner.mark for inner in below], seen) if below else _mark(place, seen)
        if mark in ACTIVE and place.repeats:
            total = seen.totals.get(place.map_path or "")
            below = tuple(_going_on(inner, total, seen) for inner in below)
        found.append(Marked(place, mark, below))
    return _inferred(found, seen.outcome)


def left_by(outcome: Outcome | None) -> dict[str, list[str]]:
    """Return what a rollback left standing at each static path, and how often."""
    found: dict[str, dict[str, int]] = {}
    for step in () if outcome is None else outcome.rollback.steps:
        if type(step) in KEPT:
            place = found.setdefault(static_path(step.path), {})
            place[KEPT[type(step)]] = place.get(KEPT[type(step)], 0) + 1
    return {
        path: [text if count == 1 else f"{count:,} {text}" for text, count in place.items()]
        for path, place in found.items()
    }


def _mark(place: Place, seen: Seen) -> Mark:
    here, counts = seen.here_at(place), seen.counts_at(place)
    if here.undoing:
        return "undoing"
    if here.running:
        return "running"
    if here.waiting or any(path in seen.waits for path in place.paths):
        return "waiting"
    if any(not text.endswith(KEPT[Kept]) for path in place.paths for text in seen.left.get(path, ())):
        return "not undone"
    if counts.failed:
        return "failed"
    if counts.undone and counts.undone >= counts.done:
        return "undone"
    if counts.done:
        return "done"
    return "stopped" if any(path in seen.progress.counts for path in place.paths) else "to come"


def _mark_of_all(below: list[Mark], seen: Seen) -> Mark:
    """Return the mark of what is made of places with these marks."""
    for mark in (*ACTIVE, *LOUD):
        if mark in below:
            return mark
    begun = [mark for mark in below if mark not in ("to come", "not taken")]
    if not begun:
        return "not taken" if all(mark == "not taken" for mark in below) else "to come"
    if "undone" in begun:
        return "undone"
    if isinstance(seen.outcome, Succeeded) or all(mark in ENDED for mark in below):
        return "done"
    return "running" if seen.outcome is None else "stopped"


def _inferred(found: list[Marked], outcome: Outcome | None) -> tuple[Marked, ...]:
    """Return places with what follows, for those without events, from what is beside them."""
    later = isinstance(outcome, Succeeded)  # whether something has begun behind the place
    taken = any(one.mark != "to come" for one in found if one.place.kind == "arm")
    known: list[Marked] = []
    for one in reversed(found):
        kind = one.place.kind
        if one.mark != "to come":
            later = True
            known.append(one)
        elif (taken and kind == "arm") or (later and kind == "recover"):
            known.append(_not_taken(one))
        elif later and kind in ("sleep", "wait"):
            known.append(one._replace(mark="done"))
        else:
            known.append(one)
    return tuple(reversed(known))


def _going_on(one: Marked, total: int | None, seen: Seen) -> Marked:
    """Return what is inside of a map or loop under way: it is not done before that is, or has been for all items."""
    open_yet = one.mark == "done" and (total is None or seen.counts_at(one.place).done < total)
    below = tuple(_going_on(inner, total, seen) for inner in one.below)
    return Marked(one.place, "running" if open_yet else one.mark, below)


def _not_taken(one: Marked) -> Marked:
    return one._replace(mark="not taken", below=tuple(map(_not_taken, one.below)))
