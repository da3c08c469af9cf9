"""Effects: descriptions of something to be done. The interpreter emits them, a handler performs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.plan.body import Body
    from orchestration.plan.hooks import When
    from orchestration.plan.nodes import Cleanup, Compensation, Scope, Step, Undoable
    from orchestration.policies import Retry

VALUE = {"holds": "value"}  # marks a field that holds a user's value: only the plan's codec can store it
VALUES = {"holds": "values"}  # the same for a persistent map of such values
OUTPUTS = {"holds": "outputs"}  # and for a list of pairs of a position and such a value

Undoing = Literal["undo", "in_doubt"]
Purpose = Literal["backoff", "timeout", "sleep"]


@frozen
class RunStep:
    """Call the body of a step with `value`. `attempt` counts from 1 (S7).

    `deadline` is when the step will be cancelled, in seconds on the clock of the events: the earliest of its own
    timeout and those around it (S10).
    """

    path: str
    attempt: int
    step: Step
    value: Any = attrs.field(metadata=VALUE)
    deadline: float | None = None

    @property
    def body(self) -> Body:
        """The function to call."""
        return self.step.body

    @property
    def timeout(self) -> float | None:
        """Seconds that this attempt may take, counted from the start of the body (S10)."""
        return self.step.attempt_timeout

    def key(self, run_id: str) -> str:
        """Return the idempotency key: equal for every attempt, and after a crash (S5)."""
        return f"{run_id}:{self.path}"


@frozen
class RunUndo:
    """Undo a step: by its undo with the output as `value`, or by its in-doubt handler with the input (S22)."""

    path: str
    attempt: int
    step: Undoable
    by: Undoing
    value: Any = attrs.field(metadata=VALUE)

    @property
    def compensation(self) -> Compensation:
        """How the step is undone."""
        return cast("Compensation", self.step.compensation)  # only what has one is ever registered

    @property
    def body(self) -> Body:
        """The function to call."""
        compensation = self.compensation
        return compensation.undo if self.by == "undo" else cast("Body", compensation.in_doubt)

    @property
    def timeout(self) -> float | None:
        """Seconds that this attempt may take (S24)."""
        return self.compensation.timeout

    @property
    def retry(self) -> Retry:
        """How often it is tried (S24)."""
        return self.compensation.retry

    def key(self, run_id: str) -> str:
        """Return the idempotency key: equal for every attempt, and after a crash (S5)."""
        return f"{run_id}:{self.path}:{self.by}"


@frozen
class RunCleanup:
    """Clean up at the end of a scope: call the body with the value that was there when it was registered (S21)."""

    path: str
    attempt: int
    cleanup: Cleanup
    value: Any = attrs.field(metadata=VALUE)

    @property
    def body(self) -> Body:
        """The function to call."""
        return self.cleanup.body

    @property
    def timeout(self) -> float | None:
        """Seconds that this attempt may take (S24)."""
        return self.cleanup.timeout

    @property
    def retry(self) -> Retry:
        """How often it is tried (S24)."""
        return self.cleanup.retry

    def key(self, run_id: str) -> str:
        """Return the idempotency key: equal for every attempt, and after a crash (S5)."""
        return f"{run_id}:{self.path}:cleanup"


@frozen
class AskHooks:
    """Ask what has a say in a step (S31, S32) and report `HooksAnswered`.

    `before` its first attempt: gates and strict observers; `value` is the input. `after` it has succeeded: strict
    observers; `value` is the output.
    """

    path: str
    when: When
    step: Step
    value: Any = attrs.field(metadata=VALUE)


@frozen
class Tell:
    """Tell the hooks of a workflow inside the run that it began, or `ended` so; nothing is reported (S31)."""

    path: str
    scope: Scope
    ended: Literal["succeeded", "failed", "cancelled"] | None
    value: Any = attrs.field(metadata=VALUE)
    failure: Failure | None = None


@frozen
class StartTimer:
    """Report `TimerFired` at `due`, in seconds on the clock of the events; a path has one timer for each purpose.

    `backoff`: the wait before the next attempt is over (S9). `timeout`: what is at `path` has taken too long (S10).
    `sleep`: the sleep at `path` is over (S21).
    """

    path: str
    due: float
    purpose: Purpose = "backoff"


@frozen
class CancelTimer:
    """Forget the timer at `path` for this purpose."""

    path: str
    purpose: Purpose = "backoff"


@frozen
class Pull:
    """Take item number `index` from the stream of the map at `path`, opened the first time (S16).

    Report `Pulled`, `Exhausted` or `PullFailed`. There is one pull under way a stream.
    """

    path: str
    index: int
    source: Any = attrs.field(metadata=VALUE)


@frozen
class CloseStream:
    """Close the stream of the map at `path`; a pull under way is given up, and nothing of it is reported any more."""

    path: str


@frozen
class Cancel:
    """Cancel the attempt at `path`; report how it ended, or `StepLeaked` when the grace is over (S24, S28).

    Attempt 0 is the asking of hooks: it may be given up, but is answered.
    """

    path: str
    attempt: int


@frozen
class Continue:
    """Report `Continued` soon: the interpreter has evaluated much at a stretch, and lets others have a turn (S7)."""

    path: str


Attempted = RunStep | RunUndo | RunCleanup
Effect = (
    RunStep | RunUndo | RunCleanup | AskHooks | Tell | StartTimer | CancelTimer | Cancel | Pull | CloseStream | Continue
)
