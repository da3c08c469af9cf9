"""Failures, policies, outcomes, errors: values that everything else is about (S8, S9, S26)."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import attrs
import pytest

import orchestration
from orchestration import Failure, Retry, Rollback
from orchestration.errors import PlanError, PlanErrors
from orchestration.failures import kind_name
from orchestration.frozen import evolve, frozen, maker
from orchestration.outcomes import Held, InDoubt, Kept, UndoFailed, Undone

if TYPE_CHECKING:
    from collections.abc import Callable


class Mute(Exception):
    """An exception that cannot say anything."""

    def __str__(self) -> str:
        """Raise."""
        raise ValueError


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Return an exception as it is after it was raised."""
    try:
        raise error from cause  # noqa: TRY301 - to be raised is the point
    except BaseException as caught:  # noqa: BLE001 - whatever was given
        return caught


def test_a_failure_keeps_the_chain_of_causes() -> None:
    """S8: what was raised from what, and what was raised while something else was handled."""
    failure = Failure.of(raised(KeyError("b"), raised(ValueError("a"))), "flow/step")
    assert failure.cause is not None
    assert (failure.kind, failure.cause.kind, failure.cause.message) == ("KeyError", "ValueError", "a")
    try:
        try:
            raise OSError  # noqa: TRY301
        except OSError:
            raise KeyError from None
    except KeyError as error:
        quiet = Failure.of(error, "x")
    assert quiet.cause is None
    try:
        try:
            raise OSError  # noqa: TRY301
        except OSError:
            raise KeyError  # noqa: B904 - the context is the point
    except KeyError as error:
        loud = Failure.of(error, "x")
    assert loud.cause is not None
    assert loud.cause.kind == "OSError"


def test_a_chain_that_bites_its_tail_ends() -> None:
    """S8: causes may form a ring; the failure is finite."""
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    failure = Failure.of(one, "x")
    assert failure.cause is not None
    assert failure.cause.cause is None


def test_an_exception_whose_text_fails_still_gives_a_failure() -> None:
    """S8: the failure survives a broken `__str__`."""
    assert Failure.of(Mute(), "x").message == "<no message: ValueError in __str__>"


def test_failures_match_by_kind_or_base() -> None:
    """S8: by qualified name, so it is the same after a restart."""
    failure = Failure.of(ConnectionResetError(), "x")
    assert failure.matches(("ConnectionError",))
    assert failure.matches(("ValueError", "ConnectionResetError"))
    assert not failure.matches(("ValueError",))
    assert kind_name(Mute) == "tests.test_values.Mute"
    assert str(failure) == "x: ConnectionResetError"


def test_later_failures_are_attached_in_order() -> None:
    """S8: the first stays primary."""
    first, second, third = (Failure("K", name, name) for name in "abc")
    assert first.attach([]) is first
    assert first.attach([second]).attach([third]).attached == (second, third)


def test_the_exception_takes_no_part_in_comparisons() -> None:
    """S8: it is there only in the process where it was raised."""
    failure = Failure.of(ValueError("a"), "x")
    assert failure.exception is not None
    assert failure == Failure("ValueError", "a", "x", ("Exception", "BaseException"))


@pytest.mark.parametrize(("asked", "wait"), [(3, 3.0), (0.5, 0.5), (-1, None), ("soon", None), (float("nan"), None)])
def test_an_exception_may_ask_to_be_left_alone(asked, wait) -> None:
    """S9: `retry_after` seconds, if it is a sound number."""
    error = ValueError()
    error.retry_after = asked  # type: ignore[attr-defined]  # as HTTP clients do
    assert Failure.of(error, "x").retry_after == wait


