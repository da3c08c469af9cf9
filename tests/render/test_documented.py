"""The pictures of the documentation, which its build makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mkdocs_pictures import PICTURES
from tests.render.drawn import parsed

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_is_made_and_shown(name: str) -> None:
    """What the build makes is what it should be, and the page shows it."""
    made = PICTURES[name]()
    if name.endswith(".svg"):
        assert parsed(made).tag.endswith("svg")
    else:
        assert made.startswith("<!doctype html>")
    assert f"(pictures/{name})" in (DOCS / "pictures.md").read_text(encoding="utf-8")


def test_the_page_shows_no_picture_that_is_not_made() -> None:
    """A misspelt name would be a broken picture."""
    for name in re.findall(r"\(pictures/([^)]+)\)", (DOCS / "pictures.md").read_text(encoding="utf-8")):
        assert name in PICTURES
