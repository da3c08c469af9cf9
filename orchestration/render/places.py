"""What became of what was done in a run: of each thing by its path, and of all that were at a place of the plan."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from orchestration.frozen import evolve, frozen
from orchestration.outcomes import Cancelled, Failed, Held, InDoubt, Kept, Undone
from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.failures import Failure
    from orchestration.outcomes import EndState, Outcome
    from orchestration.render.chronicle import Chronicle, How, Span
    from orchestration.render.signs import Status

ATTEMPT = re.compile(r"#\d+")
MANY = re.compile(r"\[(\d+)\]|#(\d+)")
AFTER: dict[How, Status] = {
    "running": "running",
    "done": "done",
    "failed": "failed",
    "timed out": "failed",
    "cancelled": "cancelled",
    "leaked": "leaked",
    "lost": "lost",
}
UNDO_AFTER: dict[How, Status] = {"done": "undone", "running": "running", "lost": "lost"}


@frozen
class Thing:
    """Something that was done at a path, what became of it, and of its undo if that has begun.

    `undo_attempts` and `attempts` count what was tried, `begin` and `end` are when the first attempt began and the last
    ended. `because` says more about the status.
    """

    path: str
    what: str
    status: Status
    attempts: int
    begin: float
    end: float | None
    failure: Failure | None = None
    value: str = ""
    undo: Status | None = None
    undo_attempts: int = 0
    undo_failure: Failure | None = None
    because: str = ""

    @property
    def final(self) -> Status:
        """What it is shown as: what became of its undo, if that matters, or else of itself."""
        return self.undo if self.undo is not None and self.status != "leaked" else self.status


def things_of(chronicle: Chronicle) -> dict[str, Thing]:
    """Return what was done in a run by path, in the order in which it began."""
    things: dict[str, Thing] = {}
    for span in chronicle.spans:
        known = things.get(span.path)
        if span.what == "undo":
            things[span.path] = _with_undo(known or _composite(span.path, span.begin), span)
        else:
            things[span.path] = _begun(span) if known is None else _gone_on(known, span)
    outcome = chronicle.outcome
    if outcome is not None:
        for state in outcome.rollback.steps:
            things[state.path] = _settled(things.get(state.path) or _composite(state.path, chronicle.at), state)
        for leak in outcome.leaked:
            path = leak.rpartition("#")[0].partition(":")[0]
            if path in things:
                things[path] = evolve(things[path], status="leaked", because=f"{leak} may yet land")
        for failure in failures_of(outcome):
            _blame(things, failure, chronicle.at)
    return things


def _composite(path: str, at: float) -> Thing:
    """Return something that has an undo of its own, but no attempts: it was done when all in it was (S27)."""
    return Thing(path, "", "done", 0, at, at)


def _begun(span: Span) -> Thing:
    status: Status = "waiting" if span.what in ("sleep", "hooks") and span.end is None else AFTER[span.how]
    attempts = 1 if span.what in ("step", "cleanup") else 0
    return Thing(span.path, span.what, status, attempts, span.begin, span.end, span.failure, span.value)


def _gone_on(thing: Thing, span: Span) -> Thing:
    if span.what == "backoff":  # while it waits it has not failed for good, nor if it was told to end then
        return evolve(thing, status="waiting" if span.end is None else thing.status)
    later = _begun(span)
    what = thing.what if thing.what not in ("hooks", "backoff") else later.what
    return evolve(later, what=what, attempts=thing.attempts + later.attempts, begin=thing.begin, undo=thing.undo)


def _with_undo(thing: Thing, span: Span) -> Thing:
    undo = UNDO_AFTER.get(span.how, "undo-failed")
    return evolve(thing, undo=undo, undo_attempts=thing.undo_attempts + 1, undo_failure=span.failure)


def _settled(thing: Thing, state: EndState) -> Thing:
    """Return a thing as the outcome says that it ended (S25)."""
    match state:
        case Undone(by="in_doubt"):
            return evolve(thing, undo="undone", because="it was in doubt, and its handler has settled it")
        case Undone():
            return evolve(thing, undo="undone")
        case Held(because_of=other):
            return evolve(thing, undo="held", because=f"held because {other} could not be undone")
        case InDoubt():
            return evolve(thing, undo="in-doubt", because="nobody knows whether its effect landed")
        case Kept():
            return evolve(thing, undo="kept", because="compensation is off here")
        case _:
            return evolve(thing, undo="undo-failed", undo_failure=state.failure)


def failures_of(outcome: Outcome) -> Iterator[Failure]:
    """Yield the failures that an outcome tells of, each with those that are attached to it."""
    if isinstance(outcome, Failed):
        yield from _all_of(outcome.failure)
    elif isinstance(outcome, Cancelled):
        for failure in outcome.attached:
            yield from _all_of(failure)


def _all_of(failure: Failure) -> Iterator[Failure]:
    yield failure
    for later in failure.attached:
        yield from _all_of(later)


def _blame(things: dict[str, Thing], failure: Failure, at: float) -> None:
    """Note a failure of something without events: a pure function, a deadline, a loop that went on for too long."""
    known = things.get(failure.path)
    if known is None:
        things[failure.path] = Thing(failure.path, "", "failed", 0, at, at, failure)
    elif known.status in ("cancelled", "waiting", "running"):
        things[failure.path] = evolve(known, status="failed", failure=failure)


@frozen
class Place:
    """What became of all things at a static path: how many had which status, and their undos.

    A retried composite counts by its last attempt; `tries` is how many it had. `items` is how many items or iterations
    have begun, where the path is that of a map or loop. `thing` is the last one.
    """

    statuses: Counter[Status]
    undos: Counter[Status]
    tries: int = 0
    items: int = 0
    thing: Thing | None = None


def places_of(things: dict[str, Thing]) -> dict[str, Place]:
    """Return what became of the places of a plan, by static path."""
    last: dict[str, Thing] = {}
    items: dict[str, set[str]] = {}
    tries: dict[str, int] = {}
    for path, thing in things.items():
        last[ATTEMPT.sub("", path)] = thing  # later ones come later
        for found in MANY.finditer(path):
            before = static_path(path[: found.start()])
            if found[1] is not None:
                items.setdefault(before, set()).add(ATTEMPT.sub("", path[: found.end()]))
            else:
                tries[before] = max(tries.get(before, 0), int(found[2]))
    places: dict[str, Place] = {}
    for path, thing in last.items():
        if thing.what == "backoff" and thing.status == "done":
            continue  # of a composite: what it waited for is inside
        static = static_path(path)
        place = places.get(static) or Place(Counter(), Counter())
        place.statuses[thing.final] += 1
        if thing.undo is not None:
            place.undos[thing.undo] += 1
        places[static] = evolve(place, thing=thing)
    for static in {**items, **tries}:
        place = places.get(static) or Place(Counter(), Counter())
        places[static] = evolve(place, items=len(items.get(static, ())), tries=tries.get(static, 0))
    return places
