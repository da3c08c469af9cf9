"""Invariants that are ready, on attempts and their times: how often, how late, under which key, within which deadline.

Like those in `explore_ready`, which lists them all, they know the rules and the plan, and nothing of the interpreter.
"""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast, final

from orchestration.errors import InvalidOutput, Unserialisable
from orchestration.interpreter.backoff import NEVER
from orchestration.interpreter.effects import Attempted, Cancel, CancelTimer, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupLost,
    CleanupTimedOut,
    Started,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoLost,
    UndoTimedOut,
    timed_out,
)
from orchestration.interpreter.pending import ATTEMPT
from orchestration.outcomes import Succeeded
from orchestration.plan.nodes import Retried, Step, Timed
from orchestration.plan.tree import static_path
from orchestration.policies import names_of
from orchestration.testing.explore_invariants import Invariant, Remembers
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_outcomes import placed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from orchestration.failures import Failure
    from orchestration.plan.compile import Plan
    from orchestration.policies import Retry
    from orchestration.testing.explore_invariants import Moment

NOTHING: Mapping[str, Any] = MappingProxyType({})
TOKEN = re.compile(r"/[^/\[#]+|\[\d+\]|#\d+|^[^/\[#]+")
AGAIN = re.compile(r"#(\d+)")
LOST: dict[type, type] = {StepLost: RunStep, UndoLost: RunUndo, CleanupLost: RunCleanup}
FAILED = (StepFailed, UndoFailed, CleanupFailed)
TOO_LONG = (StepTimedOut, StepLeaked, UndoTimedOut, CleanupTimedOut)
RETURNED = names_of((InvalidOutput, Unserialisable))  # what these fail has landed (S22)
OVER = -math.inf  # when what is over had to end
CLOSE = 1e-6  # seconds that two ways to compute a time may differ by


def broken(message: str) -> AssertionError:
    """Return how an invariant says that it is broken: no `assert`, which `-O` and pytest's rewriting change."""
    return AssertionError(message)


def is_inside(path: str, around: str) -> bool:
    """Tell whether a path is another or lies below it, in any attempt of it."""
    return path.startswith(around) and (len(path) == len(around) or path[len(around)] in "/[#")


def prefixes(path: str) -> Iterator[str]:
    """Yield the paths of all that a path lies in, the outermost first, and itself."""
    before = ""
    for token in TOKEN.findall(path):
        before += token
        yield before


def around(path: str) -> str:
    """Return the path of the group or chain that something directly stands in."""
    return path[: -len(TOKEN.findall(path)[-1])]


def failure_of(event: Any) -> Failure | None:  # noqa: ANN401 - any event
    """Return the failure of an attempt that has failed or taken too long."""
    if isinstance(event, FAILED):
        return event.failure
    if isinstance(event, TOO_LONG) and event.seconds is not None:
        return timed_out(event.path, event.seconds)
    return None


def is_late(moment: Moment) -> bool:
    """Tell whether a leaked attempt has reported after all."""
    ended, leaked = moment.ended, moment.state.ledger.leaked
    return bool(leaked) and isinstance(ended, RunStep) and (ended.path, ended.attempt, True) in leaked


def is_anew(effect: Attempted, moment: Moment) -> bool:
    """Tell whether an attempt begins again because it was lost with its process (S35)."""
    return LOST.get(type(moment.event)) is type(effect) and moment.event.path == effect.path


def key_of(effect: Attempted, run_id: str) -> str:
    """Return the key that an attempt has to be made under (S5)."""
    key = f"{run_id}:{effect.path}"
    if isinstance(effect, RunStep):
        return key
    return f"{key}:{effect.by if isinstance(effect, RunUndo) else 'cleanup'}"


