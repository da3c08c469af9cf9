"""Cleanups: what runs once when a scope has ended in any way, the last registered first (S21)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import attrs

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import VALUE, RunCleanup
from orchestration.interpreter.shielded import Shielded, begin
from orchestration.interpreter.turn import ENDED, Broken, Done, foregone

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Cleanup


@frozen
class Registered:
    """A cleanup that was reached, with the value that was there."""

    path: str
    node: Cleanup
    value: Any = attrs.field(metadata=VALUE)


Cleanups = tuple[Registered, ...]  # the last registered first


@frozen
class Closing:
    """A scope that unwinds, and has cleanups to run then."""

    unwinding: Frame
    cleanups: Cleanups

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the unwinding."""
        return close(self.unwinding.resume(event, turn), self.cleanups, turn)

    def cancel(self, turn: Turn) -> Self:  # noqa: ARG002 - the protocol's signature
        """Go on: unwinding is shielded (S24)."""
        return self


@frozen
class Cleaning:
    """A scope that has `ended` so and cleans up; `cleanups` are those after the one under way."""

    ended: Ended
    cleanups: Cleanups
    child: Shielded[RunCleanup]

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take the end of a cleanup's attempt, or of a backoff."""
        after = self.child.resume(event, turn)
        if isinstance(after, Shielded):
            return evolve(self, child=after)
        if after is not None:
            failures = turn.ledger.cleanup_failures
            turn.ledger = evolve(turn.ledger, cleanup_failures=(*failures, after))
        return close(evolve(self.ended), self.cleanups, turn)

    def cancel(self, turn: Turn) -> Self:  # noqa: ARG002 - the protocol's signature
        """Go on: cleaning up is shielded (S24)."""
        return self


def close(result: Frame | Ended, cleanups: Cleanups, turn: Turn) -> Frame | Ended:
    """Run the cleanups of a scope when it has ended, or will have when its unwinding has."""
    if not cleanups:
        return result
    if not isinstance(result, ENDED):
        return Closing(result, cleanups)
    registered, *others = cleanups
    effect = RunCleanup(registered.path, 1, registered.node, registered.value)
    return Cleaning(result, tuple(others), begin(effect, turn))


@foregone.register(Closing)
def _(frame: Closing, turn: Turn) -> Done | Broken | None:
    return foregone(frame.unwinding, turn)


@foregone.register(Cleaning)
def _(frame: Cleaning, turn: Turn) -> Done | Broken | None:  # noqa: ARG001 - as registered
    return frame.ended if isinstance(frame.ended, Done | Broken) else None
