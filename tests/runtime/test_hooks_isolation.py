"""What hooks see, and what they cannot reach (S33)."""

from __future__ import annotations

import asyncio
import copy
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import pydantic
import pytest

from orchestration import CancelToken, Failure, Handle, LocalEngine, Secret, Workflow, gate, observer, step_context
from orchestration.errors import Unserialisable
from orchestration.interpreter.serial import state_to_data
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.plan.moments import REDACTED, Asked, AttemptEnded, StepBegan, StepEnded
from orchestration.runtime.boundary import dump_output
from orchestration.runtime.context import NotInAStep
from tests.bodies import double, increase, undo
from tests.runtime.support import go, turns

if TYPE_CHECKING:
    from orchestration.plan.moments import Moment

VARIABLE: ContextVar[str] = ContextVar("variable", default="unset")


@dataclass(frozen=True)
class Card:
    """A record with a secret."""

    number: Annotated[str, Secret]
    holder: str = "Kim"


@dataclass(frozen=True)
class Basket:
    """A record around it."""

    cards: list[Card]
    token: pydantic.SecretStr
    tags: dict[str, Card] = field(default_factory=dict)


class Uncopyable:
    """What cannot be copied."""

    def __deepcopy__(self, _: object) -> Uncopyable:
        """End the process, if nobody is careful."""
        raise SystemExit


class Shared:
    """What is its own copy."""

    def __init__(self, card: Card) -> None:
        """Hold a secret."""
        self.card = card

    def __copy__(self) -> Shared:
        """Return the same."""
        return self

    def __deepcopy__(self, _: object) -> Shared:
        """Return the same."""
        return self


def run(flow: Workflow[Any, Any], value: object, **options: Any) -> Any:
    """Run a workflow on an engine of its own."""
    return asyncio.run(LocalEngine(**options).execute(flow, value))


def keep(value: Any) -> Any:
    """Return what came."""
    return value


# --- values


