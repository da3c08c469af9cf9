"""Wrong programs of the later constructs, one defect each, and what a newcomer is told about it (S6).

As in `wrong_programs`: each message is golden text; to change one, change the code that makes it and judge it here.
"""

# Every program is a lambda, built only when its test runs; what a checker would refuse is the very case.
# ruff: noqa: FBT003, ISC004 - a value in a wrong place is a case; a message is one text, a line for each of its parts

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from orchestration import Failure, Ok, Retry, Signal, Workflow, graph, tolerate
from orchestration.plan.body import Body
from orchestration.plan.nodes import (
    Fold,
    Graph,
    Into,
    Loop,
    Map,
    Pivot,
    Recover,
    Retried,
    Scope,
    Sleep,
    Step,
    Timed,
    Vertex,
)
from orchestration.policies import Tolerate
from tests.bodies import Order, double, increase, is_even, pair_total, spread, undo
from tests.plan.wrong_programs import Raw, Users, later, later_pair, maybe, shout, untyped

if TYPE_CHECKING:
    from collections.abc import Callable


class Color(Enum):
    """One of three."""

    RED = 1
    GREEN = 2
    BLUE = 3


class Secret:
    """What has no form in a plan."""


def color(number: int) -> Color:
    """Return a colour."""
    return Color(number % 3 + 1)


def word(number: int) -> Literal["yes", "no", "perhaps"]:
    """Return one of three words."""
    return "yes" if number else "no"


def pages(number: int) -> AsyncIterator[int]:
    """Return a stream."""
    raise NotImplementedError


def lines(number: int) -> Iterator[int]:
    """Return a stream that is not async."""
    return iter(range(number))


def done(number: int, index: int) -> bool:
    """Tell whether a loop is done."""
    return number > index


async def later_done(number: int, index: int) -> bool:
    """Tell it later."""
    return number > index


def loud(text: str, index: int) -> bool:
    """Tell it of a text."""
    return bool(text) and index > 0


def append(text: str, number: int) -> str:
    """Add a number to a text."""
    return text + str(number)


def lengthen(text: str, number: int) -> int:
    """Take a text and return another thing."""
    return len(text) + number


def of_failure(failure: Failure) -> int:
    """Return the length of a message."""
    return len(failure.message)


def of_results(results: list[int]) -> int:
    """Take what only a map that fails fast gives."""
    return sum(results)


def of_ok(results: list[Ok[str]]) -> int:
    """Take results that are all well."""
    return len(results)


def member(name: str, *needs: Any, body: Any = double) -> Vertex:
    """Return a member of a graph by its name and needs."""
    several = len(needs) > 1
    return Vertex(Step(name, Body.of(body, len(needs) if several else 1), spread=several), needs)


def closure() -> Callable[[int], int]:
    """Return a function that only this process has."""
    change = Color.RED.value

    def add(number: int) -> int:
        return number + change

    return add


RACE = Map("double", Step("double", Body.of(double)), mode="race", into=Into(0, Body.of(pair_total, 2)))
flow: Any = Workflow[int]("f")
numbers: Any = Workflow[list[int]]("f")
sub: Any = Workflow[int]("sub").step(increase).step(double)
WAIT = Step("wait", Body.of(double))

