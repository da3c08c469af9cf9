"""`Turn`: the working memory of one `start` or `advance`. It never outlives the call, so the call stays pure (S2)."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

import attrs

from orchestration.errors import IllegalEvent
from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import VALUE, Continue, Effect
from orchestration.interpreter.events import Continued, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestration.failures import Failure
    from orchestration.interpreter.pure import Answer
    from orchestration.interpreter.state import Ledger
    from orchestration.interpreter.trail import Trail
    from orchestration.outcomes import EndState
    from orchestration.plan.nodes import Node

STRETCH = 1_000  # nodes entered in one turn before the interpreter lets others have theirs (S7)


# The three ways to end live within one turn, mostly: they need no freezing. A frame that keeps one gives out copies.


@attrs.define
class Done:
    """A part of a run ended with a value."""

    value: Any = attrs.field(metadata=VALUE)
    trail: Trail | None = None


@attrs.define
class Broken:
    """A part of a run failed, as the run's failure number `order`; what it had done before is in the trail.

    `partial`: it has unwound already, and not all could be undone (S20, S26).
    """

    failure: Failure
    trail: Trail | None = None
    order: int = 0
    partial: bool = False


@attrs.define
class Stopped:
    """A part of a run was cancelled before its end; `failures` came up meanwhile, `partial` as for `Broken`."""

    trail: Trail | None = None
    failures: tuple[Failure, ...] = ()
    partial: bool = False


Ended = Done | Broken | Stopped
ENDED = (Done, Broken, Stopped)


Absorber: TypeAlias = "Callable[[Failure], Failure | None]"  # what goes on up instead of a failure, if anything


class Frame(Protocol):
    """A part of a run that is under way. Frames are frozen; both methods return what takes the frame's place."""

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take an event that is meant for this frame or one below it."""
        ...

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel what is in flight, once; `turn.stopping` is set now and in every later turn until the end."""
        ...


class Turn:
    """What one call of `start` or `advance` collects: effects, and the new ledger.

    The rest says what holds around the frame at hand. `stopping`: it has been cancelled. `deadline`: the earliest
    around it. `absorbers`: what becomes of a failure on its way up, the innermost last (S28). `answers`: what pure
    functions have said before this turn, in the order in which they are asked in it.
    """

    __slots__ = ("absorbers", "answers", "at", "budget", "deadline", "effects", "ledger", "rooms", "run_id", "stopping")

    def __init__(
        self,
        rooms: dict[type[Node], Callable[[Any, str, object, Turn], Frame | Ended]],
        run_id: str,
        at: float,
        ledger: Ledger,
        answers: Sequence[Answer] = (),
    ) -> None:
        """Begin with no effects."""
        self.rooms: dict[type[Node], Callable[[Any, str, object, Turn], Frame | Ended]] = rooms
        self.run_id: str = run_id
        self.at: float = at
        self.ledger: Ledger = ledger
        self.answers: Sequence[Answer] = answers
        self.effects: list[Effect] = []
        self.stopping: bool = ledger.cancel is not None
        self.deadline: float | None = None
        self.absorbers: tuple[Absorber, ...] = ()
        self.budget: int = STRETCH

    def enter(self, node: Node, path: str, value: object) -> Frame | Ended:
        """Begin a node with a value."""
        if self.budget <= 0:
            self.effects.append(Continue(path))
            return Later(node, path, value)
        self.budget -= 1
        return self.rooms[type(node)](node, path, value, self)

    def within(
        self,
        act: Callable[[], Frame | Ended],
        *,
        stopping: bool = False,
        deadline: float | None = None,
        absorbs: Absorber | None = None,
    ) -> Frame | Ended:
        """Let a frame below act, with what holds for it besides what holds here."""
        before = self.stopping, self.deadline, self.absorbers
        self.stopping = self.stopping or stopping
        if deadline is not None:
            self.deadline = deadline
        if absorbs is not None:
            self.absorbers = (*self.absorbers, absorbs)
        after = act()
        self.stopping, self.deadline, self.absorbers = before
        return after

    def fits(self, due: float) -> bool:
        """Tell whether what begins at `due` begins before the deadline (S10)."""
        return self.deadline is None or due < self.deadline

    def broken(self, failure: Failure, trail: Trail | None = None) -> Broken:
        """End a part with a failure."""
        broken = self.later(failure, trail)
        self.passes(failure)
        return broken

    def later(self, failure: Failure, trail: Trail | None = None) -> Broken:
        """End a part with a failure that comes after one that goes up already: it decides nothing."""
        order = self.ledger.failures
        self.ledger = evolve(self.ledger, failures=order + 1)
        return Broken(failure, trail, order)

    def passes(self, failure: Failure) -> None:
        """Note a failure that goes up from here: the first that nothing above absorbs decides the run (S28).

        What is being stopped decides nothing any more: whatever stopped it has, or is absorbed.
        """
        if self.stopping or self.ledger.decided:
            return
        for absorbs in reversed(self.absorbers):
            going_up = absorbs(failure)
            if going_up is None:
                return
            failure = going_up
        self.decide()

    def decide(self) -> None:
        """Note that what the outcome will be is settled: a later cancel comes too late (S28)."""
        self.ledger = evolve(self.ledger, decided=True)

    def leak(self, path: str, attempt: int) -> None:
        """Note an attempt that may still land (S24)."""
        self.ledger = evolve(self.ledger, leaked=(*self.ledger.leaked, (path, attempt, False)))

    def settle(self, state: EndState) -> None:
        """Note what became of a step that could be undone (S25)."""
        self.ledger = evolve(self.ledger, rollback=self.ledger.rollback.push_front(state))


@singledispatch
def foregone(frame: object, turn: Turn) -> Done | Broken | None:  # noqa: ARG001 - each frame has its own
    """Return how a part under way is bound to end, where only its unwinding or its cleanups are left.

    Each frame of which this can be known registers its answer.
    """
    return None


def foregone_failure(frame: object, turn: Turn) -> Broken | None:
    """Return the failure that a part under way is bound to end with."""
    ended = foregone(frame, turn)
    return ended if isinstance(ended, Broken) else None


def illegal(event: Event, path: str, expected: str) -> IllegalEvent:
    """Return the error for an event that cannot happen here (S3)."""
    return IllegalEvent(
        event.path,
        found=f"{type(event).__name__} at {event.path}",
        expected=f"{expected} at {path}",
        mend="Only report what an effect of this run asked for, once.",
    )


@frozen
class Later:
    """A node that is entered in the next turn, because this one has gone on for long enough (S7)."""

    node: Node
    path: str
    value: Any = attrs.field(metadata=VALUE)

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Enter the node, unless a cancel came first."""
        if type(event) is not Continued or event.path != self.path:
            raise illegal(event, self.path, "Continued")
        return Stopped() if turn.stopping else turn.enter(self.node, self.path, self.value)

    def cancel(self, turn: Turn) -> Self:  # noqa: ARG002 - the protocol's signature
        """Wait: the `Continued` that has been asked for still comes, and ends it."""
        return self
