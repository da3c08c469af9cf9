"""The pages are whole: every example, public name, error and page of the site is where a reader looks for it."""

from __future__ import annotations

import importlib
import re
import types

import pytest

import orchestration
from orchestration import errors, testing
from tests.docs.snippets import ROOT

DOCS = ROOT / "docs"
ENTRY = re.compile(r"^::: (\S+)$", re.MULTILINE)


def entries() -> list[str]:
    """Return what the pages of the reference describe, as dotted names."""
    return [name for page in sorted((DOCS / "reference").glob("*.md")) for name in ENTRY.findall(page.read_text())]


def test_every_public_name_is_in_the_reference() -> None:
    """What can be imported from the package and the test kit is described, once."""
    described = entries()
    assert errors.__name__ in described  # a module is described with all its classes
    public = [f"orchestration.{name}" for name in orchestration.__all__ if not hasattr(errors, name)]
    public += [f"orchestration.testing.{name}" for name in testing.__all__]
    assert [name for name in public if described.count(name) != 1] == []


@pytest.mark.parametrize("name", [name for name in entries() if "engines" not in name])
def test_what_the_reference_describes_is_there_and_has_a_docstring(name: str) -> None:
    """An entry of the reference that is gone would leave a page that cannot be built."""
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, last = name.rpartition(".")
        found = getattr(importlib.import_module(module), last)
    if isinstance(found, type | types.FunctionType | types.ModuleType):
        assert found.__doc__


def test_every_example_is_on_the_page_of_examples_and_has_tests() -> None:
    """An example says what it does, what it teaches, and is tested."""
    page = (DOCS / "examples.md").read_text(encoding="utf-8")
    for example in sorted((ROOT / "examples").glob("*.py")):
        assert f"| `{example.name}` |" in page
        assert "What it teaches: " in example.read_text(encoding="utf-8"), example.name
        assert (ROOT / "tests" / "examples" / f"test_{example.name}").exists(), example.name


def test_every_page_is_in_the_navigation() -> None:
    """A page that nobody is led to is not read."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in sorted(DOCS.rglob("*.md")):
        assert f": {page.relative_to(DOCS).as_posix()}\n" in navigation, page.name
