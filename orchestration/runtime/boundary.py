"""Validation where values cross the boundary: input always, outputs on request (S12)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from orchestration.errors import InvalidInput, InvalidOutput, SignalRefused
from orchestration.interpreter.effects import Attempted, RunStep
from orchestration.plan.nodes import WaitFor
from orchestration.plan.secrets import masked
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handler import Handler, Middleware
    from orchestration.signals import Signal

Validation = Literal["boundary", "all"]
Misfit = InvalidInput | InvalidOutput | SignalRefused


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
    """Return a run's value as a JSON text, without its secrets (S33).

    Raises:
        ValueError: if it holds one that cannot be masked.
    """
    declared = adapter_of(plan.gives)
    adapter = declared if declared is not None and plan.gives is not Any else TypeAdapter(type(value))
    return adapter.dump_json(masked(value), fallback=str).decode()


def validate_signal(plan: Plan, state: State, signal: Signal[Any], payload: object) -> object:
    """Return the payload of a signal that a run can take (S21).

    Raises:
        SignalRefused: if the run is over or cancelled, never waits for it, or the payload is of another type.
    """
    if state.outcome is not None or state.ledger.cancel is not None:
        raise SignalRefused(
            plan.name,
            found=f"the signal {signal.name!r} to a run that {'is over' if state.outcome else 'was cancelled'}",
            expected="a run that goes on",
            mend="It is too late: look at the outcome, and do without.",
        )
    kinds = {node.signal: node.kind for node in plan.nodes if isinstance(node, WaitFor)}
    if signal.name not in kinds:
        raise SignalRefused(
            plan.name,
            found=f"the signal {signal.name!r}, which no step waits for",
            expected=f"one of {', '.join(repr(name) for name in kinds)}" if kinds else "no signal at all",
            mend="Send a signal that the workflow names in a wait_for.",
        )
    if signal.kind != kinds[signal.name]:
        raise SignalRefused(
            plan.name,
            found=f"the signal {signal.name!r} of {type_name(signal.kind)}",
            expected=f"{signal.name!r} of {type_name(kinds[signal.name])}, as the workflow waits for it",
            mend="Use the very Signal that the workflow was built with.",
        )
    adapter = adapter_of(signal.kind)
    try:
        return payload if adapter is None else adapter.validate_python(payload)
    except ValidationError as error:
        path = f"{plan.name}: the signal {signal.name!r}"
        raise _misfit(SignalRefused, path, signal.kind, error, "Send a payload of that type.") from None


def output_checks(validate: Validation, of: str = "the engine") -> tuple[Middleware, ...]:
    """Return the middleware that `validate` asks for.

    Raises:
        InvalidInput: if it is none of its words.
    """
    if validate not in get_args(Validation):
        raise InvalidInput(
            of,
            found=f"validate={validate!r}",
            expected=" or ".join(map(repr, get_args(Validation))),
            mend="Leave it out to validate only what comes from outside.",
        )
    return (check_outputs,) if validate == "all" else ()


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


def _misfit(kind: type[Misfit], path: str, expected: object, error: ValidationError, mend: str) -> Misfit:
    parts = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'value'}: {problem['msg']}" for problem in error.errors()
    ]
    return kind(path, found="; ".join(parts), expected=type_name(expected), mend=mend)
