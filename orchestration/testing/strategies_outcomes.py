"""What the world says, drawn: how each attempt of each step ends, and after how long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from orchestration.plan.nodes import Cleanup, Compensated, Step
from orchestration.plan.tree import static_path
from orchestration.testing.answers import Answer, answers
from orchestration.testing.explore_outcomes import TIMES_OUT, placed
from orchestration.testing.fakes import FakeHandler, Unasked
from orchestration.testing.means import key_of, means, rank
from orchestration.testing.strategies_base import note, st
from orchestration.testing.strategies_values import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestration.plan.body import Body
    from orchestration.plan.compile import Compilable
    from orchestration.plan.nodes import Node
    from orchestration.policies import Retry

Delays: TypeAlias = "st.SearchStrategy[float] | st.SearchStrategy[int]"
FAULTS: tuple[type[Exception], ...] = (RuntimeError, ConnectionError, TimeoutError, OSError, ValueError, KeyError)
DELAYS: st.SearchStrategy[float] = st.sampled_from((0.0, 1.0, 2.0, 0.5, 60.0, 3600.0))  # many at the same instant


class Asked(NamedTuple):
    """Something that a plan asks for: where, by which body, how often at most, and how long an attempt may take."""

    place: str
    body: Body
    attempts: int
    limit: float | None


def faults(*kinds: BaseException | type[BaseException]) -> st.SearchStrategy[BaseException | type[BaseException]]:
    """Draw what a step raises: one of these, or else one of several kinds, some of which leave it in doubt (S22)."""
    return st.sampled_from(kinds or FAULTS)


FAILING = faults()


def outcomes(
    workflow: Compilable[Any, Any, Any],
    given: Mapping[Any, object] | None = None,
    /,
    *,
    faults: st.SearchStrategy[Any] | None = None,
    delays: Delays = DELAYS,
) -> st.SearchStrategy[dict[str, tuple[Answer, ...]]]:
    """Draw how the attempts of each step, undo and cleanup end, one after the other, and how long each takes.

    By path: what `FakeHandler.on(path, each=...)` takes; `fakes` draws the whole fake. What a step gives is drawn by
    the annotation of its body, or is what is `given`, by function, service method, name or path as for `explore`: a
    list of values, exceptions, `TIMES_OUT` and answers, or a strategy for them. An attempt that has a limit may also
    pass it. `faults` says what attempts raise where nothing is given, `delays` how many seconds they take.

    Shrinks to steps that succeed at once, at the first attempt.

    Raises:
        Unasked: if something is given for what is not in the workflow.
    """
    plan = workflow.compile()
    asked = [one for path, node in placed(plan.root, plan.name) for one in _asked(path, node)]
    known = {key_of(what): ends for what, ends in (given or {}).items()}
    for key, what in zip(known, given or {}, strict=True):
        if not any(means(_static(key), one.place, one.body) for one in asked):
            raise Unasked(f"outcomes are given for {what!r}, which is not in {plan.name}")
    failing = FAILING if faults is None else faults
    return st.fixed_dictionaries({one.place: _each(one, known, failing, delays) for one in asked})


def fakes(
    workflow: Compilable[Any, Any, Any],
    given: Mapping[Any, object] | None = None,
    /,
    *,
    faults: st.SearchStrategy[Any] | None = None,
    delays: Delays = DELAYS,
) -> st.SearchStrategy[FakeHandler]:
    """Draw fakes with the answers of `outcomes`: worlds in virtual time, for `fake.run(workflow, value)`."""
    drawn = outcomes(workflow, given, faults=faults, delays=delays)
    return drawn.map(_fake)


def _fake(drawn: dict[str, tuple[Answer, ...]]) -> FakeHandler:
    fake = FakeHandler()
    for place, each in drawn.items():
        fake.on(place, each=each)
    said = "\n".join(f"  {place}: {', '.join(map(_said, each))}" for place, each in drawn.items())
    note(f"The world:\n{said}")
    return fake


def _static(key: Any) -> Any:  # noqa: ANN401 - a body or a text
    return static_path(key) if isinstance(key, str) else key


def _asked(path: str, node: Node) -> Iterator[Asked]:
    if isinstance(node, Step):
        yield Asked(path, node.body, _attempts(node.retry), node.attempt_timeout)
    if isinstance(node, Cleanup):
        yield Asked(path, node.body, _attempts(node.retry), node.timeout)
    if isinstance(node, Step | Compensated) and node.compensation is not None:
        how = node.compensation
        yield Asked(f"{path}:undo", how.undo, _attempts(how.retry), how.timeout)
        if how.in_doubt is not None:
            yield Asked(f"{path}:in_doubt", how.in_doubt, _attempts(how.retry), how.timeout)


def _attempts(retry: Retry | None) -> int:
    return 1 if retry is None else retry.max_attempts


def _each(
    asked: Asked, given: Mapping[Any, object], failing: st.SearchStrategy[Any], delays: Delays
) -> st.SearchStrategy[tuple[Answer, ...]]:
    """Return how the attempts of something end: some go wrong, the last one and all after it are as they should be."""
    meant = [(key, ends) for key, ends in given.items() if means(_static(key), asked.place, asked.body)]
    if meant:
        ends: Any = min(meant, key=lambda pair: rank(pair[0]))[1]
        one = ends if isinstance(ends, st.SearchStrategy) else st.sampled_from(tuple(ends))
        return st.lists(_timed(one, delays), min_size=1, max_size=asked.attempts).map(tuple)
    gives: Any = asked.body.gives
    right, wrong = _timed(values_of(gives), delays), failing
    if asked.limit is not None:
        wrong = wrong | st.just(TIMES_OUT)
    before = st.lists(_timed(wrong, delays), max_size=asked.attempts)
    return st.tuples(before, right).map(lambda pair: (*pair[0], pair[1]))


def _timed(ends: st.SearchStrategy[Any], delays: Delays) -> st.SearchStrategy[Answer]:
    return st.builds(_answer, ends, delays)


def _answer(end: Any, takes: float) -> Answer:  # noqa: ANN401 - a value, an exception or an answer
    if end is TIMES_OUT:
        return answers(hangs=True)
    if isinstance(end, Answer):
        return end
    return answers(end, takes=float(takes))


def _said(answer: Answer) -> str:
    end = f"raises {answer.raises!r}" if answer.raises is not None else repr(answer.returns)
    if answer.takes == math.inf:
        return "hangs"
    return f"{end} after {answer.takes:g} s" if answer.takes else end
