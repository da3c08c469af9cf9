"""Everything this library raises.

    OrchestrationError
    ├── PlanError            one thing that is wrong with a plan (S6); `PlanErrors` groups all of them
    ├── UnresolvedReference  a stored plan names something the registry does not hold
    ├── InvalidDocument      stored data (a plan, a state) is damaged or of another kind
    ├── InvalidInput         the value given to a run does not fit the workflow's type (S12)
    ├── InvalidOutput        a step's output does not fit its declared type (S12)
    ├── Unserialisable       a value has no form in JSON (S12)
    ├── NoBranchMatched      no arm of a branch took the value (S13)
    ├── LoopLimitExceeded    a loop went past its max_iterations (S17)
    ├── DeadlineExceeded     a timeout or a deadline has passed (S10); a TimeoutError as well
    ├── PartialRollback      the losers of a race could not all be undone (S20)
    ├── ToleranceExceeded    more members of a group failed than it tolerates (S18)
    ├── NothingToRace        a race among no members (S18)
    ├── Vetoed               a gate forbade a step (S31)
    ├── GateFailed           a gate, or a strict observer, failed or gave no answer in time (S31, S32)
    ├── IllegalEvent         an event that cannot happen in this state (S3)
    ├── MissingService       a plan needs a service that is not bound
    ├── SourceSpent          a source that can be read only once was to be read again (S16)
    ├── MissingLimit         a plan names a limit that the engine gives no capacity (S14)
    ├── MissingExecutor      a plan names an executor that the engine does not have (S11)
    ├── NotPicklable         a body, value or exception cannot go to another process or back (S11)
    ├── ProcessDied          the process of a step ended during its work (S11); a ConnectionError as well
    ├── KeyReused            an idempotency key was used with another input (S5)
    ├── AmbiguousService     two bound services share a function
    ├── SignalRefused        a signal that the run cannot take (S21)
    ├── RunExists            a run id is in use (S5)
    ├── StepLost             the process ended again and again while the step was under way (S35)
    ├── JournalError         something about a journal
    │   ├── RunNotFound      the journal holds no such run
    │   ├── UnknownWorkflow  a run of the journal is of a workflow that the engine does not have
    │   ├── RunHeld          another process drives the run (S38)
    │   ├── LeaseLost        another process has taken the run over (S38)
    │   ├── JournalCorrupt   what was stored is damaged (S37)
    │   ├── JournalFailed    the journal could not be read or written: a full disk
    │   │   └── JournalBusy  others write to it
    │   └── ReplayMismatch   the plan as it is now would not have done what the journal says (S36)
    ├── NotInAStep           `step_context()` was called outside of a step
    └── RunEnded             `run` raises these; they carry the outcome
        ├── WorkflowFailed
        └── WorkflowCancelled

    PlanWarning              is no error: it is given by `warnings.warn` when a plan is compiled

Each message names where, what was found, what was expected and the mend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.outcomes import Cancelled, Failed


class OrchestrationError(Exception):
    """The root of all errors of this library.

    ```python
    try:
        Workflow[Order]("sale").step(reserve).step(reserve).compile()
    except OrchestrationError as error:
        print(error)
    ```
    """


class Defect(OrchestrationError):
    """An error with a place: where it is, what was found, what was expected, and how to mend it."""

    def __init__(self, path: str, *, found: str, expected: str, mend: str) -> None:
        """Keep the four parts and join them to one readable message."""
        super().__init__(f"{path}: found {found}; expected {expected}. {mend}")
        self.path = path
        self.found = found
        self.expected = expected
        self.mend = mend

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the four parts: an exception's own way would lose the keywords."""
        return (_rebuild, (type(self), self.path, self.found, self.expected, self.mend))


def _rebuild(kind: type[Defect], path: str, found: str, expected: str, mend: str) -> Defect:
    return kind(path, found=found, expected=expected, mend=mend)


class PlanError(Defect):
    """One thing that is wrong with a plan (S6)."""


class PlanWarning(UserWarning):
    """Something in a plan that is allowed, but hardly meant (S22)."""


class PlanErrors(ExceptionGroup[PlanError], OrchestrationError):
    """All that is wrong with a plan, at once (S6).

    ```python
    try:
        Workflow[Order]("sale").step(reserve).step(reserve).compile()
    except PlanErrors as errors:
        for error in errors.exceptions:
            print(error)
    ```
    """

    def derive(self, excs: Sequence[PlanError]) -> PlanErrors:  # type: ignore[override]  # a group of plan errors splits into such groups
        """Keep the class when the group is split."""
        return PlanErrors(self.message, excs)

    def __str__(self) -> str:
        """List the problems, one a line."""
        return "\n".join([self.message, *(f"  - {problem}" for problem in self.exceptions)])


class UnresolvedReference(Defect):
    """A stored plan names a function or type that the registry does not hold (loading never imports)."""


