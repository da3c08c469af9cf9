"""Every engine obeys the laws of engines, and the laws see what is broken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, SqliteJournal
from orchestration.frozen import evolve
from orchestration.interpreter.effects import RunStep
from orchestration.journal.memory import MemoryJournal
from orchestration.runtime.handler import BodyHandler
from orchestration.testing import ENGINE_LAWS, LawsBroken, check_engine

if TYPE_CHECKING:
    from pathlib import Path


def test_the_local_engine_obeys_the_laws() -> None:
    """S39: in memory."""
    check_engine(LocalEngine)


def test_the_durable_engine_obeys_the_laws(tmp_path: Path) -> None:
    """S39: with each journal, every value through the codec."""
    check_engine(lambda: LocalEngine(journal=MemoryJournal(), poll=0.01))
    names = iter(range(1_000))
    check_engine(lambda: LocalEngine(journal=SqliteJournal(tmp_path / f"{next(names)}.db"), poll=0.01))


def test_every_law_says_something() -> None:
    """A law has a name of its own, a rule and a sentence."""
    assert len({law.name for law in ENGINE_LAWS}) == len(ENGINE_LAWS) > 40
    assert all(law.rule.startswith("S") and law.says.endswith((".", "…")) for law in ENGINE_LAWS)


class Deaf(LocalEngine):
    """An engine that hears no cancel."""

    async def start(self, *arguments: Any, **options: Any) -> Any:
        """Begin a run that cannot be cancelled, and is at once."""
        handle = await super().start(*arguments, **options)
        handle.cancel = lambda reason="": asyncio.get_running_loop().call_soon(type(handle).cancel, handle, "another")
        return handle


class Forgetful(LocalEngine):
    """An engine that loses what was undone."""

    async def start(self, *arguments: Any, **options: Any) -> Any:
        """Begin a run."""
        handle = await super().start(*arguments, **options)
        result = handle.result

        async def forgetting() -> Any:
            outcome = await result()
            return evolve(outcome, rollback=type(outcome.rollback)())

        handle.result = forgetting
        return handle


def _broken(make: Any) -> set[str]:
    with pytest.raises(LawsBroken) as raised:
        check_engine(make)
    return {law.name for law, _ in raised.value.broken}


def test_an_engine_that_forgets_its_rollback_is_found_out() -> None:
    """S26: the rollback is a part of every outcome."""
    assert {"a_rollback", "a_pivot", "a_doubt", "an_undo_fails"} <= _broken(Forgetful)


def test_an_engine_that_gives_another_reason_is_found_out() -> None:
    """S28: the reason of a cancel is told."""
    assert _broken(Deaf) == {"a_cancel_reaches_what_is_in_flight"}


def test_an_engine_that_numbers_attempts_wrongly_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """S9: what a body sees of its attempt is a part of the law as well."""
    right = BodyHandler.__call__

    def wrong(self: BodyHandler, effect: Any) -> Any:
        if isinstance(effect, RunStep) and effect.attempt > 1:
            from orchestration.runtime.context import current

            current.get().effect = evolve(effect, attempt=1)
        return right(self, effect)

    monkeypatch.setattr(BodyHandler, "__call__", wrong)
    assert "retries" in _broken(LocalEngine)
