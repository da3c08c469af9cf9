"""What of a plan can be durable, told before anything runs: named functions, values that a journal can keep (S37)."""

from __future__ import annotations

import functools
from collections import OrderedDict, deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pydantic
import pytest
import typing_extensions as te
from hypothesis import given, settings

from orchestration import Failure, Secret, Signal, Workflow, graph, step
from orchestration.errors import PlanErrors, Unserialisable
from orchestration.plan.codec import Codec
from orchestration.plan.durable import check_durable, durable_problems
from orchestration.plan.typenames import type_name
from tests.bodies import Numbers, double, increase, pair_total, void
from tests.model.draws import plans
from tests.plan.everything import everything
from tests.plan.keepable import (
    HERE,
    Account,
    Adder,
    Base,
    Box,
    Card,
    Chain,
    Derivations,
    Derived,
    Form,
    Holds,
    Marked,
    Once,
    Plain,
    T,
    Text,
    Till,
    Token,
    Twice,
    giving,
    hold,
    take,
)
from tests.plan.kinds import AdminId, Alias, Anything, Color, Grimly, Level, Named, Point, Shape

flow: Any = Workflow[int]("f")


def told(workflow: Any, *, sealed: bool = False) -> list[str]:
    """Return what is wrong with a workflow."""
    return [str(problem) for problem in durable_problems(workflow.compile(), sealed=sealed)]


def test_a_plan_with_every_construct_is_durable() -> None:
    """S37: named functions, services' methods, classes and builtins as bodies; nothing is wrong with them."""
    assert told(everything) == []
    check_durable(everything.compile(), sealed=False)
    assert told(flow.step(Till.open).step(len).step(str)) == []


@settings(max_examples=50, deadline=None)
@given(plans())
def test_plans_of_named_functions_are_durable(plan) -> None:
    """S37: whatever their structure."""
    assert durable_problems(plan, sealed=False) == ()


def test_what_the_interpreter_evaluates_may_have_no_name() -> None:
    """S37: pure functions, predicates, combiners and tests are evaluated anew: a changed one is found by folding."""
    workflow = (
        flow.pure(lambda n: n)
        .enrich(double)
        .into(lambda n, m: n + m)
        .branch()
        .when(lambda n: n > 1, double)
        .otherwise(increase)
        .loop(double, until=lambda n, i: n > i, max_iterations=3)
        .wait_for(Signal("go", int), lambda n, m: n)
    )
    assert told(workflow) == []


def local(n: int) -> Any:
    """Return bodies that no module holds."""

    def captures(m: int) -> int:
        return m + n

    def captures_nothing(m: int) -> int:
        return m

    class Here:
        def act(self, m: int) -> int:
            return m

    return captures, captures_nothing, Here.act


CAPTURES, CAPTURES_NOTHING, OF_A_LOCAL_CLASS = local(1)
NAMELESS: dict[str, tuple[Any, str]] = {
    "lambda": (lambda n: n, "a lambda as a step"),
    "closure": (CAPTURES, "captures, a closure, as a step"),
    "local": (CAPTURES_NOTHING, "captures_nothing, a local function, as a step"),
    "local class": (OF_A_LOCAL_CLASS, "act, a method of a local class, as a step"),
    "partial": (functools.partial(pair_total, 1), "pair_total, a partial, as a step"),
    "object": (Adder(), "Adder, an object, as a step"),
    "bound": (Adder().add, "add, an object, as a step"),
}


@pytest.mark.parametrize("name", NAMELESS)
def test_a_step_without_a_name_is_refused(name) -> None:
    """S37: a journal could not say later which function it was."""
    body, found = NAMELESS[name]
    [text] = told(flow.step(body, name="here"))
    assert text == (
        f"f/here: found {found}; expected a function that a journal can name: module and name have to say which it is. "
        "Define it with def in a module; what it captures goes into its input or a service."
    )


def test_undos_and_cleanups_need_names_as_well() -> None:
    """S6, S37: all of them at once, each with its path; in a graph, a map, a fold or a nested workflow as well."""
    nameless: Any = lambda *_: None  # noqa: E731 - the very case
    inner = Workflow[int]("sub").step(increase).compensate(nameless, in_doubt=nameless)
    workflow = (
        flow.step(inner)
        .fork(nameless)
        .fork(step(double))
        .join()
        .compensate(nameless)
        .cleanup(nameless, name="tidy")
        .tap(nameless, name="seen")
        .step(lambda pair: [1], name="list")
        .map(nameless)
        .step(graph(lambda g: g.node(nameless, g.input), name="g"))
    )
    with pytest.raises(PlanErrors, match="workflow 'f' has 9 problems") as caught:
        check_durable(workflow.compile(), sealed=True)
    assert [(problem.path, problem.found) for problem in caught.value.exceptions] == [
        ("f/sub/increase", "a lambda as an undo"),
        ("f/sub/increase", "a lambda as an in-doubt handler"),
        ("f/fork", "a lambda as an undo"),
        ("f/fork/fork", "a lambda as a step"),
        ("f/tidy", "a lambda as a cleanup"),
        ("f/seen", "a lambda as a step"),
        ("f/list", "a lambda as a step"),
        ("f/map[]", "a lambda as a step"),
        ("f/g/node", "a lambda as a step"),
    ]