WRONG: list[tuple[str, Callable[[], Any], str]] = [
    # graphs
    (
        "need that is no member",
        lambda: Raw(Graph("g", (member("reserve"), member("ship", "reserv")))),
        "f/g/ship: found the need 'reserv'; expected the name of another member: reserve. Did you mean 'reserve'?",
    ),
    (
        "need that is nothing like a member",
        lambda: Raw(Graph("g", (member("reserve"), member("ship", "payment")))),
        "f/g/ship: found the need 'payment'; "
        "expected the name of another member: reserve. "
        "Name a member, or add one of this name.",
    ),
    (
        "need that is a position too far",
        lambda: Raw(Graph("g", (member("reserve"), member("ship", 5)))),
        "f/g/ship: found the need 5; "
        "expected the name of another member: reserve. "
        "Name a member, or add one of this name.",
    ),
    (
        "cycle of three",
        lambda: Raw(Graph("g", (member("a", "c"), member("b", "a"), member("c", "b")))),
        "f/g: found a cycle: a → b → c → a; "
        "expected members that wait for one another in one direction only. "
        "Take one of these needs out; for rounds use .loop(...).",
    ),
    (
        "member that needs itself",
        lambda: Raw(Graph("g", (member("a"), member("b", "b")))),
        "f/g: found a cycle: b → b; "
        "expected members that wait for one another in one direction only. "
        "Take one of these needs out; for rounds use .loop(...).",
    ),
    (
        "two members of one name",
        lambda: Raw(Graph("g", (member("a"), member("a")))),
        "f/g/a: found the name 'a' twice; "
        "expected names unique here. "
        "Give one of them another name=; only names that were not given are numbered.",
    ),
    (
        "graph without members",
        lambda: Raw(Graph("g", ())),
        "f/g: found a graph without members; expected one at least. Give it a member, or leave it out.",
    ),
    (
        "graph that gives nothing",
        lambda: Raw(Graph("g", (member("a"),), gives=())),
        "f/g: found a graph that gives nothing; "
        "expected the name of a member. "
        "Return one of the nodes, or a tuple of them.",
    ),
    (
        "graph that gives what is no member",
        lambda: Raw(Graph("g", (member("charge"),), gives="charged")),
        "f/g: found 'charged' as what the graph gives; expected the name of a member: charge. Did you mean 'charge'?",
    ),
    (
        "graph that gives its own value",
        lambda: Raw(Graph("g", (member("a"),), gives=("a", "@input"))),
        "f/g: found '@input' as what the graph gives; expected the name of a member: a. Name a member of this graph.",
    ),
    (
        "need of another type",
        lambda: flow.step(graph(lambda g: g.node(shout, g.node(double, g.input)))),
        "f/graph/shout: found int from double; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "two needs, one of another type",
        lambda: flow.step(graph(lambda g: g.node(append, g.node(double, g.input), g.node(increase, g.input)))),
        "f/graph/append: found int from double; "
        "expected str, which append takes. "
        "It gets an argument from each of its needs: change one of the two.",
    ),
    (
        "input of a graph of another type",
        lambda: Workflow[str]("f").step(graph(lambda g: g.node(double, g.input))),
        "f/graph/double: found str from the input of workflow 'f'; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    (
        "two needs and a body of one",
        lambda: flow.step(graph(lambda g: g.node(double, g.node(double, g.input), g.node(increase, g.input)))),
        "f/graph/double_2: found double, which cannot be called with 2 values; "
        "expected a member with 2 needs (double, increase) that takes 2 values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "three needs and a body of two",
        lambda: flow.step(
            graph(lambda g: g.node(pair_total, g.input, g.node(double, g.input), g.node(increase, g.input)))
        ),
        "f/graph/pair_total: found pair_total, which cannot be called with 3 values; "
        "expected a member with 3 needs (the input of workflow 'f', double, increase) that takes 3 "
        "values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "one need and a body of two",
        lambda: flow.step(graph(lambda g: g.node(pair_total, g.node(double, g.input)))),
        "f/graph/pair_total: found pair_total, which cannot be called with 1 value; "
        "expected a step that takes 1 value. "
        "Only a method of a class may take a second value (its service); fold, join and enrich take "
        "combiners.",
    ),
    (
        "spread over fewer values than there are",
        lambda: Raw(
            Graph("g", (member("a"), member("b"), Vertex(Step("c", Body.of(double, 1), spread=True), ("a", "b"))))
        ),
        "f/g/c: found double, which is called with 1 of 2 values; "
        "expected an argument for each of them. "
        "Call it with as many, or leave `spread` out to give it the tuple.",
    ),
    (
        "after a graph",
        lambda: flow.step(graph(lambda g: g.node(double, g.input))).step(shout),
        "f/shout: found int from graph; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    # failure modes
    (
        "unknown failure mode",
        lambda: numbers.map(double, on_error="ignore"),
        "f/double: found on_error='ignore'; "
        'expected "fail_fast", "collect", tolerate(count=...) or tolerate(ratio=...). '
        'Leave it out for "fail_fast".',
    ),
    (
        "on_partial of another word",
        lambda: numbers.map(double, on_error="collect", on_partial="skip"),
        'f/double: found on_partial=\'skip\'; expected "fail" or "continue". Leave it out for "fail".',
    ),
    (
        "on_partial where the first failure fails all",
        lambda: numbers.map(double, on_partial="continue"),
        'f/double: found on_partial="continue" where the first failure fails all; '
        "expected a group that goes on past a failure. "
        'Add on_error="collect" or tolerate(...), or leave on_partial out.',
    ),
    (
        "on_partial of a fork that fails fast",
        lambda: flow.fork(double).join(on_partial="continue"),
        'f/fork: found on_partial="continue" where the first failure fails all; '
        "expected a group that goes on past a failure. "
        'Add on_error="collect" or tolerate(...), or leave on_partial out.',
    ),
    (
        "tolerate half a failure",
        lambda: numbers.map(double, on_error=tolerate(count=1.5)),
        "f/double: found tolerate(count=1.5); "
        "expected an int of at least 0. "
        "It counts the failures that are borne; for a share of all write tolerate(ratio=0.1).",
    ),
    (
        "tolerate percent",
        lambda: numbers.map(double, on_error=tolerate(ratio=10)),
        "f/double: found tolerate(ratio=10); "
        "expected a number from 0 to 1. "
        "It is the share of all that may fail: 0.1 is one in ten.",
    ),
    (
        "tolerate nothing in particular",
        lambda: numbers.map(double, on_error=Tolerate()),
        "f/double: found tolerate(count=None, ratio=None); "
        "expected one of the two. "
        "Write tolerate(count=2) or tolerate(ratio=0.1).",
    ),
    (
        "tolerate a ratio of a stream",
        lambda: flow.pure(pages).map(double, on_error=tolerate(ratio=0.1)),
        "f/double: found tolerate(ratio=0.1) on collections.abc:AsyncIterator[int], of which nobody knows"
        " the end; "
        "expected tolerate(count=...) on a stream. "
        "Count the failures: tolerate(count=10).",
    ),
    (
        "after a map that collects",
        lambda: numbers.map(double, on_error="collect").step(of_results),
        "f/of_results: found list[orchestration.results:Err | orchestration.results:Ok[int]] from double;"
        " "
        "expected list[int], which of_results takes. "
        "Change one of the two, or convert the value with .pure(...) before of_results.",
    ),
    (
        "results of another type",
        lambda: numbers.map(double, on_error="collect").step(of_ok),
        "f/of_ok: found list[orchestration.results:Err | orchestration.results:Ok[int]] from double; "
        "expected list[orchestration.results:Ok[str]], which of_ok takes. "
        "Change one of the two, or convert the value with .pure(...) before of_ok.",
    ),
    (
        "after a race",
        lambda: flow.fork(double).fork(increase).race().step(shout),
        "f/shout: found int from fork; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "into on a race",
        lambda: Raw(Step("spread", Body.of(spread)), RACE),
        "f/double: found into(...) on a race; expected results to fold: a race has one. Leave one of the two out.",
    ),
    # folds
    (
        "fold over a number",
        lambda: flow.fold(0, pair_total),
        "f/pair_total: found int from the input of workflow 'f'; "
        "expected something to iterate over. "
        "Let the body before .fold(...) return a list, or use .step(...) for a single value.",
    ),
    (
        "fold over a set",
        lambda: Workflow[set[int]]("f").fold(0, pair_total),
        "f/pair_total: found set[int] from the input of workflow 'f'; "
        "expected items in a defined order: those of a set come in another one each time. "
        "Put .pure(sorted) before .fold(...), or let the body before it return a list.",
    ),
    (
        "fold over an async stream",
        lambda: flow.pure(pages).fold(0, pair_total),
        "f/pair_total: found collections.abc:AsyncIterator[int] from pages; "
        "expected a list or another collection: only a map reads a stream. "
        "Write .map(body).into(initial, combine): results are folded as they come.",
    ),
    (
        "fold over an iterator",
        lambda: flow.pure(lines).fold(0, pair_total),
        "f/pair_total: found collections.abc:Iterator[int] from lines; "
        "expected a list or another collection: only a map reads a stream. "
        "Write .map(body).into(initial, combine): results are folded as they come.",
    ),
    (
        "fold over what may be a stream",
        lambda: Workflow[list[int] | AsyncIterator[int]]("f").fold(0, pair_total),
        "f/pair_total: found collections.abc:AsyncIterator[int] | list[int] from the input of workflow "
        "'f'; "
        "expected a list or another collection: only a map reads a stream. "
        "Write .map(body).into(initial, combine): results are folded as they come.",
    ),
    (
        "fold of items of another type",
        lambda: Workflow[list[str]]("f").fold(0, pair_total),
        "f/pair_total[]: found str from an item of the input of workflow 'f'; "
        "expected int, which pair_total takes. "
        "A fold's body gets the accumulator and an item: change one of the two.",
    ),
    (
        "fold from a value of another type",
        lambda: numbers.fold(0, append),
        "f/append: found int as the initial value; "
        "expected str, which append takes first. "
        "Begin with a value of this type, or change what the function takes.",
    ),
    (
        "fold in a time, from a value of another type",
        lambda: numbers.fold(0, append, timeout=5),
        "f/append: found int as the initial value; "
        "expected str, which append takes first. "
        "Begin with a value of this type, or change what the function takes.",
    ),
    (
        "fold whose output is no accumulator",
        lambda: numbers.fold("", lengthen),
        "f/lengthen: found int from lengthen; "
        "expected str, which lengthen takes first. "
        "What it returns is the accumulator of the next call: let it return what it takes first.",
    ),
    (
        "fold by a function of one value",
        lambda: numbers.fold(0, double),
        "f/double[]: found double, which cannot be called with 2 values; "
        "expected the body of a fold that takes 2 values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "fold from a value without a form",
        lambda: numbers.fold(Secret(), lambda one, other: one),
        "f/fold: found tests.plan.wrong_constructs:Secret as initial; "
        "expected a value of JSON, a standard type or a record whose class the plan names: it is part of "
        "the plan. "
        "Give plain data, a dataclass, an attrs class or a pydantic model.",
    ),
    (
        "fold in which a value without a form is hidden",
        lambda: numbers.fold({"key": [Secret()]}, lambda one, other: one),
        "f/fold: found tests.plan.wrong_constructs:Secret as initial['key'][0]; "
        "expected a value of JSON, a standard type or a record whose class the plan names: it is part of "
        "the plan. "
        "Give plain data, a dataclass, an attrs class or a pydantic model.",
    ),
    (
        "fold by a step that takes one value",
        lambda: Raw(Step("spread", Body.of(spread)), Fold("fold", Step("sum", Body.of(double)), 0)),
        "f/fold[]: found tuple[Any, int] from the accumulator and an item of spread; "
        "expected int, which double takes. "
        "A fold's body gets the accumulator and an item: change one of the two.",
    ),
    (
        "after a fold",
        lambda: numbers.fold("", append).step(double),
        "f/double: found str from append; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    (
        "into from a value of another type",
        lambda: numbers.map(double).into(0, append),
        "f/double: found int as the initial value; "
        "expected str, which append takes first. "
        "Begin with a value of this type, or change what the function takes.",
    ),
    (
        "into of another result",
        lambda: numbers.map(Users.get).into(0, pair_total),
        "f/get: found str from map(get); "
        "expected int, which pair_total takes. "
        "into's function gets the accumulator and a result: change one of the two.",
    ),
    (
        "into whose output is no accumulator",
        lambda: numbers.map(double).into("", lengthen),
        "f/double: found int from into(lengthen); "
        "expected str, which lengthen takes. "
        "What it returns is the accumulator of the next call: change one of the two.",
    ),
    (
        "into by an async function",
        lambda: numbers.map(double).into(0, later_pair),
        "f/double: found later_pair, an async function; "
        "expected a plain, deterministic function as a combiner: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "into by a function of one value",
        lambda: numbers.map(double).into(0, double),
        "f/double: found double, which cannot be called with 2 values; "
        "expected a combiner that takes 2 values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "into from a value without a form",
        lambda: numbers.map(double).into(Secret(), lambda one, other: one),
        "f/double: found tests.plan.wrong_constructs:Secret as initial; "
        "expected a value of JSON, a standard type or a record whose class the plan names: it is part of "
        "the plan. "
        "Give plain data, a dataclass, an attrs class or a pydantic model.",
    ),
    # loops
    (
        "loop that gives another type",
        lambda: flow.loop(Users.get, until=lambda n, i: True, max_iterations=3),
        "f/get: found str from an iteration; "
        "expected int, which the next iteration takes. "
        "Let the body of a loop return what it takes.",
    ),
    (
        "loop over what may be nothing",
        lambda: flow.loop(maybe, until=lambda n, i: True, max_iterations=3),
        "f/maybe: found None | int from an iteration; "
        "expected int, which the next iteration takes. "
        "Let the body of a loop return what it takes.",
    ),
    (
        "loop whose workflow gives another type",
        lambda: flow.loop(Workflow[int]("sub").step(double).step(Users.get), until=lambda n, i: True, max_iterations=3),
        "f/sub: found str from an iteration; "
        "expected int, which the next iteration takes. "
        "Let the body of a loop return what it takes.",
    ),
    (
        "loop without rounds",
        lambda: flow.loop(double, until=done, max_iterations=0),
        "f/double: found max_iterations=0; "
        "expected an int of at least 1. "
        "Give the most rounds that are sensible: a loop past them fails instead of running for ever.",
    ),
    (
        "loop with half a round",
        lambda: flow.loop(double, until=done, max_iterations=2.5),
        "f/double: found max_iterations=2.5; "
        "expected an int of at least 1. "
        "Give the most rounds that are sensible: a loop past them fails instead of running for ever.",
    ),
    (
        "loop without a bound",
        lambda: flow.loop(double, until=done, max_iterations=None),
        "f/double: found max_iterations=None; "
        "expected an int of at least 1. "
        "Give the most rounds that are sensible: a loop past them fails instead of running for ever.",
    ),
    (
        "test of one value",
        lambda: flow.loop(double, until=is_even, max_iterations=3),
        "f/double: found is_even, which cannot be called with 2 values; "
        "expected the test of a loop that takes 2 values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "async test",
        lambda: flow.loop(double, while_=later_done, max_iterations=3),
        "f/double: found later_done, an async function; "
        "expected a plain, deterministic function as the test of a loop: the interpreter calls it itself."
        " "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "test of another type",
        lambda: flow.loop(double, while_=loud, max_iterations=3),
        "f/double: found int from loop(double); "
        "expected str, which loud takes. "
        "The test of a loop gets the value and the number of the iteration: change one of the two.",
    ),
    (
        "loop over another type",
        lambda: Workflow[str]("f").loop(double, until=done, max_iterations=3),
        "f/double[]: found str from the input of workflow 'f'; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    (
        "test at another moment",
        lambda: Raw(Loop("loop", Step("double", Body.of(double)), Body.of(done, 2), "before", 3)),
        'f/loop: found check=\'before\'; expected "until" or "while". Write until= or while_=.',
    ),
    # recover
    (
        "recover with nothing before it",
        lambda: flow.recover(of_failure, on=ValueError),
        "f/of_failure: found a recover with nothing before it; "
        "expected a step before it. "
        "Put it behind the steps whose failure it recovers from.",
    ),
    (
        "recover from nothing",
        lambda: flow.step(double).recover(of_failure, on=()),
        "f/of_failure: found a recover from no kind of failure; "
        "expected one kind at least. "
        "Name what it recovers from: on=ConnectionError, or on=(ConnectionError, TimeoutError).",
    ),
    (
        "recover by what takes no failure",
        lambda: flow.step(double).recover(double, on=ValueError),
        "f/double_2: found orchestration.failures:Failure from what stands before it; "
        "expected int, which double takes. "
        "The body of a recover gets the Failure: change one of the two.",
    ),
    (
        "recover from a cancel",
        lambda: flow.step(double).recover(of_failure, on=asyncio.CancelledError),
        "f/of_failure: found a recover from asyncio.exceptions.CancelledError; "
        "expected kinds of failures: a cancel ends the run, whatever is in its way. "
        "Leave it out; for work that is due in any case register .cleanup(...) before.",
    ),
    (
        "recover from an interrupt",
        lambda: flow.step(double).recover(of_failure, on=(ValueError, KeyboardInterrupt)),
        "f/of_failure: found a recover from KeyboardInterrupt; "
        "expected kinds of failures: a cancel ends the run, whatever is in its way. "
        "Leave it out; for work that is due in any case register .cleanup(...) before.",
    ),
    (
        "recover with another on_partial",
        lambda: flow.step(double).recover(of_failure, on=ValueError, on_partial="ignore"),
        'f/of_failure: found on_partial=\'ignore\'; expected "fail" or "continue". Leave it out for "fail".',
    ),
    (
        "after a recover",
        lambda: (
            flow.step(double)
            .recover(lambda failure: None, on=ValueError, name="x")
            .step(Users.get)
            .recover(of_failure, on=OSError)
            .step(shout)
        ),
        "f/shout: found int | str from of_failure; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "recover outside of a chain",
        lambda: Raw(
            WAIT, Timed("recover", Recover("recover", Step("recover", Body.of(of_failure)), ("ValueError",)), 3)
        ),
        "f/recover: found a recover outside of a chain; "
        "expected a workflow around it. "
        "Put it into the chain of a workflow of its own: Workflow(name).step(...).recover(...).",
    ),
    # cleanup and pivot
    (
        "cleanup of another type",
        lambda: flow.step(double).cleanup(shout),
        "f/shout: found int from double; "
        "expected str, which shout takes. "
        "A cleanup gets the value that passes by: change one of the two.",
    ),
    (
        "cleanup of two values",
        lambda: flow.cleanup(pair_total),
        "f/pair_total: found pair_total, which cannot be called with 1 value; "
        "expected a cleanup that takes 1 value. "
        "Only a method of a class may take a second value (its service); fold, join and enrich take "
        "combiners.",
    ),
    (
        "cleanup that is no function",
        lambda: flow.cleanup("close", name="close"),
        "f/close: found 'close', which cannot be called; "
        "expected a cleanup that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "cleanup timeout 0",
        lambda: flow.cleanup(undo, timeout=0),
        "f/undo: found 0 as timeout of the cleanup; "
        "expected a finite number of seconds above 0. "
        "Leave it out for 30 seconds an attempt.",
    ),
    (
        "cleanup without a retry",
        lambda: flow.cleanup(undo, retry=None),
        "f/undo: found None as retry of the cleanup; "
        "expected a Retry. "
        "Write retry=Retry(max_attempts=3), or leave it out.",
    ),
    (
        "cleanup with a limit that is no name",
        lambda: flow.cleanup(undo, limit="4 at a time"),
        "f/undo: found limit='4 at a time'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Name a limit of the engine: LocalEngine(limits={...}).",
    ),
    (
        "pivot in a race",
        lambda: flow.fork(sub.pivot()).fork(double).race(),
        "f/fork/sub/pivot: found a pivot inside an arm of fork, which is a race; "
        "expected a place whose steps nobody has to undo to go on. "
        "Put the pivot behind it, where its success is certain.",
    ),
    (
        "pivot in a retried workflow",
        lambda: flow.step(sub.pivot().step(double), retry=Retry()),
        "f/sub/pivot: found a pivot inside sub, which is retried as a whole; "
        "expected a place whose steps nobody has to undo to go on. "
        "Put the pivot behind it, where its success is certain.",
    ),
    (
        "pivot in a compensated workflow",
        lambda: flow.step(sub.pivot()).compensate(undo),
        "f/sub/pivot: found a pivot inside sub, which is undone as a whole; "
        "expected a place whose steps nobody has to undo to go on. "
        "Put the pivot behind it, where its success is certain.",
    ),
    (
        "pivot deep in a race",
        lambda: numbers.map(Workflow[int]("deep").step(sub.pivot())).race(),
        "f/deep[]/sub/pivot: found a pivot inside an arm of deep, which is a race; "
        "expected a place whose steps nobody has to undo to go on. "
        "Put the pivot behind it, where its success is certain.",
    ),
    (
        "pivot outside of a chain",
        lambda: Raw(WAIT, Retried("pivot", Pivot("pivot"), Retry())),
        "f/pivot: found a pivot outside of a chain; "
        "expected a workflow around it. "
        "Put it into the chain of a workflow of its own: Workflow(name).step(...).pivot(...).",
    ),
    # waits
    (
        "sleep below 0",
        lambda: flow.sleep(-1),
        "f/sleep: found -1 as the time to sleep; "
        "expected a finite number of seconds from 0. "
        "Give seconds: .sleep(90), or timedelta(...).total_seconds().",
    ),
    (
        "sleep for ever",
        lambda: flow.sleep(float("inf")),
        "f/sleep: found inf as the time to sleep; "
        "expected a finite number of seconds from 0. "
        "Give seconds: .sleep(90), or timedelta(...).total_seconds().",
    ),
    (
        "sleep as text",
        lambda: flow.sleep("5m"),
        "f/sleep: found '5m' as the time to sleep; "
        "expected a finite number of seconds from 0. "
        "Give seconds: .sleep(90), or timedelta(...).total_seconds().",
    ),
    (
        "signal without a name",
        lambda: flow.wait_for(Signal("", int), name="wait"),
        "f/wait: found signal=''; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        'Name it like this: Signal("approval", Approval).',
    ),
    (
        "signal with a space",
        lambda: flow.wait_for(Signal("please approve", int), name="wait"),
        "f/wait: found signal='please approve'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        'Name it like this: Signal("approval", Approval).',
    ),
    (
        "signal whose type is in quotes",
        lambda: flow.wait_for(Signal("approval", "Order")),
        "f/approval: found 'Order' as the type of signal 'approval'; "
        "expected a type. "
        "Give the class itself: Signal(name, Approval).",
    ),
    (
        "signal whose type is a value",
        lambda: flow.wait_for(Signal("approval", 5)),
        "f/approval: found 5 as the type of signal 'approval'; "
        "expected a type. "
        "Give the class itself: Signal(name, Approval).",
    ),
    (
        "signal of two types",
        lambda: flow.wait_for(Signal("approval", int)).wait_for(Signal("approval", str), name="again"),
        "f/again: found signal 'approval' of type str; "
        "expected int, as at f/approval: a signal's name has one type. "
        "Use the same Signal in both places, or give one of them another name.",
    ),
    (
        "signal into a function of one value",
        lambda: flow.wait_for(Signal("approval", int), double),
        "f/approval: found double, which cannot be called with 2 values; "
        "expected a combiner that takes 2 values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "signal into an async function",
        lambda: flow.wait_for(Signal("approval", int), later_pair),
        "f/approval: found later_pair, an async function; "
        "expected a plain, deterministic function as a combiner: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "signal of another type than into takes",
        lambda: flow.wait_for(Signal("approval", str), pair_total),
        "f/approval: found str from wait_for(approval); "
        "expected int, which pair_total takes. "
        "It gets the value before and what the signal brings: change one of the two.",
    ),
    (
        "after a signal",
        lambda: flow.wait_for(Signal("approval", Order)).step(double),
        "f/double: found tests.bodies:Order from approval; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    # time and place
    (
        "timeout 0",
        lambda: flow.step(double, timeout=0),
        "f/double: found 0 as timeout; expected a finite number of seconds above 0. Leave it out for none.",
    ),
    (
        "timeout of a workflow as text",
        lambda: flow.step(sub, timeout="1h"),
        "f/sub: found '1h' as timeout; expected a finite number of seconds above 0. Leave it out for none.",
    ),
    (
        "attempt longer than all attempts",
        lambda: flow.step(double, attempt_timeout=30, timeout=10),
        "f/double: found attempt_timeout=30 within timeout=10; "
        "expected an attempt that may take no longer than all of them together. "
        "timeout bounds the step with its retries: make it the longer one, or leave attempt_timeout out.",
    ),
    (
        "retry of a workflow as a number",
        lambda: flow.step(sub, retry=3),
        "f/sub: found 3 as retry; expected a Retry. Write retry=Retry(max_attempts=3), or leave it out.",
    ),
    (
        "retry of a workflow with another on_partial",
        lambda: flow.step(sub, retry=Retry(), on_partial="stop"),
        'f/sub: found on_partial=\'stop\'; expected "fail" or "continue". Leave it out for "fail".',
    ),
    (
        "retry around a step",
        lambda: Raw(Retried("wait", WAIT, Retry())),
        "f/wait: found a retry of the whole around wait, which is no composite; "
        "expected a workflow, a fork, a graph or a map. "
        "Give retry to the step itself; what the interpreter computes gives the same each time.",
    ),
    (
        "retry around a sleep",
        lambda: Raw(Retried("nap", Sleep("nap", 3), Retry())),
        "f/nap: found a retry of the whole around nap, which is no composite; "
        "expected a workflow, a fork, a graph or a map. "
        "Give retry to the step itself; what the interpreter computes gives the same each time.",
    ),
    (
        "retry around a timeout",
        lambda: Raw(Retried("wait", Timed("wait", WAIT, 3), Retry())),
        "f/wait: found a retry around the timeout of wait; "
        "expected one retry, inside the timeout and the compensation. "
        "Give it once; write .step(body, retry=..., timeout=...).compensate(undo).",
    ),
    (
        "timeout around a timeout",
        lambda: Raw(Timed("wait", Timed("wait", WAIT, 3), 5)),
        "f/wait: found a timeout around the timeout of wait; "
        "expected one timeout, inside the compensation. "
        "Give the shorter one; write .step(body, timeout=...).compensate(undo).",
    ),
    (
        "default retry that is none",
        lambda: Workflow[int]("f", retry=5).pure(double),
        "f: found 5 as retry; expected a Retry. Write retry=Retry(max_attempts=3), or leave it out.",
    ),
    (
        "other words for a failed undo",
        lambda: Raw(Scope("sub", (WAIT,), int, on_undo_failure="stop")),
        'f/sub: found on_undo_failure=\'stop\'; expected "hold", "continue" or "halt". Leave it out for "hold".',
    ),
    (
        "compensate_on_cancel as text",
        lambda: Raw(Scope("sub", (WAIT,), int, compensate_on_cancel="no")),
        "f/sub: found compensate_on_cancel='no'; expected True or False. Leave it out for True.",
    ),
    (
        "max_concurrency 0",
        lambda: Workflow[int]("f", max_concurrency=0).step(double),
        "f: found max_concurrency=0; expected an int of at least 1. Leave it out for no cap.",
    ),
    (
        "max_concurrency of a workflow in another",
        lambda: flow.step(Workflow[int]("sub", max_concurrency=3).step(double)),
        "f/sub: found max_concurrency=3 on a workflow inside another; "
        "expected max_concurrency on the workflow that is run: it caps the attempts of a whole run. "
        "Give it to the outermost workflow, or use concurrency= of the map, fork or graph.",
    ),
    (
        "limit that is no name",
        lambda: flow.step(double, limit="stripe api"),
        "f/double: found limit='stripe api'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Name a limit of the engine: LocalEngine(limits={...}).",
    ),
    (
        "place to run in that is no name",
        lambda: flow.step(double, run_in="my pool"),
        "f/double: found run_in='my pool'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        'Give "loop", "thread", "process" or the name of an executor of the engine; or leave it out.',
    ),
    (
        "place to run in that is no text",
        lambda: flow.step(double, run_in=3),
        "f/double: found run_in=3; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        'Give "loop", "thread", "process" or the name of an executor of the engine; or leave it out.',
    ),
    (
        "cheap that is neither on nor off",
        lambda: flow.step(double, cheap="very"),
        "f/double: found cheap='very'; expected True or False. Leave it out for False.",
    ),
    (
        "async function in a process",
        lambda: flow.step(later, run_in="process"),
        'f/later: found run_in="process" on an async function; '
        "expected a plain function. "
        "Leave run_in out: an async function runs in the event loop.",
    ),
    (
        "lambda in a process",
        lambda: flow.step(lambda n: n, run_in="process"),
        'f/step: found run_in="process" on a lambda; '
        "expected a function that another process can find by its name. "
        "Define it with def in a module.",
    ),
    (
        "closure in a process",
        lambda: flow.step(closure(), run_in="process"),
        'f/add: found run_in="process" on a closure; '
        "expected a function that another process can find by its name. "
        "Define it with def in a module.",
    ),
    # cases
    (
        "exhaustive that lacks members of an enum",
        lambda: flow.step(color).branch().case(Color.RED, untyped).exhaustive(),
        "f/branch: found no arm for Color.GREEN, Color.BLUE; "
        "expected arms for all of tests.plan.wrong_constructs:Color. "
        "Add .case(Color.GREEN, body), or close the branch with .otherwise(body).",
    ),
    (
        "exhaustive that lacks an enum",
        lambda: flow.step(color).branch().when(bool, untyped).exhaustive(),
        "f/branch: found no arm for tests.plan.wrong_constructs:Color; "
        "expected arms for all of tests.plan.wrong_constructs:Color. "
        "Add .case(Color, body), or close the branch with .otherwise(body).",
    ),
    (
        "exhaustive that lacks a word",
        lambda: flow.step(word).branch().case("yes", untyped).case("no", untyped).exhaustive(),
        "f/branch: found no arm for 'perhaps'; "
        "expected arms for all of Literal['no', 'perhaps', 'yes']. "
        "Add .case('perhaps', body), or close the branch with .otherwise(body).",
    ),
    (
        "exhaustive that lacks a truth value",
        lambda: flow.pure(is_even).branch().case(True, untyped).exhaustive(),
        "f/branch: found no arm for False; "
        "expected arms for all of bool. "
        "Add .case(False, body), or close the branch with .otherwise(body).",
    ),
    (
        "exhaustive over values without end",
        lambda: flow.branch().case(1, double).exhaustive(),
        "f/branch: found no arm for int; "
        "expected arms for all of int. "
        "Add .case(int, body), or close the branch with .otherwise(body).",
    ),
    (
        "case of a word that never comes",
        lambda: flow.step(word).branch().case("maybe", untyped).otherwise(untyped),
        "f/branch/untyped: found case('maybe'); "
        "expected a value that may come: Literal['no', 'perhaps', 'yes'] comes from word. "
        "Take the arm out, or mend the value.",
    ),
    (
        "case of a member of another enum",
        lambda: flow.step(double).branch().case(Color.RED, untyped).otherwise(untyped),
        "f/branch/untyped: found case(Color.RED); "
        "expected a value that may come: int comes from double. "
        "Take the arm out, or mend the value.",
    ),
    (
        "case of a value for a body of another type",
        lambda: flow.step(word).branch().case("yes", double).otherwise(untyped),
        "f/branch/double: found Literal['yes'] from case(Literal['yes']); "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
]
