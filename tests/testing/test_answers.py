"""What a fake can be told to say, and to what."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from orchestration import Cancelled, Retry, Services, Workflow, method, step_context
from orchestration.errors import InvalidInput, MissingService
from orchestration.testing import FakeHandler, MutatedInput, RealWait, Unanswered, Unasked, answers
from tests.bodies import double, increase, pair_total, same, spread, total, undo, void
from tests.ids import shown

flow = Workflow[int]("flow").step(increase).step(double)
lines = Workflow[int]("lines").step(spread).map(increase, concurrency=1).step(total)


class Users:
    """A service."""

    def get(self, number: int) -> str:
        """Return a name."""
        return f"user {number}"


class Admins(Users):
    """A service that inherits its method."""


async def patient(n: int) -> int:
    """Let others have a turn, and go on."""
    await asyncio.sleep(0)
    return n + 1


async def waiting(n: int) -> int:
    """Wait for the clock."""
    await asyncio.sleep(1)
    return n


async def restless(n: int) -> int:
    """Wait for others, who never do anything."""
    while n:
        await asyncio.sleep(0)
    return n


async def awkward(n: int) -> int:
    """Raise what asyncio also does."""
    raise RuntimeError(n)


# --- values


def test_a_step_gives_what_it_was_told_to() -> None:
    """A value, `None` and a falsy one included (S8)."""
    for value in (7, 0, None):
        assert FakeHandler().on(increase, 1).on(double, value).run(flow, 3).value == value


def test_a_function_answers_with_what_it_makes_of_the_input() -> None:
    """`does` is called with the value, that of a join with all of them."""
    fake = FakeHandler().on(increase, does=lambda n: n + 10).on(double, does=patient)
    assert fake.run(flow, 3).value == 14
    joined = Workflow[int]("joined").fork(increase).fork(double).join(pair_total)
    fake = FakeHandler(real=True).on(pair_total, does=lambda one, other: (one, other))
    assert fake.run(joined, 3).value == (4, 6)


@pytest.mark.parametrize(
    "answer", [{"returns": KeyError("x")}, {"raises": KeyError("x")}, {"each": [KeyError("x")]}], ids=str
)
def test_an_exception_is_raised_wherever_it_stands(answer: Any) -> None:
    """S8: the step fails with it."""
    failure = FakeHandler().on(increase, **answer).run(flow, 3).failure
    assert (failure.kind, failure.message, failure.path) == ("KeyError", "'x'", "flow/increase")


def test_a_class_of_exceptions_is_raised_as_well() -> None:
    """As `raise KeyError` is."""
    assert FakeHandler().on(increase, KeyError).run(flow, 3).failure.kind == "KeyError"


def test_an_unrequested_cancelled_error_is_a_failure() -> None:
    """S8: nobody asked the body to end."""
    trace = FakeHandler().on(increase, asyncio.CancelledError()).run(flow, 3)
    assert trace.failure.kind == "asyncio.exceptions.CancelledError"


def test_what_stops_a_process_stops_the_test() -> None:
    """S30: Ctrl-C in a body is no failure of a step."""
    with pytest.raises(KeyboardInterrupt):
        FakeHandler().on(increase, KeyboardInterrupt).run(flow, 3)


def test_each_attempt_has_an_answer_and_the_last_one_stays() -> None:
    """S9: the third attempt succeeds; asked a fourth time, it would again."""
    retried = Workflow[int]("retried").step(increase, retry=Retry(max_attempts=4, jitter="none")).step(double)
    fake = FakeHandler(real=True).on(increase, each=[OSError, answers(raises=OSError("full"), takes=5), 1])
    trace = fake.run(retried, 3)
    assert trace.value == 2
    assert trace.ran(increase, times=3)
    assert trace.seconds == 1 + 5 + 2
    assert fake.on(increase, each=[OSError]).run(retried, 3).failure.kind == "OSError"


def test_attempts_are_counted_on_when_a_composite_is_tried_again() -> None:
    """S4, S9: the second attempt of the composite has other paths, but it is the same step."""
    inner = Workflow[int]("inner").step(increase)
    outer = Workflow[int]("outer").step(inner, retry=Retry(max_attempts=3))
    trace = FakeHandler().on(increase, each=[OSError, OSError, 7]).run(outer, 3)
    assert trace.value == 7
    assert trace.steps == ["outer/inner/increase", "outer/inner#2/increase", "outer/inner#3/increase"]


def test_each_item_has_its_own_attempts() -> None:
    """The first attempt of each of two items fails."""
    retried = Workflow[list[int]]("retried").map(increase, retry=Retry(max_attempts=2))
    trace = FakeHandler().on(increase, each=[OSError, 7]).run(retried, [1, 2])
    assert trace.value == [7, 7]
    assert trace.ran(increase, times=4)


# --- what is meant


def test_a_path_counts_before_a_name_and_a_name_before_a_function() -> None:
    """And one item before all of them."""
    fake = FakeHandler(real=True).on(spread, [1, 2, 3])
    fake.on("lines/increase[1]", 1000).on("lines/increase[]", 100).on("increase", 10).on(increase, 1)
    assert fake.run(lines, 0).value == 1200
    fake = FakeHandler(real=True).on("increase", 10).on(increase, 1)
    assert fake.run(lines, 2).value == 20


def test_a_later_answer_replaces_an_earlier_one() -> None:
    """So that a test can change what its fixture says."""
    assert FakeHandler(real=True).on(increase, 1).on(increase, 5).run(flow, 0).value == 10


def test_an_undo_is_meant_by_its_function_or_behind_its_step() -> None:
    """Without an answer it succeeds; the step's own name does not mean it."""
    saga = Workflow[int]("saga").step(increase).compensate(undo, in_doubt=void).step(double)
    failing = FakeHandler().on(increase, 1).on(double, OSError)
    assert failing.run(saga, 0).undone == ["saga/increase"]
    for what in (undo, "increase:undo", "saga/increase:undo"):
        trace = FakeHandler().on(increase, 1).on(double, OSError).on(what, OSError("no")).run(saga, 0)
        assert trace.undone == []
        assert trace.ran("increase:undo", times=3)
        assert trace.ran("increase", times=1)
    doubtful = FakeHandler().on(increase, TimeoutError).run(saga, 0)
    assert doubtful.inputs("saga/increase:in_doubt") == [0]


