"""In a notebook: what workflows, plans and outcomes look like, and that a cell can await a run."""

from __future__ import annotations

import ast
import asyncio
import inspect
import subprocess
import sys
import types
from dataclasses import dataclass
from typing import Annotated, Any
from xml.etree import ElementTree as ET

import pytest

from orchestration import Failure, LocalEngine, Secret, Workflow
from orchestration.outcomes import Cancelled, Failed, HookFailure, Rollback, Succeeded, Undone

HOSTILE = "<script>alert('x')</script>\n\x1b[31m\u202e"
FAILURE = Failure(HOSTILE, HOSTILE, "w/a", cause=Failure("KeyError", "lines", "w/a"))


async def both(value: Any) -> Any:
    """Do something."""
    return value


@dataclass(frozen=True)
class Card:
    """A card with a secret."""

    number: Annotated[str, Secret]


def html(outcome: Any) -> str:
    """Return how a notebook shows an outcome, which is well-formed."""
    (text,) = outcome._repr_mimebundle_(include=None, exclude=None).values()
    ET.fromstring(text)  # noqa: S314 - our own
    return str(text)


def test_a_workflow_and_its_plan_are_pictures() -> None:
    """Both are the SVG of the plan, which an `<img>` can hold: no style of it reaches the notebook."""
    flow = Workflow[int]("w").step(both, name="a")
    picture = flow._repr_mimebundle_(include=None, exclude=None)
    assert picture == flow.compile()._repr_mimebundle_()
    (svg,) = picture.values()
    assert "a" in [text.text for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own
    assert picture.keys() == {"image/svg+xml"}


def test_a_workflow_that_does_not_compile_shows_its_problems() -> None:
    """S6: all that is wrong with it, in place of its picture."""
    (text,) = Workflow[int]("w").step(both, name="<no name>")._repr_mimebundle_().values()
    assert "w/&lt;no name&gt;: found the name" in text
    assert "1 problem" in text


def test_a_succeeded_run_shows_its_value() -> None:
    """S33: the value as text, not too much of it, its secrets masked."""
    assert "<pre>[0, 1, 2, " in html(Succeeded(list(range(1000)), "r"))
    assert len(html(Succeeded("x" * 10_000, "r"))) < 1000
    assert "4242" not in html(Succeeded(Card("4242"), "r"))
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    assert "<pre>a list</pre>" in html(Succeeded(deep, "r"))


def test_a_failed_run_shows_why_and_what_was_undone() -> None:
    """S25: the failure with its causes, and what became of each step; what else there is to know."""
    later = Failure("LookupError", "late", "w/b")
    text = html(
        Failed(
            FAILURE.attach((later,)),
            "r",
            Rollback((Undone("w/a"),)),
            leaked=("w/c",),
            unused_signals=("go",),
            cleanup_failures=(later,),
            hook_failures=(HookFailure("audit", "StepBegan", "w/a", later),),
        )
    )
    for told in ("failed", "caused by KeyError: lines", "also w/b: LookupError: late", "<li>w/a: undone</li>", "w/c"):
        assert told in text
    for told in ("signals that nobody took", "cleanups that failed", "hooks that failed", "audit at StepBegan of w/a"):
        assert told in text
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_cancelled_run_shows_the_reason() -> None:
    """S28: who cancelled it, and what failed on the way."""
    text = html(Cancelled(HOSTILE, "r", attached=(FAILURE,)))
    assert "&lt;script&gt;" in text
    assert "<script" not in text
    assert "nothing to undo" not in text


@pytest.mark.parametrize("cell", ["await flow.run(3)", "(await LocalEngine().execute(flow, 3)).value"])
def test_a_cell_awaits_a_run(cell: str) -> None:
    """In a loop that runs already, as a notebook's does, a run is awaited like anything else."""
    names: dict[str, Any] = {"flow": Workflow[int]("w").step(both, name="a"), "LocalEngine": LocalEngine}

    async def notebook() -> list[Any]:
        """Evaluate the cell twice, as a notebook does."""
        code = compile(cell, "cell", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert code.co_flags & inspect.CO_COROUTINE
        return [await types.FunctionType(code, names)() for _ in range(2)]

    assert asyncio.run(notebook()) == [3, 3]


def test_pictures_are_imported_when_they_are_asked_for() -> None:
    """Who never looks does not pay: importing the library imports no renderer."""
    code = "import sys, orchestration; sys.exit('orchestration.render' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
