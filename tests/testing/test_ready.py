"""The invariants that are ready hold of all that may happen, and each finds out a run that was tampered with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from orchestration import Retry, Workflow, gate, step
from orchestration.interpreter.effects import AskHooks, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import StepLost, TimerFired
from orchestration.outcomes import Failed, Rollback
from orchestration.signals import Signal
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_order import (
    cancel_decides,
    cleaned_up_once,
    items_in_order,
    undone_when_settled,
)
from orchestration.testing.explore_rules import deadlines_held, retried_as_planned, undone_as_done
from orchestration.testing.explorer import READY, TIMES_OUT, explore
from tests.bodies import same, void
from tests.interpreter.parts import ONCE, Flow, armed, chain, forked, plain, settled
from tests.machine import Declined

if TYPE_CHECKING:
    from orchestration.interpreter.effects import Effect
    from orchestration.testing.explore_invariants import Invariant, Moment

NO = Declined("no")
LOST = ConnectionError("gone")
GO = Signal("go", int)
EQUAL = Retry(max_attempts=2, initial_delay=2.0, jitter="equal")
THRICE = Retry(max_attempts=3, initial_delay=2.0, retry_on=ConnectionError, jitter="none")
GIVEN: dict[Any, list[object]] = {"a": [1, LOST], void: [None]}


class Later(ConnectionError):
    """Says when to try again."""

    retry_after = 7.0


def _run(flow: Any, kind: str, rollback: str, **options: Any) -> list[Moment]:
    """Return the moments of a run that ends so."""
    found = explore(flow, options.pop("value", 1), **options)
    return list(next(run for end, run in found.examples.items() if end == (kind, rollback)).moments())


def _says(invariant: Invariant, flow: Any, moments: list[Moment]) -> str:
    """Return what an invariant says to these moments, nothing if all is well."""
    invariant = invariant.bound(flow.compile(), Keys())
    memory = invariant.first
    try:
        for moment in moments:
            memory = invariant.see(memory, moment)
    except AssertionError as error:
        return str(error)
    return ""


def _changed(moment: Moment, kind: type, **changes: Any) -> Moment:
    """Return a moment in which the effects of one kind are others."""
    return moment._replace(effects=[attrs.evolve(e, **changes) if type(e) is kind else e for e in moment.effects])


def _at(moments: list[Moment], kind: type, number: int = 0) -> int:
    """Return at which moment an effect of this kind comes up, of several the one with this number."""
    return [at for at, moment in enumerate(moments) if any(type(e) is kind for e in moment.effects)][number]


def _tampered(moments: list[Moment], at: int, moment: Moment) -> list[Moment]:
    """Return the moments up to one that takes the place of another."""
    return [*moments[:at], moment]


# --- how often, how late, under which key


RETRIED = chain("flow", settled("a", retry=THRICE), plain("b"))


def _retried() -> list[Moment]:
    return _run(RETRIED, "Failed", "complete", outcomes={"a": [LOST], "b": [1], void: [None]}, cancel=False)


def test_each_attempt_comes_after_the_one_before_and_under_its_key() -> None:
    """S5, S9: attempts that are counted wrongly, begin by themselves or have a key of their own are found out."""
    moments = _retried()
    assert _says(retried_as_planned, RETRIED, moments) == ""
    second = _at(moments, RunStep, 1)
    assert isinstance(moments[second].event, TimerFired)
    for attempt in (1, 3):
        tampered = _tampered(moments, second, _changed(moments[second], RunStep, attempt=attempt))
        assert _says(retried_as_planned, RETRIED, tampered) == f"flow/a begins its attempt {attempt} after attempt 1"
    hasty = moments[second]._replace(event=moments[0].event, ended=None)
    assert (
        _says(retried_as_planned, RETRIED, _tampered(moments, second, hasty))
        == "flow/a begins its attempt 2 after attempt 1"
    )


def test_a_key_of_another_kind_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """S5: the key is that of the run and the path, and of an undo says so."""
    moments = _retried()
    monkeypatch.setattr(RunUndo, "key", lambda effect, run_id: f"{run_id}:{effect.path}")
    assert _says(retried_as_planned, RETRIED, moments) == (
        "flow/a is tried under the key explored:flow/a, and not explored:flow/a:in_doubt"
    )


def test_what_fails_is_tried_again_as_often_and_as_late_as_planned() -> None:
    """S9: a retry that is left out, comes too early or was not asked for is found out."""
    moments = _retried()
    first, last = (_at(moments, StartTimer, number) for number in (0, 1))
    none = moments[first]._replace(effects=[])
    assert _says(retried_as_planned, RETRIED, _tampered(moments, first, none)) == (
        "flow/a is not tried again after attempt 1 of 3"
    )
    early = _changed(moments[first], StartTimer, due=1.0)
    assert _says(retried_as_planned, RETRIED, _tampered(moments, first, early)) == (
        "flow/a is tried again after 1 s, and not after 2 to 2"
    )
    over = _at(moments, RunUndo)
    again: list[Effect] = [StartTimer("flow/a", moments[over].state.at + 8.0)]
    assert _says(retried_as_planned, RETRIED, _tampered(moments, over, moments[over]._replace(effects=again))) == (
        "flow/a is tried again after attempt 3, which was the last"
    )
    assert moments[last].state.at == 2.0


def test_an_attempt_that_was_lost_does_not_count() -> None:
    """S9: what begins again with another process is the same attempt."""
    moments = _retried()
    again = _changed(moments[0], RunStep)._replace(event=StepLost("flow/a", 0.0, 1), ended=moments[0].effects[0])
    assert _says(retried_as_planned, RETRIED, [moments[0], again]) == ""
    counted = _changed(again, RunStep, attempt=2)
    assert _says(retried_as_planned, RETRIED, [moments[0], counted]) == (
        "flow/a begins its attempt 2 after attempt 1 was lost"
    )


@pytest.mark.parametrize(("error", "early"), [(LOST, 0.9), (Later("busy"), 6.9)])
def test_a_backoff_lies_between_its_bounds(error: Exception, early: float) -> None:
    """S9: half of it is jitter, and the exception may lengthen it."""
    flow = chain("flow", plain("a", retry=EQUAL))
    moments = _run(flow, "Failed", "not needed", outcomes={"a": [error]}, cancel=False)
    assert _says(retried_as_planned, flow, moments) == ""
    first = _at(moments, StartTimer)
    tampered = _tampered(moments, first, _changed(moments[first], StartTimer, due=early))
    assert _says(retried_as_planned, flow, tampered).startswith(f"flow/a is tried again after {early:g} s, and not")


def test_a_composite_has_as_many_attempts_as_planned() -> None:
    """S9: the number in the path of its steps is that of an attempt that it may have."""
    flow: Flow = Workflow[Any]("flow").step(chain("sub", plain("a")), retry=Retry(max_attempts=2))
    moments = _run(flow, "Failed", "not needed", outcomes={"a": [NO]}, cancel=False)
    assert _says(retried_as_planned, flow, moments) == ""
    second = _at(moments, RunStep, 1)
    tampered = _tampered(moments, second, _changed(moments[second], RunStep, path="flow/sub#3/a"))
    assert _says(retried_as_planned, flow, tampered) == "flow/sub#3/a: there may be no attempt #3"


# --- deadlines


TIMED: Flow = Workflow[Any]("flow").step(chain("sub", plain("a", retry=THRICE), plain("b")), timeout=3.0)


def _timed() -> list[Moment]:
    return _run(TIMED, "Failed", "not needed", default=1, cancel=False, deadline=60.0)


def test_nothing_begins_past_a_deadline_or_without_its_timer() -> None:
    """S10: a timer that is not started, or is another's, and work that begins too late are found out."""
    moments = _timed()
    assert _says(deadlines_held, TIMED, moments) == ""
    start = moments[0]
    untimed = {slot: waiting for slot, waiting in start.pending.items() if slot != ("flow/sub", "timeout")}
    assert _says(deadlines_held, TIMED, [start._replace(pending=untimed)]) == (
        "flow/sub/a is under way, and no timer runs for its deadline"
    )
    assert _says(deadlines_held, TIMED, [_changed(start, RunStep, deadline=None)]) == (
        "flow/sub/a is told of the deadline None, and not 3.0"
    )
    late = start._replace(event=moments[1].event, state=attrs.evolve(start.state, at=4.0))
    assert _says(deadlines_held, TIMED, [start, late]) == "flow/sub/a begins past the deadline around it"


