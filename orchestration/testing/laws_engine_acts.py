"""The laws of engines about what happens while a run is under way: cancels, signals, time, caps."""

# ruff: noqa: D401 - the docstring of a law is what it says

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from orchestration.dsl.workflow import Workflow
from orchestration.errors import InvalidInput, RunExists
from orchestration.interpreter.engine import advance, begin
from orchestration.interpreter.events import Started
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.runtime.context import step_context
from orchestration.signals import Signal
from orchestration.testing.laws import expect
from orchestration.testing.laws_engine_cases import NOTES, add, decrease, increase, refuse, tidy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CAP = 3
BRIEF = 0.05  # seconds: a limit that passes
WORD = Signal("word", int)
MARK: ContextVar[str] = ContextVar("orchestration.law", default="unmarked")


async def hang(n: int) -> int:
    """Never end, unless told to."""
    NOTES.append("hang")
    try:
        await asyncio.Event().wait()
    finally:
        NOTES.append("told to end")
    return n


async def hang_or_refuse(n: int) -> int:
    """Fail with 0, soon; hang with all else."""
    if n:
        return await hang(n)
    await asyncio.sleep(BRIEF)
    return await refuse(n)


async def busy(n: int) -> int:
    """Note how many of these are under way."""
    NOTES.append("+")
    await asyncio.sleep(BRIEF / CAP)
    NOTES.append("-")
    return n


async def mark(n: int) -> int:
    """Set a context variable; note what it was."""
    NOTES.append(MARK.get())
    MARK.set(f"marked by {n}")
    return n


async def key(n: int) -> int:
    """Note the idempotency key."""
    NOTES.append(step_context().idempotency_key)
    return n


HANGING = Workflow[int]("law").cleanup(tidy).step(increase).compensate(decrease).step(hang)


async def _noted(text: str) -> None:
    while text not in NOTES:  # noqa: ASYNC110 - see below
        await asyncio.sleep(BRIEF / 10)  # it may come from another loop or thread


async def a_cancel_reaches_what_is_in_flight(engine: Any) -> None:  # noqa: ANN401 - any engine
    """A cancel ends the attempt, undoes what was done, cleans up, and is the outcome, with its reason."""
    handle = await engine.start(HANGING, 3, run_id="cancelled")
    await _noted("hang")
    await _done(handle.cancel("enough"))
    outcome = await handle.result()
    expect(type(outcome), Cancelled, "outcome")
    expect((outcome.reason, outcome.rollback.verdict), ("enough", "complete"), "reason and rollback")
    expect(NOTES, ["increase 3", "hang", "told to end", "decrease 4", "tidy 3"], "what happened")


async def a_cancel_ends_a_sleep(engine: Any) -> None:  # noqa: ANN401 - as above
    """Nobody waits for the end of what is of no use any more."""
    handle = await engine.start(Workflow[int]("law").step(increase).sleep(3_600), 3)
    await _noted("increase 3")
    await _done(handle.cancel("enough"))
    expect(type(await handle.result()), Cancelled, "outcome")


async def a_deadline_is_passed_down(engine: Any) -> None:  # noqa: ANN401 - as above
    """When the time of the run is over, what is in flight is told to end, and the run is undone."""
    handle = await engine.start(HANGING, 3, run_id="late", deadline=BRIEF)
    outcome = await handle.result()
    expect(type(outcome), Failed, "outcome")
    expect(outcome.failure.kind, "orchestration.errors.DeadlineExceeded", "failure")
    expect(outcome.rollback.verdict, "complete", "rollback")


async def an_attempt_times_out(engine: Any) -> None:  # noqa: ANN401 - as above
    """It is told to end, and its step is in doubt."""
    slow = Workflow[int]("law").step(hang, attempt_timeout=BRIEF).compensate(decrease, in_doubt=decrease)
    outcome = await (await engine.start(slow, 3)).result()
    expect((type(outcome), outcome.failure.kind), (Failed, "TimeoutError"), "outcome")
    expect(NOTES, ["hang", "told to end", "decrease 3"], "what happened")


async def a_failure_cancels_its_siblings(engine: Any) -> None:  # noqa: ANN401 - as above
    """And is passed on when they have ended, not before."""
    outcome = await (await engine.start(Workflow[list[int]]("law").map(hang_or_refuse), [1, 0, 2])).result()
    expect((type(outcome), outcome.failure.message), (Failed, "not 0"), "outcome")
    expect(sorted(NOTES), ["hang", "hang", "refuse", "told to end", "told to end"], "what happened")


