"""The value that a fold starts from: whether it fits, and its form in a stored plan (S16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.errors import Unserialisable
from orchestration.plan.codec import Codec
from orchestration.plan.nodes import Beside, Compensated, Fold, Into, Node, Pure, Retried, Scope, Step, Timed
from orchestration.plan.typenames import type_name
from orchestration.plan.types import Fit, fits

if TYPE_CHECKING:
    from orchestration.plan.here import Here


def taken_by(node: Node) -> object:
    """Return the type of the value that a node takes, as far as its first body or workflow says; else `Any`."""
    match node:
        case Step() if node.spread:
            return tuple[node.body.takes]  # type: ignore[name-defined]  # built at run time
        case Step() | Pure():
            return node.body.takes[0]
        case Scope():
            return taken_by(node.children[0]) if node.takes is Any and node.children else node.takes
        case Beside() | Compensated() | Timed() | Retried():
            return taken_by(node.body)
        case _:
            return Any


def check_initial(value: object, wanted: object, taker: str, here: Here) -> None:
    """Note a problem if a first accumulator is not what is taken first, or has no form in a stored plan."""
    if fits(type(value), wanted) is Fit.MISFITS:
        here.add(
            found=f"{type_name(type(value))} as the initial value",
            expected=f"{type_name(wanted)}, which {taker} takes first",
            mend="Begin with a value of this type, or change what the function takes.",
        )
    try:
        Codec((wanted, type(value))).encode(value, "initial")
    except Unserialisable as error:
        expected = f"{error.expected}: it is part of the plan"
        here.add(found=f"{error.found} as {error.path}", expected=expected, mend=error.mend)


def declared(holder: Fold | Into) -> tuple[object, ...]:
    """Return the types by which the initial value is written and read: what its function takes."""
    return (taken_by(holder.body),) if isinstance(holder, Fold) else holder.combine.takes