def test_an_undo_for_all_of_a_composite_is_meant_like_one_of_a_step() -> None:
    """S27: it belongs to the map."""
    saga = Workflow[list[int]]("saga").map(increase).compensate(void).step(total)
    trace = FakeHandler(real=True).on("increase:undo", each=[OSError, None]).on(total, OSError).run(saga, [1])
    assert trace.undone == ["saga/increase"]
    assert trace.ran(void, times=2)


def test_of_two_services_that_share_a_method_one_can_be_meant() -> None:
    """`method` says which; that counts before the function alone."""
    both = (
        Workflow[int]("both").fork(method(Users, Users.get)).fork(method(Admins, Users.get)).join(lambda *names: names)
    )
    fake = FakeHandler(real=True).on(method(Admins, Users.get), "root").on(Users.get, "guest")
    assert fake.run(both, 1).value == ("guest", "root")


# --- strict


def test_a_step_without_an_answer_fails_the_test_and_says_how_to_mend_that() -> None:
    """The message names the path, the value and what happened before."""
    with pytest.raises(Unanswered) as caught:
        FakeHandler().on(increase, 5).run(flow, 3)
    assert str(caught.value) == (
        "flow/double was asked for, with 5, and has no answer. "
        "Add .on(double, ...), or let it do its work: FakeHandler(real=True). What happened so far:\n"
        "      0.0 s  flow      began with 3; began increase\n"
        "      0.0 s  increase  succeeded: 5; began double"
    )


def test_a_method_or_a_lambda_without_an_answer_is_named_as_it_can_be_answered() -> None:
    """A lambda by its path; a method does its own work only with services."""
    nameless = Workflow[int]("nameless").step(lambda n: n)
    with pytest.raises(Unanswered, match=r'Add \.on\("nameless/step", \.\.\.\), .* FakeHandler\(real=True\)'):
        FakeHandler().run(nameless, 3)
    with pytest.raises(Unanswered, match=r"Add \.on\(Users\.get, \.\.\.\), .* FakeHandler\(real=services\)"):
        FakeHandler(real=True).run(Workflow[int]("users").step(Users.get), 3)


@pytest.mark.parametrize("what", ["incraese", "flow/double/increase", void, lambda n: n], ids=shown)
def test_an_answer_to_what_is_never_asked_fails_the_test(what: Any) -> None:
    """A misspelt name would otherwise leave an undo to succeed."""
    with pytest.raises(Unasked, match=r"(?s)flow never asks for .*It asks for\n  flow/increase\n  flow/double"):
        FakeHandler(real=True).on(what, 5).run(flow, 3)


def test_an_answer_is_one_thing() -> None:
    """What contradicts itself, or says nothing, is refused where it is written."""
    fake: Any = FakeHandler()
    with pytest.raises(ValueError, match="found a value and raises"):
        fake.on(increase, 1, raises=OSError)
    with pytest.raises(ValueError, match="found does and hangs"):
        answers(does=increase, hangs=True)
    with pytest.raises(ValueError, match="each stands alone"):
        fake.on(increase, each=[1], takes=3)
    with pytest.raises(ValueError, match="each stands alone"):
        fake.on(increase, 1, each=[1])
    with pytest.raises(ValueError, match="each needs an answer"):
        fake.on(increase, each=[])
    with pytest.raises(ValueError, match="an answer is missing"):
        fake.on(increase)
    with pytest.raises(ValueError, match="seconds, not below 0, found -1"):
        answers(1, takes=-1)
    with pytest.raises(ValueError, match="nothing beside hangs, found 3"):
        answers(hangs=True, takes=3)
    with pytest.raises(ValueError, match="found a value and raises"):
        fake.on(increase, answers(1), raises=OSError)


