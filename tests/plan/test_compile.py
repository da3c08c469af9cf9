"""What is wrong with a plan is told when it is compiled, all at once (S6)."""

from __future__ import annotations

import functools
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator
from enum import Enum
from typing import Annotated, Any, NewType

import pytest
import typing_extensions as te

from orchestration import Retry, Workflow, step
from orchestration.errors import OrchestrationError, PlanErrors, PlanWarning
from orchestration.plan.compile import Plan
from orchestration.plan.registry import Registry
from tests import bodies
from tests.bodies import Order, Receipt, double, increase, is_even, pair_total, settle, spread, sum_of, total, undo
from tests.plan import wrong_constructs, wrong_programs
from tests.plan.wrong_programs import Users, either, later, of_order, of_receipt, shout

flow: Any = Workflow[int]("f")
UserId = NewType("UserId", int)
Numbers = te.TypeAliasType("Numbers", list[int])


class Color(Enum):
    """Something to iterate over."""

    RED = 1


class Bag:
    """What may be iterated over, in the old way."""

    def __getitem__(self, index: int) -> int:
        """Return the index."""
        return index


class Pages(te.Protocol):
    """What may be anything."""


class Caller:
    """A callable object."""

    def __call__(self, number: int) -> int:
        """Return the number."""
        return number


def untyped(value):
    """Say nothing about types."""
    return value


def wide(value: object) -> Any:
    """Take everything, and do not tell what comes."""
    return value


def bounded(value: Annotated[int, ["at least", 0]]) -> Annotated[int, ["at least", 0]]:
    """Take and return annotated numbers."""
    return value


def optional(number: int, other: int = 1, *rest: int, key: str = "") -> int:
    """Take more than is given."""
    return number + other + len(rest) + len(key)


def compiled(problems: Any) -> list[str]:
    """Return what is wrong with a program."""
    with pytest.raises(PlanErrors) as caught:
        problems.compile()
    return [str(problem) for problem in caught.value.exceptions]


WRONG = [*wrong_programs.WRONG, *wrong_constructs.WRONG]