WRITABLE: list[Any] = [
    *(Any, object, None, int, str, bool, list, dict, Sequence[int], Mapping[str, Any], list[Any], tuple[int, ...]),
    *(tuple[()], AdminId, Alias, Color, Level, Literal[1, "a", Color.RED], Point, Shape, Anything, Grimly, Named),
    *(T, list[T], Box[int], Box[Plain], Derived, Base, Plain | int, Plain | None, Chain | None),
    *(pydantic.EmailStr, pydantic.FutureDate, te.Never, Failure, list[Failure]),
    *(dict[str, "Missing"], "Missing", Iterator[int] | list[int]),  # type: ignore[name-defined]  # noqa: F821 - the very case
]


@pytest.mark.parametrize("kind", WRITABLE, ids=lambda kind: type_name(kind) if not isinstance(kind, str) else kind)
def test_what_may_be_written_is_not_refused(kind) -> None:
    """S12: what has a form, and what nobody knows: `object`, a type variable, a protocol, a name that is missing."""
    assert told(flow.step(giving(kind)).step(giving(Derived), name="known")) == []


PLAIN = "Give plain data, a dataclass, an attrs class or a pydantic model."
ANEW = "Give a list, or a record whose __aiter__ or __iter__ begins anew each time."
GONE = "a subclass would not come back."
UNWRITABLE: list[tuple[Any, list[tuple[str, str]]]] = [
    (Plain, [(f"{HERE}:Plain as the output", PLAIN)]),
    (Base, [(f"{HERE}:Base as the output", PLAIN)]),
    (list[Plain], [(f"{HERE}:Plain as an item of the output", PLAIN)]),
    (dict[str, tuple[int, Plain]], [(f"{HERE}:Plain as an item of an item of the output", PLAIN)]),
    (Plain | complex, [(f"{HERE}:Plain as the output", PLAIN), ("complex as the output", PLAIN)]),
    (complex, [("complex as the output", PLAIN)]),
    (Callable[[int], str], [("collections.abc:Callable as the output", PLAIN)]),
    (type[int], [("type as the output", PLAIN)]),
    (ValueError, [("ValueError as the output", PLAIN)]),
    (Text, [(f"{HERE}:Text as the output", f"Turn it into a plain str: {GONE}")]),
    (
        OrderedDict[str, int],
        [("collections:OrderedDict as the output", f"Turn it into a plain dict: {GONE}")],
    ),
    (deque[int], [("collections:deque as the output", PLAIN)]),
    (Holds, [(f"{HERE}:Plain as .lock of {HERE}:Holds in the output", PLAIN)]),
    (list[Chain], [(f"{HERE}:Plain as .held of {HERE}:Chain in an item of the output", PLAIN)]),
    (Iterator[int], [("collections.abc:Iterator as the output", ANEW)]),
    (AsyncIterator[int], [("collections.abc:AsyncIterator as the output", ANEW)]),
    (Generator[int, None, None], [("collections.abc:Generator as the output", ANEW)]),
    (AsyncIterable[int], [("collections.abc:AsyncIterable as the output", PLAIN)]),
]


@pytest.mark.parametrize(("kind", "found"), UNWRITABLE, ids=[type_name(kind) for kind, _ in UNWRITABLE])
def test_what_can_never_be_written_is_refused(kind, found) -> None:
    """S12: the type of a step's output, with where in it, and what to use instead."""
    problems = durable_problems(flow.step(giving(kind), name="a").compile(), sealed=True)
    assert [(problem.path, problem.found, problem.mend) for problem in problems] == [
        ("f/a", text, mend) for text, mend in found
    ]


def test_only_what_is_kept_is_looked_at() -> None:
    """S12: what pure functions make of values is computed again, and never written."""
    for kind, _ in UNWRITABLE[:12]:
        assert told(flow.pure(giving(kind), name="a").tap(void)) == []


