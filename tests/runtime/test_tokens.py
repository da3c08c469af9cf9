"""Cancel tokens: shared, linked, polled and awaited, from any thread (S28)."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import threading
from threading import Thread
from typing import Any

import pytest

from orchestration import CancelToken, LocalEngine, Workflow, step_context
from orchestration.outcomes import Cancelled, Succeeded
from tests.bodies import increase, undo
from tests.runtime.support import Gate, go, turns


def test_the_first_reason_stays() -> None:
    """S28: a token is cancelled once."""
    token = CancelToken()
    assert not token.cancelled
    assert token.reason is None
    assert token.cancel("enough")
    assert not token.cancel("too much")
    assert token.reason == "enough"
    assert repr(token) == "<CancelToken: cancelled, enough>"
    assert repr(CancelToken()) == "<CancelToken: open>"


def test_a_child_is_cancelled_with_any_parent_and_alone() -> None:
    """S28: a link goes one way, over any number of generations, also to a parent that was cancelled before."""
    one, other = CancelToken(), CancelToken()
    child = CancelToken(one, other)
    grandchild = CancelToken(child)
    sister = CancelToken(one)
    sister.cancel("alone")
    assert not one.cancelled
    other.cancel("the other")
    assert (child.reason, grandchild.reason) == ("the other", "the other")
    assert not one.cancelled
    assert CancelToken(other).reason == "the other"


def test_callbacks_are_called_once_and_can_be_taken_back() -> None:
    """A callback of a cancelled token is called at once."""
    token, told = CancelToken(), []
    token.when_cancelled(lambda reason: told.append(("first", reason)))
    forget = token.when_cancelled(lambda reason: told.append(("second", reason)))
    forget()
    token.cancel("now")
    token.when_cancelled(lambda reason: told.append(("late", reason)))()
    assert told == [("first", "now"), ("late", "now")]


def test_a_callback_can_take_back_another() -> None:
    """What was taken back in time is not called."""
    token, told, taken_back = CancelToken(), [], []
    token.when_cancelled(lambda _: taken_back[0]())
    taken_back.append(token.when_cancelled(told.append))
    token.cancel()
    assert told == []


def test_a_wait_that_is_given_up_as_the_token_is_cancelled_takes_no_harm() -> None:
    """The reason comes too late for it."""

    async def main() -> None:
        token = CancelToken()
        wait = asyncio.create_task(token.wait())
        await turns(1)
        token.cancel()
        wait.cancel()
        await asyncio.wait([wait])
        assert wait.cancelled()

    go(main)


def test_a_parent_keeps_no_child_alive() -> None:
    """A token that lives as long as the process may have a child for each request."""
    parent = CancelToken()
    for _ in range(100):
        CancelToken(parent)
    gc.collect()
    assert len(parent._children) == 0


async def _cancelled_from_a_thread() -> tuple[str, str]:
    token = CancelToken()
    waits = [asyncio.create_task(token.wait()) for _ in range(2)]
    given_up = asyncio.create_task(token.wait())
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    thread = Thread(target=token.cancel, args=("from a thread",))
    thread.start()
    first, second = await asyncio.gather(*waits)
    thread.join()
    assert not token._callbacks
    return first, second


def test_a_token_is_awaited_in_a_loop_and_cancelled_from_a_thread() -> None:
    """S28: waiting ends with the reason; a wait that was given up leaves nothing behind."""
    assert asyncio.run(_cancelled_from_a_thread()) == ("from a thread", "from a thread")


def test_a_callback_that_raises_keeps_nothing_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    """S28: it is logged; the other callbacks and the children are told."""
    token, told = CancelToken(), []
    child = CancelToken(token)

    def fail(reason: str) -> None:
        raise ValueError(reason)

    token.when_cancelled(fail)
    token.when_cancelled(told.append)
    with caplog.at_level(logging.ERROR, "orchestration"):
        assert token.cancel("now")
        CancelToken(token).when_cancelled(fail)
    assert told == ["now"]
    assert child.reason == "now"
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_a_chain_of_tokens_may_be_long() -> None:
    """S28: longer than Python's stack."""
    first = CancelToken()
    links = [first]
    for _ in range(5000):
        links.append(CancelToken(links[-1]))
    first.cancel("all")
    assert links[-1].reason == "all"


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="signals of Unix")
def test_a_token_can_be_cancelled_in_a_signal_handler() -> None:
    """S28: there is no lock that the interrupted code could hold."""
    token, told = CancelToken(), []
    before = signal.signal(signal.SIGUSR1, lambda *_: token.cancel("by a signal"))

    class Raising(dict[object, Any]):
        def __setitem__(self, place: object, callback: Any) -> None:
            super().__setitem__(place, callback)
            signal.raise_signal(signal.SIGUSR1)

    token._callbacks = Raising()
    try:
        token.when_cancelled(told.append)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert told == ["by a signal"]