def test_values_are_redacted_unless_the_hook_asks_for_them() -> None:
    """S33: what a gate is asked, and every moment that has a value."""
    plain: list[Any] = []
    exposed: list[Any] = []
    hooks = [
        gate(plain.append),
        gate(exposed.append, expose=True),
        observer(plain.append),
        observer(exposed.append, expose=True),
    ]
    inner = Workflow[int]("inner", hooks=hooks).step(increase).compensate(undo).pure(lambda n: n // 0)
    assert isinstance(run(Workflow[int]("flow", hooks=hooks).step(inner), 1), Failed)
    assert {repr(moment.value) for moment in plain if hasattr(moment, "value")} == {"<redacted>"}
    values = [(type(moment).__name__, moment.value) for moment in exposed if hasattr(moment, "value")]
    assert [pair for pair in values if pair[1] is not None] == [
        ("WorkflowBegan", 1),
        *[("WorkflowBegan", 1)] * 2,
        *[("Asked", 1)] * 2,
        *[("StepBegan", 1)] * 2,
        *[("StepEnded", 2)] * 2,
        *[("UndoBegan", 2)] * 2,
    ]


def test_secrets_are_masked_in_what_is_exposed_and_only_there() -> None:
    """S33: also nested ones; the step gets the value as it is."""
    seen: list[Any] = []
    got: list[Any] = []
    basket = Basket([Card("4242")], pydantic.SecretStr("t0k3n"), {"spare": Card("1111")})
    flow = Workflow[Any]("flow").step(got.append, hooks=[gate(seen.append, expose=True)])
    assert run(flow, basket).ok
    assert got == [basket]
    assert got[0].cards[0].number == "4242"
    [asked] = seen
    assert repr(asked.value) == (
        "Basket(cards=[Card(number='**********', holder='Kim')], token=SecretStr('**********'), "
        "tags={'spare': Card(number='**********', holder='Kim')})"
    )
    assert asked.value.token.get_secret_value() == "**********"


@pytest.mark.parametrize(
    "value", [Uncopyable(), Shared(Card("4242")), (n for n in ())], ids=lambda value: type(value).__name__
)
def test_what_cannot_be_copied_is_not_shown(value: object) -> None:
    """S33: rather nothing than the run's own value; whatever its copying raises."""
    seen: list[Any] = []
    flow = Workflow[Any]("flow").step(keep, hooks=[observer(seen.append, at="step", expose=True)])
    outcome = run(flow, value)
    assert outcome.value is value
    assert outcome.hook_failures == ()
    assert [moment.value for moment in seen] == [REDACTED, REDACTED]
    assert copy.deepcopy(seen[0].value) is type(REDACTED)() is REDACTED


def test_a_hook_that_changes_what_it_gets_changes_nothing() -> None:
    """S33: descriptions are frozen, and an exposed value is a copy for each hook."""
    seen: list[object] = []

    def change(moment: Moment) -> None:
        assert isinstance(moment, StepBegan | StepEnded)
        assert isinstance(moment.value, list)
        seen.append(list(moment.value))
        moment.value.clear()
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            moment.path = "elsewhere"  # type: ignore[misc]  # the very case

    hooks = [observer(change, at="step", expose=True), observer(change, at="step", expose=True, strict=True)]
    outcome = run(Workflow[Any]("flow", hooks=hooks).step(keep), [1, 2])
    assert (outcome.value, outcome.hook_failures) == ([1, 2], ())
    assert seen == [[1, 2]] * 4


def test_a_failure_that_a_hook_is_shown_leads_nowhere() -> None:
    """S33: it is without the exception, whose traceback holds the frames of the run; so are its causes."""
    seen: list[Failure | None] = []

    def fail(n: int) -> int:
        raise ValueError("no") from KeyError("k")

    def note(moment: Moment) -> None:
        if isinstance(moment, StepEnded | AttemptEnded):
            seen.append(moment.failure)

    outcome = run(Workflow[int]("flow", hooks=[observer(note)]).step(fail), 1)
    assert outcome.failure.exception is not None
    assert len(seen) == 2
    for failure in seen:
        assert failure == outcome.failure
        assert failure.exception is None
        assert failure.cause is not None
        assert failure.cause.exception is None


# --- the context


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_hook_sees_the_context_of_the_caller_and_no_step(*, asynchronous: bool) -> None:
    """S33, S11: not even inside a step that runs a workflow; what a hook sets is seen by nobody else."""
    seen: list[object] = []

    def note(moment: object) -> None:
        with pytest.raises(NotInAStep):
            step_context()
        seen.append(VARIABLE.get())
        VARIABLE.set("changed by a hook")

    async def note_later(moment: object) -> None:
        note(moment)

    hook = note_later if asynchronous else note
    inner = Workflow[int]("inner", hooks=[gate(hook), observer(hook)]).step(increase).step(double)

    async def outer(n: int) -> int:
        VARIABLE.set("of the step")
        outcome = await LocalEngine().execute(inner, n)
        assert (outcome.ok, outcome.hook_failures) == (True, ())
        return n

    assert run(Workflow[int]("flow").step(outer), 1).ok
    assert seen == ["of the step"] * 12


# --- what hooks do


def test_a_hook_may_run_another_workflow() -> None:
    """S33: on the same engine, under way at the same time as the run that asks."""
    engine = LocalEngine()

    async def look_up(asked: Asked) -> None:
        outcome = await engine.execute(Workflow[int]("inner").step(increase).step(double), 1)
        assert isinstance(outcome, Succeeded)
        assert outcome.value == 4

    def look_up_in_a_thread(asked: Asked) -> None:
        assert asyncio.run(LocalEngine().execute(Workflow[int]("inner").step(increase), 1)).ok

    flow = Workflow[int]("flow").step(increase, hooks=[gate(look_up), gate(look_up_in_a_thread)])

    async def main() -> None:
        assert (await engine.execute(flow, 1)).ok

    go(main)


def test_a_task_that_a_hook_starts_is_its_own() -> None:
    """S33: the run neither waits for it nor ends it."""

    async def main() -> None:
        started: list[asyncio.Task[None]] = []
        free = asyncio.Event()

        async def wait() -> None:
            await free.wait()

        async def begin(_: Moment) -> None:
            started.append(asyncio.create_task(wait()))

        flow = Workflow[int]("flow").step(increase, hooks=[observer(begin, at="step")])
        assert (await LocalEngine().execute(flow, 1)).ok
        assert [task.done() for task in started] == [False, False]
        free.set()
        await asyncio.gather(*started)

    go(main)


@pytest.mark.parametrize("kind", [gate, observer])
def test_a_hook_may_cancel_the_run_by_its_handle(kind: Any) -> None:
    """S28: as everybody who has it; the step does not begin."""
    ran: list[int] = []

    async def main() -> None:
        handles: list[Handle[Any]] = []

        async def cancel(_: object) -> None:
            handles[0].cancel("by a hook")

        flow = Workflow[int]("flow").sleep(0.001).step(ran.append, hooks=[kind(cancel)])
        handles.append(await LocalEngine().start(flow, 1))
        outcome = await handles[0].result()
        assert isinstance(outcome, Cancelled)
        assert (outcome.reason, outcome.hook_failures) == ("by a hook", ())

    go(main)
    assert ran == []


def test_an_observer_that_awaits_the_outcome_waits_in_vain() -> None:
    """S32: the outcome waits for the observers; it is listed after its timeout."""

    async def main() -> None:
        handles: list[Handle[Any]] = []

        async def wait(_: object) -> None:
            await handles[0].result()

        engine = LocalEngine(hooks=[observer(wait, at="workflow", timeout=0.01)])
        handles.append(await engine.start(Workflow[int]("flow").step(increase), 1))
        outcome = await handles[0].result()
        assert [failure.moment for failure in outcome.hook_failures] == ["WorkflowBegan", "WorkflowEnded"]

    go(main)


def test_hooks_are_called_while_a_cancelled_run_unwinds() -> None:
    """S32, S24: what fails there is only listed, and the undo goes on."""

    async def main() -> None:
        token = CancelToken()

        async def fail(moment: Moment) -> None:
            if token.cancelled:
                raise PermissionError

        def cancel(n: int) -> int:
            token.cancel("enough")
            return n

        hooks = [observer(fail), observer(fail, at="step", strict=True)]
        flow = Workflow[int]("flow", hooks=hooks).step(increase).compensate(undo).step(cancel).sleep(60)
        outcome = await LocalEngine().execute(flow, 1, token=token)
        assert isinstance(outcome, Cancelled)
        assert outcome.rollback.undone == ("flow/increase",)
        failed = {failure.moment for failure in outcome.hook_failures}
        assert {"RunCancelled", "UndoBegan", "UndoEnded", "WorkflowEnded"} <= failed

    go(main)


# --- secrets elsewhere


def test_a_marked_field_is_masked_in_messages_and_refused_where_it_would_be_stored() -> None:
    """S33: a loop past its limit shows its value, a state as JSON holds no secret in plain text."""
    card = Card("4242")
    flow = Workflow[Card]("flow").loop(keep, until=lambda value, index: False, max_iterations=2)
    outcome = run(flow, card)
    assert "the last value is Card(number='" in outcome.failure.message
    assert "4242" not in outcome.failure.message
    assert outcome.failure.exception.value is card

    async def main() -> None:
        handle = await LocalEngine().start(Workflow[Card]("flow").sleep(60), card)
        await turns()
        with pytest.raises(Unserialisable, match=r"\.number: found a field that is marked as Secret; .*S33"):
            state_to_data(handle.plan, handle.state)
        handle.cancel()
        await handle.result()

    go(main)


def test_the_value_of_a_run_is_printed_without_its_secrets() -> None:
    """S33: as JSON, by the command; its other fields as they are."""
    plan = Workflow[Basket]("flow").compile()
    basket = Basket([Card("4242")], pydantic.SecretStr("t0k3n"))
    card = '{"number":"**********","holder":"Kim"}'
    assert dump_output(plan, basket) == f'{{"cards":[{card}],"token":"**********","tags":{{}}}}'
    assert dump_output(Workflow[Any]("flow").compile(), [Card("4242")]) == f"[{card}]"
