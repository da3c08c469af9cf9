"""What holds of every run, however its plan is nested and whatever goes wrong; each check names its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.interpreter.effects import RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import CancelRequested
from orchestration.outcomes import Cancelled, Failed, Held, InDoubt, Kept, Succeeded, UndoFailed, Undone
from orchestration.plan.nodes import Compensated, Graph, Map, Pivot, Retried, Scope
from tests.nesting.blame import Unit, absorber

if TYPE_CHECKING:
    from orchestration.policies import OnUndoFailure
    from tests.nesting.atlas import Atlas
    from tests.nesting.facts import Facts


def check(facts: Facts, atlas: Atlas, policy: OnUndoFailure = "hold") -> None:
    """Hold a run against all of them; `policy` is that of its workflows for an undo that fails for good."""
    nothing_is_left(facts)
    keys_have_one_meaning(facts)
    end_states_agree_with_what_happened(facts)
    what_is_sealed_is_kept(facts, atlas)
    each_eligible_step_has_one_end_state(facts, atlas)
    undos_go_in_reverse(facts, atlas)
    what_is_held_was_built_on(facts, atlas, policy)
    cleanups_run_once_when_their_scope_has_ended(facts, atlas)
    nothing_new_begins(facts, atlas)
    what_came_first_decides(facts, atlas)


def nothing_is_left(facts: Facts) -> None:
    """S29: nothing is in flight, waits or is still to end when there is an outcome."""
    run = facts.run
    assert run.pending == {}, "S29: something is in flight"
    assert not run.cancelling, "S29: something was told to end and has not"
    assert not len(run.state.ledger.mail.waiting), "S29: something waits for a signal"


def keys_have_one_meaning(facts: Facts) -> None:
    """S5, S9: all attempts under one key have the same value, and no attempt is made twice."""
    meanings: dict[str, Any] = {}
    attempts: set[tuple[str, int]] = set()
    for effect in facts.run.log:
        if isinstance(effect, RunStep | RunUndo | RunCleanup):
            key = effect.key("run")
            assert meanings.setdefault(key, effect.value) == effect.value, f"S5: {key} is used for two effects"
            assert (key, effect.attempt) not in attempts, f"S5: {key} is tried twice as attempt {effect.attempt}"
            attempts.add((key, effect.attempt))


def end_states_agree_with_what_happened(facts: Facts) -> None:
    """S22, S25: an undo is for what landed, a handler for what may have; the state says how it went, each once."""
    states = facts.rollback.steps
    assert len({state.path for state in states}) == len(states), "S25: two end states of one step"
    assert facts.undos.keys() == {state.path for state in states if isinstance(state, Undone | UndoFailed)}
    for state in states:
        path = state.path
        match state:
            case Undone() | UndoFailed():
                [effect] = facts.undos[path]
                if isinstance(effect.step, Compensated):
                    continue
                landed = path in facts.landed
                expected = facts.landed[path] if landed else facts.inputs[path]
                assert (effect.by == "undo") == landed, f"S22: {path} is undone by {effect.by}"
                assert effect.value == expected, f"S22: the undo of {path} gets another value"
                assert facts.undone[path] == isinstance(state, Undone), f"S25: {path} did not end so"
            case InDoubt():
                compensation = facts.steps[path].compensation
                assert path in facts.doubtful, f"S22: {path} is in no doubt"
                assert path not in facts.landed, f"S22: {path} has landed"
                assert compensation is not None, f"S22: {path} has no undo"
                assert compensation.in_doubt is None, f"S22: {path} has a handler"
            case _:
                pass


def what_is_sealed_is_kept(facts: Facts, atlas: Atlas) -> None:
    """S25, S27: what stands before a pivot that was passed is kept, and nothing else."""
    for state in facts.rollback.steps:
        assert isinstance(state, Kept) == _is_sealed(state.path, facts, atlas), f"S27: {state}"


def _is_sealed(path: str, facts: Facts, atlas: Atlas) -> bool:
    """Tell whether a pivot behind a step was passed, unless the step had been undone by then."""
    until = facts.undoing.get(path, len(facts.run.history))
    for place in atlas.way(path):
        if isinstance(place.node, Scope):
            pivots = (at for at, child in enumerate(place.node.children) if isinstance(child, Pivot))
            pivot = next((at for at in pivots if at > place.position), None)
            behind = (at for step, at in facts.begun.items() if pivot and _position(atlas, step, place.path) > pivot)
            if any(at < until for at in behind):
                return True
    return False


def _position(atlas: Atlas, path: str, scope: str) -> int:
    """Return which child of a workflow leads to a step, -1 if none does."""
    places = (place for place in atlas.way(path) if place.path == scope and isinstance(place.node, Scope))
    return next((place.position for place in places), -1)


def each_eligible_step_has_one_end_state(facts: Facts, atlas: Atlas) -> None:
    """S20, S25: all of them if the run did not succeed; if it did, those of what failed or lost on the way."""
    eligible = {*facts.eligible(), *_wholes(facts, atlas)}
    ended = {state.path for state in facts.rollback.steps}
    assert ended <= eligible, f"S25: {ended - eligible} had nothing to undo"
    if not isinstance(facts.run.outcome, Succeeded):
        assert ended == eligible, f"S25: {eligible - ended} have no end state"
        return
    unit = _failed_unit(facts, atlas)
    races: dict[str, list[tuple[int, bool]]] = {}
    for path in eligible:
        lost = unit is not None and unit.holds(atlas.way(path))
        for place in atlas.way(path):
            if isinstance(place.node, Graph | Map) and place.node.mode == "race":
                races.setdefault(place.path, []).append((place.position, path in ended))
                break
        else:
            assert (path in ended) == lost, f"S20: {path} is {'' if path in ended else 'not '}undone"
        assert path in ended or not lost, f"S20: {path} is not undone"
    for path, members in races.items():
        stands = {member for member, is_undone in members if not is_undone}
        assert len(stands) <= 1, f"S18: of the race {path}, the work of {stands} stands"


def _wholes(facts: Facts, atlas: Atlas) -> set[str]:
    """Return the folds that were done with all of their items, of which a text has two and a letter one."""
    found = set()
    for path in facts.landed:
        for place in atlas.way(path):
            if isinstance(place.node, Compensated):
                items = 1 if any(isinstance(before.node, Map) for before in atlas.way(path)) else 2
                if all(f"{place.path}[{index}]" in facts.landed for index in range(items)):
                    found.add(place.path)
    return found


def _failed_unit(facts: Facts, atlas: Atlas) -> Unit | None:
    """Return what was given up of a run that has succeeded all the same, because of its first trouble."""
    troubles = facts.run.troubles
    return absorber(facts, atlas, troubles[0]) if troubles else None


def undos_go_in_reverse(facts: Facts, atlas: Atlas) -> None:
    """S23, S27: what was built on something is undone before it; what ran beside it in plan order, scope by scope."""
    decided = -1
    states = facts.rollback.steps
    for index, state in enumerate(states):
        path = state.path
        decided = max(decided, facts.undoing.get(path, decided))
        for later in states[index + 1 :]:
            if _ended(facts, later.path) > decided or atlas.relation(path, later.path) is not None:
                continue
            relation = atlas.relation(later.path, path)
            assert relation is not None
            in_order = _unwinds_with(path, atlas) == _unwinds_with(later.path, atlas)
            assert relation == "beside", f"S23: {path} is undone before {later.path}, which was built on it"
            assert not in_order, f"S23: {path} is undone before {later.path}, which stands later"


def _unwinds_with(path: str, atlas: Atlas) -> str:
    """Return the path of what a step is unwound with: its workflow, or what in that may be given up alone."""
    for place in reversed(atlas.way(path)):
        if isinstance(place.node, Scope):
            return place.path
        if isinstance(place.node, Graph | Map) and place.node.mode != "fail_fast":
            return place.below
        if isinstance(place.node, Retried):
            return f"{place.path}#{place.position}"
    raise AssertionError(path)


def _ended(facts: Facts, path: str) -> int:
    """Return when a step ended, or the last item of a composite."""
    own = facts.ended.get(path)
    return own if own is not None else max(at for item, at in facts.ended.items() if item.startswith(f"{path}["))


def what_is_held_was_built_on(facts: Facts, atlas: Atlas, policy: OnUndoFailure = "hold") -> None:
    """S26: held is exactly what something that could not be undone was built on; with `halt` all that remains."""
    stuck: list[str] = []
    for state in facts.rollback.steps:
        path = state.path
        before = [other for other in stuck if policy != "continue" and _ended(facts, path) < facts.undoing[other]]
        holders = [other for other in before if _holds(other, path, atlas, policy)]
        if isinstance(state, Held):
            assert state.because_of in (stuck if policy == "halt" else holders), f"S26: {state}"
        elif not isinstance(state, Kept | InDoubt):
            assert not holders, f"S26: {path} is not held because of {holders}"
        if isinstance(state, UndoFailed):
            stuck.append(path)


def _holds(stuck: str, path: str, atlas: Atlas, policy: OnUndoFailure) -> bool:
    """Tell whether an undo that failed holds a step: what it was built on, and what halts all of its unwinding."""
    together = policy == "halt" and _unwinds_with(stuck, atlas) == _unwinds_with(path, atlas)
    return together or atlas.relation(stuck, path) == "after"


def cleanups_run_once_when_their_scope_has_ended(facts: Facts, atlas: Atlas) -> None:
    """S21, S24, S28: each that was reached, after the unwinding of its scope, the last first, inner before outer."""
    reached = {one for path in facts.begun for one in atlas.cleanups(path) if facts.freely(one.before)}
    assert facts.cleanups.keys() == {one.path for one in reached}, "S21: what was reached is not what was cleaned"
    for path, _, scope, position, last in reached:
        assert len(facts.cleanups[path]) == 1, f"S21: {path} ran twice"
        began, below = facts.cleaning[path], f"{scope}/"
        for other, at in facts.ended.items():
            assert at < began or not other.startswith(below), f"S28: {other} was under way when {path} began"
        succeeded = facts.freely(last) or (last in facts.landed and scope != "flow")  # in the grace, a part of a run
        for other, at in facts.undoing.items() if not succeeded else ():
            assert at < began or not other.startswith(below), f"S28: {other} was undone after {path}"
        for inner in reached:
            if inner.scope.startswith(below) or (inner.scope == scope and inner.position > position):
                assert facts.cleaned[inner.path] < began, f"S21: {path} began before {inner.path} had ended"


def all_is_kept(facts: Facts) -> None:
    """S25, S28: where a cancel undoes nothing, what it finds is kept; what was being undone before goes on."""
    cancel = next(at for at, what in enumerate(facts.run.history) if isinstance(what, CancelRequested))
    if isinstance(facts.run.outcome, Cancelled) and all(at > cancel for at in facts.undoing.values()):
        assert all(isinstance(state, Kept) for state in facts.rollback.steps), "S28: not all is kept"
        assert {state.path for state in facts.rollback.steps} >= facts.eligible().keys(), "S25: not all is listed"


def nothing_new_begins(facts: Facts, atlas: Atlas) -> None:
    """S18, S28: after a cancel nothing does but undos and cleanups, after a failure nothing in its workflow."""
    run, history = facts.run, facts.run.history
    cancels = [at for at, what in enumerate(history) if isinstance(what, CancelRequested)]
    for again in cancels[1:]:
        assert len(history) == again + 1 or not hasattr(type(history[again + 1]), "key"), "S28: the second cancel"
    if isinstance(run.outcome, Cancelled):
        for at in range(cancels[0], len(history)):
            what = history[at]
            assert not isinstance(what, RunStep), f"S28: {what.path} begins after the cancel"
            if isinstance(what, StartTimer):
                shielded = what.path in facts.undos or what.path in facts.cleanups
                assert shielded, f"S28: a timer of {what.path} begins after the cancel"
    path = _decided_by(facts, atlas)
    if path is not None and path in facts.failing:
        around = next(place.path for place in reversed(atlas.way(path)) if isinstance(place.node, Scope | Graph | Map))
        for other, at in facts.begun.items():
            within = other.startswith((f"{around}/", f"{around}["))
            assert not (within and at > facts.failing[path]), f"S18: {other} begins after {path} has failed"
    closed = facts.cleaning.get("flow/close")
    if closed is not None:
        assert all(at < closed for at in facts.begun.values()), "S28: a step begins after the last cleanup"


def _decided_by(facts: Facts, atlas: Atlas) -> str | None:
    """Return the path of the failure that the first trouble is, if nothing goes on in spite of it."""
    troubles = facts.run.troubles
    fails = isinstance(facts.run.outcome, Failed) and troubles and _can_decide(facts, troubles[0])
    return troubles[0][1] if fails and absorber(facts, atlas, troubles[0]) is None else None


def what_came_first_decides(facts: Facts, atlas: Atlas) -> None:
    """S20, S28: a failure that something absorbs, with all of it undone, decides nothing; else the first event does."""
    run, outcome, troubles = facts.run, facts.run.outcome, facts.run.troubles
    assert outcome is not None
    first = next((trouble for trouble in troubles if _can_decide(facts, trouble)), None)
    cancel = next((at for at, what in enumerate(run.history) if isinstance(what, CancelRequested)), None)
    too_late = cancel is not None and facts.freely("flow/end") and facts.ended["flow/end"] < cancel
    partial = outcome.rollback.verdict == "partial"
    assert (run.state.ledger.cancel is not None) == isinstance(outcome, Cancelled), "S28: the cancel is told it decided"
    if first is not None and first[0] != "cancel" and absorber(facts, atlas, first) is None:
        assert isinstance(outcome, Failed), "S28: nothing goes on in spite of the failure"
    elif cancel is not None and not too_late:
        stuck = any(isinstance(state, UndoFailed | Held | InDoubt) for state in outcome.rollback.steps)
        passed = first is not None and first[0] != "cancel" and stuck
        assert isinstance(outcome, Cancelled) or (passed and isinstance(outcome, Failed)), "S28: the cancel decides"
        if isinstance(outcome, Cancelled):
            assert outcome.reason == "enough", "S28: the first reason wins"
    else:
        assert isinstance(outcome, Failed if partial else Succeeded), "S20: it goes on if all could be undone"


def _can_decide(facts: Facts, trouble: tuple[str, str]) -> bool:
    """Tell whether it may decide the outcome: a failure may only if it was for good, and not of an undo or cleanup."""
    how, where = trouble
    return how in ("cancel", "is over") or (how != "fail RunUndo" and where in facts.failing)
