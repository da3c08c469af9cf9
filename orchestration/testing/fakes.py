"""`FakeHandler`: answers the steps of a workflow in place of the world, on a clock that costs no time."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, final

from orchestration.interpreter.effects import RunStep
from orchestration.plan.tree import static_path
from orchestration.runtime.boundary import validate_input
from orchestration.runtime.services import Services
from orchestration.testing.answers import NOTHING, Answer, answers
from orchestration.testing.means import key_of, means, place_of, places, rank, without_attempts
from orchestration.testing.play import Play
from orchestration.testing.story import value_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Unpack

    from orchestration.interpreter.effects import Attempted
    from orchestration.plan.body import Body
    from orchestration.plan.compile import Compilable, Plan
    from orchestration.signals import Signal
    from orchestration.testing.answers import How
    from orchestration.testing.means import Key, What
    from orchestration.testing.trace import Trace

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")


class Unanswered(AssertionError):
    """A workflow asked a fake for something that it has no answer to.

    ```python
    try:
        FakeHandler().run(Workflow[Order]("sale").step(reserve), order)
    except Unanswered as error:
        print(error)  # Add .on(reserve, ...), or let it do its work
    ```
    """


class Unasked(AssertionError):
    """A fake has an answer to something that the workflow never asks for.

    ```python
    try:
        FakeHandler(real=True).on(pack, None).run(Workflow[Order]("sale").step(reserve), order)
    except Unasked as error:
        print(error)
    ```
    """


@final
class FakeHandler:
    """Answers by function, by method of a service, by the name of a step or by its path; strict by default.

    ```python
    fake = FakeHandler()
    fake.on(reserve, Reserved(order))
    fake.on(Payments.charge, each=[ConnectionError("gone"), Charge(Reserved(order), 900)])

    sale = Workflow[Order]("sale").step(reserve).step(Payments.charge, retry=Retry())
    assert fake.run(sale, order).ran(Payments.charge, times=2)
    ```

    With `real=True` a function without an answer does its own work; with `real=services` methods do as well.
    """

    def __init__(self, *, real: bool | Services[Any] = False) -> None:
        """Answer nothing yet."""
        self._real = real
        self._answers: list[tuple[Key, tuple[Answer, ...]]] = []  # the newest first
        self._signals: list[tuple[float, Signal[Any], object]] = []

    def on(
        self,
        what: What,
        returns: Any = NOTHING,  # noqa: ANN401 - any output
        *,
        each: Iterable[object] | None = None,
        **how: Unpack[How],
    ) -> FakeHandler:
        """Answer `what`: a function, a service's method, the name of a step, or its path. Return this fake.

        An answer is a value, an exception, which is raised, or what `answers` makes; its options can be given here.
        `each` gives one for each attempt in turn, the last one from then on; those of a composite that is tried again
        are counted on.

        A path counts before a name, a name before a function, a later answer before an earlier one. In a path `[]`
        stands for all items. The undo of a step is meant by its function, or by `:undo` (`:in_doubt` of its in-doubt
        handler) behind name or path. Undos and cleanups without an answer succeed.

        Raises:
            ValueError: if nothing is answered, or more than one of a value, `each` and the options.
        """
        made: tuple[Answer, ...]
        if each is None:
            made = (_answer(returns, how),)
        elif returns is not NOTHING or how:
            raise ValueError("each stands alone: give options to its members, as answers(...)")
        else:
            made = tuple(_answer(one, {}) for one in each)
        if not made:
            raise ValueError("each needs an answer, found none")
        self._answers.insert(0, (key_of(what), made))
        return self

    def send(self, signal: Signal[T], payload: T, /, *, at: float = 0.0) -> FakeHandler:
        """Send a signal when the virtual clock stands at `at` seconds from the start. Return this fake."""
        self._signals.append((at, signal, payload))
        return self

    def run(
        self,
        workflow: Compilable[In, Out, Any],
        value: In,
        /,
        *,
        run_id: str = "test",
        deadline: float | None = None,
        cancel_at: float | None = None,
        grace: float = 5.0,
    ) -> Trace[Out]:
        """Run a workflow to its outcome, synchronously and without an event loop; return the trace of what happened.

        `cancel_at` cancels it when the clock stands there. Times are seconds of virtual time: waiting costs none.

        Raises:
            Unanswered: if a step has no answer, with what has happened so far.
            Unasked: if there is an answer to something that is not in the workflow.
            MutatedInput: if a body, or a function that stands for one, changes its input (S11).
            WaitsForEver: if the run waits for a signal that is never sent, or for a step that hangs.
            InvalidInput: if the value does not fit the workflow's type (S12).
            SignalRefused: if the run cannot take a signal when it is sent (S21).
        """
        plan = workflow.compile()
        self._check(plan)
        checked, asked = validate_input(plan, value), Counter[str]()
        play = Play(plan, checked, partial(self._asked, asked), run_id=run_id, deadline=deadline, grace=grace)
        for number, (at, signal, payload) in enumerate(self._signals):
            play.signal_at(at, signal, payload, f"signal-{number}")
        if cancel_at is not None:
            play.cancel_at(cancel_at, "cancelled by the test")
        return play.run()

    def _check(self, plan: Plan) -> None:
        known = list(places(plan.root, plan.name))
        for key, _ in self._answers:
            static = static_path(key) if isinstance(key, str) else key
            if not any(means(static, place, body) for place, body in known):
                what = key if isinstance(key, str) else _name(key)
                listed = "\n  ".join(place for place, _ in known)
                raise Unasked(f"{plan.name} never asks for {what!r}, which has an answer. It asks for\n  {listed}")

    def _asked(self, asked: Counter[str], effect: Attempted, trace: Trace[Any]) -> Answer:
        place = place_of(effect)
        found = [pair for pair in self._answers if means(pair[0], place, effect.body)]
        if found:
            _, made = min(found, key=lambda pair: rank(pair[0]))
            place = without_attempts(place)
            asked[place] += 1
            return made[min(asked[place], len(made)) - 1]
        if isinstance(self._real, Services):
            return Answer(does=self._real.resolve(effect.body, effect.path))
        if self._real and effect.body.kind != "method":
            return Answer(does=effect.body.call)
        if not isinstance(effect, RunStep):
            return Answer()  # an undo or a cleanup simply succeeds: the trace tells that it ran
        raise Unanswered(_unanswered(effect, trace))


def _answer(one: object, how: How) -> Answer:
    if isinstance(one, Answer) and not how:
        return one
    if one is NOTHING and not how:
        raise ValueError("an answer is missing: a value (None is one), an exception, or options such as raises=")
    return answers(one, **how)


def _unanswered(effect: RunStep, trace: Trace[Any]) -> str:
    body = effect.body
    what = _name(body) if body.name is not None else f'"{effect.path}"'
    real = "real=services" if body.kind == "method" else "real=True"
    return (
        f"{effect.path} was asked for, with {value_text(effect.value)}, and has no answer. "
        f"Add .on({what}, ...), or let it do its work: FakeHandler({real}). What happened so far:\n{trace}"
    )


def _name(body: Body) -> str:
    return getattr(body.call, "__qualname__", body.name) or "a lambda"
