"""The examples in docstrings of public names run, in the small shop that the pages presume."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

import orchestration
from orchestration import testing
from tests.docs.snippets import BlockFails, run_page

if TYPE_CHECKING:
    from pathlib import Path

OPENED = "```python\n"
NAMES = [name for name in orchestration.__all__ if inspect.isroutine(getattr(orchestration, name))] + [
    name for name in orchestration.__all__ if inspect.isclass(getattr(orchestration, name))
]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_public_name_runs(name: str, tmp_path: Path) -> None:
    """Whoever asks for help on a name is shown how it is used, and it works as shown."""
    docstring = inspect.getdoc(getattr(orchestration, name)) or ""
    assert OPENED in docstring, f"{name} has no example"
    page = tmp_path / f"{name}.md"
    page.write_text(docstring, encoding="utf-8")
    try:
        run_page(page, tmp_path / "folder")
    except BlockFails as error:
        pytest.fail(str(error), pytrace=False)


def test_all_public_names_are_tried_but_one() -> None:
    """`Outcome` is a union: what it is made of has the examples."""
    assert set(orchestration.__all__) - set(NAMES) == {"Outcome"}


@pytest.mark.parametrize("name", [name for name in testing.__all__ if inspect.isfunction(getattr(testing, name))])
def test_a_function_of_the_test_kit_says_what_it_does_and_raises(name: str) -> None:
    """Its page has the examples; its docstring has a sentence for what it does."""
    docstring = inspect.getdoc(getattr(testing, name)) or ""
    assert docstring.partition("\n")[0].endswith((".", ":")), docstring