def test_exactly_one_of_many_threads_cancels() -> None:
    """S28: and each callback is called once, whoever registers it when."""
    token, firsts, told = CancelToken(), [], []
    barrier = threading.Barrier(8)

    def cancel(number: int) -> None:
        barrier.wait(20)
        token.when_cancelled(lambda _: told.append(number))
        firsts.append(token.cancel(str(number)))

    threads = [Thread(target=cancel, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(firsts) == [False] * 7 + [True]
    assert sorted(told) == list(range(8))


# --- on the engine


def test_a_token_cancels_all_runs_that_it_was_given_to_with_its_reason() -> None:
    """S28: linked ones as well; nothing of it is left when they are over."""

    async def main() -> None:
        gates = [Gate(), Gate()]
        token = CancelToken()
        child = CancelToken(token)
        engine = LocalEngine()
        flows = [Workflow[int]("flow").step(increase).compensate(undo).step(gate) for gate in gates]
        handles = [await engine.start(flow, 1, token=one) for flow, one in zip(flows, (token, child), strict=True)]
        await asyncio.gather(*(gate.begun.wait() for gate in gates))
        thread = Thread(target=token.cancel, args=("from a thread",))
        thread.start()
        outcomes = [await handle.result() for handle in handles]
        thread.join()
        assert [outcome.reason for outcome in outcomes if isinstance(outcome, Cancelled)] == ["from a thread"] * 2
        assert [outcome.rollback.undone for outcome in outcomes] == [("flow/increase",)] * 2

    go(main)


def test_a_token_that_is_cancelled_already_lets_no_step_begin() -> None:
    """S28: with its own reason."""
    token, ran = CancelToken(), []
    token.cancel("before")
    outcome = asyncio.run(LocalEngine().execute(Workflow[int]("flow").step(ran.append), 1, token=token))
    assert isinstance(outcome, Cancelled)
    assert (outcome.reason, ran) == ("before", [])


def test_a_token_forgets_a_run_that_is_over() -> None:
    """S29: one that lives as long as the process does not grow with each run."""

    async def main() -> None:
        token = CancelToken()
        outcome = await LocalEngine().execute(Workflow[int]("flow").step(increase), 1, token=token)
        assert outcome.value == 2  # type: ignore[union-attr]  # it has succeeded
        assert token._callbacks == {}
        assert not token.cancelled

    go(main)


def test_a_run_id_is_free_as_soon_as_its_run_is_over() -> None:
    """S5: another run may have it in the very next line."""

    async def main() -> None:
        engine, flow = LocalEngine(), Workflow[int]("flow").step(increase)
        assert await engine.execute(flow, 1, run_id="r") == Succeeded(2, "r")
        assert await engine.execute(flow, 2, run_id="r") == Succeeded(3, "r")

    go(main)


def test_a_run_that_was_attached_to_obeys_both_tokens() -> None:
    """S5, S6: who attaches with a token means it."""

    async def main() -> None:
        gate, engine, token = Gate(), LocalEngine(), CancelToken()
        flow = Workflow[int]("flow").step(gate)
        handle = await engine.start(flow, 1, run_id="r", token=CancelToken())
        assert await engine.start(flow, 1, run_id="r", token=token) is handle
        await gate.begun.wait()
        token.cancel("the second")
        outcome = await handle.result()
        assert isinstance(outcome, Cancelled)
        assert outcome.reason == "the second"

    go(main)


def test_a_step_awaits_polls_and_links_the_token_of_its_attempt() -> None:
    """S28: in the loop and in a thread; the token ends with the attempt's time, not with the step of a sibling."""
    seen: list[object] = []

    async def main() -> None:
        begun, ready = asyncio.Event(), threading.Event()

        async def waits(n: int) -> int:
            begun.set()
            await asyncio.shield(asyncio.ensure_future(linked(step_context().token)))
            return n

        async def linked(token: CancelToken) -> None:
            seen.append(await CancelToken(token).wait())

        def polls(n: int) -> int:
            token, told = step_context().token, threading.Event()
            token.when_cancelled(lambda _: told.set())
            ready.set()
            assert told.wait(20)
            seen.append(token.cancelled)
            return n

        flow = Workflow[int]("flow").fork(waits).fork(polls).join()
        handle = await LocalEngine().start(flow, 1)
        await begun.wait()
        while not ready.is_set():
            await turns(1)
        handle.cancel()
        assert isinstance(await handle.result(), Cancelled)
        await turns()

    go(main)
    assert sorted(map(str, seen)) == ["True", "the attempt is to end"]


def test_a_callback_on_the_token_of_an_attempt_cannot_break_the_run(caplog: pytest.LogCaptureFixture) -> None:
    """S28: it is called in the middle of the cancelling."""

    async def careless(n: int) -> int:
        step_context().token.when_cancelled(lambda reason: 1 // 0)
        await asyncio.get_running_loop().create_future()
        return n

    async def patient(n: int) -> int:
        return n

    flow = (
        Workflow[int]("flow").step(careless, attempt_timeout=0.01).recover(lambda _: 5, on=TimeoutError).step(patient)
    )
    outcome = asyncio.run(LocalEngine().execute(flow, 1, run_id="r"))
    assert outcome == Succeeded(5, "r")
    assert "ZeroDivisionError" in caplog.text
