"""Hooks on Temporal as data: which ones concern a run, and what they are told of (S31-S33).

Which hooks an engine has goes with each run that it begins; a worker takes only runs of engines with the same ones, so
no gate is passed because somebody has forgotten it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

import attrs

from orchestration.errors import Unserialisable
from orchestration.interpreter.serial import from_data, to_data
from orchestration.plan.body import Body
from orchestration.plan.hooks import Hook
from orchestration.plan.moments import REDACTED, Moment

if TYPE_CHECKING:
    from orchestration.engines.temporal_wire import Data
    from orchestration.plan.compile import Plan

MOMENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Moment)}
VALUE = "value"


def described(hooks: tuple[Hook, ...]) -> list[Data]:
    """Return the hooks of an engine as data: what decides when they are called."""
    return [
        {"kind": hook.kind, "ref": hook.body.ref, "at": [*hook.at], "strict": hook.strict, "expose": hook.expose}
        for hook in hooks
    ]


def standing_in(data: list[Data]) -> tuple[Hook, ...]:
    """Return what stands for the hooks of an engine in a workflow, which never calls them."""
    return tuple(
        Hook(
            Body(each["ref"], "function"), each["kind"], tuple(each["at"]), strict=each["strict"], expose=each["expose"]
        )
        for each in data
    )


def numbered(plan: Plan, engine: tuple[Hook, ...]) -> list[Hook]:
    """Return the hooks that concern a plan: the place of one in this list is its number."""
    return [*engine, *(hook for node in plan.nodes for hook in getattr(node, "hooks", ()))]


def moment_to_data(plan: Plan, moment: Moment, value: object, *, exposed: bool) -> Data:
    """Return a moment as data; a `value` that is exposed goes with it, if it has a form."""
    kind: Any = type(moment)
    data: Data = {"is": kind.__name__}
    for field in attrs.fields(kind):
        if field.name != VALUE:
            data[field.name] = to_data(plan, getattr(moment, field.name), moment.path)
    if exposed and hasattr(moment, VALUE):
        try:
            data[VALUE] = plan.codec.encode(value, moment.path)
        except Unserialisable:  # like one that cannot be copied, it is not shown
            return data
    return data


def moment_from_data(plan: Plan, data: Data) -> tuple[Moment, object]:
    """Return what `moment_to_data` was given."""
    value = plan.codec.decode(data[VALUE], data["path"]) if VALUE in data else REDACTED
    fields = {name: from_data(plan, field, data["path"]) for name, field in data.items() if name not in ("is", VALUE)}
    return cast("Moment", MOMENTS[data["is"]](**fields)), value