def test_what_is_over_has_to_be_told() -> None:
    """S10: when the time is over, what is under way is told to end, and nothing more begins."""
    moments = _timed()
    fired = next(at for at, m in enumerate(moments) if isinstance(m.event, TimerFired) and m.event.purpose == "timeout")
    deaf = {slot: waiting._replace(told=False) for slot, waiting in moments[fired].pending.items()}
    assert _says(deadlines_held, TIMED, _tampered(moments, fired, moments[fired]._replace(pending=deaf))) == (
        "flow/sub/a is under way, and no timer runs for its deadline"
    )


# --- undos


def test_what_is_undone_is_what_was_done() -> None:
    """S22, S25: an undo gets the output, a handler the input, and nothing is undone or left out without a cause."""
    flow = chain("flow", settled("a"), plain("b"))
    armed_ = _run(flow, "Failed", "complete", outcomes={"a": [5], "b": [NO], void: [None]}, cancel=False)
    doubt = _run(flow, "Failed", "complete", outcomes={"a": [LOST], "b": [1], void: [None]}, cancel=False)
    for moments, by, wrong, what in ((armed_, "undo", "in_doubt", "output"), (doubt, "in_doubt", "undo", "input")):
        assert _says(undone_as_done, flow, moments) == ""
        at = _at(moments, RunUndo)
        other = _tampered(moments, at, _changed(moments[at], RunUndo, by=wrong))
        assert _says(undone_as_done, flow, other) == f"flow/a is undone by {wrong}, and not by {by}"
        value = _tampered(moments, at, _changed(moments[at], RunUndo, value="?"))
        assert _says(undone_as_done, flow, value) == f"flow/a is undone with another value than its {what}"
        end = moments[-1].state
        assert isinstance(end.outcome, Failed)
        bare = attrs.evolve(end, outcome=attrs.evolve(end.outcome, rollback=Rollback()))
        unserved = [*moments[:at], moments[at]._replace(effects=[], state=bare)]
        assert _says(undone_as_done, flow, unserved) == "armed or in doubt, and without an end state: flow/a"
        assert _says(undone_as_done, flow, [moments[0], moments[at]._replace(ended=None)]) == (
            "flow/a is undone, and has done nothing that could be"
        )


