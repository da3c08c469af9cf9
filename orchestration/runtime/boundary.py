"""Validation where values cross the boundary: input always, outputs on request (S12)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from orchestration.errors import InvalidInput, InvalidOutput
from orchestration.interpreter.effects import Attempted, RunStep
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handler import Handler

Validation = Literal["boundary", "all"]


def validate_input(plan: Plan, value: object) -> object:
    """Return the value as the workflow's input type.

    Raises:
        InvalidInput: naming each part that does not fit.
    """
    adapter = adapter_of(plan.takes)
    try:
        return value if adapter is None else adapter.validate_python(value)
    except ValidationError as error:
        raise _misfit(InvalidInput, plan.name, plan.takes, error, "Pass a value of that type.") from None


def parse_input(plan: Plan, text: str) -> object:
    """Return a JSON text as the workflow's input type.

    Raises:
        InvalidInput: naming each part that does not fit.
    """
    adapter = adapter_of(plan.takes) or TypeAdapter(Any)
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        raise _misfit(InvalidInput, plan.name, plan.takes, error, "Pass JSON that fits it.") from None


def dump_output(plan: Plan, value: object) -> str:
    """Return a run's value as a JSON text."""
    declared = adapter_of(plan.gives)
    adapter = declared if declared is not None and plan.gives is not Any else TypeAdapter(type(value))
    return adapter.dump_json(value, fallback=str).decode()


async def check_outputs(effect: Attempted, following: Handler) -> object:
    """Middleware that checks each output against the type that its body declares (S12, `validate="all"`).

    Raises:
        InvalidOutput: naming each part that does not fit; the step fails with it.
    """
    output = await following(effect)
    if type(effect) is not RunStep:
        return output
    adapter = adapter_of(effect.body.gives)
    try:
        return output if adapter is None else adapter.validate_python(output)
    except ValidationError as error:
        mend = "Return a value of that type, or change the annotation."
        raise _misfit(InvalidOutput, effect.path, effect.body.gives, error, mend) from None


def adapter_of(kind: Any) -> TypeAdapter[Any] | None:  # noqa: ANN401 - any type form
    """Return what validates a type, or `None` for one that pydantic knows nothing of."""
    try:
        return _adapter(kind)
    except TypeError:  # a type form that is not hashable
        return _make(kind)


def _make(kind: Any) -> TypeAdapter[Any] | None:  # noqa: ANN401 - any type form
    try:
        return TypeAdapter(kind)
    except PydanticUserError:
        pass
    try:
        return TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    except (PydanticUserError, TypeError):
        return None


_adapter = lru_cache(maxsize=256)(_make)


def _misfit(
    kind: type[InvalidInput | InvalidOutput], path: str, expected: object, error: ValidationError, mend: str
) -> InvalidInput | InvalidOutput:
    parts = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'value'}: {problem['msg']}" for problem in error.errors()
    ]
    return kind(path, found="; ".join(parts), expected=type_name(expected), mend=mend)
