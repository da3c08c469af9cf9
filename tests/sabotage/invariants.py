"""What has to hold of the workflows of the sabotage list: each states a rule, and none knows a defect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from orchestration.interpreter.effects import RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import (
    SignalReceived,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
)
from orchestration.interpreter.pending import ATTEMPT
from orchestration.outcomes import Cancelled, Failed, Held, Kept, Succeeded, Undone
from orchestration.outcomes import UndoFailed as NotUndone
from orchestration.plan.nodes import Compensated, Graph
from orchestration.policies import names_of
from orchestration.testing.explore_invariants import Invariant, Remembers, about
from orchestration.testing.explore_order import is_later, nodes_of
from orchestration.testing.explore_rules import around, is_anew, is_late
from tests.machine import Declined

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node
    from orchestration.testing.explore_invariants import Moment
    from orchestration.testing.explore_keys import Keys
    from orchestration.testing.trace import Trace


@final
class FailsFast(Remembers):
    """S18: the first failure ends all: what is under way is told, nothing begins, and the failure is that one."""

    first = ""

    def see(self, memory: str, moment: Moment) -> Hashable:
        """Note the first step that fails for good, and look at what follows."""
        path, ended = moment.event.path, moment.ended
        begun = [effect.path for effect in moment.effects if isinstance(effect, RunStep)]
        if memory and begun:
            raise AssertionError(f"{begun[0]} begins after {memory} has failed")
        cancelled = moment.state.ledger.cancel is not None
        if not memory and not cancelled and isinstance(ended, RunStep) and not is_late(moment) and _fails(moment):
            deaf = [at for (at, kind), waiting in moment.pending.items() if kind == ATTEMPT and not waiting.told]
            steps = [at for at in deaf if isinstance(moment.pending[at, ATTEMPT].effect, RunStep)]
            if steps or begun:
                raise AssertionError(f"{path} has failed, and {(steps or begun)[0]} goes on")
            memory = path
        outcome = moment.state.outcome
        if isinstance(outcome, Failed) and outcome.failure.path != memory:
            raise AssertionError(f"{memory} has failed first, and the run with that of {outcome.failure.path}")
        return memory


def _fails(moment: Moment) -> bool:
    """Tell whether a step has failed and is not tried again; one that was lost with its process may begin anew."""
    event = moment.event
    failed = isinstance(event, StepFailed | StepTimedOut | StepLost) or (
        isinstance(event, StepLeaked) and event.seconds
    )
    again = (isinstance(e, StartTimer) or (isinstance(e, RunStep) and is_anew(e, moment)) for e in moment.effects)
    return bool(failed) and not any(again)


@final
class HoldsWhatWasBuiltOn(Remembers):
    """S26: an undo that fails holds what its step was built on, or with `halt` all that is left, and nothing else."""

    def __init__(self, name: str, nodes: Mapping[str, Node] | None = None, *, halts: bool = False) -> None:
        """Know the nodes of a plan by their paths."""
        super().__init__(name)
        self._nodes = nodes or {}
        self._halts = halts

    def bound(self, plan: Plan, keys: Keys) -> Invariant:
        """Look through the plan."""
        halts = plan.root.on_undo_failure == "halt"
        return HoldsWhatWasBuiltOn(self.name, nodes_of(plan), halts=halts)

    def end(self, plan: Plan, moments: Callable[[], Sequence[Moment]], state: State) -> None:
        """Look at the end states, in the order of unwinding."""
        assert state.outcome is not None
        steps = state.outcome.rollback.steps
        for at, one in enumerate(steps):
            stuck = [other.path for other in steps[:at] if isinstance(other, NotUndone)]
            must = any(self._halts or self._needs(path, one.path) for path in stuck)
            if isinstance(one, Held) != must and isinstance(one, Held | Undone | NotUndone):
                raise AssertionError(f"{one.path} is {type(one).__name__} after {', '.join(stuck) or 'nothing'} stuck")

    def _needs(self, path: str, other: str) -> bool:
        """Tell whether a step was built on another: the one behind it in a chain, or by way of needs in a graph."""
        if is_later(self._nodes, path, other):
            return True
        group = self._nodes.get(around(path))
        if not isinstance(group, Graph) or around(other) != around(path):
            return False
        ranks = group.topology.ranks
        return ranks[other.rpartition("/")[2]] in group.topology.before(ranks[path.rpartition("/")[2]])


@final
class AllButOneUndone(Remembers):
    """S18, S20: of racers with an undo the effect of one stays when the value goes on, and of none if it does not."""

    first = frozenset[str]()

    def see(self, memory: frozenset[str], moment: Moment) -> Hashable:
        """Note what has been done and undone, up to the step behind the race."""
        ended = moment.ended
        if isinstance(moment.event, StepSucceeded) and isinstance(ended, RunStep) and ended.step.compensation:
            memory |= set() if is_late(moment) else {ended.path}
        memory -= {step.path for step in moment.state.ledger.rollback}
        behind = [effect for effect in moment.effects if isinstance(effect, RunStep) and not effect.step.compensation]
        if behind and len(memory) != 1:
            raise AssertionError(f"{behind[0].path} begins, and in effect is {', '.join(sorted(memory)) or 'nothing'}")
        return memory


@final
class StopsAtWhatIsLeft(Remembers):
    """S20: once something could not be undone, nothing goes on past it: no further step begins."""

    def see(self, memory: Any, moment: Moment) -> Hashable:
        """Look at what begins, and at what has been undone so far."""
        left = [step.path for step in moment.state.ledger.rollback if not isinstance(step, Undone | Kept)]
        for effect in moment.effects:
            if isinstance(effect, RunStep) and left:
                raise AssertionError(f"{effect.path} begins, and {', '.join(left)} could not be undone")
        return memory


@final
class ToleratesOne(Remembers):
    """S18: of the items of a map one may fail; with two the map fails, and nothing comes after it."""

    first = frozenset[str]()

    def see(self, memory: frozenset[str], moment: Moment) -> Hashable:
        """Count the items that have failed, up to the step behind the map."""
        if moment.event.path.endswith("]") and isinstance(moment.ended, RunStep) and _fails(moment):
            memory |= {moment.event.path}
        behind = [e.path for e in moment.effects if isinstance(e, RunStep) and not e.path.endswith("]")]
        if behind and len(memory) > 1:
            raise AssertionError(f"{behind[0]} begins after {len(memory)} failures")
        outcome = moment.state.outcome
        left = outcome is not None and outcome.rollback.verdict == "partial"  # that passes through (S20)
        if isinstance(outcome, Failed) and not left and len(memory) <= 1 and outcome.failure.path in memory:
            raise AssertionError(f"it does not tolerate {outcome.failure.path}")
        return memory


@final
class UndoesTheWhole(Remembers):
    """S27: the undo of a composite concerns all of it, once it has succeeded, and gets its output."""

    first = False

    def __init__(self, name: str, whole: str = "", last: str = "") -> None:
        """Know the composite, and its last step."""
        super().__init__(name)
        self._whole = whole
        self._last = last

    def bound(self, plan: Plan, keys: Keys) -> Invariant:
        """Look for the composite."""
        node = next(node for node in plan.nodes if isinstance(node, Compensated))
        whole = next(path for path in nodes_of(plan) if path.endswith(f"/{node.name}"))
        *_, last = [path for path in nodes_of(plan) if path.startswith(f"{whole}/")]
        return UndoesTheWhole(self.name, whole, last)

    def see(self, memory: Any, moment: Moment) -> Hashable:
        """Note when it has succeeded, and look at what is undone."""
        memory = memory or (isinstance(moment.event, StepSucceeded) and moment.event.path == self._last)
        for effect in moment.effects:
            if isinstance(effect, RunUndo) and (effect.path != self._whole or not memory):
                raise AssertionError(f"{effect.path} is undone, which has not succeeded")
        outcome = moment.state.outcome
        if isinstance(outcome, Failed | Cancelled) and memory != bool(outcome.rollback.steps):
            raise AssertionError(f"{self._whole} has {'' if memory else 'not '}succeeded: {outcome.rollback}")
        return memory


@final
class AnsweredInOrder(Remembers):
    """S21: who has waited longest gets the first signal, each gets another, and no time-out keeps what came in time.

    It remembers who waits, in order, and what came before anybody waited, which counts once for each id.
    """

    first: tuple[tuple[object, ...], ...] = ((), (), (), ())

    def see(self, memory: Any, moment: Moment) -> Hashable:
        """Note who waits and what comes; the outputs are what the first two got."""
        waiting, queued, given, known = memory
        event = moment.event
        if isinstance(event, StepSucceeded):
            name = around(event.path).rpartition("/")[2]
            if queued:
                given, queued = (*given, (name, queued[0])), queued[1:]
            else:
                waiting = (*waiting, name)
        elif isinstance(event, SignalReceived) and event.signal_id not in known:
            known = (*known, event.signal_id)
            if waiting:
                given, waiting = (*given, (waiting[0], event.payload)), waiting[1:]
            else:
                queued = (*queued, event.payload)
        outcome = moment.state.outcome
        if isinstance(outcome, Succeeded) and outcome.value != tuple(payload for _, payload in sorted(given)):
            raise AssertionError(f"the signals went to {sorted(given)}, and the value is {outcome.value}")
        return waiting, queued, given, known


@final
class KeepsWhatIsSealed(Remembers):
    """S27: what stands before a pivot that was passed is kept, and nothing else is."""

    first = False

    def see(self, memory: Any, moment: Moment) -> Hashable:
        """Note when the pivot is passed: the step behind it begins."""
        memory = memory or any(isinstance(e, RunStep) and e.path.endswith("/b") for e in moment.effects)
        for step in moment.state.outcome.rollback.steps if moment.state.outcome else ():
            if isinstance(step, Kept) != (memory and step.path.endswith("/a")):
                raise AssertionError(f"the pivot was {'' if memory else 'not '}passed: {step}")
        return memory


def says_why(outcome: Outcome[Any]) -> None:
    """S28: a cancelled run has the reason of its cancel."""
    if isinstance(outcome, Cancelled) and not outcome.reason:
        raise AssertionError("it was cancelled for no reason")


def a_veto_holds(outcome: Outcome[Any]) -> None:
    """S31: a gate that objects to a step fails it, whatever else it would have given."""
    if isinstance(outcome, Succeeded) or (isinstance(outcome, Failed) and outcome.failure.path != "asked/a"):
        raise AssertionError(f"the veto is ignored: {outcome}")


def keeps_all_once_cancelled(outcome: Outcome[Any]) -> None:
    """S28: with `compensate_on_cancel=False` a cancelled run keeps what it did, and one that failed does not."""
    kept = {isinstance(step, Kept) for step in outcome.rollback.steps}
    if kept and kept != {isinstance(outcome, Cancelled)}:
        raise AssertionError(f"{type(outcome).__name__}: {outcome.rollback}")


@about("mend")
def recovers_from_its_kinds(trace: Trace[Any]) -> None:
    """S20: a recovery takes what it is for, and passes on only what could not be undone."""
    failures = [*trace.inputs("mend")]
    if not all(failure.matches(names_of(Declined)) for failure in failures):
        raise AssertionError(f"it recovers from {failures}")
    outcome = trace.outcome
    passed_on = isinstance(outcome, Failed) and not failures and outcome.failure.matches(names_of(Declined))
    if passed_on and outcome.rollback.verdict != "partial":
        raise AssertionError("it does not recover from what it is for")


def undone_backwards(outcome: Outcome[Any]) -> None:
    """S23: undos go in the reverse order of the plan, which here is that of the names, whenever what has ended."""
    paths = [step.path for step in outcome.rollback.steps]
    if paths != sorted(paths, reverse=True):
        raise AssertionError(f"unwound in the order {', '.join(paths)}")


def gives(value: object) -> Callable[[Outcome[Any]], None]:
    """S16, S19: what succeeds gives this value."""

    def gives_its_value(outcome: Outcome[Any]) -> None:
        if isinstance(outcome, Succeeded) and outcome.value != value:
            raise AssertionError(f"the value is {outcome.value!r}, and not {value!r}")

    return gives_its_value


fails_fast = FailsFast("fails_fast")
holds_what_was_built_on = HoldsWhatWasBuiltOn("holds_what_was_built_on")
all_but_one_undone = AllButOneUndone("all_but_one_undone")
undoes_the_whole = UndoesTheWhole("undoes_the_whole")
answered_in_order = AnsweredInOrder("answered_in_order")
keeps_what_is_sealed = KeepsWhatIsSealed("keeps_what_is_sealed")
stops_at_what_is_left = StopsAtWhatIsLeft("stops_at_what_is_left")
tolerates_one = ToleratesOne("tolerates_one")