def test_a_scope_is_unwound_when_it_has_settled_and_before_anything_goes_on() -> None:
    """S20, S23, S24: an undo beside an attempt, and a step beside the undo of what it builds on, are found out."""
    flow = forked(armed("a"), plain("b")).join().step(plain("c"))
    moments = _run(flow, "Failed", "complete", outcomes={"a": [1], "b": [NO], "c": [1], void: [None]}, cancel=False)
    assert _says(undone_when_settled, flow, moments) == ""
    at = _at(moments, RunUndo)
    busy = moments[at]._replace(pending={**moments[0].pending, **moments[at].pending})
    assert (
        _says(undone_when_settled, flow, [busy])
        == "flow/fork/a is undone while in flow/fork there is still flow/fork/b"
    )
    good = _run(flow, "Succeeded", "not needed", outcomes={"a": [1], "b": [1], "c": [1]}, cancel=False)
    last = good[_at(good, RunStep, 1)]
    hasty = last._replace(pending={**last.pending, **moments[at].pending})
    assert _says(undone_when_settled, flow, [hasty]) == "flow/c begins before flow/fork/a is undone"


# --- cleanups, items, the cancel


TIDY = (
    chain("flow", plain("a")).cleanup(void, retry=ONCE, name="x").cleanup(void, retry=ONCE, name="y").step(plain("b"))
)


def test_each_cleanup_runs_once_the_last_first() -> None:
    """S21: one that is left out, runs twice, too early or in the wrong order is found out."""
    moments = _run(TIDY, "Succeeded", "not needed", default=1, cancel=False)
    assert _says(cleaned_up_once, TIDY, moments) == ""
    one, other = (_at(moments, RunCleanup, number) for number in (0, 1))
    left = [*moments[:one], moments[-1]]
    assert _says(cleaned_up_once, TIDY, left) == "reached, and never cleaned up: flow/x, flow/y"
    twice = _changed(moments[other], RunCleanup, path="flow/y")
    assert _says(cleaned_up_once, TIDY, _tampered(moments, other, twice)) == "flow/y cleans up twice"
    first = _changed(moments[one], RunCleanup, path="flow/x")
    assert _says(cleaned_up_once, TIDY, _tampered(moments, one, first)) == "flow/x cleans up before flow/y"
    busy = moments[one]._replace(pending={**moments[0].pending, **moments[one].pending})
    assert _says(cleaned_up_once, TIDY, _tampered(moments, one, busy)) == (
        "flow/y cleans up while in flow there is still flow/a"
    )
    assert _says(cleaned_up_once, TIDY, [*moments[: one + 1], moments[0]]) == (
        "flow/a begins after flow/y has cleaned up"
    )


def test_a_cleanup_that_was_passed_over_is_not_missed() -> None:
    """S20, S21: what stands between a failure and its recovery was not reached."""
    flow = chain("flow", plain("a")).cleanup(void, retry=ONCE).step(plain("b")).recover(plain("mend"), on=Exception)
    explore(flow.step(plain("c")), 1, outcomes={"a": [1, NO]}, default=1, invariants=[cleaned_up_once]).check()


