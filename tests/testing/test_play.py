"""The virtual clock under random plans of all constructs: a run in which it drives is one that the rules allow."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.interpreter.engine import advance, start
from orchestration.testing import Answer, answers
from orchestration.testing.means import place_of
from orchestration.testing.play import Play
from tests.model.draws import plans

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.effects import Attempted
    from orchestration.testing import Trace

DEADLINE = 99.0  # for steps that hang, and signals that never come
ENDS: list[Callable[[Random], Answer]] = [
    lambda chance: answers(chance.randrange(10), takes=chance.randrange(8)),
    lambda chance: answers(chance.randrange(10)),
    lambda chance: answers(raises=chance.choice([OSError, ValueError, TimeoutError]), takes=chance.randrange(3)),
    lambda _: answers(hangs=True),
    lambda chance: answers(chance.randrange(10), takes=chance.randrange(40), stubborn=True),
    lambda _: answers(hangs=True, stubborn=True),
]


def play(plan: Any, seed: int, cancel_at: float | None) -> Trace[Any]:
    """Run a plan in a world that a seed has made."""

    def answer(effect: Attempted, _: Trace[Any]) -> Answer:
        chance = Random(f"{seed} {place_of(effect)} {effect.attempt}")  # noqa: S311 - repeatable is what it has to be
        return chance.choices(ENDS, [8, 8, 3, 1, 2, 1])[0](chance)

    run = Play(plan, 3, answer, deadline=DEADLINE)
    if cancel_at is not None:
        run.cancel_at(cancel_at, "enough")
    return run.run()


@settings(max_examples=200)
@given(plans(), st.integers(0, 999), st.none() | st.integers(0, 20))
def test_the_events_of_a_fake_run_are_those_of_a_real_one(plan, seed, cancel_at) -> None:
    """S3: the interpreter takes each event, and folded anew they give the same effects and the same outcome."""
    trace = play(plan, seed, cancel_at)
    state, effects = start(plan, 3, run_id="test", at=0.0, deadline=DEADLINE)
    assert effects == trace.turns[0].effects
    for turn in trace.turns[1:]:
        assert turn.event.at >= state.at
        state, effects = advance(plan, state, turn.event)  # type: ignore[arg-type]  # the first alone is a start
        assert effects == turn.effects
    assert state.outcome == trace.outcome


@settings(max_examples=50)
@given(plans(), st.integers(0, 999), st.none() | st.integers(0, 20))
def test_the_same_answers_give_the_same_story(plan, seed, cancel_at) -> None:
    """S2: nothing in a fake depends on chance or on a clock."""
    play(plan, seed, cancel_at).check_same(play(plan, seed, cancel_at))
