"""The examples in docstrings of public names run, in the small shop that the pages presume."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import pytest

import orchestration
from orchestration import testing
from tests.docs.snippets import BlockFails, run_page

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

OPENED = "```python\n"
GIVEN = {  # what the reader of an example has imported besides the names of `orchestration`
    orchestration: "",
    testing: f"{OPENED}import asyncio\nfrom orchestration.testing import *\n```\n",
}


def named(module: ModuleType) -> list[str]:
    """Return the public functions of a module and then its classes: what can have a docstring."""
    kinds = (inspect.isroutine, inspect.isclass)
    return [name for kind in kinds for name in module.__all__ if kind(getattr(module, name))]


PUBLIC = [(module, name) for module in GIVEN for name in named(module)]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda value: getattr(value, "__name__", value))
def test_the_example_of_a_public_name_runs(module: ModuleType, name: str, tmp_path: Path) -> None:
    """Whoever asks for help on a name is shown how it is used, and it works as shown."""
    docstring = inspect.getdoc(getattr(module, name)) or ""
    assert OPENED in docstring, f"{name} has no example"
    example = docstring.partition(OPENED)[2].partition("```")[0]
    assert not inspect.isroutine(getattr(module, name)) or name in example, f"{name} is not in its own example"
    page = tmp_path / f"{name}.md"
    page.write_text(GIVEN[module] + docstring, encoding="utf-8")
    try:
        run_page(page, tmp_path / "folder")
    except BlockFails as error:
        pytest.fail(str(error), pytrace=False)


def test_all_public_names_are_tried_but_one() -> None:
    """`Outcome` is a union: what it is made of has the examples."""
    assert set(orchestration.__all__) - set(named(orchestration)) == {"Outcome"}


@pytest.mark.parametrize("name", sorted(set(testing.__all__) - set(named(testing))))
def test_a_constant_of_the_test_kit_is_in_an_example(name: str) -> None:
    """It has no docstring of its own: who looks for it finds it used by what takes it."""
    examples = [inspect.getdoc(getattr(testing, other)) or "" for other in named(testing)]
    shown = [block for text in examples for block in re.findall(rf"{OPENED}(.*?)```", text, re.DOTALL)]
    assert any(re.search(rf"\b{name}\b", block) for block in shown)


@pytest.mark.parametrize("name", [name for name in testing.__all__ if inspect.isfunction(getattr(testing, name))])
def test_a_function_of_the_test_kit_says_what_it_does_and_raises(name: str) -> None:
    """Its page has the examples; its docstring has a sentence for what it does."""
    docstring = inspect.getdoc(getattr(testing, name)) or ""
    assert docstring.partition("\n")[0].endswith((".", ":")), docstring
