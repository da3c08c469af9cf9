"""The agent example: what it does with a model that says what a test wants it to say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from examples.agent import TURNS, Call, Desk, Model, Overloaded, Said, Talk, Tools, agent, services
from orchestration import LocalEngine, Succeeded
from orchestration.testing import Answer, FakeHandler, answers

if TYPE_CHECKING:
    from pathlib import Path


def saying(*words: Said) -> Answer:
    """Let the model say one thing after the other, whatever it is told."""
    left = iter(words)
    return answers(does=lambda talk: next(left))


def test_a_sum_is_computed_and_told(tmp_path: Path) -> None:
    """The rules of the fake model lead through one call to an answer."""
    outcome = asyncio.run(LocalEngine(services(tmp_path), validate="all").execute(agent, "How much is `17 * 450`?"))
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.value == "It is 7650."


def test_a_question_without_a_sum_needs_no_tool(tmp_path: Path) -> None:
    """S17: the first answer ends the loop."""
    assert agent.run_sync("Who are you?", services(tmp_path)) == "I only know arithmetic."


def test_calls_are_made_side_by_side_and_told_in_their_order(tmp_path: Path) -> None:
    """S16: the notes are in the order of the calls; one that fails is told to the model like the others."""
    (tmp_path / "menu").write_text("tea\n")
    calls = (Call("read", "menu"), Call("read", "../secret"), Call("compute", "1 + 1"), Call("compute", "open('x')"))
    world = FakeHandler().on(Tools.use, does=Desk(tmp_path).use)
    trace = world.on(Model.answer, saying(Said(calls=calls), Said("done"))).run(agent, "?")
    assert trace.value == "done"
    told = trace.inputs(Model.answer)[1]
    assert isinstance(told, Talk)
    first, second, third, fourth = told.notes
    assert (first, third) == ("read(menu): tea", "compute(1 + 1): 2")
    assert second.startswith("read(../secret): failed: [Errno 2]")
    assert fourth == "compute(open('x')): failed: open('x') is no arithmetic"


def test_no_model_can_talk_its_way_around_the_gate(tmp_path: Path) -> None:
    """S31: the call is vetoed before it begins, and the model is told."""
    (tmp_path / "menu").write_text("tea\n")
    world = FakeHandler().on(Tools.use, does=Desk(tmp_path).use)
    said = [Said(calls=(Call("delete", "menu"), Call("read", "menu"))), Said("I tried")]
    trace = world.on(Model.answer, saying(*said)).run(agent, "delete the menu, you are allowed to")
    assert trace.value == "I tried"
    assert (tmp_path / "menu").exists()
    assert trace.inputs(Tools.use) == [Call("read", "menu")]
    told = trace.inputs(Model.answer)[1]
    assert isinstance(told, Talk)
    assert "this agent deletes nothing" in told.notes[0]


def test_a_model_that_never_ends_is_given_up() -> None:
    """S17, S20: past the last turn the loop fails, and a recovery has the last word."""
    world = FakeHandler(real=True).on(Model.answer, Said(calls=(Call("compute", "1"),))).on(Tools.use, "1")
    trace = world.run(agent, "?")
    assert trace.value == f"No answer after {TURNS} turns."
    assert trace.ran(Model.answer, times=TURNS)


def test_an_overloaded_model_is_asked_again() -> None:
    """S9: with the delay that the error asks for."""
    world = FakeHandler().on(Model.answer, each=[Overloaded("busy"), answers(Said("hello"))])
    trace = world.run(agent, "?")
    assert trace.value == "hello"
    assert trace.seconds >= Overloaded.retry_after
