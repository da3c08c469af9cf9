"""The engine's doors: run ids, input, services, middleware (S5, S12)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import pytest

from orchestration import Failed, LocalEngine, Services, Succeeded, Workflow, method, step_context
from orchestration.errors import AmbiguousService, InvalidInput, MissingService, RunExists
from orchestration.runtime import host
from orchestration.runtime.boundary import dump_output, parse_input
from tests.bodies import Order, double, increase


class Users:
    """A service."""

    def __init__(self, prefix: str = "") -> None:
        """Say who answers."""
        self.prefix = prefix

    async def get(self, number: int) -> str:
        """Return a name."""
        return f"{self.prefix}user {number}"


class Admins(Users):
    """A service that inherits its method."""


class Mail(Protocol):
    """A service that is a Protocol."""

    def send(self, text: str) -> int:
        """Send."""
        ...


class Smtp:
    """What does its work, with an async method where the Protocol has a plain one."""

    async def send(self, text: str) -> int:
        """Send."""
        await asyncio.sleep(0)
        return len(text)


def run(coroutine: Any) -> Any:
    """Run a coroutine."""
    return asyncio.run(coroutine)


def test_a_method_is_called_on_what_is_bound() -> None:
    """A step written as `Users.get` calls the object bound to `Users`; a Protocol is a service like any class."""
    flow = Workflow[int]("flow").step(Users.get).step(Mail.send)
    services = Services().bind(Users).to(Users("our ")).bind(Mail).to(Smtp())
    assert flow.run_sync(7, services) == len("our user 7")


def test_a_service_that_is_not_bound_is_missed_before_anything_runs() -> None:
    """The error names the class, the method, what is bound, and the mend."""
    flow = Workflow[int]("flow").step(Users.get).step(Mail.send)
    with pytest.raises(MissingService) as caught:
        flow.run_sync(7, Services().bind(Users).to(Users()))  # type: ignore[arg-type]  # the point of the test
    assert str(caught.value) == (
        "flow: found no binding for tests.runtime.test_engine:Mail, whose send is a step; "
        "bound: tests.runtime.test_engine:Users; expected an implementation of Mail. "
        "Add .bind(Mail).to(...) to the services of this run."
    )


def test_two_services_that_share_a_method_are_told_apart_by_the_step() -> None:
    """An inherited method does not say which class is meant; `method` does."""
    services = Services().bind(Users).to(Users("user: ")).bind(Admins).to(Admins("admin: "))
    with pytest.raises(AmbiguousService, match=r"method\(Users, Users\.get\)"):
        Workflow[int]("flow").step(Admins.get).run_sync(7, services)
    flow = Workflow[int]("flow").tap(increase).enrich(method(Admins, Admins.get)).into(lambda n, name: (n, name))
    assert flow.run_sync(7, services) == (7, "admin: user 7")
    with pytest.raises(AmbiguousService):
        services.check(Workflow[int]("flow").step(Admins.get).compile())
    services.check(flow.compile())


def test_input_is_validated_before_anything_runs() -> None:
    """S12: pydantic turns what it can, and names each part that does not fit."""
    flow = Workflow[Order]("flow").pure(lambda order: order.total)
    assert flow.run_sync({"id": "a", "total": "7"}) == 7  # type: ignore[call-overload]  # data from elsewhere
    with pytest.raises(InvalidInput) as caught:
        flow.run_sync({"id": 3})  # type: ignore[call-overload]  # data from elsewhere
    assert str(caught.value) == (
        "flow: found id: Input should be a valid string; expected tests.bodies:Order. Pass a value of that type."
    )


def test_json_is_parsed_as_the_input_and_written_as_the_output() -> None:
    """S12: what the command line does."""
    plan = Workflow[Order]("flow").step(lambda order: [order]).compile()
    order = parse_input(plan, '{"id": "a", "total": 7}')
    assert order == Order("a", 7)
    assert dump_output(plan, [order]) == '[{"id":"a","total":7}]'
    assert dump_output(Workflow[Order]("flow").compile(), order) == '{"id":"a","total":7}'
    with pytest.raises(InvalidInput, match="total: Input should be a valid integer"):
        parse_input(plan, '{"id": "a", "total": "x"}')


def test_types_that_pydantic_does_not_know_are_checked_by_class_or_not_at_all() -> None:
    """S12: a plain class is checked by `isinstance`; what cannot be checked is let through."""
    flow = Workflow[Users]("flow").pure(lambda users: users.prefix)
    assert flow.run_sync(Users("x")) == "x"
    with pytest.raises(InvalidInput, match="instance of Users"):
        flow.run_sync(3)  # type: ignore[call-overload]  # the point of the test

    holder = Holder(Users())
    assert Workflow[Holder]("flow").run_sync(holder) is holder
    assert Workflow("flow", takes=Annotated[int, ["not hashable"]]).run_sync("3") == 3


@dataclass
class Holder:
    """What pydantic has no schema for, because of its field."""

    users: Users


def test_another_word_for_what_to_validate_is_refused() -> None:
    """S6: it is not taken as one of those that there are."""
    with pytest.raises(InvalidInput, match="the engine: found validate='none'; expected 'boundary' or 'all'"):
        LocalEngine(validate="none")  # type: ignore[arg-type]  # the mistake


def test_outputs_are_validated_on_request() -> None:
    """S12: with `validate="all"` an output that does not fit its annotation fails the step."""

    def wrong(holder: Holder) -> int:
        return "many"  # type: ignore[return-value]  # the point of the test

    def hold(n: int) -> Holder:
        return Holder(Users(str(n)))

    undone = []
    flow = Workflow[int]("flow").step(increase).compensate(undone.append).step(hold).step(wrong)
    assert run(LocalEngine().execute(flow, 1)).value == "many"
    outcome = run(LocalEngine(validate="all").execute(flow, 1))
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "orchestration.errors.InvalidOutput"
    assert outcome.failure.message.startswith("flow/wrong: found value: Input should be a valid integer")
    assert undone == [2]


def test_middleware_wraps_every_attempt_the_first_outermost() -> None:
    """It sees effects, and decides whether and how the next layer performs them."""
    seen = []

    def layer(name: str) -> Any:
        async def middleware(effect: Any, following: Any) -> object:
            seen.append(f"{name} before {effect.path} {step_context().attempt}")
            output = await following(effect)
            seen.append(f"{name} after")
            return output + 1

        return middleware

    engine = LocalEngine(middleware=(layer("outer"), layer("inner")))
    assert run(engine.execute(Workflow[int]("flow").step(increase), 1)).value == 4
    assert seen == ["outer before flow/increase 1", "inner before flow/increase 1", "inner after", "outer after"]


def test_a_run_id_in_use_attaches_or_is_refused() -> None:
    """S5: the same plan and input attach to the run under way, another is `RunExists`; afterwards the id is free."""

    async def main() -> None:
        opened = asyncio.Event()
        calls = []

        async def wait(n: int) -> int:
            calls.append(n)
            await opened.wait()
            return n

        engine, flow = LocalEngine(), Workflow[int]("flow").step(wait)
        first = await engine.start(flow, 1, run_id="r")
        second = await engine.start(flow, "1", run_id="r")  # type: ignore[arg-type]  # equal once it is validated
        third = asyncio.create_task(engine.execute(flow, 1, run_id="r"))
        await asyncio.sleep(0)
        assert second is first
        for other, value in ((flow, 2), (flow.step(increase), 1)):
            with pytest.raises(RunExists, match="another plan or input"):
                await engine.execute(other, value, run_id="r")
        opened.set()
        assert await first.result() == await third == Succeeded(1, "r")
        assert calls == [1]
        assert (await engine.execute(flow.step(increase), 1, run_id="r")).ok

    run(main())


@pytest.mark.parametrize("run_id", ["", "a:b"])
def test_a_run_id_holds_no_colon(run_id) -> None:
    """S4: keys are `run_id:path`, so a colon would make two of them equal."""
    with pytest.raises(InvalidInput, match="a text of printable characters without a colon"):
        run(LocalEngine().execute(Workflow[int]("flow"), 1, run_id=run_id))


def test_an_engine_serves_many_plans(monkeypatch) -> None:
    """It keeps some handlers ready, and makes others anew."""
    monkeypatch.setattr(host, "KEPT", 2)

    async def main() -> None:
        engine = LocalEngine()
        flows = [Workflow[int](f"flow{n}").step(double) for n in range(4)]
        for flow in [*flows, *flows]:
            assert (await engine.execute(flow, 2)).value == 4  # type: ignore[union-attr]  # it succeeds
        assert len(engine._homes) <= 2

    run(main())


def test_runs_of_one_engine_share_its_threads() -> None:
    """S11: while one run ends, the threads stay for the other."""

    async def main() -> None:
        engine = LocalEngine(max_threads=2)
        flow = Workflow[int]("flow").step(double).step(double)
        outcomes = await asyncio.gather(*(engine.execute(flow, n) for n in range(20)))
        assert [outcome.value for outcome in outcomes] == [4 * n for n in range(20)]

    run(main())
