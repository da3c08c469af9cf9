"""How a run ends: the outcome, and as its second field what became of everything that could be undone (S25, S26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, Literal

import attrs
from typing_extensions import TypeVar

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from orchestration.failures import Failure

T = TypeVar("T", covariant=True, default=object)


@frozen
class Undone:
    """A step was undone, by its undo or, where its effect was in doubt, by its in-doubt handler."""

    path: str
    by: Literal["undo", "in_doubt"] = "undo"

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}: undone" if self.by == "undo" else f"{self.path}: in doubt, settled by its handler"


@frozen
class UndoFailed:
    """An undo failed for good: the step's effect stands."""

    path: str
    failure: Failure

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}: NOT undone, its undo failed with {self.failure.kind}: {self.failure.message}"


@frozen
class Held:
    """A step was not undone because something that depends on it could not be undone."""

    path: str
    because_of: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}: NOT undone, held because {self.because_of} could not be undone"


@frozen
class InDoubt:
    """Whether the step's effect landed is not known, and the step has no in-doubt handler."""

    path: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}: IN DOUBT, nobody knows whether its effect landed"


@frozen
class Kept:
    """A step's effect was kept on purpose: compensation is off."""

    path: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}: kept"


EndState = Undone | UndoFailed | Held | InDoubt | Kept
Verdict = Literal["not needed", "complete", "partial"]


@frozen
class Rollback:
    """What became of each step that could be undone, in the order in which it was decided (S23, S25).

    ```python
    outcome = await LocalEngine().execute(Workflow[Order]("sale").step(reserve).compensate(release), order)
    assert (outcome.rollback.verdict, outcome.rollback.undone) == ("not needed", ())
    ```
    """

    steps: tuple[EndState, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """`not needed` with nothing to undo, `partial` if anything was left standing or in doubt (S26)."""
        if not self.steps:
            return "not needed"
        whole = all(isinstance(step, Undone | Kept) for step in self.steps)
        return "complete" if whole else "partial"

    @property
    def undone(self) -> tuple[str, ...]:
        """The paths that were undone, in order."""
        return tuple(step.path for step in self.steps if isinstance(step, Undone))

    def __str__(self) -> str:
        """Tell a person what was undone, what was not, and why."""
        head = {"not needed": "nothing to undo", "complete": "rollback complete", "partial": "rollback PARTIAL"}
        return "\n".join([head[self.verdict], *(f"  {step}" for step in self.steps)])


@frozen
class HookFailure:
    """An observer failed, or gave no answer in time; the run went on as if it had not (S32)."""

    hook: str
    moment: str
    path: str
    failure: Failure

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.hook} at {self.moment} of {self.path}: {self.failure.kind}: {self.failure.message}"


def in_a_notebook(outcome: Outcome[object], **_: object) -> dict[str, str]:
    """Return how a notebook shows an outcome: as HTML."""
    from orchestration.render.notebook import outcome_bundle  # noqa: PLC0415 - only a notebook needs it

    return outcome_bundle(outcome)


@frozen
class Succeeded(Generic[T]):
    """The run ended with a value.

    ```python
    outcome = await LocalEngine().execute(Workflow[Order]("sale").step(reserve), order)
    assert isinstance(outcome, Succeeded) and outcome.value == Reserved(order)
    ```
    """

    value: T = attrs.field(metadata={"holds": "value"})
    run_id: str
    rollback: Rollback = Rollback()
    leaked: tuple[str, ...] = ()
    unused_signals: tuple[str, ...] = ()
    cleanup_failures: tuple[Failure, ...] = ()
    hook_failures: tuple[HookFailure, ...] = ()
    ok: ClassVar[bool] = True
    _repr_mimebundle_ = in_a_notebook


@frozen
class Failed:
    """The run failed; `failure` is the first, with later ones attached.

    ```python
    match await LocalEngine().execute(Workflow[Order]("sale").step(reserve), order):
        case Failed(failure=failure, rollback=rollback):
            print(failure, rollback)
    ```
    """

    failure: Failure
    run_id: str
    rollback: Rollback = Rollback()
    leaked: tuple[str, ...] = ()
    unused_signals: tuple[str, ...] = ()
    cleanup_failures: tuple[Failure, ...] = ()
    hook_failures: tuple[HookFailure, ...] = ()
    ok: ClassVar[bool] = False
    _repr_mimebundle_ = in_a_notebook


@frozen
class Cancelled:
    """The run was cancelled; `attached` holds failures that came after the cancel (S28).

    ```python
    match await LocalEngine().execute(Workflow[Order]("sale").step(reserve), order):
        case Cancelled(reason=reason, rollback=rollback):
            print(reason, rollback)
    ```
    """

    reason: str
    run_id: str
    rollback: Rollback = Rollback()
    leaked: tuple[str, ...] = ()
    attached: tuple[Failure, ...] = ()
    unused_signals: tuple[str, ...] = ()
    cleanup_failures: tuple[Failure, ...] = ()
    hook_failures: tuple[HookFailure, ...] = ()
    ok: ClassVar[bool] = False
    _repr_mimebundle_ = in_a_notebook


Outcome = Succeeded[T] | Failed | Cancelled
