"""The functions and types that a stored plan may name (S37)."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any, Literal, NamedTuple

import pytest

from orchestration import Workflow
from orchestration.errors import UnresolvedReference
from orchestration.plan.compile import Plan
from orchestration.plan.library import numbered
from orchestration.plan.registry import Registry
from orchestration.plan.typenames import type_name
from tests import bodies
from tests.bodies import Order, double
from tests.plan import kinds

flow: Any = Workflow[int]("f")


class Base:
    """A service to be inherited from."""

    def get(self, number: int) -> int:
        """Return the number."""
        return number


class Users(Base):
    """A service with methods of every kind."""

    rate = 3
    nameless = staticmethod(lambda number: number)

    def put(self, number: int) -> int:
        """Return the number."""
        return number

    @staticmethod
    def check(number: int) -> int:
        """Return the number."""
        return number

    @classmethod
    def make(cls, number: int) -> int:
        """Return the number."""
        return number


class Point(NamedTuple):
    """A record that is made of one value."""

    x: int


class Decorated:
    """What a decorator makes of a function."""

    def __init__(self, function: Any) -> None:
        """Take its name as well."""
        functools.update_wrapper(self, function)

    def __call__(self, number: int) -> int:
        """Return the number."""
        return number


@Decorated
def decorated(number: int) -> int:
    """Return the number."""
    return number


@functools.cache
def cached(number: int) -> int:
    """Return the number."""
    return number


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (double, double),
        (double, bodies),
        (Users.put, Users),
        (Users.put, Users.put),
        (Users.check, Users),
        (Users.make, Users),
        (Users.get, Users),
        (Users.get, Base),
        (Point, Point),
        (str, bodies),
        (len, len),
        (decorated, decorated),
        (cached, cached),
    ],
)
def test_functions_are_found_by_their_name(body, given) -> None:
    """S37: alone, in their class or module, inherited, or as the class that they make."""
    plan = flow.step(body).compile()
    assert Plan.from_json(plan.to_json(), Registry(given)).root.children[0].body.call == body


@pytest.mark.parametrize("tp", [int, None, Any, object, list, bytes])
def test_builtin_types_are_known(tp) -> None:
    """S37: what has no module of its own."""
    plan = Workflow[tp]("f").compile()
    assert Plan.from_json(plan.to_json(), Registry()).takes is tp


@pytest.mark.parametrize(
    "tp", [Order, list[Order], Order | None, dict[str, Order], kinds.UserId, kinds.Alias, kinds.Color]
)
def test_types_are_found_by_their_canonical_name(tp) -> None:
    """S37: classes and type forms."""
    plan = Workflow[tp]("f").compile()
    assert Plan.from_json(plan.to_json(), Registry(tp)).takes == tp


@pytest.mark.parametrize(
    "literal",
    [
        Literal["a", "b, c", "d\"'e\\", "x:y", "[z]", b"z"],
        Literal[1, True, -5],
        Literal[kinds.Color.RED],
        Literal["q", kinds.Color.BLUE, kinds.Level.LOW],
        Literal[-7],
    ],
)
def test_literals_need_not_be_registered(literal) -> None:
    """S13: their values are read from the text, nothing is run; members of an enum are those of the registered one."""
    assert Registry(kinds).type(type_name(literal), "p") == literal


def test_a_literal_may_be_registered_as_it_is() -> None:
    """S37: what is registered comes first."""
    own = Literal["a", "b"]
    assert Registry(own).type("Literal['a', 'b']", "p") is own


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Literal[shop:Color.RED]", "p: found the type 'shop:Color'; expected a type of the registry."),
        ("Literal[tests.plan.kinds:Color.PINK]", "p: found the value 'tests.plan.kinds:Color.PINK' of Literal["),
        ("Literal[tests.plan.kinds:Order.id]", "p: found the value 'tests.plan.kinds:Order.id' of Literal["),
        ("Literal[print]", "p: found the type ''; "),
        ("Literal[]", "p: found the type 'Literal[]'; "),
        ("Literal['a'] | list[int]", "p: found the type \"Literal['a'] | list[int]\"; "),
    ],
)
def test_a_literal_that_cannot_be_read_is_unresolved(name, message) -> None:
    """S37: nothing is evaluated but plain data."""
    with pytest.raises(UnresolvedReference) as caught:
        Registry(kinds).type(name, "p")
    assert str(caught.value).startswith(message)


def test_the_functions_that_the_builder_uses_are_known() -> None:
    """S37: `.enumerate()` is no function of the caller's."""
    assert Registry().function("orchestration.plan.library:numbered", "p") is numbered
    assert numbered("ab") == [(0, "a"), (1, "b")]


def test_a_module_is_what_it_defines_and_no_more() -> None:
    """S37: constants and other modules do no harm; a function that it imported is not to be called, a type is known."""

    def treble(n: int) -> int:
        return 3 * n

    module = types.ModuleType("shop")
    module.__dict__.update(
        total=3,
        name="x",
        sys=sys,
        work=lambda n: n,
        half=functools.partial(double),
        Order=Order,
        __all__=[],
        double=double,
        treble=treble,
    )
    treble.__module__ = "shop"
    registry = Registry(module)
    assert registry.type("Any", "here") is Any
    assert registry.type("tests.bodies:Order", "here") is Order
    assert registry.function(f"shop:{treble.__qualname__}", "here") is treble
    for name in ("lambda", "partial", "sys:exit", "sys:getsizeof", "tests.bodies:double", "tests.bodies:Order"):
        with pytest.raises(UnresolvedReference):
            registry.function(name, "here")


@pytest.mark.parametrize("thing", [lambda n: n, functools.partial(double), 5, "tests.bodies:double", Users().get])
def test_what_cannot_be_found_cannot_be_registered(thing) -> None:
    """S6: nothing that a caller wrote is ignored silently."""
    with pytest.raises(TypeError, match="a registry holds functions, classes, type forms and modules, not"):
        Registry(thing)


def test_any_may_be_registered() -> None:
    """S37: it is known anyhow."""
    assert Registry(Any).type("Any", "here") is Any