class InvalidDocument(Defect):
    """Stored data (a plan, a state) is damaged or of another kind."""


class InvalidInput(Defect):
    """The value given to a run does not fit the workflow's input type (S12)."""


class InvalidOutput(Defect):
    """A step's output does not fit its declared type (S12)."""


class Unserialisable(Defect):
    """A value has no form in JSON (S12)."""


class IllegalEvent(Defect):
    """An event that cannot happen in this state (S3); the state is unchanged."""


class NoBranchMatched(Defect):
    """No arm of a branch took the value (S13)."""


class LoopLimitExceeded(Defect):
    """A loop went past its `max_iterations` (S17); `value` is the last one, in the process where it happened."""

    value: object = None


class DeadlineExceeded(Defect, TimeoutError):
    """A `timeout` or `deadline` has passed (S10).

    ```python
    async def later(failure: Failure) -> Order: return order

    slow = Workflow[Order]("slow").step(Workflow[Order]("wait").sleep(3600), timeout=0.01)
    assert await slow.recover(later, on=DeadlineExceeded).run(order) == order
    ```
    """


class PartialRollback(Defect):
    """What a race has lost could not all be undone, so its winner's value does not go on (S20)."""


class ToleranceExceeded(Defect):
    """More members of a group failed than it tolerates (S18)."""


class NothingToRace(Defect):
    """A race among no members has no winner (S18)."""


class Vetoed(Defect):
    """A gate forbade a step (S31)."""


class GateFailed(Defect):
    """A gate, or a strict observer, failed or gave no answer in time: the step fails for it (S31, S32)."""


class SourceSpent(Defect):
    """A source of a stream that can be read only once was to be read again (S16)."""


class MissingLimit(Defect):
    """A plan names a limit that the engine gives no capacity (S14)."""


class MissingExecutor(Defect):
    """A plan names an executor that the engine does not have (S11)."""


class NotPicklable(Defect):
    """A body, value or exception cannot go to another process or back (S11)."""


class ProcessDied(Defect, ConnectionError):
    """The process of a step ended during its work, which leaves the step in doubt (S11, S22)."""


class KeyReused(Defect):
    """An idempotency key was used with another input (S5)."""


class SignalRefused(Defect):
    """A signal that a run cannot take: it is over or cancelled, never waits for it, or the type is wrong (S21)."""


class MissingService(Defect):
    """A plan needs a service that is not bound."""


class AmbiguousService(Defect):
    """Two bound services share a function, so a method does not say which is meant."""


class RunExists(Defect):
    """A run id is in use by a run with another plan or input (S5)."""


class StepLost(Defect):
    """The process ended again and again while a step was under way: it may be the step that ends it (S35)."""


class JournalError(Defect):
    """Something about a journal: its path begins with the run's id."""


class RunNotFound(JournalError):
    """A journal holds no run of this id."""


class RunHeld(JournalError):
    """Another process drives the run, and its lease is not over (S38)."""


class UnknownWorkflow(JournalError):
    """A run of the journal is of a workflow that the engine does not have."""


class LeaseLost(JournalError):
    """Another process has taken the run over: this one may not write to its log any more (S38)."""


class JournalCorrupt(JournalError):
    """What a journal has stored is damaged; `clean` is how many records of the run come before the damage (S37)."""

    clean: int = 0


class JournalFailed(JournalError):
    """A journal could not be read or written; the cause is what the storage raised."""


class JournalBusy(JournalFailed):
    """Others write to a journal: for longer than its timeout, or at all, if somebody was not to wait."""


class ReplayMismatch(JournalError):
    """The plan as it is now would not have done what the journal says was done (S36)."""


class RunEnded(OrchestrationError):
    """A run did not succeed; `outcome` tells how."""

    outcome: Failed | Cancelled


class WorkflowFailed(RunEnded):
    """A run failed. Where the first failure was an exception of this process, it is the cause.

    ```python
    def lost(order: Order) -> Order: raise LookupError(order.id)

    try:
        await Workflow[Order]("sale").step(lost).run(order)
    except WorkflowFailed as failed:
        print(repr(failed.__cause__), failed.outcome.rollback)
    ```
    """

    def __init__(self, outcome: Failed) -> None:
        """Take the message from the failure and keep the outcome."""
        super().__init__(str(outcome.failure))
        self.outcome: Failed = outcome  # pyright: ignore[reportIncompatibleVariableOverride]  # nobody sets it again


class WorkflowCancelled(RunEnded):
    """A run was cancelled.

    ```python
    try:
        await Workflow[Order]("sale").step(reserve).run(order)
    except WorkflowCancelled as cancelled:
        print(cancelled.outcome.reason)
    ```
    """

    def __init__(self, outcome: Cancelled) -> None:
        """Take the message from the reason and keep the outcome."""
        super().__init__(outcome.reason)
        self.outcome: Cancelled = outcome  # pyright: ignore[reportIncompatibleVariableOverride]  # nobody sets it again
