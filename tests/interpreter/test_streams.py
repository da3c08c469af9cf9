"""Streams: items that are pulled one by one, and results that are folded as they come (S16)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Workflow
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import CloseStream, Continue, Pull
from orchestration.interpreter.events import Continued, Exhausted, Pulled
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.policies import tolerate
from orchestration.results import Ok
from tests.bodies import Numbers, double, increase, pair_total
from tests.interpreter.parts import armed, attached, chain, failure_of, kinds, plain, undone
from tests.machine import Declined, Machine

SOURCE = Numbers(3)


def streaming(body: Any = None, **options: Any) -> Machine:
    """Return a run of a map over a stream."""
    return Machine(Workflow[Any]("flow").map(body or plain("x"), **options).compile(), SOURCE)


def summing(values: list[int], body: Any = None, **options: Any) -> Machine:
    """Return a run of a map whose results are summed."""
    return Machine(Workflow[Any]("flow").map(body or plain("x"), **options).into(0, pair_total).compile(), values)


def pulls(run: Machine) -> list[int]:
    """Return the numbers of the items that were asked for."""
    return [effect.index for effect in run.log if isinstance(effect, Pull)]


def is_closed(run: Machine) -> bool:
    """Tell whether the stream was told to close, once."""
    closed = [effect for effect in run.log if isinstance(effect, CloseStream)]
    assert closed in ([], [CloseStream("flow/x")])
    return bool(closed)


# --- pulling


def test_items_are_pulled_one_at_a_time() -> None:
    """S16: the handler opens the source; each item begins when it comes, and the next is asked for."""
    run = streaming()
    assert run.log == [Pull("flow/x", 0, SOURCE)]
    run.pull("flow/x", "a")
    assert run.pending["flow/x[0]"].value == "a"
    run.pull("flow/x", "b")
    assert pulls(run) == [0, 1, 2]
    run.succeed("flow/x[1]", "B")
    assert pulls(run) == [0, 1, 2], "there is one pull under way"
    run.exhaust("flow/x")
    assert run.outcome is None
    run.succeed("flow/x[0]", "A")
    assert run.outcome == Succeeded(["A", "B"], "run")
    assert not is_closed(run), "one that has ended needs no closing"


def test_an_item_is_pulled_when_there_is_a_place_for_it() -> None:
    """S14, S16: nothing is taken from a stream that would only wait."""
    run = streaming(concurrency=2)
    run.pull("flow/x", "a")
    run.pull("flow/x", "b")
    assert pulls(run) == [0, 1]
    run.succeed("flow/x[0]", "A")
    assert pulls(run) == [0, 1, 2]
    run.exhaust("flow/x")
    run.succeed("flow/x[1]", "B")
    assert run.outcome == Succeeded(["A", "B"], "run")


def test_an_empty_stream_gives_an_empty_result() -> None:
    """S16: as an empty list does."""
    run = streaming()
    run.exhaust("flow/x")
    assert run.outcome == Succeeded([], "run")


def test_an_iterator_is_a_stream_as_well() -> None:
    """S2, S16: it can be read only once, so the handler reads it."""
    run = Machine(Workflow[Any]("flow").map(plain("x")).compile(), iter([1, 2]))
    assert pulls(run) == [0]


class Lines:
    """Items that are made when they are asked for: how many there are is not known before."""

    def __iter__(self) -> Any:
        """Begin anew."""
        return iter([1, 2])


def test_what_has_no_size_is_a_stream_as_well() -> None:
    """S2, S16: to read it may take time or tell something new, so the interpreter does not."""
    run = Machine(Workflow[Any]("flow").map(double).compile(), Lines())
    (pull,) = run.log
    assert isinstance(pull, Pull)


def test_what_computes_pulls_on() -> None:
    """S7, S16: an item that needs no effect is done in the turn of its coming."""
    run = streaming(Workflow[Any]("x").pure(double), concurrency=1)
    for item in (1, 2):
        run.pull("flow/x", item)
    run.exhaust("flow/x")
    assert run.outcome == Succeeded([2, 4], "run")


# --- the end of a stream by force


@pytest.mark.parametrize("on_error", ["fail_fast", "collect"])
def test_a_pull_that_fails_fails_the_map(on_error) -> None:
    """S16, S18: in every mode, since nobody knows what is missing; items under way are cancelled."""
    run = streaming(armed("x"), on_error=on_error)
    run.pull("flow/x", "a")
    run.pull("flow/x", "b")
    run.succeed("flow/x[0]", "A")
    run.fail_pull("flow/x", OSError("cut"))
    assert run.cancelling == {"flow/x[1]"}
    run.end_cancelled("flow/x[1]", started=False)
    run.run()
    assert (failure_of(run).kind, failure_of(run).path) == ("OSError", "flow/x")
    assert undone(run) == ("flow/x[0]",)
    assert not is_closed(run)


def test_an_item_that_fails_closes_the_stream() -> None:
    """S16, S18: the pull under way is given up."""
    run = streaming()
    run.pull("flow/x", "a")
    run.fail("flow/x[0]", Declined("broke"))
    assert is_closed(run)
    assert run.pending == {}
    assert failure_of(run).message == "broke"


def test_an_item_that_fails_behind_the_end_closes_nothing() -> None:
    """S16: the stream has ended by itself."""
    run = streaming()
    run.pull("flow/x", "a")
    run.exhaust("flow/x")
    run.fail("flow/x[0]")
    assert not is_closed(run)


@pytest.mark.parametrize("ends", ["succeed", "end_cancelled", "fail"])
def test_a_cancel_closes_the_stream(ends) -> None:
    """S16, S28: items under way are awaited, and what is done is undone; a failure is attached."""
    run = streaming(armed("x"))
    run.pull("flow/x", "a")
    run.pull("flow/x", "b")
    run.succeed("flow/x[0]", "A")
    run.cancel()
    assert is_closed(run)
    getattr(run, ends)("flow/x[1]")
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert undone(run)[-1] == "flow/x[0]"
    assert len(run.outcome.attached) == (ends == "fail")


def test_a_cancel_ends_a_stream_that_only_waits() -> None:
    """S28: for a pull that may never come."""
    run = streaming()
    run.cancel()
    assert is_closed(run)
    assert run.outcome == Cancelled("enough", "run")


def test_a_deadline_closes_the_stream() -> None:
    """S10, S16: as a cancel does."""
    run = Machine(Workflow[Any]("flow").map(plain("x"), timeout=5.0).compile(), SOURCE)
    run.pull("flow/x", "a")
    run.succeed("flow/x[0]", "A")
    run.fire("flow/x@timeout")
    assert is_closed(run)
    assert kinds(run) == ["DeadlineExceeded"]


# --- modes


def test_the_first_success_of_a_race_closes_the_stream() -> None:
    """S16, S18: failures before it decide nothing while more may come (S28)."""
    run = Machine(Workflow[Any]("flow").map(plain("x")).race().compile(), SOURCE)
    run.pull("flow/x", "a")
    run.fail("flow/x[0]")
    assert not run.state.ledger.decided
    run.pull("flow/x", "b")
    run.pull("flow/x", "c")
    run.succeed("flow/x[1]", "won")
    assert is_closed(run)
    run.end_cancelled("flow/x[2]")
    assert run.outcome == Succeeded("won", "run")


def test_a_cancel_of_a_race_over_a_stream_decides_though_all_so_far_have_failed() -> None:
    """S28: the next item might have won."""
    run = Machine(Workflow[Any]("flow").map(plain("x")).race().compile(), SOURCE)
    run.pull("flow/x", "a")
    run.fail("flow/x[0]")
    run.cancel()
    assert isinstance(run.outcome, Cancelled)


def test_a_race_over_a_stream_fails_when_it_is_at_its_end() -> None:
    """S18: with the earliest failure; over an empty one there is nobody."""
    run = Machine(Workflow[Any]("flow").map(plain("x")).race().compile(), SOURCE)
    run.pull("flow/x", "a")
    run.fail("flow/x[0]", Declined("a"))
    run.exhaust("flow/x")
    assert failure_of(run).message == "a"
    run = Machine(Workflow[Any]("flow").map(plain("x")).race().compile(), SOURCE)
    run.exhaust("flow/x")
    assert kinds(run) == ["NothingToRace"]


def test_a_stream_tolerates_a_count() -> None:
    """S18: what has not been pulled is not counted."""
    run = streaming(on_error=tolerate(count=1))
    for index in (0, 1):
        run.pull("flow/x", index)
        run.fail(f"flow/x[{index}]", Declined(f"{index}"))
    assert is_closed(run)
    assert attached(run)[0] == "1"
    assert "2 failed, 0 cancelled;" in attached(run)[1]


def test_a_stream_collects() -> None:
    """S18: results are `Ok | Err` in input order."""
    run = streaming(on_error="collect")
    run.pull("flow/x", "a")
    run.pull("flow/x", "b")
    run.fail("flow/x[0]")
    run.exhaust("flow/x")
    run.succeed("flow/x[1]", "B")
    assert isinstance(run.outcome, Succeeded)
    assert [result.ok for result in run.outcome.value] == [False, True]


# --- into


def test_results_are_folded_in_input_order() -> None:
    """S16: whatever the order of completion; `combine(accumulator, result)` is pure (S7)."""
    flow = Workflow[Any]("flow").map(plain("x")).into("", lambda before, result: before + result)
    run = Machine(flow.compile(), [1, 2, 3])
    for index, output in ((2, "c"), (0, "a"), (1, "b")):
        run.succeed(f"flow/x[{index}]", output)
    assert run.outcome == Succeeded("abc", "run")


def test_folding_nothing_gives_the_initial_value() -> None:
    """S16: as a fold does."""
    assert summing([]).outcome == Succeeded(0, "run")


def test_results_that_wait_for_their_turn_are_bounded() -> None:
    """S16: one slow item keeps others from beginning when as many wait as may be under way."""
    run = summing([1] * 9, concurrency=2)
    for index in (1, 2):
        run.succeed(f"flow/x[{index}]", 1)
    assert run.running == ["flow/x[0]"]
    run.succeed("flow/x[0]", 1)
    assert run.running == ["flow/x[3]", "flow/x[4]"]
    assert run.run() == Succeeded(9, "run")


def test_a_stream_is_folded_with_what_is_in_flight() -> None:
    """S16: memory is bounded by the items in flight; no pull while results pile up."""
    flow = Workflow[Any]("flow").map(plain("x"), concurrency=2).into(0, pair_total)
    run = Machine(flow.compile(), SOURCE)
    for item in (1, 2):
        run.pull("flow/x", item)
    run.succeed("flow/x[1]", 2)
    run.pull("flow/x", 3)
    run.succeed("flow/x[2]", 3)
    assert pulls(run) == [0, 1, 2]
    run.succeed("flow/x[0]", 1)
    assert pulls(run) == [0, 1, 2, 3]
    run.exhaust("flow/x")
    assert run.outcome == Succeeded(6, "run")


def test_a_combiner_that_raises_fails_the_map() -> None:
    """S7, S18: in every mode; what is under way is cancelled and what was done undone."""
    for on_error in ("fail_fast", "collect"):
        mapped = Workflow[Any]("flow").map(armed("x"), on_error=on_error, concurrency=2)
        run = Machine(mapped.into(0, lambda before, result: 1 / 0).compile(), [1, 2, 3])
        run.succeed("flow/x[0]", 1)
        assert run.cancelling == {"flow/x[1]"}
        run.end_cancelled("flow/x[1]", started=False)
        run.run()
        assert kinds(run) == ["ZeroDivisionError"]
        assert undone(run) == ("flow/x[0]",)


def test_results_of_a_collecting_map_are_folded_as_they_are() -> None:
    """S16, S18: the combiner gets `Ok | Err`."""
    flow = Workflow[Any]("flow").map(plain("x"), on_error="collect").into([], lambda seen, result: [*seen, result])
    run = Machine(flow.compile(), [1, 2])
    run.fail("flow/x[1]")
    run.succeed("flow/x[0]", 10)
    assert isinstance(run.outcome, Succeeded)
    first, second = run.outcome.value
    assert (first, second.ok) == (Ok(10), False)


def test_each_run_folds_into_a_copy() -> None:
    """S2: of the initial value, also when the combiner changes it."""
    flow = Workflow[Any]("flow").map(plain("x")).into([], lambda seen, result: seen.append(result) or seen)
    plan = flow.compile()
    for _ in range(2):
        run = Machine(plan, [1])
        run.succeed("flow/x[0]", 10)
        assert run.outcome == Succeeded([10], "run")


def late(count: int = 3_000) -> Machine:
    """Return a run in which all results but the first wait for it."""
    run = summing([1] * count)
    while (begun := next(effect for effect in reversed(run.pending.values()))) and isinstance(begun, Continue):
        run.go_on(begun.path)
    for index in range(1, count):
        run.succeed(f"flow/x[{index}]", 1)
    return run


def test_folding_much_takes_turns() -> None:
    """S7: a thousand results at a stretch."""
    run = late()
    run.succeed("flow/x[0]", 1)
    turns = 0
    while run.outcome is None:
        assert list(run.pending.values()) == [Continue("flow/x")]
        run.go_on("flow/x")
        turns += 1
    assert turns == 2
    assert run.outcome == Succeeded(3_000, "run")


def test_a_cancel_between_two_turns_ends_the_folding() -> None:
    """S7, S28: when the turn that was asked for comes."""
    run = late()
    run.succeed("flow/x[0]", 1)
    run.cancel()
    run.go_on("flow/x")
    assert run.outcome == Cancelled("enough", "run")


def test_computing_and_folding_share_their_turns() -> None:
    """S7: items that need no effect, and their folding."""
    run = summing([1] * 3_000, Workflow[int]("x").pure(increase))
    assert run.run() == Succeeded(6_000, "run")


@pytest.mark.parametrize(
    "event",
    [
        Pulled("flow/x", 0.0, 2, "c"),
        Pulled("flow/x", 0.0, 0, "a"),
        Exhausted("flow/x", 0.0, 0),
        Pulled("flow/y", 0.0, 1, "b"),
        Continued("flow/x", 0.0),
    ],
    ids=repr,
)
def test_only_the_pull_under_way_may_end(event) -> None:
    """S3: the state is unchanged."""
    run = streaming()
    run.pull("flow/x", "a")
    before = run.state
    with pytest.raises(IllegalEvent):
        run.give(event)
    assert run.state == before


def test_nothing_is_reported_of_a_stream_that_was_closed() -> None:
    """S3, S16: nor of a map that has no stream."""
    run = streaming(concurrency=2)
    run.pull("flow/x", "a")
    run.pull("flow/x", "b")
    with pytest.raises(IllegalEvent):
        run.give(Pulled("flow/x", 0.0, 2, "c"))
    run.fail("flow/x[0]")
    with pytest.raises(IllegalEvent):
        run.give(Pulled("flow/x", 0.0, 2, "c"))
    run.end_cancelled("flow/x[1]")
    assert isinstance(run.outcome, Failed)
    run = Machine(Workflow[Any]("flow").map(chain("x", plain("y"))).compile(), [1])
    with pytest.raises(IllegalEvent):
        run.give(Pulled("flow/x", 0.0, 0, "a"))
