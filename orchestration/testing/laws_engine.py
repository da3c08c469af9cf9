"""The laws of engines: what a workflow may rely on, wherever it runs (S39)."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from orchestration.testing import laws_engine_acts as acts
from orchestration.testing.fakes import FakeHandler
from orchestration.testing.laws import PATIENCE, Law, check_laws, expect
from orchestration.testing.laws_engine_cases import CASES, NOTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Compilable
    from orchestration.testing.laws_engine_cases import Case


class EngineHandle(Protocol):
    """A run under way, as laws see it."""

    async def result(self) -> Outcome[Any]:
        """Wait for the outcome."""
        ...


class Engine(Protocol):
    """What every engine does: it begins runs. A handle may cancel and be signalled at once, or when it is awaited."""

    async def start(
        self,
        workflow: Compilable[Any, Any, Any],
        value: Any,  # noqa: ANN401 - what it takes
        /,
        *,
        run_id: str | None = None,
        deadline: float | None = None,
    ) -> EngineHandle:
        """Begin a run."""
        ...


ACTS: tuple[tuple[str, Callable[[Any], Awaitable[None]]], ...] = (
    ("S28", acts.a_cancel_reaches_what_is_in_flight),
    ("S28", acts.a_cancel_ends_a_sleep),
    ("S10", acts.a_deadline_is_passed_down),
    ("S10", acts.an_attempt_times_out),
    ("S18", acts.a_failure_cancels_its_siblings),
    ("S14", acts.a_cap_is_held),
    ("S18", acts.a_race_keeps_nothing_of_its_losers),
    ("S21", acts.a_signal_is_taken_once),
    ("S5", acts.keys_name_the_run_and_the_path),
    ("S11", acts.contexts_do_not_mix),
    ("S12", acts.an_input_is_validated_first),
    ("S5", acts.an_id_is_for_one_run),
    ("S39", acts.the_events_tell_the_run),
)


def check_engine(make: Callable[[], Engine | AbstractAsyncContextManager[Engine]]) -> None:
    """Try all laws on this kind of engine, each on one of its own.

    ```python
    assert len(ENGINE_LAWS) > 20
    check_engine(lambda: LocalEngine(max_concurrency=8))
    ```

    `make` returns an engine, or what opens and closes one. It is called in a running event loop. The bodies of the laws
    are functions of this library, which has to be the same in every process that takes part: what they do is noted in
    this one.

    Raises:
        LawsBroken: if some do not hold, with all of them.
    """
    check_laws(f"the engine of {getattr(make, '__qualname__', make)}", ENGINE_LAWS, lambda: nullcontext(make))


def _acted(act: Callable[[Any], Awaitable[None]], make: Callable[[], Any]) -> None:
    async def main() -> None:
        async with _opened(make) as engine:
            await asyncio.wait_for(act(engine), PATIENCE)

    NOTES.clear()
    asyncio.run(main())


def _agrees(case: Case, make: Callable[[], Any]) -> None:
    """Run a workflow there and purely; compare the outcome and what the bodies did."""

    async def main() -> Outcome[Any]:
        async with _opened(make) as engine:
            handle = await engine.start(case.workflow, case.value, run_id="law")
            return await asyncio.wait_for(handle.result(), PATIENCE)

    NOTES.clear()
    expected = FakeHandler(real=True).run(case.workflow, case.value, run_id="law").outcome
    noted = sorted(NOTES)
    NOTES.clear()
    found = asyncio.run(main())
    expect(found, expected, "the outcome")
    expect(sorted(NOTES), noted, "what the bodies did")


def _opened(make: Callable[[], Any]) -> AbstractAsyncContextManager[Engine]:
    made = make()
    return made if isinstance(made, AbstractAsyncContextManager) else nullcontext(made)


def _act(rule: str, act: Callable[[Any], Awaitable[None]]) -> Law[Callable[[], Any]]:
    said = (act.__doc__ or "").partition("\n")[0]
    return Law(act.__name__, rule, said, partial(_acted, act))


ENGINE_LAWS: tuple[Law[Callable[[], Any]], ...] = (
    *(Law(case.name, case.rule, case.says, partial(_agrees, case)) for case in CASES),
    *(_act(rule, act) for rule, act in ACTS),
)
