"""What a running step can ask about itself, through a context variable."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from orchestration.errors import OrchestrationError
from orchestration.frozen import frozen
from orchestration.interpreter.effects import RunStep
from orchestration.runtime.tokens import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from orchestration.interpreter.effects import Attempted

    Clock = Callable[[], float]
    Around = Callable[[], AbstractContextManager[object]]

ENDING = "the attempt is to end"


class NotInAStep(OrchestrationError):
    """`step_context()` was called outside of a step."""


class Run(Protocol):
    """The run that an attempt belongs to."""

    @property
    def run_id(self) -> str:
        """Its id."""
        ...

    @property
    def clock(self) -> Clock:
        """What tells the time, in seconds."""
        ...

    @property
    def epoch(self) -> int:
        """How often it has been taken over (S38)."""
        ...


@frozen
class _Run:
    run_id: str
    clock: Clock
    epoch: int


class StepContext:
    """One attempt of a step, or of an undo, as its body sees it. Safe to read from a worker thread.

    ```python
    def own_key(order: Order) -> str: return step_context().idempotency_key

    assert await LocalEngine().execute(Workflow[Order]("sale").step(own_key), order, run_id="17") == Succeeded(
        "17:sale/own_key", run_id="17"
    )
    ```
    """

    # Defaults on the class: an attempt is made for every step, and most never leave them.
    _cancelled: bool = False
    _token: CancelToken | None = None
    _started: bool = True
    _deadline: float | None = None
    when_leaked: Callable[[], None] | None = None
    around: Around | None = None

    def __init__(self, effect: Attempted, run_id: str, clock: Clock = time.time, epoch: int = 0) -> None:
        """Describe the attempt that performs `effect`."""
        self.effect = effect
        self._run: Run = _Run(run_id, clock, epoch)

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._run.run_id

    @property
    def path(self) -> str:
        """Where in the plan this is: `checkout/notify[3]/send` (S4)."""
        return self.effect.path

    @property
    def attempt(self) -> int:
        """The number of this attempt, 1 for the first."""
        return self.effect.attempt

    @property
    def idempotency_key(self) -> str:
        """A key that is equal for every attempt of this effect, and after a crash (S5)."""
        return self.effect.key(self._run.run_id)

    @property
    def step_key(self) -> str:
        """The idempotency key of the step that this attempt performs or undoes: what its effect was done under (S5).

        In a step it equals `idempotency_key`; an undo or in-doubt handler looks the effect up by it.
        """
        return f"{self._run.run_id}:{self.effect.path}"

    @property
    def deadline(self) -> float | None:
        """When this attempt will be told to end, in seconds since the epoch; `None` without a timeout (S10).

        It is the earliest of its own timeout, and those of what is around it.
        """
        effect, own = self.effect, self._deadline
        if own is None and effect.timeout is not None:  # the clock starts with the first wait of the body
            own = self._run.clock() + effect.timeout
        around = effect.deadline if isinstance(effect, RunStep) else None
        return min((end for end in (own, around) if end is not None), default=None)

    @property
    def epoch(self) -> int:
        """How often the durable run has been taken over, this time included; 0 in a run without a journal (S38).

        A resource that remembers the highest epoch it has seen can refuse a process that was overtaken.
        """
        return self._run.epoch

    @property
    def cancelled(self) -> bool:
        """Whether this attempt should end; a step in a thread, which cannot be interrupted, polls this (S28)."""
        return self._cancelled

    @property
    def token(self) -> CancelToken:
        """A token that is cancelled when this attempt should end: to be awaited, or handed to other code (S28)."""
        if self._token is None:
            self._token = CancelToken()  # before the look at `_cancelled`: who cancels looks the other way round
            if self._cancelled:
                self._token.cancel(ENDING)
        return self._token

    @property
    def started(self) -> bool:
        """Whether the body has begun; not while the attempt waits for a thread (S22)."""
        return self._started

    def note_queued(self, when_leaked: Callable[[], None]) -> None:
        """Say that the body has not begun: the attempt waits for a place. For handlers.

        `when_leaked` is called if the attempt leaks, so that its place can be filled again (S24).
        """
        self._started = False
        self.when_leaked = when_leaked

    def carry(self, around: Around) -> None:
        """Have what `around` returns entered around the body if it runs in another process. For middleware.

        Context variables do not go there; what they hold can be carried so, in something that can be pickled.
        """
        self.around = around

    def note_deadline(self, deadline: float) -> None:
        """Say until when the attempt may run, in seconds since the epoch. For handlers."""
        self._deadline = deadline

    def note_started(self) -> None:
        """Say that the body begins now: its timeout counts from here (S10). For handlers, from any thread."""
        self._started = True


current: ContextVar[StepContext] = ContextVar("orchestration.step")


def step_context() -> StepContext:
    """Return the context of the step that runs here, also in its worker thread.

    ```python
    def own_path(order: Order) -> str: return step_context().path

    assert await Workflow[Order]("sale").step(own_path).run(order) == "sale/own_path"
    ```

    Raises:
        NotInAStep: if no step runs here.
    """
    try:
        return current.get()
    except LookupError:
        message = "step_context() was called outside of a step; call it in the body of one"
        raise NotInAStep(message) from None