@final
class RetriedAsPlanned(Remembers):
    """Attempts count from 1 without a gap and have one key; what fails is tried again as its policy says (S5, S9).

    It remembers the attempts that are under way or will be tried again, each with whether it was told to end.
    """

    first: Hashable = frozenset[tuple[str, tuple[int, bool]]]()

    def __init__(self, name: str, again: Mapping[str, Retried] = NOTHING) -> None:
        """Know the composites of a plan that are retried, by their paths in it."""
        super().__init__(name)
        self._again = again

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - the protocol's signature
        """Look for the composites."""
        again = {path: node for path, node in placed(plan.root, plan.name) if isinstance(node, Retried)}
        return RetriedAsPlanned(self.name, again)

    def see(self, memory: frozenset[tuple[str, tuple[int, bool]]], moment: Moment) -> Hashable:
        """Look at what ends and what begins."""
        if not moment.effects and moment.ended is None:
            return memory
        known = dict(memory)
        self._ends(known, moment)
        for effect in moment.effects:
            if isinstance(effect, Attempted):
                self._begins(known, effect, moment)
                known[effect.path] = effect.attempt, False
            elif type(effect) is Cancel and effect.path in known:
                known[effect.path] = known[effect.path][0], True
            elif type(effect) is CancelTimer and effect.purpose == "backoff":
                known.pop(effect.path, None)
        return frozenset(known.items())

    def _ends(self, known: dict[str, tuple[int, bool]], moment: Moment) -> None:
        ended = moment.ended
        if not isinstance(ended, Attempted) or is_late(moment):
            return
        path, started = ended.path, None
        for effect in moment.effects:
            if type(effect) is StartTimer and effect.path == path and effect.purpose == "backoff":
                started = effect.due - moment.state.at
        failure = failure_of(moment.event)  # none of an attempt that was lost: it begins again, or not
        if failure is not None and known.get(path) == (ended.attempt, False):
            _check_retry(ended, failure, started, moment.state.at)
        if started is None:
            known.pop(path, None)

    def _begins(self, known: dict[str, tuple[int, bool]], effect: Attempted, moment: Moment) -> None:
        path, attempt, event = effect.path, effect.attempt, moment.event
        key = key_of(effect, moment.state.run_id)
        if effect.key(moment.state.run_id) != key:
            raise broken(f"{path} is tried under the key {effect.key(moment.state.run_id)}, and not {key}")
        for match in AGAIN.finditer(path) if "#" in path else ():
            composite = self._again.get(static_path(path[: match.start()]))
            if composite is None or int(match[1]) > composite.retry.max_attempts:
                raise broken(f"{path}: there may be no attempt {match[0]}")
        if is_anew(effect, moment):
            lost = moment.ended.attempt if isinstance(moment.ended, Attempted) else attempt
            if attempt != lost:
                raise broken(f"{path} begins its attempt {attempt} after attempt {lost} was lost")
            return
        if attempt == 1 and path not in known:
            return
        if known.get(path) != (attempt - 1, False) or type(event) is not TimerFired or event.path != path:
            raise broken(f"{path} begins its attempt {attempt} after attempt {known.get(path, (0,))[0]}")


def _check_retry(ended: Attempted, failure: Failure, delay: float | None, at: float) -> None:
    """See to it that an attempt that has failed and was not told to end is followed by another, or not, as it must."""
    path, attempt = ended.path, ended.attempt
    retry: Retry | None = ended.step.retry if isinstance(ended, RunStep) else ended.retry
    deadline = ended.deadline if isinstance(ended, RunStep) else None
    if retry is None or attempt >= retry.max_attempts or not _is_retried(retry, failure):
        if delay is not None:
            raise broken(f"{path} is tried again after attempt {attempt}, which was the last")
        return
    high = min(retry.max_delay, retry.initial_delay * retry.factor ** (attempt - 1))
    low = {"none": high, "equal": high / 2, "full": 0.0}[retry.jitter]
    after = failure.retry_after or 0.0
    low, high = max(low, after), max(high, after)
    if delay is None:
        if deadline is None or at + high < deadline:
            raise broken(f"{path} is not tried again after attempt {attempt} of {retry.max_attempts}")
    elif not low - CLOSE <= delay <= high + CLOSE:
        raise broken(f"{path} is tried again after {delay:g} s, and not after {low:g} to {high:g}")
    elif deadline is not None and at + delay >= deadline:
        raise broken(f"{path} is to be tried again past its deadline")


def _is_retried(retry: Retry, failure: Failure) -> bool:
    return failure.matches(retry.retry_on) and not failure.matches((*NEVER, *retry.give_up_on))


