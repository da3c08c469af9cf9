"""Branch: the first arm that holds is taken and stands for the branch; it needs no frame of its own (S13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from orchestration.errors import NoBranchMatched
from orchestration.failures import Failure
from orchestration.interpreter.pure import holds
from orchestration.interpreter.turn import Broken

if TYPE_CHECKING:
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Arm, Branch


def enter(node: Branch, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Ask the predicates in order and begin the arm of the first that holds."""
    for arm in node.arms:
        verdict = _takes(arm, path, value, turn)
        if isinstance(verdict, Broken):
            return verdict
        if verdict:
            return turn.enter(arm.node, f"{path}/{arm.node.name}", value)
    if node.otherwise is not None:
        return turn.enter(node.otherwise, f"{path}/{node.otherwise.name}", value)
    return turn.broken(Failure.of(_no_match(node, path, value), path))


def _takes(arm: Arm, path: str, value: object, turn: Turn) -> bool | Broken:
    if arm.test is None:
        return is_of_kind(value, arm.kind)
    return holds(arm.test, (value,), f"{path}/{arm.node.name}", turn)


def is_of_kind(value: object, kind: Any) -> bool:  # noqa: ANN401 - a class or a literal
    """Tell whether a value is of a class, or one of the values of a literal."""
    if get_origin(kind) is Literal:
        return any(type(value) is type(member) and value == member for member in get_args(kind))
    return isinstance(value, kind)


def _no_match(node: Branch, path: str, value: object) -> NoBranchMatched:
    arms = ", ".join(arm.node.name for arm in node.arms)
    return NoBranchMatched(
        path,
        found=f"a {type(value).__name__}",
        expected=f"a value that one of the arms takes ({arms})",
        mend="Close the branch with .otherwise(body).",
    )
