"""What hooks are shown: frozen descriptions, without a handle on the plan, the state or the handler (S33)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.outcomes import Verdict


@final
class Redacted:
    """Stands for a value that is not shown (S33)."""

    _only: Redacted | None = None

    def __new__(cls) -> Redacted:
        """Return the only one."""
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        """Say so."""
        return "<redacted>"

    def __reduce__(self) -> str:
        """Stay the only one when copied or pickled."""
        return "REDACTED"


REDACTED = Redacted()


@frozen
class Asked:
    """What a gate is asked: whether the step at `path` may begin. `value` is its input, if the gate exposes it."""

    run_id: str
    path: str
    step: str
    key: str
    at: float
    value: object = REDACTED


@frozen
class WorkflowBegan:
    """A run began, or inside it a workflow that has hooks of its own. `value` is its input."""

    run_id: str
    path: str
    at: float
    value: object = REDACTED


@frozen
class WorkflowEnded:
    """A workflow ended: the run, with its `rollback`, or one inside it. `value` is its output where it has one."""

    run_id: str
    path: str
    at: float
    how: Literal["succeeded", "failed", "cancelled"]
    failure: Failure | None = None
    rollback: Verdict | None = None
    value: object = REDACTED


@frozen
class StepBegan:
    """A step begins: it has passed its gates, its first attempt is next. `value` is its input."""

    run_id: str
    path: str
    at: float
    key: str
    value: object = REDACTED


@frozen
class StepEnded:
    """A step ended, after its last attempt. `value` is its output where it has succeeded.

    One that is `lost` was under way when its process ended, and does not begin again: it was told to end, its time is
    over, or it was lost too often (S35).
    """

    run_id: str
    path: str
    at: float
    how: Literal["succeeded", "failed", "cancelled", "leaked", "lost"]
    failure: Failure | None = None
    value: object = REDACTED


@frozen
class AttemptBegan:
    """An attempt of a step begins, the first with number 1."""

    run_id: str
    path: str
    at: float
    attempt: int


@frozen
class AttemptEnded:
    """An attempt of a step ended; one that is `lost` was under way when its process ended, and begins again (S35)."""

    run_id: str
    path: str
    at: float
    attempt: int
    how: Literal["succeeded", "failed", "timed out", "cancelled", "leaked", "lost"]
    failure: Failure | None = None


@frozen
class RetryPlanned:
    """A step, an undo or a composite will be tried again at the time `due`."""

    run_id: str
    path: str
    at: float
    due: float


@frozen
class UndoBegan:
    """The undo of a step begins, or its in-doubt handler. `value` is what it gets."""

    run_id: str
    path: str
    at: float
    by: Literal["undo", "in_doubt"]
    attempt: int
    value: object = REDACTED


@frozen
class UndoEnded:
    """An attempt of an undo ended; one that is `lost` was under way when its process ended, and begins again (S35)."""

    run_id: str
    path: str
    at: float
    attempt: int
    how: Literal["succeeded", "failed", "timed out", "lost"]
    failure: Failure | None = None


@frozen
class RunCancelled:
    """A cancel was asked for; `decided` says whether it is what ends the run (S28)."""

    run_id: str
    path: str
    at: float
    reason: str
    decided: bool


@frozen
class RunResumed:
    """A run goes on where it was, in another process maybe; what happened before is not shown again (S32).

    `epoch` counts the processes that have had it, this one included (S38).
    """

    run_id: str
    path: str
    at: float
    epoch: int


Moment = (
    WorkflowBegan
    | WorkflowEnded
    | StepBegan
    | StepEnded
    | AttemptBegan
    | AttemptEnded
    | RetryPlanned
    | UndoBegan
    | UndoEnded
    | RunCancelled
    | RunResumed
)
