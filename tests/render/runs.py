"""What the tests of pictures and reports are of: runs of the examples and of a trip, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration import Failure, Retry, Signal, Workflow
from orchestration.render import chronicle_of
from orchestration.testing import FakeHandler, answers

if TYPE_CHECKING:
    from orchestration.render import Chronicle
    from orchestration.testing import Trace

HOSTILE = "<script>alert('x')</script>&\"\x1b[31m\u202e\n</title>"
GO = Signal("go", int)


def told(trace: Trace[Any], *, values: bool = False) -> Chronicle:
    """Return the chronicle of a run of the test kit."""
    return chronicle_of(trace.plan, trace.turns, trace.outcome, values=values)


def book(trip: int) -> int:
    """Book a flight."""
    return trip


def unbook(trip: int) -> None:
    """Undo it."""


def room(trip: int) -> int:
    """Book a room."""
    return trip


def free(trip: int) -> None:
    """Undo it."""


def car(trip: int) -> int:
    """Book a car."""
    return trip


def give_back(trip: int) -> None:
    """Undo it."""


def guests(trip: int) -> list[int]:
    """List who comes along."""
    return list(range(trip))


def invite(guest: int) -> int:
    """Write to somebody."""
    return guest


def is_large(trip: int) -> bool:
    """Tell whether a bus is needed."""
    return trip > 100


def bus(trip: int) -> int:
    """Hire one."""
    return trip


def stay(trip: int) -> int:
    """Go by train."""
    return trip


def apologise(failure: Failure) -> int:
    """Say sorry."""
    return len(failure.message)


def doubled(trip: int) -> int:
    """Count everybody twice."""
    return 2 * trip


ONCE = Retry(max_attempts=2, initial_delay=0.5, jitter="none")
trip: Workflow[int, Any, Any] = (
    Workflow[int]("trip")
    .step(book)
    .compensate(unbook)
    .step(room, retry=ONCE)
    .compensate(free, retry=ONCE)
    .step(car)
    .compensate(give_back)
    .pure(doubled)
    .branch()
    .when(is_large, bus)
    .otherwise(stay)
    .sleep(1)
    .pure(guests)
    .map(invite, concurrency=2)
    .pure(len)
)
asking: Workflow[int, Any, Any] = Workflow[int]("asking").step(book).compensate(unbook).wait_for(GO).step(car)
saved: Workflow[int, Any, Any] = (
    Workflow[int]("saved")
    .step(book)
    .compensate(unbook)
    .step(car)
    .pure(doubled)
    .recover(apologise, on=ConnectionError)
    .step(stay)
)


def failed_trip(message: str = HOSTILE) -> Chronicle:
    """Return a trip of which the third invitation fails, and the room cannot be given back, so the flight is held."""
    fake = FakeHandler(real=True)
    fake.on(room, each=[ConnectionError("busy"), answers(6, takes=0.2)])
    fake.on(free, raises=OSError("nobody answers"), takes=0.1)
    fake.on(invite, 1, takes=0.3).on("trip/invite[2]", raises=ValueError(message), takes=0.1)
    return told(fake.run(trip, 3), values=True)
