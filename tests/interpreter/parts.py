"""What the tests of the interpreter build their plans from: steps of any type, with an undo or without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration import Retry, Workflow, step
from orchestration.outcomes import Failed
from tests.bodies import same, void
from tests.machine import Declined

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from tests.machine import Machine

ONCE = Retry(max_attempts=1)
PATIENT = Retry(max_attempts=3, initial_delay=2.0, jitter="none")
Flow = Workflow[Any, Any, Any]


def plain(name: str, **options: Any) -> Flow:
    """Return a step of this name."""
    return step(same, name=name, **options)


def armed(name: str, **options: Any) -> Flow:
    """Return a step of this name with an undo that is tried once."""
    return step(same, name=name, **options).compensate(void, retry=ONCE)


def settled(name: str, **options: Any) -> Flow:
    """Return a step of this name with an undo and an in-doubt handler that are tried once."""
    return step(same, name=name, **options).compensate(void, in_doubt=void, retry=ONCE)


def chain(name: str, *bodies: Flow) -> Flow:
    """Return a workflow of these bodies."""
    flow: Flow = Workflow[Any](name)
    for body in bodies:
        flow = flow.step(body)
    return flow


def forked(*bodies: Any) -> Any:
    """Return an open fork of these bodies, in a workflow named `flow`."""
    flow: Any = Workflow[Any]("flow")
    for body in bodies:
        flow = flow.fork(body)
    return flow


def failure_of(run: Machine) -> Failure:
    """Return the failure of a run that has failed."""
    assert isinstance(run.outcome, Failed)
    return run.outcome.failure


def attached(run: Machine) -> list[str]:
    """Return the messages of what is attached to the failure of a run."""
    return [later.message for later in failure_of(run).attached]


def kinds(run: Machine) -> list[str]:
    """Return the kinds of a run's failure and of what is attached to it, without their modules."""
    failure = failure_of(run)
    return [one.kind.rpartition(".")[2] for one in (failure, *failure.attached)]


def undone(run: Machine) -> tuple[str, ...]:
    """Return the paths that a run has undone, in order."""
    assert run.outcome is not None
    return run.outcome.rollback.undone


def fail_each(run: Machine, *names: str) -> None:
    """Let these fail, each with its name as the message."""
    for name in names:
        run.fail(f"flow/{name}", Declined(name))
