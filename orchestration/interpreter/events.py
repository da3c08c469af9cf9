"""Events: facts with their time, `at` in seconds. All that the interpreter ever learns of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from orchestration.failures import Failure
from orchestration.frozen import frozen
from orchestration.interpreter.effects import VALUE, Purpose

if TYPE_CHECKING:
    from orchestration.plan.hooks import When


@frozen
class Started:
    """A run began. The first event of every log; it is never given to `advance`.

    `deadline` is how many seconds it may take (S10), `asks` when every step asks the hooks of the engine (S31).
    """

    path: str
    at: float
    run_id: str
    value: Any = attrs.field(metadata=VALUE)
    deadline: float | None = None
    asks: tuple[When, ...] = ()


@frozen
class StepSucceeded:
    """An attempt returned."""

    path: str
    at: float
    attempt: int
    output: Any = attrs.field(metadata=VALUE)


@frozen
class StepFailed:
    """An attempt raised (S8)."""

    path: str
    at: float
    attempt: int
    failure: Failure


@frozen
class StepTimedOut:
    """An attempt took longer than its `attempt_timeout` of so many `seconds`, and has ended (S10)."""

    path: str
    at: float
    attempt: int
    seconds: float


@frozen
class StepCancelled:
    """An attempt ended because it was told to; one that had not `started` left nothing behind (S22)."""

    path: str
    at: float
    attempt: int
    started: bool = True


@frozen
class StepLeaked:
    """An attempt outlived the grace after its cancel or, with `seconds`, its timeout: it may still land (S24)."""

    path: str
    at: float
    attempt: int
    seconds: float | None = None


@frozen
class StepLost:
    """An attempt was under way when its process ended: nobody knows whether it has landed (S35).

    It is `counted` unless the process ended in order, which no step can be the cause of.
    """

    path: str
    at: float
    attempt: int
    counted: bool = True


@frozen
class UndoSucceeded:
    """An undo or in-doubt handler returned."""

    path: str
    at: float
    attempt: int


@frozen
class UndoFailed:
    """An undo or in-doubt handler raised."""

    path: str
    at: float
    attempt: int
    failure: Failure


@frozen
class UndoTimedOut:
    """An undo took longer than so many `seconds`; one that `leaked` goes on all the same."""

    path: str
    at: float
    attempt: int
    seconds: float
    leaked: bool = False


@frozen
class UndoLost:
    """An undo or in-doubt handler was under way when its process ended: it begins again (S35)."""

    path: str
    at: float
    attempt: int


@frozen
class CleanupSucceeded:
    """A cleanup returned."""

    path: str
    at: float
    attempt: int


@frozen
class CleanupFailed:
    """A cleanup raised."""

    path: str
    at: float
    attempt: int
    failure: Failure


@frozen
class CleanupTimedOut:
    """A cleanup took longer than so many `seconds`; one that `leaked` goes on all the same."""

    path: str
    at: float
    attempt: int
    seconds: float
    leaked: bool = False


@frozen
class CleanupLost:
    """A cleanup was under way when its process ended: it begins again (S35)."""

    path: str
    at: float
    attempt: int


@frozen
class HooksAnswered:
    """The hooks that were asked of a step have no objection, or fail it (S31)."""

    path: str
    at: float
    failure: Failure | None = None


@frozen
class TimerFired:
    """The timer at `path` for this purpose is due."""

    path: str
    at: float
    purpose: Purpose = "backoff"


@frozen
class Pulled:
    """A stream gave its item number `index` (S16)."""

    path: str
    at: float
    index: int
    item: Any = attrs.field(metadata=VALUE)


@frozen
class Exhausted:
    """A stream has no item number `index`: it is at its end (S16)."""

    path: str
    at: float
    index: int


@frozen
class PullFailed:
    """A stream raised where its item number `index` was to come (S16)."""

    path: str
    at: float
    index: int
    failure: Failure


@frozen
class SignalReceived:
    """Somebody sent the signal `name` to the run; the same `signal_id` counts once (S21)."""

    path: str
    at: float
    name: str
    signal_id: str
    payload: Any = attrs.field(metadata=VALUE)


@frozen
class Continued:
    """The interpreter may go on at `path` (S7)."""

    path: str
    at: float


@frozen
class CancelRequested:
    """Somebody wants the run to end (S28)."""

    path: str
    at: float
    reason: str


@frozen
class Resumed:
    """Another process, the run's owner number `epoch`, goes on with it (S35, S38)."""

    path: str
    at: float
    epoch: int


StepEvent = StepSucceeded | StepFailed | StepTimedOut | StepCancelled | StepLeaked | StepLost
UndoEvent = UndoSucceeded | UndoFailed | UndoTimedOut | UndoLost
CleanupEvent = CleanupSucceeded | CleanupFailed | CleanupTimedOut | CleanupLost
StreamEvent = Pulled | Exhausted | PullFailed
Event = (
    StepEvent
    | UndoEvent
    | CleanupEvent
    | StreamEvent
    | HooksAnswered
    | TimerFired
    | Continued
    | SignalReceived
    | CancelRequested
    | Resumed
)
AnyEvent = Started | Event


def timed_out(path: str, seconds: float) -> Failure:
    """Return the failure of an attempt that took too long."""
    bases = ("OSError", "Exception", "BaseException")
    return Failure("TimeoutError", f"took longer than {seconds:g} s", path, bases)