@final
class DeadlinesHeld(Remembers):
    """Of what has a deadline nothing begins past it, and a timer runs as long as something is under way (S10)."""

    first: Hashable = frozenset[tuple[str, float]]()

    def __init__(self, name: str, limits: Mapping[str, float] = NOTHING) -> None:
        """Know how long what parts of a plan may take, by their paths in it."""
        super().__init__(name)
        self._limits = limits

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - as above
        """Look for the timeouts."""
        limits = {path: node.timeout for path, node in placed(plan.root, plan.name) if isinstance(node, Timed)}
        return DeadlinesHeld(self.name, limits)

    def see(self, memory: frozenset[tuple[str, float]], moment: Moment) -> Hashable:
        """Note when what begins has to end, and look at what is under way."""
        event, at = moment.event, moment.state.at
        if type(event) is Started and event.deadline is not None:
            memory = frozenset({(event.path, at + event.deadline)})
        if not memory and not self._limits:
            return memory
        dues = dict(memory)
        if type(event) is TimerFired and event.purpose == "timeout":
            dues[event.path] = OVER
        for effect in moment.effects:
            for path in prefixes(effect.path):
                limit = None if path in dues else self._limits.get(static_path(path))
                if limit is not None:
                    dues[path] = at + limit
            if isinstance(effect, RunStep):
                self._begins(effect, dues, at)
        for (path, kind), waiting in moment.pending.items():
            if kind == ATTEMPT and type(waiting.effect) is RunStep and not waiting.told:
                self._has_a_timer(path, dues, moment)
        paths = [path for path, _ in moment.pending]
        return frozenset([pair for pair in dues.items() if any(is_inside(path, pair[0]) for path in paths)])

    def _begins(self, effect: RunStep, dues: Mapping[str, float], at: float) -> None:
        due = min((due for path, due in dues.items() if is_inside(effect.path, path)), default=None)
        if due is not None and at > due:
            raise broken(f"{effect.path} begins past the deadline around it")
        if effect.deadline != due:
            raise broken(f"{effect.path} is told of the deadline {effect.deadline}, and not {due}")

    def _has_a_timer(self, path: str, dues: Mapping[str, float], moment: Moment) -> None:
        due = min((due for place, due in dues.items() if is_inside(path, place)), default=None)
        timers = (moment.pending.get((place, "timeout")) for place in prefixes(path))
        found = (cast("StartTimer", timer.effect).due for timer in timers if timer is not None)
        if due is not None and min(found, default=None) != due:
            raise broken(f"{path} is under way, and no timer runs for its deadline")


@final
class UndoneAsDone(Remembers):
    """What has succeeded is undone with its output, what is in doubt is served with its input, and no more (S22, S25).

    It remembers the steps that are armed or in doubt, with the key of what they are undone with.
    """

    first: Hashable = frozenset[tuple[str, bool, object]]()

    def __init__(self, name: str, keys: Keys | None = None) -> None:
        """Know values by these keys."""
        super().__init__(name)
        self._keys = keys or Keys()

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - as above
        """Know values by the keys of the search."""
        return UndoneAsDone(self.name, keys)

    def see(self, memory: frozenset[tuple[str, bool, object]], moment: Moment) -> Hashable:
        """Note how a step has ended, look at what is undone, and at the end."""
        ended, outcome = moment.ended, moment.state.outcome
        if type(ended) is RunStep and ended.step.compensation is not None:
            memory = self._noted(memory, ended, moment)
        for effect in moment.effects:
            if type(effect) is RunUndo and effect.attempt == 1 and not is_anew(effect, moment):
                memory -= self._undone(memory, effect)
        if memory and outcome is not None and not isinstance(outcome, Succeeded):
            missing = sorted({path for path, _, _ in memory} - {step.path for step in outcome.rollback.steps})
            if missing:
                raise broken(f"armed or in doubt, and without an end state: {', '.join(missing)}")
        return memory

    def _noted(
        self, memory: frozenset[tuple[str, bool, object]], ended: RunStep, moment: Moment
    ) -> frozenset[tuple[str, bool, object]]:
        event, path = moment.event, ended.path
        known = next((one for one in memory if one[0] == path), None)
        if isinstance(event, StepSucceeded):
            if is_late(moment) and (known is None or known[1]):  # unwinding has passed, or another attempt came first
                return memory
            return (memory - {known}) | {(path, True, self._keys.of(event.output))}
        if known is None and not is_late(moment) and _is_uncertain(event, ended):
            return memory | {(path, False, self._keys.of(ended.value))}
        return memory

    def _undone(
        self, memory: frozenset[tuple[str, bool, object]], effect: RunUndo
    ) -> frozenset[tuple[str, bool, object]]:
        """Return what is not remembered any more of a step that is undone."""
        if not isinstance(effect.step, Step):  # of a composite nobody knows the output
            return frozenset()
        known = next((one for one in memory if one[0] == effect.path), None)
        if known is None:
            raise broken(f"{effect.path} is undone, and has done nothing that could be")
        by = "undo" if known[1] else "in_doubt"
        if effect.by != by:
            raise broken(f"{effect.path} is undone by {effect.by}, and not by {by}")
        if self._keys.of(effect.value) != known[2]:
            raise broken(f"{effect.path} is undone with another value than its {'output' if known[1] else 'input'}")
        return frozenset({known})


def _is_uncertain(event: Any, ended: RunStep) -> bool:  # noqa: ANN401 - any end of a step
    """Tell whether an attempt that did not succeed may have landed all the same (S22)."""
    compensation = ended.step.compensation
    if isinstance(event, StepFailed):
        return compensation is not None and event.failure.matches((*RETURNED, *compensation.in_doubt_on))
    return event.started if isinstance(event, StepCancelled) else True


retried_as_planned: RetriedAsPlanned = RetriedAsPlanned("retried_as_planned")
deadlines_held: DeadlinesHeld = DeadlinesHeld("deadlines_held")
undone_as_done: UndoneAsDone = UndoneAsDone("undone_as_done")