def test_delays_grow_up_to_a_bound_and_are_jittered() -> None:
    """S9: `initial * factor ** (n - 1)`, at most `max_delay`; full, equal or no jitter."""
    plain = Retry(initial_delay=1, factor=2, max_delay=5, jitter="none")
    assert [plain.delay(attempt, 0.5) for attempt in (1, 2, 3, 4)] == [1, 2, 4, 5]
    assert Retry(initial_delay=1, jitter="full").delay(1, 0.25) == 0.25
    assert Retry(initial_delay=1, jitter="equal").delay(1, 0.5) == 0.75
    assert Retry(factor=10.0, jitter="none").delay(10_000, 0) == 60.0
    assert Retry() == Retry(3, 1.0, 2.0, 60.0, "full", Exception, ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_attempts": 0}, "max_attempts must be above 0, found 0"),
        ({"initial_delay": -1}, "initial_delay must not be below 0, found -1"),
        ({"factor": 0}, "factor must be above 0, found 0"),
        ({"retry_on": 5}, "expected exception classes, found 5"),
        ({"max_delay": float("nan")}, "max_delay must not be below 0, found nan"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_at_once(options, message) -> None:
    """S9: an error that names the field and the value."""
    with pytest.raises((ValueError, TypeError), match=message):
        Retry(**options)


def test_a_rollback_is_judged_by_its_end_states() -> None:
    """S26: `Kept` does not make it partial; anything left standing does."""
    failed = UndoFailed("a", Failure("K", "m", "a"))
    assert Rollback().verdict == "not needed"
    assert str(Rollback()) == "nothing to undo"
    assert Rollback((Undone("a"), Kept("b"))).verdict == "complete"
    for state in (failed, Held("a", "b"), InDoubt("a")):
        assert Rollback((Undone("a"), state)).verdict == "partial"
    assert str(Rollback((Undone("a", "in_doubt"), Kept("b")))).splitlines() == [
        "rollback complete",
        "  a: in doubt, settled by its handler",
        "  b: kept",
    ]
    assert str(Rollback((InDoubt("a"),))).endswith("a: IN DOUBT, nobody knows whether its effect landed")


def test_errors_survive_being_sent_elsewhere() -> None:
    """An error that a process pool sends back keeps its parts."""
    error = PlanError("flow", found="a", expected="b", mend="c.")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own
    assert (type(copy), str(copy), copy.mend) == (PlanError, "flow: found a; expected b. c.", "c.")


def test_plan_errors_split_into_plan_errors() -> None:
    """They are an exception group: `except*` works, and each part keeps its class."""
    one = PlanError("flow/a", found="a", expected="b", mend="c.")
    group = PlanErrors("two", [one, PlanError("flow/b", found="a", expected="b", mend="c.")])
    part = group.subgroup(lambda error: error is one)
    assert isinstance(part, PlanErrors)
    assert str(part).splitlines() == ["two", "  - flow/a: found a; expected b. c."]


def test_the_public_surface_is_exact() -> None:
    """`__all__` names what is there, and nothing is there that it does not name."""
    public = {name for name in dir(orchestration) if not name.startswith("_")}
    modules = {name for name in public if type(getattr(orchestration, name)).__name__ == "module"}
    assert public - modules - {"TYPE_CHECKING"} == set(orchestration.__all__)
    with pytest.raises(AttributeError, match="'orchestration' has no attribute 'Nothing'"):
        _ = orchestration.Nothing
    assert sorted(orchestration.__all__) == orchestration.__all__
    for name in set(orchestration.__all__) - {"Outcome"}:  # a union of three classes, each with its own
        assert getattr(orchestration, name).__doc__, f"{name} has no docstring"


def test_values_are_frozen_hashable_and_compared_by_value() -> None:
    """S1: a value never changes, and two equal ones are interchangeable."""
    assert Undone("a") == Undone("a") != Undone("b")
    assert len({Undone("a"), Undone("a"), Undone("b")}) == 2
    for change in (lambda: setattr(Undone("a"), "path", "b"), lambda: delattr(Undone("a"), "path")):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            change()


@frozen
class Point:
    """A value with all kinds of fields."""

    x: int
    y: int = 2
    name: str = attrs.field(default="p", kw_only=True)
    hidden: int = attrs.field(default=0, eq=False, repr=False, kw_only=True)
    size: int = attrs.field(init=False, eq=False, default=attrs.Factory(lambda self: self.x + self.y, takes_self=True))


def test_a_maker_makes_what_the_class_makes() -> None:
    """S1: the same values, as frozen; what the class refuses, it refuses."""
    make = maker(Point)
    assert make(1) == Point(1) == make(1, hidden=5)
    made = make(1, 5, name="q")
    assert made == Point(1, y=5, name="q") != make(1, 5)
    assert (type(made), made.size) == (Point, 6)
    assert evolve(made, x=2) == Point(2, 5, name="q")
    assert evolve(made, x=2).size == 7
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.x = 3  # type: ignore[misc]  # as it should be
    for wrong in (make, lambda: make(1, 2, "q"), lambda: make(1, z=3)):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize("asked", [hash, repr, lambda point: point == Point(0)], ids=["hash", "repr", "eq"])
def test_methods_are_written_when_they_are_asked_for(asked: Callable[[object], object]) -> None:
    """S1: whichever is asked for first, and by whichever value."""
    kind = frozen(type("Fresh", (), {"__annotations__": {"x": int}, "__module__": __name__, "__qualname__": "Fresh"}))
    first = kind(1)
    asked(first)
    assert (first == kind(1), first == kind(2), first == Point(1)) == (True, False, False)
    assert hash(first) == hash(kind(1)) != hash(kind(2))
    assert repr(first) == "Fresh(x=1)"
    assert repr(Point(1)) == "Point(x=1, y=2, name='p', size=3)"
