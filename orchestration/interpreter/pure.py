"""Pure functions: the interpreter evaluates them itself (S7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from orchestration.failures import Failure
from orchestration.interpreter.turn import Broken, Done

if TYPE_CHECKING:
    from orchestration.interpreter.trail import Trail
    from orchestration.interpreter.turn import Turn
    from orchestration.plan.body import Body
    from orchestration.plan.nodes import Pure

Answer: TypeAlias = "tuple[object, BaseException | None]"  # what a function has returned, or raised


def enter(node: Pure, path: str, value: object, turn: Turn) -> Done | Broken:
    """Evaluate the function: the node ends at once."""
    return evaluate(node.body, (value,), path, turn)


def evaluate(
    body: Body, values: tuple[object, ...], path: str, turn: Turn, trail: Trail | None = None
) -> Done | Broken:
    """Call a function of the plan; what it raises fails the node like a step (S7).

    One that was asked about this event before the turn began has answered.
    """
    try:
        output = _answered(turn) if turn.answers else body.call(*values)
        if hasattr(type(output), "__await__"):
            _refuse(output)
    except Exception as error:  # noqa: BLE001 - whatever a user's function raises is its failure
        return turn.broken(Failure.of(error, path), trail)
    return Done(output, trail)


def holds(test: Body, values: tuple[object, ...], path: str, turn: Turn) -> bool | Broken:
    """Ask a predicate; an answer of which nobody can say whether it holds fails the node as well (S7)."""
    answer = evaluate(test, values, path, turn)
    if isinstance(answer, Broken):
        return answer
    try:
        return bool(answer.value)
    except Exception as error:  # noqa: BLE001 - an answer is a user's object, its truth may raise anything
        return turn.broken(Failure.of(error, path))


def _answered(turn: Turn) -> object:
    (output, error), *turn.answers = turn.answers
    if error is not None:
        raise error
    return output


def _refuse(awaitable: object) -> None:
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()  # a coroutine that nobody awaits would warn later, far from here
    message = "a pure function returned an awaitable; use .step(...) for what must be awaited"
    raise TypeError(message)