@pytest.mark.parametrize("body", [plain("a"), chain("each", plain("a"), plain("b"))], ids=["a step", "a chain"])
def test_items_begin_in_their_order(body: Flow) -> None:
    """S16: an item before another, or one left out, is found out."""
    flow: Flow = Workflow[Any]("flow").map(body, concurrency=1, name="map")
    moments = _run(flow, "Succeeded", "not needed", value=[1, 2, 3], default=1, cancel=False)
    assert _says(items_in_order, flow, moments) == ""
    first = next(at for at, moment in enumerate(moments) if any("[1]" in e.path for e in moment.effects))
    path = next(e.path for e in moments[first].effects if "[1]" in e.path)
    skipped = _changed(moments[first], RunStep, path=path.replace("[1]", "[2]"))
    assert _says(items_in_order, flow, _tampered(moments, first, skipped)) == "item 2 of flow/map begins after item 0"
    assert _says(items_in_order, flow, [*moments[: first + 1], moments[0]]) == (
        "item 0 of flow/map begins after item 1"
    )


def test_items_whose_hooks_are_asked_begin_with_that() -> None:
    """S16, S31: gates answer in any order; only that they are asked of an item before another is found out."""
    flow: Flow = Workflow[Any]("flow").map(plain("a", hooks=[gate(void)]), concurrency=2, name="map")
    explore(flow, [1, 2, 3], default=1, invariants=READY).check()
    moments = _run(flow, "Succeeded", "not needed", value=[1, 2, 3], default=1, cancel=False)
    skipped = _changed(moments[0], AskHooks, path="flow/map[2]")
    assert _says(items_in_order, flow, [skipped]) == "item 2 of flow/map begins after item none"


def test_an_item_that_waits_is_not_forgotten() -> None:
    """S16: nothing is under way in a map while an item waits for a signal."""
    body = chain("each", plain("a")).wait_for(GO)
    flow: Flow = Workflow[Any]("flow").map(body, concurrency=1)
    signals = [(GO, 1), (GO, 2)]
    explore(flow, [1, 2], default=1, signals=signals, invariants=[items_in_order], cancel=False).check()


def test_a_cancel_is_told_and_decides() -> None:
    """S28: work or a sleep that is not told, and an end of another kind, are found out."""
    flow = forked(plain("a"), chain("slow").sleep(3.0)).join()
    moments = _run(flow, "Cancelled", "not needed", default=1)
    assert _says(cancel_decides, flow, moments) == ""
    at = next(number for number, moment in enumerate(moments) if moment.state.ledger.cancel is not None)
    deaf = moments[at]._replace(pending=moments[0].pending)
    assert _says(cancel_decides, flow, _tampered(moments, at, deaf)) == (
        "not told of the cancel: flow/fork/a, flow/fork/slow/sleep"
    )
    good = _run(flow, "Succeeded", "not needed", default=1, cancel=False)
    ignored = [*moments[: at + 1], good[-1]]
    assert _says(cancel_decides, flow, ignored) == "the run was cancelled, and is Succeeded"
    unasked = moments[-1]._replace(event=moments[0].event)
    assert _says(cancel_decides, flow, [moments[0], unasked]) == "the run was not cancelled, and is Cancelled"


@pytest.mark.parametrize("options", [{"leaks": True}, {"crash": True}], ids=["leaks", "crash"])
def test_they_hold_of_all_that_may_happen(options: dict[str, bool]) -> None:
    """S9, S10, S22, S28: retries, deadlines, doubt and cleanups at once, with leaks and ends of the process."""
    inner = chain("sub", settled("a", retry=THRICE, attempt_timeout=1.0), plain("b")).cleanup(void, retry=ONCE)
    flow: Flow = Workflow[Any]("flow").step(inner, timeout=5.0).sleep(1.0).step(plain("c"))
    given: dict[Any, list[object]] = {"a": [1, TIMES_OUT], "b": [1, NO], "c": [1], void: [None]}
    seen = explore(flow, 1, outcomes=given, invariants=READY, deadline=60.0, max_states=800, samples=20, **options)
    assert seen.broken is None
    assert {ending.kind for ending in seen.endings} == {"Succeeded", "Failed", "Cancelled"}
    assert step(same).compile().name  # the simplest plan has nothing that most of them look at
    explore(step(same), 1, outcomes={same: [1, NO]}, invariants=READY).check()
