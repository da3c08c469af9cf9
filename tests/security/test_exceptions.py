"""What an exception of a step can and cannot do: it ends its step, whatever it is made of (S8, S9)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Retry, Workflow
from orchestration.failures import MOST_CAUSES, Failure
from orchestration.outcomes import Failed

if TYPE_CHECKING:
    from orchestration.outcomes import Outcome


class SilentlyExits(Exception):
    """Its text would end the process."""

    def __str__(self) -> str:
        """End the process."""
        raise SystemExit(3)


class SilentlyCancels(Exception):
    """Its text would cancel who reads it."""

    def __str__(self) -> str:
        """Cancel."""
        raise asyncio.CancelledError


class WithoutText(Exception):
    """Its text is none."""

    def __str__(self) -> str:
        """Give no text."""
        return 5  # type: ignore[return-value]  # noqa: PLE0307 - as a broken class does


class BrokenCause(Exception):
    """Its cause cannot be read."""

    __cause__ = property(lambda _: 1 / 0)  # type: ignore[assignment]  # as a broken class does


class RubbishCause(Exception):
    """Its cause is no exception."""

    __cause__ = "rubbish"  # type: ignore[assignment]  # as a broken class does


class BrokenRetryAfter(Exception):
    """Its `retry_after` cannot be read."""

    @property
    def retry_after(self) -> float:
        """Break."""
        raise SystemExit(3)


class Asking(Exception):
    """It asks for a time."""

    def __init__(self, retry_after: object) -> None:
        """Ask."""
        super().__init__("later")
        self.retry_after = retry_after


def circle() -> BaseException:
    """Return an exception that is its cause's cause."""
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    return first


def chain(length: int) -> BaseException:
    """Return an exception with so many causes."""
    error = ValueError("root")
    for _ in range(length):
        following = ValueError("again")
        following.__cause__ = error
        error = following
    return error


def performed(error: BaseException, deadline: float | None = None) -> Outcome:
    """Run a step that raises, and is tried once more, to its outcome."""

    async def step(n: int) -> int:
        raise error

    flow = Workflow[int]("flow").step(step, retry=Retry(max_attempts=2, initial_delay=0.001, jitter="none"))
    return asyncio.run(LocalEngine().execute(flow, 1, deadline=deadline))


HOSTILE: dict[str, BaseException] = {
    "a text that exits": SilentlyExits(),
    "a text that cancels": SilentlyCancels(),
    "no text": WithoutText(),
    "a cause that raises": BrokenCause(),
    "a cause that is rubbish": RubbishCause(),
    "a circle of causes": circle(),
    "100,000 causes": chain(100_000),
    "a time that raises": BrokenRetryAfter(),
    "a time that is huge": Asking(10**400),
    "a time that is no number": Asking(float("nan")),
    "a time without end": Asking(float("inf")),
    "a time that is past": Asking(-1),
    "a time that is text": Asking("5"),
    "what is no Exception": type("Foreign", (BaseException,), {})("x"),
    "the end of a generator": GeneratorExit("x"),
    "the end of an iterator": StopIteration("x"),
    "a cancel of its own": asyncio.CancelledError("x"),
}


@pytest.mark.parametrize("error", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_exception_fails_its_step_and_no_more(error: BaseException) -> None:
    """S8: the run ends, with a failure that names the step; what cannot be read of the exception is left out."""
    outcome = performed(error)
    assert isinstance(outcome, Failed)
    assert outcome.failure.path == "flow/step"


@pytest.mark.parametrize("asked", [10**400, float("nan"), float("inf"), -1, "5", None])
def test_a_time_that_is_none_is_not_asked_for(asked: object) -> None:
    """S9: only a finite number of seconds, not below 0, lengthens the wait."""
    assert Failure.of(Asking(asked), "here").retry_after is None


def test_a_huge_time_is_bounded_by_the_deadline() -> None:
    """S9, S10: who answers can ask to be left alone for ever; a deadline or timeout ends the step at once."""
    outcome = performed(Asking(1e308), deadline=60)
    assert isinstance(outcome, Failed)
    assert [later.kind for later in outcome.failure.attached] == ["orchestration.errors.DeadlineExceeded"]


def test_of_a_long_chain_of_causes_the_latest_are_kept() -> None:
    """S8: the record of a failure is bounded in depth, so whoever walks, compares or writes it comes to an end."""
    link: Failure | None = Failure.of(chain(100_000), "here")
    causes = -1
    while link is not None:
        link, causes = link.cause, causes + 1
    assert causes == MOST_CAUSES


def test_a_failure_is_data_and_holds_no_object_of_the_exception() -> None:
    """S8: but for the exception itself, which takes no part in comparisons and is never written."""

    class Loaded(Exception):
        def __init__(self, secret: Any) -> None:
            super().__init__("declined")
            self.secret = secret

    failure = Failure.of(Loaded("4111 1111"), "here")
    assert "4111" not in repr(failure)
    assert failure == Failure.of(Loaded("other"), "here")
