"""What a hostile or broken hook can and cannot cause (S31, S32, S33)."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from orchestration import LocalEngine, Workflow, gate, observer
from orchestration.outcomes import Failed, Succeeded
from orchestration.plan.moments import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.outcomes import Outcome


@dataclass
class Basket:
    """A value that can be changed."""

    items: list[str] = field(default_factory=lambda: ["book"])


class Foreign(BaseException):
    """No `Exception`."""


class Shop:
    """A workflow of one step, which notes what it gets."""

    def __init__(self) -> None:
        """Have done nothing."""
        self.done: list[Basket] = []

    async def run(self, *hooks: Any) -> Outcome:
        """Run to the outcome."""

        async def pay(basket: Basket) -> Basket:
            self.done.append(basket)
            return basket

        flow = Workflow[Basket]("shop").step(pay)
        return await LocalEngine(hooks=hooks, grace=0.05).execute(flow, Basket())


ERRORS = [ValueError, Foreign, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError]


def raising(error: type[BaseException], *, asynchronous: bool) -> Callable[[Any], Any]:
    """Return a hook that raises."""

    async def later(_: object) -> None:
        raise error

    def now(_: object) -> None:
        raise error

    return later if asynchronous else now


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize("error", ERRORS)
def test_a_gate_that_raises_anything_lets_nothing_pass(error: type[BaseException], *, asynchronous: bool) -> None:
    """S31: also what would end a task or the process fails the step, which has not begun."""
    shop = Shop()
    outcome = asyncio.run(shop.run(gate(raising(error, asynchronous=asynchronous))))
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "orchestration.errors.GateFailed"
    assert shop.done == []


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize("error", ERRORS)
def test_an_observer_that_raises_anything_changes_nothing(error: type[BaseException], *, asynchronous: bool) -> None:
    """S32: the run succeeds, and each of the observer's failures is listed."""
    shop = Shop()
    outcome = asyncio.run(shop.run(observer(raising(error, asynchronous=asynchronous))))
    assert isinstance(outcome, Succeeded)
    assert len(shop.done) == 1
    assert len(outcome.hook_failures) == 6


def test_a_hook_that_blocks_is_left_behind() -> None:
    """S31, S32: in a thread or the loop, it has its timeout; a gate's fails the step, an observer's nothing."""
    shop, let_go = Shop(), threading.Event()

    def block(_: object) -> None:
        let_go.wait()

    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        for hook in (block, hang):
            refused = await shop.run(gate(hook, timeout=0.05))
            assert isinstance(refused, Failed)
            assert shop.done == []
        for hook in (block, hang):
            allowed = await shop.run(observer(hook, at="step", timeout=0.05))
            assert isinstance(allowed, Succeeded)
            assert {failed.failure.kind for failed in allowed.hook_failures} == {"TimeoutError"}
        let_go.set()

    asyncio.run(main())


def test_a_hook_that_changes_what_it_gets_changes_nothing_of_the_run() -> None:
    """S33: a description is frozen; an exposed value is a copy."""
    shop, refused = Shop(), []

    async def change(told: Any) -> None:
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            told.path = "elsewhere"
        refused.append(told.path)
        told.value.items.clear()

    outcome = asyncio.run(shop.run(gate(change, expose=True)))
    assert isinstance(outcome, Succeeded)
    assert refused == ["shop/pay"]
    assert shop.done == [Basket(["book"])]


def test_a_hook_has_no_handle_on_the_run_and_sees_no_value_unless_it_asks() -> None:
    """S33: it gets numbers, texts and what stands for a value; a failure comes without its exception."""
    seen: list[Any] = []

    async def look(told: Any) -> None:
        seen.append(told)

    async def fail(_: str) -> str:
        raise ValueError("no")

    flow = Workflow[str]("flow").step(fail)
    asyncio.run(LocalEngine(hooks=[gate(look), observer(look)]).execute(flow, "hunter2"))
    failures = [told.failure for told in seen if getattr(told, "failure", None) is not None]
    assert failures
    assert all(failure.exception is None for failure in failures)
    values = {name: value for told in seen for name, value in attrs.asdict(told, recurse=False).items()}
    assert values["value"] is REDACTED
    assert "hunter2" not in repr(seen)
    plain = (str, int, float, bool, type(None), type(REDACTED), type(failures[0]))
    assert all(isinstance(value, plain) for told in seen for value in attrs.asdict(told, recurse=False).values())


def test_a_hook_that_runs_workflows_and_starts_tasks_does_so_beside_the_run() -> None:
    """S31, S33: it may use an engine like anybody else; a task that it starts is nobody's but its own."""
    shop, tasks = Shop(), []

    async def add(n: int) -> int:
        return n + 1

    async def busy(_: object) -> None:
        inner = await LocalEngine().execute(Workflow[int]("inner").step(add), 1)
        assert inner.ok
        tasks.append(asyncio.create_task(asyncio.Event().wait()))

    async def main() -> None:
        outcome = await shop.run(gate(busy))
        assert isinstance(outcome, Succeeded)
        assert [task.done() for task in tasks] == [False]
        tasks[0].cancel()

    asyncio.run(main())
    assert len(shop.done) == 1


@pytest.mark.parametrize("answer", [True, False, "yes", 0, [], object()])
def test_no_answer_but_none_opens_a_gate(answer: object) -> None:
    """S31: a gate written for another library, where `True` allows, fails closed."""
    shop = Shop()

    async def reply(_: object) -> Any:
        return answer

    assert isinstance(asyncio.run(shop.run(gate(reply))), Failed)
    assert shop.done == []