def test_the_input_and_signals_are_kept_too() -> None:
    """S6, S12: all at once, each with its path."""
    workflow = Workflow[list[Plain]]("f").step(void).wait_for(Signal("go", Plain))  # type: ignore[var-annotated]
    found = [f"{HERE}:Plain as an item of the input", f"{HERE}:Plain as the payload of signal 'go'"]
    problems = durable_problems(workflow.compile(), sealed=True)
    assert [(problem.path, problem.found) for problem in problems] == list(zip(["f", "f/go"], found, strict=True))


def test_a_stream_has_to_begin_anew() -> None:
    """S16: a resume opens the source again, and skips what was pulled; a record can be opened again."""
    assert told(Workflow[Numbers]("f").map(double)) == []
    assert told(flow.step(giving(Numbers)).map(double)) == []
    once = flow.step(giving(AsyncIterator[int]), name="a").map(double)
    assert [text.partition(";")[0] for text in told(once)] == ["f/a: found collections.abc:AsyncIterator as the output"]
    pure = flow.pure(giving(Iterator[int]), name="a").map(double)
    found = "found collections.abc:Iterator as the source of the stream"
    assert told(pure) == [f"f/double: {found}; expected a source that a resumed run can read anew. {ANEW}"]
    assert told(flow.pure(giving(Iterator[int] | list[int])).map(double)) == []


def test_the_items_of_a_stream_are_kept() -> None:
    """S12, S16: by the type's own arguments, or by what its methods say."""
    item = f"found {HERE}:Plain as an item of the stream"
    for kind in (Once, AsyncIterable[Plain]):
        assert [item in text for text in told(flow.pure(giving(kind), name="a").map(void))] == [True]
    [text] = told(flow.pure(giving(Derivations)).map(hold), sealed=True)
    assert f"{HERE}:Plain as .lock of {HERE}:Holds in an item of the stream" in text


def test_a_record_that_no_body_names_is_not_known() -> None:
    """S12: the codec knows what the plan names; what an item is has to be named by who takes it."""

    @dataclass(frozen=True)
    class Odds:
        async def __aiter__(self) -> AsyncIterator[Derived]:
            yield Derived()

    [text] = told(flow.pure(giving(Odds)).map(void))
    assert text.endswith(f"Name {HERE}:Derived in an annotation of a body, as what it takes or gives.")
    assert told(flow.pure(giving(Odds)).map(take)) == []


SECRET: list[tuple[Any, list[str]]] = [
    (pydantic.SecretStr, ["pydantic.types:SecretStr as the output"]),
    (pydantic.Secret[int], ["pydantic.types:Secret as the output"]),
    (int | Token | None, ["pydantic.types:SecretStr as the output"]),
    (list[Card], [f"a field that is marked as Secret as .number of {HERE}:Card in an item of the output"]),
    (Account, [f"a field that is marked as Secret as .number of {HERE}:Card in .card of {HERE}:Account in the output"]),
    (Twice, [f"a field that is marked as Secret as .pin of {HERE}:Twice in the output"]),
    (Box[pydantic.SecretBytes], ["pydantic.types:SecretBytes as an item of the output"]),
]


@pytest.mark.parametrize(("kind", "found"), SECRET, ids=[type_name(kind) for kind, _ in SECRET])
def test_a_secret_needs_a_cipher(kind, found) -> None:
    """S33: the run is refused before it starts, wherever in a type the secret is; with a cipher it is kept."""
    workflow = flow.step(giving(kind), name="a")
    problems = durable_problems(workflow.compile(), sealed=False)
    assert [problem.found for problem in problems] == found
    assert {problem.mend for problem in problems} == {
        "Configure a cipher for the journal, or pass a reference to the secret."
    }
    assert told(workflow, sealed=True) == []


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Annotated[str, Secret], "the output"),
        (list[Annotated[str, Secret]], "the output"),
        (Marked, "the output"),
        (Box[Annotated[str, Secret]], "the output"),
        (Form, f".pin of {HERE}:Form in the output"),
    ],
    ids=["bare", "in a list", "new type", "argument", "typed dict"],
)
def test_a_mark_that_nobody_sees_is_refused(kind, found) -> None:
    """S6, S33: what is not a field of a record would be kept as plain text, cipher or not."""
    for sealed in (False, True):
        [text] = told(flow.step(giving(kind), name="a"), sealed=sealed)
        assert text.startswith(f"f/a: found Secret as a mark of {found}; expected the mark on a field of a record")


def test_what_is_refused_cannot_be_written() -> None:
    """S12: the codec of the plan says the same of values of these types."""
    for kind, value in ((Plain, Plain()), (complex, 1j), (Text, Text("a")), (Holds, Holds("a", Plain()))):
        plan = flow.step(giving(kind)).compile()
        assert durable_problems(plan, sealed=True)
        with pytest.raises(Unserialisable):
            plan.codec.encode(value)
    assert Codec().kinds < Codec([Derived]).kinds
