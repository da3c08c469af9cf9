"""Random workflows on Temporal do what the pure interpreter says (S39)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.errors import SignalRefused
from orchestration.interpreter.effects import RunCleanup, RunStep, RunUndo
from orchestration.interpreter.engine import advance, begin
from orchestration.interpreter.events import StepLost
from orchestration.plan.nodes import WaitFor
from orchestration.testing import FakeHandler
from orchestration.testing.strategies import workflows
from orchestration.testing.strategies_plans import SIGNALS

if TYPE_CHECKING:
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from tests.temporal.servers import Server

EXAMPLES = int(os.environ.get("TEMPORAL_EXAMPLES", "25"))  # each way; the session `temporal` tries more
REFUSED = ("stream",)
SIDE_BY_SIDE = (
    "fork",
    "graph",
    "map",
    "timeout",
    "wait_for",
)  # with these the order and times of completions may matter
SLOW = ("sleep", "retry", "timeout")  # on a real server these take real seconds
PATIENCE = 30.0  # seconds, after which a run ends that waits for more signals than are sent
SIGNALS_SENT = 8  # of each kind that is waited for
CANCELS = st.none() | st.floats(0, 0.1)  # seconds after the start: somewhere in the middle

quick = settings(
    max_examples=EXAMPLES,
    phases=[phase for phase in Phase if phase is not Phase.shrink],  # each example takes its time
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


async def _run(
    server: Server, workflow: Any, value: int, *, cancel_after: float | None = None, deadline: float | None = None
) -> tuple[Outcome[Any], list[Any], int]:
    """Run a workflow; return its outcome, its events, and how many activities Temporal has seen."""
    handle = await server.near().start(workflow, value, run_id="run", deadline=deadline)
    awaited = {node.signal for node in workflow.compile().nodes if isinstance(node, WaitFor)}
    with contextlib.suppress(SignalRefused):  # the run may be over before all are sent
        for number in range(SIGNALS_SENT):
            for signal in SIGNALS:
                if signal.name in awaited:
                    await handle.signal(signal, number)
    if cancel_after is not None:
        await asyncio.sleep(cancel_after)
        await handle.cancel("enough")
    outcome = await handle.result()
    events = [event async for event in handle.events()]
    history = await handle.workflow.fetch_history()
    return outcome, events, sum(event.HasField("activity_task_scheduled_event_attributes") for event in history.events)


def _folded(plan: Plan, events: list[Any]) -> tuple[Outcome[Any] | None, int]:
    """Return the outcome that events give, and how many attempts they begin."""
    _, effects, state = begin(plan, events[0])
    attempts = [effect for effect in effects if isinstance(effect, RunStep | RunUndo | RunCleanup)]
    for event in events[1:]:
        assert not isinstance(event, StepLost), "a worker was there all the time"
        state, effects = advance(plan, state, event)
        attempts += [effect for effect in effects if isinstance(effect, RunStep | RunUndo | RunCleanup)]
    return state.outcome, len(attempts)


@quick
@given(workflow=workflows(without=(*REFUSED, *SLOW)), value=st.integers(0, 9), cancel_after=CANCELS)
def test_the_events_of_a_run_give_its_effects_and_outcome(
    workflow: Any, value: int, cancel_after: float | None, real: Server
) -> None:
    """S39 (a), S28: signals, a cancel in the middle: the log, folded, gives the outcome and the attempts."""
    outcome, events, activities = real.run(_run(real, workflow, value, cancel_after=cancel_after, deadline=PATIENCE))
    folded, attempts = _folded(workflow.compile(), events)
    assert outcome == folded
    assert activities <= attempts  # what is cancelled while it waits for the window, or its cap, is never scheduled


@quick
@given(workflow=workflows(without=(*REFUSED, *SIDE_BY_SIDE)), value=st.integers(0, 9))
def test_what_no_schedule_changes_ends_there_as_here(workflow: Any, value: int, skipping: Server) -> None:
    """S39 (c): where nothing runs side by side, the outcome on Temporal is that of the pure interpreter."""
    expected = FakeHandler(real=True).run(workflow, value, run_id="run").outcome
    outcome, _, _ = skipping.run(_run(skipping, workflow, value))
    assert outcome == expected
