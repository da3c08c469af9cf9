"""What has happened in a run, read from its events and effects alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.interpreter.effects import Cancel, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupSucceeded,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    UndoFailed,
    UndoSucceeded,
)

if TYPE_CHECKING:
    from orchestration.outcomes import Rollback
    from orchestration.plan.nodes import Step
    from tests.nesting.world import World


class Facts:
    """What has happened: at which point of the history each thing did, by path.

    Of steps: which `begun`, were `told` to end, `ended`, `landed` with an output, are `failing` for good, left
    `doubtful`. Of undos: what was `undoing`, and whether it is `undone`. Of cleanups: `cleaning` and `cleaned`.
    """

    def __init__(self, run: World) -> None:
        """Go through the history once."""
        self.run = run
        self.steps: dict[str, Step] = {}
        self.inputs: dict[str, Any] = {}
        self.begun: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.landed: dict[str, Any] = {}
        self.doubtful: set[str] = set()
        self.undos: dict[str, list[RunUndo]] = {}
        self.undoing: dict[str, int] = {}
        self.undone: dict[str, bool] = {}
        self.cleanups: dict[str, list[RunCleanup]] = {}
        self.cleaning: dict[str, int] = {}
        self.cleaned: dict[str, int] = {}
        self.failing: dict[str, int] = {}
        self.told: dict[str, int] = {}
        for at, what in enumerate(run.history):
            self._note(at, what)

    @property
    def rollback(self) -> Rollback:
        """What became of what could be undone."""
        assert self.run.outcome is not None
        return self.run.outcome.rollback

    def _note(self, at: int, what: Any) -> None:
        path = what.path
        match what:
            case RunStep():
                self.steps[path] = what.step
                self.inputs[path] = what.value
                self.begun[path] = at
            case StepSucceeded():
                self.ended[path] = at
                self.landed[path] = what.output
            case StepTimedOut() | StepLeaked() | StepCancelled(started=True):
                self.ended[path] = at
                self.doubtful.add(path)
                if not isinstance(what, StepCancelled):
                    self.failing[path] = at
            case StepCancelled():
                self.ended[path] = at
            case StartTimer(purpose="backoff"):
                self.failing.pop(path, None)
            case StepFailed():
                self.ended[path] = at
                self.failing[path] = at
                compensation = self.steps[path].compensation
                if compensation is not None and what.failure.matches(compensation.in_doubt_on):
                    self.doubtful.add(path)
            case Cancel():
                self.told.setdefault(path, at)
            case _:
                self._note_shielded(at, what)

    def _note_shielded(self, at: int, what: Any) -> None:
        path = what.path
        match what:
            case RunUndo():
                self.undos.setdefault(path, []).append(what)
                self.undoing[path] = at
            case UndoSucceeded():
                self.undone[path] = True
            case UndoFailed():
                self.undone[path] = False
            case RunCleanup():
                self.cleanups.setdefault(path, []).append(what)
                self.cleaning[path] = at
            case CleanupSucceeded() | CleanupFailed():
                self.cleaned[path] = at
            case _:
                pass

    def eligible(self) -> dict[str, bool]:
        """Return the steps with an undo whose effect may stand, each with whether it is known to."""
        return {
            path: path in self.landed
            for path, step in self.steps.items()
            if step.compensation is not None and (path in self.landed or path in self.doubtful)
        }

    def freely(self, path: str) -> bool:
        """Tell whether a step landed without having been told to end before: what follows it goes on."""
        return path in self.landed and self.told.get(path, self.ended[path]) >= self.ended[path]