def test_no_answer_is_told_from_none() -> None:
    """In the signatures that an editor shows, it is what stands there."""
    assert repr(inspect.signature(answers).parameters["returns"].default) == "<nothing>"


def test_an_answer_that_is_made_elsewhere_is_taken_as_it_is() -> None:
    """`answers` alone has to say nothing: the step then gives `None`, after some time."""
    trace = FakeHandler(real=True).on(increase, answers(takes=3)).on(double, does=same).run(flow, 3)
    assert (trace.value, trace.seconds) == (None, 3)


def test_the_input_is_validated() -> None:
    """S12: before anything is asked."""
    wrong: Any = "three"
    with pytest.raises(InvalidInput, match="valid integer"):
        FakeHandler().run(flow, wrong)


# --- real bodies


def test_real_bodies_do_their_own_work() -> None:
    """Functions without a service, also undos; async ones that only give others a turn."""
    assert FakeHandler(real=True).run(Workflow[int]("real").step(increase).step(patient), 3).value == 5
    done: list[int] = []
    saga = Workflow[int]("saga").step(increase).compensate(done.append).step(double)
    assert FakeHandler(real=True).on(double, OSError).run(saga, 3).undone == ["saga/increase"]
    assert done == [4]


def test_real_methods_do_the_work_of_the_services_that_are_bound() -> None:
    """S11: as an engine resolves them; what is not bound is an error."""
    users = Workflow[int]("users").step(Users.get)
    assert FakeHandler(real=Services().bind(Users).to(Admins())).run(users, 3).value == "user 3"
    with pytest.raises(MissingService, match="Users"):
        FakeHandler(real=Services()).run(users, 3)


def test_a_method_that_is_an_undo_succeeds_where_no_service_is_bound() -> None:
    """As all undos do without an answer."""
    saga = Workflow[int]("saga").step(increase).compensate(Users.get).step(double)
    assert FakeHandler(real=True).on(double, OSError).run(saga, 3).undone == ["saga/increase"]


@pytest.mark.parametrize("body", [waiting, restless])
def test_a_body_that_waits_for_something_real_fails_the_test(body: Any) -> None:
    """There is no event loop: the test is told so, whatever the body catches."""
    with pytest.raises(RealWait, match=f"{body.__name__} waits for something real"):
        FakeHandler(real=True).run(Workflow[int]("slow").step(body), 3)


def test_a_body_that_waits_fails_the_test_also_where_an_event_loop_runs() -> None:
    """The body finds that loop, but nobody lets it go on."""

    async def main() -> None:
        FakeHandler(real=True).run(Workflow[int]("slow").step(waiting), 3)

    with pytest.raises(RealWait):
        asyncio.run(main())


def test_an_error_of_a_body_is_its_failure() -> None:
    """S8: also one of the kind by which asyncio says that no loop runs."""
    assert FakeHandler(real=True).run(Workflow[int]("flow").step(awkward), 3).failure.message == "3"


def test_a_body_that_stands_for_another_knows_its_step() -> None:
    """S5, S10: the key and the deadline are those that a real one would see; outside of the step there are none."""
    limited = Workflow[int]("limited").step(increase, attempt_timeout=10).step(double)
    seen: list[Any] = []
    fake = FakeHandler()
    for what in (increase, double):
        fake.on(what, does=lambda _: seen.append((step_context().idempotency_key, step_context().deadline)), takes=2)
    fake.run(limited, 3, run_id="r")
    assert seen == [("r:limited/increase", 10), ("r:limited/double", None)]


class Sticky:
    """A value that is not equal to its copy, or cannot be compared or copied at all."""

    def __init__(self, how: str = "") -> None:
        """Remember what is wrong."""
        self.how = how

    def __eq__(self, other: object) -> bool:
        """Compare by identity, or not at all."""
        if self.how == "compare":
            raise ValueError(self.how)
        return self is other

    __hash__ = None  # type: ignore[assignment]  # it is never hashed

    def __deepcopy__(self, memo: object) -> Sticky:
        """Copy, or do not."""
        if self.how == "copy":
            raise ValueError(self.how)
        return Sticky(self.how)


def append(values: list[int]) -> int:
    """Change the input."""
    values.append(3)
    return len(values)


def test_a_body_that_changes_its_input_fails_the_test() -> None:
    """S11: another step may hold the same value."""
    with pytest.raises(MutatedInput, match=r"at greedy/append changed its input from \[1\] to \[1, 3\]"):
        FakeHandler(real=True).run(Workflow[list[int]]("greedy").step(append), [1])


@pytest.mark.parametrize("how", ["", "compare", "copy"])
def test_a_value_that_cannot_be_compared_is_not_checked(how: str) -> None:
    """S11: nothing is known of it."""
    value = Sticky(how)
    assert FakeHandler(real=True).run(Workflow[Any]("flow").step(same), value).value is value


def test_a_cancelled_run_is_an_outcome_like_any_other() -> None:
    """S28: cancelled before anything ended."""
    trace = FakeHandler().on(increase, hangs=True).on(double, 3).run(flow, 3, cancel_at=0)
    assert isinstance(trace.outcome, Cancelled)
