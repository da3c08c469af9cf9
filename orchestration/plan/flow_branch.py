"""The row of `flow` for branches: what each arm gets, and whether all arms together cover what comes (S13)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin

from orchestration.plan.shapes import either, literals, single_values, union_members
from orchestration.plan.typenames import type_name
from orchestration.plan.types import Fit, fits

if TYPE_CHECKING:
    from orchestration.plan.here import Here
    from orchestration.plan.nodes import Arm, Branch

OTHERWISE = "lose the branch with .otherwise(body)."


def branch(node: Branch, here: Here) -> object:
    """Check the arms of a branch, and that one of them takes whatever comes."""
    outputs = [_arm(arm, here) for arm in node.arms]
    if not node.arms:
        mend = "Add .when(predicate, body) or .case(Kind, body) first, or use .step(body) for every value."
        here.add(found="a branch without arms", expected="one arm at least", mend=mend)
    if node.otherwise is not None:
        outputs.append(here.into("named", node.otherwise, here.given, here.source))
    elif not node.exhaustive:
        mend = "Close the branch with .otherwise(body), or with .exhaustive() if the arms cover a declared union."
        here.add(found="a branch that can match nothing", expected="otherwise or exhaustive", mend=mend)
    elif node.arms and all(arm.kind is None or _is_case(arm.kind) for arm in node.arms):
        _covered(node, here)
    return either(outputs)


def _arm(arm: Arm, here: Here) -> object:
    if arm.test is not None:
        gets = "A predicate gets the value that comes to the branch"
        at = here.at("named", arm.node.name)
        at.evaluated(arm.test, here.given, role="a predicate", gets=gets)
        return here.into("named", arm.node, here.given, here.source)
    if get_origin(arm.kind) is Literal and fits(arm.kind, here.given) is Fit.MISFITS:
        here.at("named", arm.node.name).add(
            found=f"case({_case_of(arm.kind)})",
            expected=f"a value that may come: {type_name(here.given)} comes from {here.source}",
            mend="Take the arm out, or mend the value.",
        )
    if _is_case(arm.kind):
        return here.into("named", arm.node, arm.kind, f"case({type_name(arm.kind)})")
    here.at("named", arm.node.name).add(
        found=f"case({_shown(arm.kind)})",
        expected="a class that isinstance takes, a member of an enum, or a str, int, bool or None",
        mend="Give each class or value a .case of its own, or use .when(predicate, body).",
    )
    return here.into("named", arm.node, Any, here.source)


def _is_case(kind: object) -> bool:
    """Tell whether a value can be told to be of this kind: a literal, or what `isinstance` takes as a class.

    Not every protocol is one, nor is a TypedDict.
    """
    if get_origin(kind) is Literal:
        return all(value is None or isinstance(value, str | int | bytes | Enum) for value in get_args(kind))
    try:
        isinstance(None, cast("type", kind))
    except TypeError:
        return False
    return isinstance(kind, type)


def _shown(kind: object) -> str:
    return repr(kind) if type_name(kind) == "Any" and kind is not Any else type_name(kind)


def _covered(node: Branch, here: Here) -> None:
    members = union_members(here.given)
    if members is None:
        here.add(
            found=f"exhaustive() over {type_name(here.given)}",
            expected="a value with a declared type: a class, an enum, literals or a union of these",
            mend=f"Annotate what the body before it returns, or c{OTHERWISE}",
        )
        return
    kinds = tuple(arm.kind for arm in node.arms if arm.kind is not None)
    missing = [left for member in members for left in _uncovered(member, kinds)]
    if missing:
        names = ", ".join(_case_of(it) or "" if get_origin(it) is Literal else type_name(it) for it in missing)
        case = _case_of(missing[0])
        mend = f"C{OTHERWISE}" if case is None else f"Add .case({case}, body), or c{OTHERWISE}"
        here.add(found=f"no arm for {names}", expected=f"arms for all of {type_name(here.given)}", mend=mend)


def _uncovered(member: object, kinds: tuple[object, ...]) -> list[object]:
    """Return what of a member no arm takes: itself, or of an enum of which some values are taken, the other values."""
    classes = tuple(kind for kind in kinds if isinstance(kind, type))
    values = {key for kind in kinds for key in literals(kind)}
    own = literals(member) or single_values(member)
    kind = type(get_args(member)[0]) if get_origin(member) is Literal else member
    if isinstance(kind, type) and issubclass(kind, classes):
        return []
    left = [value for key, value in own.items() if key not in values]
    return left if len(left) < len(own) else [member]


def _case_of(member: object) -> str | None:
    """Return how a caller writes the arm that is missing; None where no `case` takes it."""
    if get_origin(member) is Literal:
        value = get_args(member)[0]
        return f"{type(value).__qualname__}.{value.name}" if isinstance(value, Enum) else repr(value)
    if not isinstance(member, type):
        return None
    return "type(None)" if member is type(None) else member.__qualname__