async def a_cap_is_held(engine: Any) -> None:  # noqa: ANN401 - as above
    """Never more at a time than `concurrency`, and as many as that."""
    items = [*range(4 * CAP)]
    outcome = await (
        await engine.start(Workflow[list[int]]("law").map(busy, concurrency=CAP), items, run_id="capped")
    ).result()
    expect(outcome, Succeeded(items, "capped"), "outcome")
    depth = most = 0
    for note in NOTES:
        depth += 1 if note == "+" else -1
        most = max(most, depth)
    expect(most, CAP, "attempts in flight at a time")


async def a_race_keeps_nothing_of_its_losers(engine: Any) -> None:  # noqa: ANN401 - as above
    """They are cancelled, awaited and undone before the value of the winner goes on."""
    loser = Workflow[int]("loser").step(increase).compensate(decrease).step(hang)
    race = Workflow[int]("law").fork(loser).fork(busy).race().step(increase)
    outcome = await (await engine.start(race, 3, run_id="race")).result()
    expect((type(outcome), outcome.value, outcome.rollback.verdict), (Succeeded, 4, "complete"), "outcome")
    expect(NOTES[-3:], ["told to end", "decrease 4", "increase 3"], "what happened at the end")


async def a_signal_is_taken_once(engine: Any) -> None:  # noqa: ANN401 - as above
    """The same signal id counts once, a signal waits for its waiter, and the rest is listed."""
    waits = Workflow[int]("law").wait_for(WORD, add).wait_for(WORD, add)
    handle = await engine.start(waits, 1, run_id="signalled")
    for payload, signal_id in ((10, "a"), (10, "a"), (100, "b")):
        await _done(handle.signal(WORD, payload, signal_id=signal_id))
    expect(await handle.result(), Succeeded(111, "signalled"), "outcome")


async def keys_name_the_run_and_the_path(engine: Any) -> None:  # noqa: ANN401 - as above
    """A step's idempotency key is the run's id and its path."""
    inner = Workflow[int]("inner").step(key)
    await (await engine.start(Workflow[list[int]]("law").map(inner, concurrency=1), [1, 2], run_id="keys")).result()
    expect(NOTES, ["keys:law/inner[0]/key", "keys:law/inner[1]/key"], "keys")


async def contexts_do_not_mix(engine: Any) -> None:  # noqa: ANN401 - as above
    """A context variable that a step sets is not seen in another."""
    await (await engine.start(Workflow[int]("law").step(mark).step(mark, name="again"), 3)).result()
    expect(NOTES, ["unmarked", "unmarked"], "what the steps saw")


async def an_input_is_validated_first(engine: Any) -> None:  # noqa: ANN401 - as above
    """What does not fit the type of the workflow is refused before anything happens."""
    await _refuses(InvalidInput, lambda: engine.start(Workflow[int]("law").step(increase), "three"))
    expect(NOTES, [], "what happened")


async def an_id_is_for_one_run(engine: Any) -> None:  # noqa: ANN401 - as above
    """Another input under an id that is in use is refused; the same one attaches to the run."""
    handle = await engine.start(HANGING, 3, run_id="used")
    await _noted("hang")
    await _refuses(RunExists, lambda: engine.start(HANGING, 4, run_id="used"))
    again = await engine.start(HANGING, 3, run_id="used")
    await _done(handle.cancel("enough"))
    expect(await again.result(), await handle.result(), "outcomes")
    expect(NOTES.count("hang"), 1, "runs")


async def the_events_tell_the_run(engine: Any) -> None:  # noqa: ANN401 - as above
    """The events of a run, folded by the interpreter, give its outcome. An engine may keep its events to itself."""
    handle = await engine.start(HANGING.recover(refuse, on=Exception), 3, run_id="told", deadline=BRIEF)
    if not hasattr(handle, "events"):
        return
    events = [event async for event in handle.events()]
    outcome = await handle.result()
    expect(type(events[0]), Started, "first event")
    plan = HANGING.recover(refuse, on=Exception).compile()
    state = begin(plan, events[0]).state
    for event in events[1:]:
        state, _ = advance(plan, state, event)
    expect(state.outcome, outcome, "outcome of the events")


async def _done(answer: Any) -> None:  # noqa: ANN401 - an awaitable, or not
    """Wait for what an engine may do at once or later."""
    if hasattr(answer, "__await__"):
        await answer


async def _refuses(kind: type[Exception], call: Callable[[], Awaitable[object]]) -> None:
    try:
        await call()
    except kind:
        return
    raise AssertionError(f"nothing was raised; expected {kind.__name__}")