@pytest.mark.parametrize(("build", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_program_is_told_where_what_and_how_to_mend_it(build, message) -> None:
    """S6: one defect gives one problem, with its path, what was found, what was expected and the mend."""
    with pytest.raises(PlanErrors) as caught:
        build().compile()
    [problem] = caught.value.exceptions
    assert str(problem) == message
    assert message == f"{problem.path}: found {problem.found}; expected {problem.expected}. {problem.mend}"


def test_no_two_wrong_programs_share_a_name() -> None:
    """S6: the corpus is what it says, one defect a program."""
    names = [name for name, _, _ in WRONG]
    assert len(set(names)) == len(names) > 190


def test_all_problems_are_told_at_once_in_plan_order() -> None:
    """S6: nobody mends a plan one error at a time."""
    wrong = (
        flow.step(double, name="the first")
        .step(shout, attempt_timeout=0, retry=3)
        .fork(later, run_in="thread")
        .fork(pair_total)
        .join(concurrency=0)
        .map(Workflow[str]("sub").step(double).step(shout))
    )
    with pytest.raises(PlanErrors) as caught:
        wrong.compile()
    assert isinstance(caught.value, OrchestrationError)
    assert [(problem.path, problem.found) for problem in caught.value.exceptions] == [
        ("f/the first", "the name 'the first'"),
        ("f/shout", "int from the first"),
        ("f/shout", "3 as retry"),
        ("f/shout", "0 as attempt_timeout"),
        ("f/fork", "concurrency=0"),
        ("f/fork/later", "str from shout"),
        ("f/fork/later", 'run_in="thread" on an async function'),
        ("f/fork/pair_total", "pair_total, which cannot be called with 1 value"),
        ("f/fork/pair_total", "str from shout"),
        ("f/sub[]", "int from an item of fork"),
        ("f/sub[]/double", "str from the input of workflow 'sub'"),
        ("f/sub[]/shout", "int from double"),
    ]
    text = str(caught.value)
    assert text.startswith("workflow 'f' has 12 problems\n  - f/the first: found")
    assert text.count("\n") == 12


def test_a_group_of_problems_splits_into_groups_of_problems() -> None:
    """S6: `except*` and `split` keep the class."""
    with pytest.raises(PlanErrors) as caught:
        flow.step(shout).step(5).compile()
    first, rest = caught.value.split(lambda error: "int" in str(error))
    assert isinstance(first, PlanErrors)
    assert rest is None or isinstance(rest, PlanErrors)


def test_a_wrong_plan_is_wrong_each_time() -> None:
    """S6: nothing is kept of a failed compile."""
    wrong = flow.step(shout)
    assert compiled(wrong) == compiled(wrong)


@pytest.mark.parametrize(
    "right",
    [
        flow.step(lambda n: n + 1).step(shout),
        flow.step(untyped).step(shout).pure(lambda text: text),
        flow.step(wide).map(shout),
        flow.tap(wide).step(double),
        flow.step(functools.partial(optional, other=3)),
        flow.step(functools.partial(lambda n, m: n + m, 1)),
        flow.step(Caller()),
        flow.step(optional),
        flow.pure(str).step(shout),
        flow.step(Receipt).step(of_receipt),
        flow.step(either).step(untyped),
        flow.step(print).step(len),
        flow.step(bounded).step(double).step(bounded),
        flow.step(Users.get),
        flow.step(Users().get),
        flow.branch().when(lambda n: n > 0, double).otherwise(wide),
        flow.step(either).branch().case(Order, of_order).case(Receipt, of_receipt).exhaustive().step(shout),
        flow.step(either).branch().case(object, untyped).exhaustive().step(shout),
        flow.step(either).branch().case(Order, of_order).case(Receipt, wide).exhaustive().step(double),
        flow.branch().case(int, double).exhaustive(),
        Workflow[None]("f").branch().case(type(None), untyped).exhaustive(),
        flow.branch().when(is_even, bounded).otherwise(str),
        Workflow[bool]("f").step(double),
        Workflow[Any]("f").step(shout),
        Workflow("f").step(shout),
        Workflow[object]("f").step(shout),
        Workflow[UserId]("f").step(double),
        Workflow[None]("f").step(untyped).map(shout),
        Workflow[list[int]]("f").map(double).step(total),
        Workflow[Numbers]("f").map(double),
        Workflow[Annotated[list[int], "positive"]]("f").map(double),
        Workflow[list[int] | tuple[int, ...]]("f").map(double),
        Workflow[list[int] | Any]("f").map(shout),
        Workflow[tuple[int, int]]("f").map(double),
        Workflow[tuple[()]]("f").map(double),
        Workflow[tuple]("f").map(double),
        Workflow[list]("f").map(shout),
        Workflow[dict[str, int]]("f").map(shout),
        Workflow[Iterable[int]]("f").map(double),
        Workflow[Iterator[int]]("f").map(double),
        Workflow[AsyncIterator[int]]("f").map(double),
        Workflow[str]("f").map(shout),
        Workflow[bytes]("f").map(double),
        Workflow[range]("f").map(double),
        Workflow[type[Color]]("f").step(untyped),
        Workflow[Bag]("f").map(double),
        Workflow[Pages]("f").map(double),
        Workflow[te.Annotated[Any, 1]]("f").map(double),
        flow.step(spread).map(Workflow("sub").step(double)),
        flow.fork(double).fork(increase).join(pair_total),
        flow.fork(double).fork(increase).join(lambda *numbers: numbers),
        flow.fork(double).fork(increase).join(step(sum_of)),
        flow.fork(untyped).fork(increase).join(pair_total),
        flow.fork(double).join(double),
        flow.enrich(str).into(lambda number, text: (number, text)),
        flow.step(step(double, retry=Retry(jitter="none"))).step(Workflow[int]("sub")),
    ],
)
def test_only_what_cannot_fit_is_refused(right) -> None:
    """S6: what is not annotated, or may turn out right, compiles."""
    assert right.compile().nodes


def test_a_map_over_what_yields_nothing_known_says_so() -> None:
    """S16: a class that is surely no iterable is refused, also None and generics of one's own."""
    assert "something to iterate over" in compiled(Workflow[None]("f").map(double))[0]
    box: Any = te.Annotated[None, "nothing"]
    assert "something to iterate over" in compiled(Workflow[box]("f").map(double))[0]
    assert "something to iterate over" in compiled(Workflow[te.Awaitable[int]]("f").map(double))[0]
    assert "something to iterate over" in compiled(Workflow[Order]("f").map(double))[0]


def test_a_joining_workflow_gets_the_tuple() -> None:
    """S14, S19: only a function gets the outputs as arguments; a workflow has one input."""
    plan = flow.fork(double).fork(increase).join(step(sum_of)).compile()
    assert plan.gives is int
    assert not plan.root.children[1].spread


@pytest.mark.parametrize(
    "call",
    [
        lambda: flow.step(double, retries=3),
        lambda: flow.step(double, spread=True),
        lambda: flow.step(double, compensation=None),
        lambda: flow.step(Workflow[int]("sub").step(double), limit="shop"),
        lambda: flow.tap(step(double), attempt_timeout=1),
        lambda: flow.pure(double, retry=Retry()),
        lambda: flow.branch(retry=Retry()),
        lambda: flow.fork(double).join(limit="shop"),
        lambda: flow.fork(double).join(Workflow("sub").step(double), limit="shop"),
        lambda: Workflow[list[int]]("f").map(double, limit="shop"),
        lambda: flow.step(double).compensate(undo, doubt=settle),
        lambda: flow.step(double, name=5),
        lambda: flow.branch(name=double),
        lambda: Workflow[int](5),
        lambda: Workflow[int]("f", limit="shop"),
    ],
)
def test_an_option_that_cannot_take_effect_is_a_type_error_at_the_call(call) -> None:
    """S6: nothing that a caller wrote is ignored silently."""
    with pytest.raises(TypeError, match=r"unexpected|must be a str"):
        call()


def test_a_timeout_on_a_compensated_step_without_a_doubt_handler_is_a_warning() -> None:
    """S22: an attempt that timed out may have landed, and nobody would look."""
    doubtful = flow.step(increase, attempt_timeout=1).compensate(undo)
    with pytest.warns(PlanWarning) as caught:
        plan = doubtful.compile()
    [warning] = caught
    assert warning.filename == __file__
    assert str(warning.message) == (
        "f/increase: found an undo and an attempt_timeout, but no in_doubt; expected a handler for an attempt that "
        "timed out: its effect may or may not have landed. Write .compensate(undo, in_doubt=f), f takes the step's "
        "input; or leave attempt_timeout out."
    )
    with pytest.warns(PlanWarning) as caught:
        assert Plan.from_json(plan.to_json(), Registry(bodies)) == plan
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    "sure",
    [
        flow.step(increase, attempt_timeout=1),
        flow.step(increase).compensate(undo),
        flow.step(increase, attempt_timeout=1).compensate(undo, in_doubt=settle),
    ],
)
def test_nothing_else_is_a_warning(sure) -> None:
    """S22: no timeout, no undo or a handler: nothing to warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sure.compile().name == "f"


def test_a_wrong_plan_gives_errors_only() -> None:
    """S6: a warning beside errors would be noise."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(compiled(flow.step(increase, attempt_timeout=1).compensate(undo).step(shout))) == 1


@pytest.mark.parametrize("opened", [flow.branch(), flow.fork(double), flow.enrich(double)])
def test_what_is_left_open_says_how_to_close_it(opened) -> None:
    """S13: a branch, fork or enrichment is no workflow until it is closed."""
    assert not hasattr(opened, "compile")
    with pytest.raises(AttributeError, match=r"^an open (branch|fork|enrich) \(close it with .*\) has no 'step'$"):
        opened.step(double)
