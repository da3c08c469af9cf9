"""A run in the model: failures, what can be undone, attempts, and unwinding (S8-S10, S22-S27)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.model.kernel import Kernel, Promise, Token

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.policies import Retry
    from tests.model.script import End, Script

ALL = ("Exception", "BaseException")
BASES = {
    "tests.model.bodies.Declined": ALL,
    "ConnectionError": ("OSError", *ALL),
    "TimeoutError": ("OSError", *ALL),
    "orchestration.errors.DeadlineExceeded": ("TimeoutError", "OSError", *ALL),
    "ValueError": ALL,
}
DECLINED, DEADLINE = "tests.model.bodies.Declined", "orchestration.errors.DeadlineExceeded"
PARTIAL = "orchestration.errors.PartialRollback"


@dataclass(eq=False)
class Fail:
    """A failure: what, where, the how manieth of the run, and the later ones attached to it (S8)."""

    kind: str
    path: str
    number: int
    attached: list[Fail] = field(default_factory=list)

    def matches(self, kinds: tuple[str, ...]) -> bool:
        """Tell whether it is of one of these kinds."""
        return any(kind == self.kind or kind in BASES.get(self.kind, ALL) for kind in kinds)

    def to_retry(self, retry: Retry) -> bool:
        """Tell whether a policy would try again (S9)."""
        return self.matches(retry.retry_on) and not self.matches(retry.give_up_on)

    def flat(self) -> list[Fail]:
        """Return it and all that is attached, however deep."""
        return [self, *(below for later in self.attached for below in later.flat())]


@dataclass(eq=False)
class Deed:
    """What a step, or a composite with an undo, may have done: nothing yet, something in doubt, or for sure (S22)."""

    path: str
    node: Any
    given: Any = None
    output: list[Any] = field(default_factory=list)
    in_doubt: bool = False


@dataclass
class Pivot:
    """What stands before it in its chain is kept (S27)."""


@dataclass
class Scar:
    """Here something could not be undone: what it depended on is held (S26)."""

    path: str
    halts: bool = False  # held is then all that remains


@dataclass
class Unwinding:
    """What one unwinding has come to so far; `off` if it began because the run was cancelled."""

    off: bool = False
    partial: bool = False
    halted: str | None = None


@dataclass
class Side:
    """The trails of members that ran side by side; `followers` are the positions of those that need one."""

    trails: list[Trail]
    followers: list[list[int]]


Trail = list["Deed | Pivot | Scar | Side | Trail"]


@dataclass
class Done:
    """A node succeeded; its trail is what is to be undone if something later fails."""

    value: Any
    trail: Trail


@dataclass
class Failed:
    """A node failed for good; `partial` says that something beneath it could not be undone."""

    fail: Fail
    trail: Trail
    partial: bool = False


@dataclass
class Stopped:
    """A node was cancelled from outside; `fails` are what went wrong in it on the way."""

    fails: list[Fail]
    trail: Trail
    partial: bool = False


Ended = Done | Failed | Stopped


@dataclass(frozen=True)
class Place:
    """Where in the run something is: what cancels it, the earliest deadline, who goes on past its failure.

    A scope that has a deadline of its own says in `done` that all its nodes are done: the deadline then is too late.
    """

    token: Token
    deadline: float = float("inf")
    absorbers: tuple[Callable[[Fail], bool], ...] = ()
    done: list[bool] | None = None

    def under(self, absorbs: Callable[[Fail], bool]) -> Place:
        """Return the place inside of something that goes on past failures."""
        return replace(self, absorbers=(*self.absorbers, absorbs))

    def among(self, absorbs: Callable[[Fail], bool]) -> Place:
        """Return the place of one of several nodes, of which none says that all are done."""
        return replace(self.under(absorbs), done=None)

    def part(self, at: int = 0) -> Place:
        """Return the same place with a token of its own; `at` says which part it is, if there are several."""
        return replace(self, token=self.token.child(at))


class Run:
    """All that a run shares, and the primitives: an attempt, a wait, an unwinding."""

    def __init__(self, script: Script) -> None:
        """Begin at time 0."""
        self.script = script
        self.kernel = Kernel()
        self.trace: list[tuple[float, str, str, int]] = []
        self.rollback: list[tuple[str, str]] = []
        self.leaked: list[str] = []
        self.cleanup_failures: list[Fail] = []
        self.waiters: list[tuple[float, str, Promise]] = []
        self.letters: list[tuple[str, str, int]] = []
        self.known: set[str] = set()
        self.too_late = False  # to cancel it: something else has decided
        self.fails = 0
        self.cancelled = False  # the run, which is more than a part of it

    @property
    def now(self) -> float:
        """The time."""
        return self.kernel.now

    def fail(self, kind: str, path: str) -> Fail:
        """Return a failure that happens now."""
        self.fails += 1
        return Fail(kind, path, self.fails)

    def decide(self, fail: Fail, place: Place) -> None:
        """Take note of a failure: unless something above goes on past it, a cancel from now on comes too late (S28)."""
        self.too_late = self.too_late or not any(absorbs(fail) for absorbs in place.absorbers)

    async def attempt(self, path: str, number: int, place: Place, *, may_time_out: bool, deed: Deed | None) -> End:
        """Perform an attempt of a step; a cancel gives it another end."""
        self.trace.append((self.now, "step", path, number))
        ended = self.kernel.promise()
        cancelled: list[End] = []

        def end_if(end: End, *, meant: bool) -> None:
            if bool(cancelled) is meant:
                ended.keep(end)

        def cancel() -> None:
            other = self.script.cancelled(path, number)
            cancelled.append(other)
            self.kernel.alarm(other.after, lambda: end_if(other, meant=True))

        first = self.script.attempt(path, number, may_time_out=may_time_out)
        self.kernel.alarm(first.after, lambda: end_if(first, meant=False))
        over: list[bool] = []
        place.token.on_cancel(lambda: None if over else cancel())
        end: End = await ended
        over.append(True)
        if end.how == "leak":
            self.leaked.append(f"{path}#{number}")
            if end.lands is not None and deed is not None:
                self.kernel.alarm(end.lands, lambda: deed.output or deed.output.append(end.output))
        return end

    async def pause(self, seconds: float, token: Token | None = None) -> bool:
        """Wait; tell whether all of it has passed, or a cancel came first."""
        over = self.kernel.promise()
        self.kernel.alarm(seconds, lambda: over.keep("passed"))
        if token is not None:
            token.on_cancel(lambda: over.keep("cancelled"))
        return await over == "passed"

    async def shielded(self, what: str, path: str, retry: Retry) -> Fail | None:
        """Perform an undo, in-doubt handler or cleanup, whatever is cancelled; return its failure for good (S24)."""
        number = 0
        while True:
            number += 1
            self.trace.append((self.now, what, path, number))
            end = self.script.shielded(what, path, number)
            await self.pause(end.after)
            if end.how == "succeed":
                return None
            if end.how == "leak":
                self.leaked.append(f"{path}:{what}#{number}")
            fail = self.fail(DECLINED if end.how == "fail" else "TimeoutError", path)
            if number >= retry.max_attempts or not fail.to_retry(retry):
                return fail
            await self.pause(retry.delay(number, 0.0))

    async def unwind(self, trail: Trail) -> tuple[Trail, bool]:
        """Undo in reverse plan order, one at a time; return the scar that stays, and whether it was partial (S23)."""
        unwinding = Unwinding(off=bool(self.cancelled))  # a cancel that comes later lets it end (S28)
        holder = await self._back(trail, None, unwinding)
        holder = unwinding.halted or holder
        scar = Scar(holder, halts=bool(unwinding.halted)) if holder else None
        return [scar] if scar else [], unwinding.partial

    async def _back(self, trail: Trail, holder: str | None, unwinding: Unwinding) -> str | None:
        """Undo a chain from its end; `holder` is what could not be undone and so holds what comes before it."""
        kept = False
        for deed in reversed(trail):
            match deed:
                case Pivot():
                    kept = True
                case _ if kept:
                    self._keep([deed])
                case Scar():
                    unwinding.partial = True
                    unwinding.halted = deed.path if deed.halts else unwinding.halted
                    holder = holder or deed.path
                case Side():
                    holder = await self._side(deed, holder, unwinding)
                case Deed():
                    holder = await self._deed(deed, holder, unwinding)
                case _:
                    holder = await self._back(deed, holder, unwinding)
        return holder

    async def _side(self, side: Side, outer: str | None, unwinding: Unwinding) -> str | None:
        """Undo members from the last to the first: one is held by what needs it, not by what ran beside it (S26)."""
        holders: dict[int, str | None] = {}
        for position in reversed(range(len(side.trails))):
            behind = (holders[follower] for follower in side.followers[position])
            holder = next((path for path in (outer, *behind) if path), None)
            holders[position] = await self._back(side.trails[position], holder, unwinding)
        return next((path for path in holders.values() if path), outer)

    async def _deed(self, deed: Deed, holder: str | None, unwinding: Unwinding) -> str | None:
        """S22, S25, S26, S28: give a step its end state; return what holds those before it."""
        compensation = deed.node.compensation
        if not deed.output and not deed.in_doubt:
            return holder
        if unwinding.off and not compensation.on_cancel:
            self.rollback.append(("Kept", deed.path))
            return holder
        if not deed.output and compensation.in_doubt is None:
            unwinding.partial = True
            self.rollback.append(("InDoubt", deed.path))
            return holder
        if holder or unwinding.halted:
            unwinding.partial = True
            self.rollback.append(("Held", deed.path))
            return holder
        what = "undo" if deed.output else "in_doubt"
        if await self.shielded(what, deed.path, compensation.retry) is None:
            self.rollback.append(("Undone", deed.path))
            return None
        unwinding.partial = True
        self.rollback.append(("UndoFailed", deed.path))
        unwinding.halted = deed.path if compensation.on_failure == "halt" else None
        return None if compensation.on_failure == "continue" else deed.path

    def _keep(self, trail: Trail) -> None:
        for deed in reversed(trail):
            if isinstance(deed, Deed):
                if deed.output or deed.in_doubt:
                    self.rollback.append(("Kept", deed.path))
            elif isinstance(deed, Side):
                self._keep(list(deed.trails))
            elif isinstance(deed, list):
                self._keep(deed)
