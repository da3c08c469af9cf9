"""Wrong programs, one defect each, and what a newcomer is told about it (S6).

Each message is golden text: path, what was found, what was expected, the mend. To change one, change the code that
makes it and judge the new text here.
"""

# Every program is a lambda, built only when its test runs; what a checker would refuse is the very case.
# ruff: noqa: FBT003, ISC004 - a value in a wrong place is a case; a message is one text, a line for each of its parts

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from orchestration import Retry, Workflow, step
from orchestration.plan.body import Body
from orchestration.plan.compile import compile_plan
from orchestration.plan.nodes import Arm, Branch, Scope, Step
from tests.bodies import (
    Order,
    Receipt,
    double,
    increase,
    is_even,
    pair_total,
    settle,
    spread,
    total,
    undo,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.plan.compile import Plan


class Users:
    """A service."""

    def get(self, number: int) -> str:
        """Return a user's name."""
        return str(number)

    def known(self, number: int) -> bool:
        """Tell whether there is such a user."""
        return number > 0


class Named(Protocol):
    """A protocol that `isinstance` does not take."""

    name: str


class Shape(TypedDict):
    """A class at first sight only."""

    size: int


class Raw:
    """A tree of nodes that the builder cannot make."""

    def __init__(self, *nodes: Any) -> None:
        """Hold the nodes of a workflow."""
        self._root = Scope("f", nodes, int)

    def compile(self) -> Plan:
        """Return the plan."""
        return compile_plan(self._root)


async def later(number: int) -> int:
    """Return a number, but not at once."""
    return number


async def later_even(number: int) -> bool:
    """Tell even numbers, but not at once."""
    return number % 2 == 0


async def later_pair(one: int, other: int) -> int:
    """Return the sum of two, but not at once."""
    return one + other


def shout(text: str) -> str:
    """Return a text, louder."""
    return text.upper()


def is_loud(text: str) -> bool:
    """Tell loud texts."""
    return text.isupper()


def unlike(one: int, other: str) -> int:
    """Take two values of different types."""
    return one + len(other)


def nothing() -> int:
    """Take nothing at all."""
    return 0


def keyed(number: int, *, key: str) -> int:
    """Ask for more than a value."""
    return number + len(key)


def tags(number: int) -> set[str]:
    """Return texts in no order."""
    return {str(number)}


def maybe(number: int) -> int | None:
    """Return a number or nothing."""
    return number or None


def either(number: int) -> Order | Receipt:
    """Return one of two."""
    return Receipt(number)


def untyped(number):
    """Say nothing about types."""
    return number


def of_order(order: Order) -> str:
    """Take the one."""
    return order.id


def of_receipt(receipt: Receipt) -> str:
    """Take the other."""
    return str(receipt.number)


flow: Any = Workflow[int]("f")
armed: Any = step(increase).compensate(undo)

WRONG: list[tuple[str, Callable[[], Any], str]] = [
    # along the chain
    (
        "step takes another type",
        lambda: flow.step(total),
        "f/total: found int from the input of workflow 'f'; "
        "expected list[int], which total takes. "
        "Change one of the two, or convert the value with .pure(...) before total.",
    ),
    (
        "later step takes another type",
        lambda: flow.step(double).step(shout),
        "f/shout: found int from double; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "optional value",
        lambda: flow.step(maybe).step(double),
        "f/double: found None | int from maybe; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    (
        "pure takes another type",
        lambda: flow.pure(shout),
        "f/shout: found int from the input of workflow 'f'; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "tap takes another type",
        lambda: flow.tap(shout),
        "f/shout: found int from the input of workflow 'f'; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "value after a tap",
        lambda: flow.tap(Users.get).step(shout),
        "f/shout: found int from get; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "sub-workflow takes another type",
        lambda: flow.step(Workflow[str]("sub").step(shout)),
        "f/sub: found int from the input of workflow 'f'; "
        "expected str, which workflow 'sub' takes. "
        "Change one of the two, or convert the value with .pure(...) before it.",
    ),
    (
        "step in a sub-workflow",
        lambda: flow.step(Workflow[int]("sub").step(double).step(shout)),
        "f/sub/shout: found int from double; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "step after a sub-workflow",
        lambda: flow.step(Workflow[int]("sub").step(double)).step(shout),
        "f/shout: found int from sub; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "service method takes another type",
        lambda: Workflow[str]("f").step(Users.get),
        "f/get: found str from the input of workflow 'f'; "
        "expected int, which get takes. "
        "Change one of the two, or convert the value with .pure(...) before get.",
    ),
    # in arms
    (
        "arm of when",
        lambda: flow.branch().when(is_even, shout).otherwise(double),
        "f/branch/shout: found int from the input of workflow 'f'; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "arm of case",
        lambda: Workflow[Order | Receipt]("f").branch().case(Order, of_receipt).otherwise(untyped),
        "f/branch/of_receipt: found tests.bodies:Order from case(tests.bodies:Order); "
        "expected tests.bodies:Receipt, which of_receipt takes. "
        "Change one of the two, or convert the value with .pure(...) before of_receipt.",
    ),
    (
        "otherwise takes another type",
        lambda: flow.branch().when(is_even, double).otherwise(shout),
        "f/branch/shout: found int from the input of workflow 'f'; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "after a branch",
        lambda: flow.branch().when(is_even, double).otherwise(Users.get).step(double),
        "f/double: found int | str from branch; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    # predicates
    (
        "predicate takes another type",
        lambda: flow.branch().when(is_loud, double).otherwise(double),
        "f/branch/double: found int from the input of workflow 'f'; "
        "expected str, which is_loud takes. "
        "A predicate gets the value that comes to the branch: change one of the two.",
    ),
    (
        "async predicate",
        lambda: flow.branch().when(later_even, double).otherwise(double),
        "f/branch/double: found later_even, an async function; "
        "expected a plain, deterministic function as a predicate: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "service method as predicate",
        lambda: flow.branch().when(Users.known, double).otherwise(double),
        "f/branch/double: found known, a method of a service; "
        "expected a plain, deterministic function as a predicate: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "predicate of two values",
        lambda: flow.branch().when(pair_total, double).otherwise(double),
        "f/branch/double: found pair_total, which cannot be called with 1 value; "
        "expected a predicate that takes 1 value. "
        "Only a method of a class may take a second value (its service); fold, join and enrich take "
        "combiners.",
    ),
    (
        "predicate is a value",
        lambda: flow.branch().when(True, double).otherwise(double),
        "f/branch/double: found True, which cannot be called; "
        "expected a predicate that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    # items, forks, joins
    (
        "item of a map",
        lambda: Workflow[list[str]]("f").map(double),
        "f/double[]: found str from an item of the input of workflow 'f'; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    (
        "item of a workflow in a map",
        lambda: flow.step(spread).map(Workflow[str]("sub").step(shout)),
        "f/sub[]: found int from an item of spread; "
        "expected str, which workflow 'sub' takes. "
        "Change one of the two, or convert the value with .pure(...) before it.",
    ),
    (
        "map over a number",
        lambda: flow.map(double),
        "f/double: found int from the input of workflow 'f'; "
        "expected something to iterate over. "
        "Let the body before .map(...) return a list, or use .step(...) for a single value.",
    ),
    (
        "map over an optional list",
        lambda: Workflow[list[int] | None]("f").map(double),
        "f/double: found None | list[int] from the input of workflow 'f'; "
        "expected something to iterate over. "
        "Let the body before .map(...) return a list, or use .step(...) for a single value.",
    ),
    (
        "map over a set",
        lambda: flow.step(tags).map(shout),
        "f/shout: found set[str] from tags; "
        "expected items in a defined order: those of a set come in another one each time. "
        "Put .pure(sorted) before .map(...), or let the body before it return a list.",
    ),
    (
        "map over a frozenset",
        lambda: Workflow[frozenset[int]]("f").map(double),
        "f/double: found frozenset[int] from the input of workflow 'f'; "
        "expected items in a defined order: those of a set come in another one each time. "
        "Put .pure(sorted) before .map(...), or let the body before it return a list.",
    ),
    (
        "map over perhaps a set",
        lambda: Workflow[list[int] | set[int]]("f").map(double),
        "f/double: found list[int] | set[int] from the input of workflow 'f'; "
        "expected items in a defined order: those of a set come in another one each time. "
        "Put .pure(sorted) before .map(...), or let the body before it return a list.",
    ),
    (
        "arm of a fork",
        lambda: flow.fork(double).fork(shout).join(),
        "f/fork/shout: found int from the input of workflow 'f'; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "join takes another type",
        lambda: flow.fork(double).fork(increase).join(unlike),
        "f/unlike: found int from fork; "
        "expected str, which unlike takes. "
        "It gets an argument from each body of the fork: change one of the two.",
    ),
    (
        "join takes fewer values",
        lambda: flow.fork(double).fork(increase).fork(double).join(pair_total),
        "f/pair_total: found pair_total, which cannot be called with 3 values; "
        "expected a step that takes 3 values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "after a join",
        lambda: flow.fork(double).fork(increase).join().step(double),
        "f/double: found tuple[int, int] from fork; "
        "expected int, which double takes. "
        "Change one of the two, or convert the value with .pure(...) before double.",
    ),
    (
        "join by a workflow of another type",
        lambda: flow.fork(double).fork(increase).join(Workflow[str]("sub").step(shout)),
        "f/sub: found tuple[int, int] from fork; "
        "expected str, which workflow 'sub' takes. "
        "Change one of the two, or convert the value with .pure(...) before it.",
    ),
    # combiners
    (
        "enrich body takes another type",
        lambda: flow.enrich(shout).into(unlike),
        "f/shout: found int from the input of workflow 'f'; "
        "expected str, which shout takes. "
        "Change one of the two, or convert the value with .pure(...) before shout.",
    ),
    (
        "combiner takes another output",
        lambda: flow.enrich(double).into(unlike),
        "f/double: found int from enrich(double); "
        "expected str, which unlike takes. "
        "A combiner gets the value before and the output of the body: change one of the two.",
    ),
    (
        "combiner takes another value",
        lambda: Workflow[str]("f").enrich(len).into(pair_total),
        "f/len: found str from enrich(len); "
        "expected int, which pair_total takes. "
        "A combiner gets the value before and the output of the body: change one of the two.",
    ),
    (
        "combiner of one value",
        lambda: flow.enrich(double).into(increase),
        "f/double: found increase, which cannot be called with 2 values; "
        "expected a combiner that takes 2 values. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "async combiner",
        lambda: flow.enrich(double).into(later_pair),
        "f/double: found later_pair, an async function; "
        "expected a plain, deterministic function as a combiner: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    # compensation
    (
        "undo takes another type",
        lambda: flow.step(increase).compensate(shout),
        "f/increase: found int from increase; "
        "expected str, which shout takes. "
        "An undo gets the output of what it undoes: change one of the two.",
    ),
    (
        "undo of a map takes another type",
        lambda: Workflow[list[int]]("f").map(double).compensate(undo),
        "f/double: found list[int] from double; "
        "expected int, which undo takes. "
        "An undo gets the output of what it undoes: change one of the two.",
    ),
    (
        "in-doubt handler takes another type",
        lambda: flow.step(Users.get).compensate(shout, in_doubt=shout),
        "f/get: found int from the input of get; "
        "expected str, which shout takes. "
        "An in-doubt handler gets what its step got: change one of the two.",
    ),
    (
        "undo cannot be called",
        lambda: flow.step(increase).compensate(None),
        "f/increase: found None, which cannot be called; "
        "expected a compensation that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "undo of two values",
        lambda: flow.step(increase).compensate(pair_total),
        "f/increase: found pair_total, which cannot be called with 1 value; "
        "expected a compensation that takes 1 value. "
        "Only a method of a class may take a second value (its service); fold, join and enrich take "
        "combiners.",
    ),
    (
        "in-doubt handler cannot be called",
        lambda: flow.step(increase).compensate(undo, in_doubt="settle"),
        "f/increase: found 'settle', which cannot be called; "
        "expected an in-doubt handler that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "compensation timeout 0",
        lambda: flow.step(increase).compensate(undo, timeout=0),
        "f/increase: found 0 as timeout of the compensation; "
        "expected a finite number of seconds above 0. "
        "Leave it out for 30 seconds an attempt.",
    ),
    (
        "compensation timeout None",
        lambda: flow.step(increase).compensate(undo, timeout=None),
        "f/increase: found None as timeout of the compensation; "
        "expected a finite number of seconds above 0. "
        "Leave it out for 30 seconds an attempt.",
    ),
    (
        "compensation without a retry",
        lambda: flow.step(increase).compensate(undo, retry=None),
        "f/increase: found None as retry of the compensation; "
        "expected a Retry. "
        "Write retry=Retry(max_attempts=3), or leave it out.",
    ),
    (
        "in_doubt on a composite",
        lambda: flow.fork(double).join().compensate(untyped, in_doubt=settle),
        "f/fork: found in_doubt on a composite; "
        "expected in_doubt on a step. "
        "Give it to the step whose effect may be in doubt.",
    ),
    (
        "an undo inside a compensated map",
        lambda: Workflow[list[int]]("f").map(armed).compensate(untyped),
        "f/increase: found an undo for the whole, and another on increase inside; "
        "expected one of the two. "
        "Undo each step, or the whole: what is undone twice is undone wrongly.",
    ),
    (
        "an undo deep inside a compensated workflow",
        lambda: flow.step(Workflow[int]("sub").step(Workflow[int]("deep").step(armed).step(double))).compensate(undo),
        "f/sub: found an undo for the whole, and another on increase inside; "
        "expected one of the two. "
        "Undo each step, or the whole: what is undone twice is undone wrongly.",
    ),
    (
        "compensated twice",
        lambda: flow.step(armed).compensate(settle),
        "f/increase: found a second undo of increase; "
        "expected one of the two. "
        "Undo each step, or the whole: what is undone twice is undone wrongly.",
    ),
    # bodies
    (
        "async pure",
        lambda: flow.pure(later),
        "f/later: found later, an async function; "
        "expected a plain, deterministic function as a pure step: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "partial of an async function as pure",
        lambda: flow.pure(functools.partial(later)),
        "f/later: found later, an async function; "
        "expected a plain, deterministic function as a pure step: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "service method as pure",
        lambda: flow.pure(Users.get),
        "f/get: found get, a method of a service; "
        "expected a plain, deterministic function as a pure step: the interpreter calls it itself. "
        "Use .step(...) for an effect, and let this function read its result.",
    ),
    (
        "plain function of two values",
        lambda: flow.step(pair_total),
        "f/pair_total: found pair_total, which cannot be called with 1 value; "
        "expected a step that takes 1 value. "
        "Only a method of a class may take a second value (its service); fold, join and enrich take "
        "combiners.",
    ),
    (
        "plain function of two values as pure",
        lambda: flow.pure(pair_total),
        "f/pair_total: found pair_total, which cannot be called with 1 value; "
        "expected a pure step that takes 1 value. "
        "Only a method of a class may take a second value (its service); fold, join and enrich take "
        "combiners.",
    ),
    (
        "function of no value",
        lambda: flow.step(nothing),
        "f/nothing: found nothing, which cannot be called with 1 value; "
        "expected a step that takes 1 value. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "function with a keyword",
        lambda: flow.step(keyed),
        "f/keyed: found keyed, which cannot be called with 1 value; "
        "expected a step that takes 1 value. "
        "Give it that many positional parameters, or defaults for the others.",
    ),
    (
        "number as body",
        lambda: flow.step(5),
        "f/int: found 5, which cannot be called; "
        "expected a step that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "name of a function as body",
        lambda: flow.step("double", name="double"),
        "f/double: found 'double', which cannot be called; "
        "expected a step that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "result of a call as body",
        lambda: flow.step(undo(1)),
        "f/NoneType: found None, which cannot be called; "
        "expected a step that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "open branch as body",
        lambda: flow.step(flow.branch().when(is_even, double)),
        "f/Branch: found an open branch (close it with .otherwise(body) or .exhaustive()), which cannot "
        "be called; "
        "expected a step that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "open fork as body",
        lambda: flow.step(flow.fork(double)),
        "f/Fork: found an open fork (close it with .join(), .join(body) or .race()), which cannot "
        "be called; "
        "expected a step that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    (
        "open enrich as body",
        lambda: flow.tap(flow.enrich(double)),
        "f/Enrich: found an open enrich (close it with .into(combine)), which cannot be called; "
        "expected a step that takes 1 value. "
        "Pass a function, a service's method or a workflow.",
    ),
    # names
    (
        "name with a space",
        lambda: flow.step(double, name="reserve stock"),
        "f/reserve stock: found the name 'reserve stock'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Give it another name.",
    ),
    (
        "name that begins with a digit",
        lambda: flow.pure(double, name="2nd"),
        "f/2nd: found the name '2nd'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Give it another name.",
    ),
    (
        "name that is empty",
        lambda: flow.step(double, name=""),
        "f/: found the name ''; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Give it another name.",
    ),
    (
        "name of a sub-workflow",
        lambda: flow.step(Workflow[int]("a/b").step(double)),
        "f/a/b: found the name 'a/b'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Give it another name.",
    ),
    (
        "name of the workflow",
        lambda: Workflow[int]("check out").step(double),
        "check out: found the name 'check out'; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Give it another name.",
    ),
    (
        "workflow without a name",
        lambda: Workflow[int](""),
        "workflow: found the name ''; "
        "expected a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first. "
        "Give it another name.",
    ),
    (
        "name given twice in a chain",
        lambda: flow.step(double, name="x").pure(increase, name="x"),
        "f/x: found the name 'x' twice; "
        "expected names unique here. "
        "Give one of them another name=; only names that were not given are numbered.",
    ),
    (
        "name given twice in a fork",
        lambda: flow.fork(double, name="x").fork(increase, name="x").join(),
        "f/fork/x: found the name 'x' twice; "
        "expected names unique here. "
        "Give one of them another name=; only names that were not given are numbered.",
    ),
    (
        "name given twice in a branch",
        lambda: flow.branch().when(is_even, double, name="x").otherwise(increase, name="x"),
        "f/branch/x: found the name 'x' twice; "
        "expected names unique here. "
        "Give one of them another name=; only names that were not given are numbered.",
    ),
    # options
    (
        "concurrency 0",
        lambda: Workflow[list[int]]("f").map(double, concurrency=0),
        "f/double: found concurrency=0; expected an int of at least 1. Leave it out for no cap.",
    ),
    (
        "concurrency True",
        lambda: Workflow[list[int]]("f").map(double, concurrency=True),
        "f/double: found concurrency=True; expected an int of at least 1. Leave it out for no cap.",
    ),
    (
        "concurrency as text",
        lambda: flow.fork(double).join(concurrency="3"),
        "f/fork: found concurrency='3'; expected an int of at least 1. Leave it out for no cap.",
    ),
    (
        "attempt_timeout 0",
        lambda: flow.step(double, attempt_timeout=0),
        "f/double: found 0 as attempt_timeout; expected a finite number of seconds above 0. Leave it out for none.",
    ),
    (
        "attempt_timeout below 0",
        lambda: flow.step(double, attempt_timeout=-1),
        "f/double: found -1 as attempt_timeout; expected a finite number of seconds above 0. Leave it out for none.",
    ),
    (
        "attempt_timeout as text",
        lambda: flow.step(double, attempt_timeout="10s"),
        "f/double: found '10s' as attempt_timeout; expected a finite number of seconds above 0. Leave it out for none.",
    ),
    (
        "attempt_timeout as timedelta",
        lambda: flow.step(double, attempt_timeout=timedelta(seconds=10)),
        "f/double: found datetime.timedelta(seconds=10) as attempt_timeout; "
        "expected a finite number of seconds above 0. "
        "Leave it out for none.",
    ),
    (
        "attempt_timeout without end",
        lambda: flow.step(double, attempt_timeout=float("inf")),
        "f/double: found inf as attempt_timeout; expected a finite number of seconds above 0. Leave it out for none.",
    ),
    (
        "attempt_timeout True",
        lambda: flow.step(double, attempt_timeout=True),
        "f/double: found True as attempt_timeout; expected a finite number of seconds above 0. Leave it out for none.",
    ),
    (
        "async function in a thread",
        lambda: flow.step(later, run_in="thread"),
        'f/later: found run_in="thread" on an async function; '
        "expected a plain function. "
        "Leave run_in out: an async function runs in the event loop.",
    ),
    (
        "retry as a number",
        lambda: flow.step(double, retry=3),
        "f/double: found 3 as retry; expected a Retry. Write retry=Retry(max_attempts=3), or leave it out.",
    ),
    (
        "retry with half an attempt",
        lambda: flow.step(double, retry=Retry(max_attempts=2.5)),
        "f/double: found a retry with max_attempts=2.5; expected a whole number. It counts the first attempt.",
    ),
    (
        "retry with True attempts",
        lambda: flow.step(double, retry=Retry(max_attempts=True)),
        "f/double: found a retry with max_attempts=True; expected a whole number. It counts the first attempt.",
    ),
    (
        "retry without end",
        lambda: flow.step(double, retry=Retry(initial_delay=1, max_delay=float("inf"))),
        "f/double: found a retry with max_delay=inf; expected finite numbers. Give large numbers instead.",
    ),
    (
        "retry with unknown jitter",
        lambda: flow.step(double, retry=Retry(jitter="some")),
        'f/double: found a retry with jitter=\'some\'; expected "full", "equal" or "none". Leave it out for "full".',
    ),
    (
        "version as a number",
        lambda: Workflow[int]("f", version=2).step(double),
        'f: found version=2; expected a str. Write version="2".',
    ),
    (
        "type in quotes",
        lambda: Workflow["Order"]("f").step(of_order),
        "f: found 'Order' as the type it takes; expected a type. Write the type without quotes: Workflow[Order].",
    ),
    # branches
    (
        "branch that is not closed",
        lambda: Raw(Branch("choice", (Arm(Step("double", Body.of(double)), Body.of(is_even)),))),
        "f/choice: found a branch that can match nothing; "
        "expected otherwise or exhaustive. "
        "Close the branch with .otherwise(body), or with .exhaustive() if the arms cover a declared "
        "union.",
    ),
    (
        "branch with only an otherwise",
        lambda: flow.branch().otherwise(double),
        "f/branch: found a branch without arms; "
        "expected one arm at least. "
        "Add .when(predicate, body) or .case(Kind, body) first, or use .step(body) for every value.",
    ),
    (
        "branch with nothing in it",
        lambda: flow.branch(name="choice").exhaustive(),
        "f/choice: found a branch without arms; "
        "expected one arm at least. "
        "Add .when(predicate, body) or .case(Kind, body) first, or use .step(body) for every value.",
    ),
    (
        "exhaustive that lacks a case",
        lambda: flow.step(either).branch().case(Order, of_order).exhaustive(),
        "f/branch: found no arm for tests.bodies:Receipt; "
        "expected arms for all of tests.bodies:Order | tests.bodies:Receipt. "
        "Add .case(Receipt, body), or close the branch with .otherwise(body).",
    ),
    (
        "exhaustive with predicates only",
        lambda: flow.branch().when(is_even, double).exhaustive(),
        "f/branch: found no arm for int; "
        "expected arms for all of int. "
        "Add .case(int, body), or close the branch with .otherwise(body).",
    ),
    (
        "exhaustive over an optional value",
        lambda: flow.step(maybe).branch().case(int, double).exhaustive(),
        "f/branch: found no arm for None; "
        "expected arms for all of None | int. "
        "Add .case(type(None), body), or close the branch with .otherwise(body).",
    ),
    (
        "exhaustive over what no class tells",
        lambda: Workflow[list[int] | Order]("f").branch().case(Order, of_order).exhaustive(),
        "f/branch: found no arm for list[int]; "
        "expected arms for all of list[int] | tests.bodies:Order. "
        "Close the branch with .otherwise(body).",
    ),
    (
        "exhaustive over an unknown type",
        lambda: flow.step(untyped).branch().case(int, double).exhaustive(),
        "f/branch: found exhaustive() over Any; "
        "expected a value with a declared type: a class, an enum, literals or a union of these. "
        "Annotate what the body before it returns, or close the branch with .otherwise(body).",
    ),
    (
        "case with a number that is not whole",
        lambda: flow.branch().case(3.5, double).otherwise(double),
        "f/branch/double: found case(3.5); "
        "expected a class that isinstance takes, a member of an enum, or a str, int, bool or None. "
        "Give each class or value a .case of its own, or use .when(predicate, body).",
    ),
    (
        "case with a union",
        lambda: flow.branch().case(int | str, untyped).exhaustive(),
        "f/branch/untyped: found case(int | str); "
        "expected a class that isinstance takes, a member of an enum, or a str, int, bool or None. "
        "Give each class or value a .case of its own, or use .when(predicate, body).",
    ),
    (
        "case with a generic",
        lambda: Workflow[list[int]]("f").branch().case(list[int], total).otherwise(total),
        "f/branch/total: found case(list[int]); "
        "expected a class that isinstance takes, a member of an enum, or a str, int, bool or None. "
        "Give each class or value a .case of its own, or use .when(predicate, body).",
    ),
    (
        "case with a protocol",
        lambda: Workflow[Order]("f").branch().case(Named, untyped).otherwise(untyped),
        "f/branch/untyped: found case(tests.plan.wrong_programs:Named); "
        "expected a class that isinstance takes, a member of an enum, or a str, int, bool or None. "
        "Give each class or value a .case of its own, or use .when(predicate, body).",
    ),
    (
        "case with a TypedDict",
        lambda: Workflow[Any]("f").branch().case(Shape, untyped).otherwise(untyped),
        "f/branch/untyped: found case(tests.plan.wrong_programs:Shape); "
        "expected a class that isinstance takes, a member of an enum, or a str, int, bool or None. "
        "Give each class or value a .case of its own, or use .when(predicate, body).",
    ),
    (
        "case with Any",
        lambda: Workflow[Any]("f").branch().case(Any, untyped).otherwise(untyped),
        "f/branch/untyped: found case(Any); "
        "expected a class that isinstance takes, a member of an enum, or a str, int, bool or None. "
        "Give each class or value a .case of its own, or use .when(predicate, body).",
    ),
]
