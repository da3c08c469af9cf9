"""`Turn`: the working memory of one `start` or `advance`. It never outlives the call, so the call stays pure (S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

import attrs

from orchestration.errors import IllegalEvent
from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import VALUE, Continue, Effect
from orchestration.interpreter.events import Continued, Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.failures import Failure
    from orchestration.interpreter.state import Ledger
    from orchestration.interpreter.trail import Trail
    from orchestration.outcomes import EndState
    from orchestration.plan.nodes import Node

STRETCH = 1_000  # nodes entered in one turn before the interpreter lets others have theirs (S7)


@attrs.define
class Done:
    """A part of a run ended with a value. The three ways to end live within one turn only: they need no freezing."""

    value: object
    trail: Trail | None = None


@attrs.define
class Broken:
    """A part of a run failed, as the run's failure number `order`; what it had done before is in the trail."""

    failure: Failure
    trail: Trail | None = None
    order: int = 0


@attrs.define
class Stopped:
    """A part of a run was cancelled before its end; `failures` came up meanwhile."""

    trail: Trail | None = None
    failures: tuple[Failure, ...] = ()


Ended = Done | Broken | Stopped


class Frame(Protocol):
    """A part of a run that is under way. Frames are frozen; both methods return what takes the frame's place."""

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take an event that is meant for this frame or one below it."""
        ...

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel what is in flight; `turn.stopping` is set now and in every later turn until the end."""
        ...


class Turn:
    """What one call of `start` or `advance` collects: effects, and the new ledger."""

    __slots__ = ("at", "budget", "effects", "ledger", "rooms", "run_id", "stopping")

    def __init__(
        self,
        rooms: dict[type[Node], Callable[[Any, str, object, Turn], Frame | Ended]],
        run_id: str,
        at: float,
        ledger: Ledger,
    ) -> None:
        """Begin with no effects."""
        self.rooms = rooms
        self.run_id = run_id
        self.at = at
        self.ledger = ledger
        self.effects: list[Effect] = []
        self.stopping = ledger.cancel is not None
        self.budget = STRETCH

    def enter(self, node: Node, path: str, value: object) -> Frame | Ended:
        """Begin a node with a value."""
        if self.budget <= 0:
            self.effects.append(Continue(path))
            return Later(node, path, value)
        self.budget -= 1
        return self.rooms[type(node)](node, path, value, self)

    def broken(self, failure: Failure, trail: Trail | None = None) -> Broken:
        """End a part with a failure; the first that nothing absorbs decides the run (S28)."""
        ledger = self.ledger
        failing = ledger.failing or ledger.cancel is None
        self.ledger = evolve(ledger, failing=failing, failures=ledger.failures + 1)
        return Broken(failure, trail, ledger.failures)

    def leak(self, path: str, attempt: int) -> None:
        """Note an attempt that may still land (S24)."""
        self.ledger = evolve(self.ledger, leaked=(*self.ledger.leaked, (path, attempt, False)))

    def settle(self, state: EndState) -> None:
        """Note what became of a step that could be undone (S25)."""
        self.ledger = evolve(self.ledger, rollback=self.ledger.rollback.push_front(state))

    def cancel(self, frame: Frame) -> Frame | Ended:
        """Cancel a frame on behalf of one above it."""
        before, self.stopping = self.stopping, True
        after = frame.cancel(self)
        self.stopping = before
        return after

    def resume(self, frame: Frame, event: Event, *, stopping: bool) -> Frame | Ended:
        """Give an event to a frame below one that may have cancelled it."""
        before, self.stopping = self.stopping, self.stopping or stopping
        after = frame.resume(event, self)
        self.stopping = before
        return after


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
