"""How attempts may end while `explore` looks at all runs: what a user gives for each step, looked up and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

from pydantic import BaseModel

from orchestration.failures import Failure
from orchestration.interpreter.effects import AskHooks, RunStep
from orchestration.interpreter.ends import failed, succeeded
from orchestration.plan.body import Body
from orchestration.plan.nodes import Cleanup, Compensated, Step
from orchestration.plan.tree import child_path, children_of, static_path
from orchestration.testing.answers import NOTHING, Answer
from orchestration.testing.fakes import Unanswered, Unasked
from orchestration.testing.means import key_of, means, place_of, rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.interpreter.effects import Attempted
    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node
    from orchestration.testing.means import Key


@final
class TimesOut:
    """Stands for an attempt that takes longer than it may."""

    def __repr__(self) -> str:
        """Say so."""
        return "TIMES_OUT"


TIMES_OUT = TimesOut()
End: TypeAlias = "Answer | TimesOut"
Given: TypeAlias = "Mapping[Any, Iterable[object]]"
ONE_VALUE = (str, bytes, Mapping, BaseModel)  # what has items, and is meant as one outcome by who gives no list


class Target(NamedTuple):
    """Something in a plan that can end in several ways: a step, an undo, a cleanup, what hooks answer.

    `place` is the one in the plan, `limit` how many seconds an attempt may take. What is not `needed` simply succeeds
    where nothing else is given; hooks have no body to be meant by.
    """

    place: str
    body: Body
    limit: float | None
    needed: bool = False
    hooks: bool = False

    def is_meant_by(self, key: Key) -> bool:
        """Tell whether outcomes are given for this."""
        if isinstance(key, Body):
            return not self.hooks and means(key, self.place, self.body)
        return means(static_path(key), self.place, self.body)


@final
class Outcomes:
    """What each attempt may end with: a path counts before a name, a name before a function.

    Raises:
        Unanswered: if a step has no outcome and there is no default; all that are missing are listed.
        Unasked: if outcomes are given for something that is not in the plan.
        ValueError: if an outcome can never happen.
        TypeError: if something has no list of outcomes.
    """

    def __init__(self, plan: Plan, given: Given, default: object) -> None:
        """Look through the plan."""
        self._ends = [(key_of(what), _ends(what, ends)) for what, ends in given.items()]
        self._default: tuple[End, ...] | None = None if default is NOTHING else (_end("default", default),)
        self._known: dict[str, tuple[End, ...]] = {}
        self._failures: dict[tuple[int, str], Failure] = {}
        targets = [target for path, node in placed(plan.root, plan.name) for target in _targets(path, node)]
        for (key, ends), what in zip(self._ends, given, strict=True):
            _check(plan, [target for target in targets if target.is_meant_by(key)], what, ends)
        if self._default is None:
            missing = [
                one.place for one in targets if one.needed and not any(one.is_meant_by(key) for key, _ in self._ends)
            ]
            if missing:
                raise Unanswered(_missing(missing))

    def of(self, effect: Attempted | AskHooks) -> tuple[End, ...]:
        """Return how an attempt, or an asking of hooks, may end.

        Raises:
            Unanswered: if that is given for other items of a map only.
        """
        place = f"{effect.path}:{effect.when}" if isinstance(effect, AskHooks) else place_of(effect)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = self._found(effect, place)
        return known

    def event(self, effect: Attempted, end: Answer, at: float) -> Event:
        """Return the event of an attempt that ends so."""
        if end.raises is not None:
            return failed(effect, at, self.failure(end.raises, effect.path))
        spread = isinstance(effect, RunStep) and effect.step.spread
        try:
            output = end.outcome(tuple(effect.value) if spread else (effect.value,))
        except Exception as error:  # noqa: BLE001 - what a function raises is an outcome
            return failed(effect, at, Failure.of(error, effect.path))
        return succeeded(effect, at, output)

    def failure(self, error: BaseException | type[BaseException], path: str) -> Failure:
        """Return the failure of something that raises; always the same one."""
        known = self._failures.get((id(error), path))
        if known is None:
            raised = error() if isinstance(error, type) else error
            known = self._failures[id(error), path] = Failure.of(raised, path)
        return known

    def _found(self, effect: Attempted | AskHooks, place: str) -> tuple[End, ...]:
        if isinstance(effect, AskHooks):
            target = Target(place, effect.step.body, None, hooks=True)
        else:
            target = Target(place, effect.body, None)
        found = [(key, ends) for key, ends in self._ends if _is_asked_by(target, key)]
        if found:
            return min(found, key=lambda pair: rank(pair[0]))[1]
        if not isinstance(effect, RunStep):
            return (Answer(),)
        if self._default is None:
            raise Unanswered(_missing([place]))
        return self._default


def placed(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    """Yield a node and all below it, with their paths in the plan."""
    yield path, node
    for how, child in children_of(node):
        yield from placed(child, child_path(path, how, child.name))


def _targets(path: str, node: Node) -> Iterator[Target]:
    if isinstance(node, Step):
        yield Target(path, node.body, node.attempt_timeout, needed=True)
        for when in node.asks:
            yield Target(f"{path}:{when}", node.body, None, hooks=True)
    if isinstance(node, Cleanup):
        yield Target(path, node.body, node.timeout)
    if isinstance(node, Step | Compensated) and node.compensation is not None:
        compensation = node.compensation
        yield Target(f"{path}:undo", compensation.undo, compensation.timeout)
        if compensation.in_doubt is not None:
            yield Target(f"{path}:in_doubt", compensation.in_doubt, compensation.timeout)


def _is_asked_by(target: Target, key: Key) -> bool:
    """Tell whether something that runs is meant, where a path may be that of one item alone."""
    return means(key, target.place, target.body) and not (target.hooks and isinstance(key, Body))


def _check(plan: Plan, meant: list[Target], what: object, ends: tuple[End, ...]) -> None:
    if not meant:
        raise Unasked(f"outcomes are given for {_said(what)}, which is not in {plan.name}")
    for target in meant:
        if target.limit is None and TIMES_OUT in ends:
            raise ValueError(f"{target.place} cannot time out: give the step an attempt_timeout")


def _ends(what: object, given: object) -> tuple[End, ...]:
    if not isinstance(given, Iterable) or isinstance(given, ONE_VALUE):
        raise TypeError(f"the outcomes of {_said(what)} are {given!r}: list them, [{given!r}]")
    ends = tuple(_end(what, one) for one in given)
    if not ends:
        raise ValueError(f"no outcome is given for {_said(what)}: list one at least")
    return ends


def _end(what: object, one: Any) -> End:  # noqa: ANN401 - a value, an exception or an answer
    if isinstance(one, Answer):
        if one.takes or one.stubborn:
            raise ValueError(f"an outcome of {_said(what)} says how long it takes: every attempt may take any time")
        return one
    if isinstance(one, TimesOut):
        return one
    raising = isinstance(one, BaseException) or (isinstance(one, type) and issubclass(one, BaseException))
    return Answer(raises=one) if raising else Answer(returns=one)


def _said(what: object) -> str:
    return repr(what) if isinstance(what, str) else getattr(what, "__qualname__", repr(what))


def _missing(places: list[str]) -> str:
    listed = "\n".join(f'    "{place}": [...],' for place in places)
    return f"these steps have no outcomes: give them by path, name or function, or a default for all\n{listed}"
