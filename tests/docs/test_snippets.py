"""What the documentation shows is what happens: every block of code in it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.snippets import ROOT, SHELLS, BlockFails, agrees, blocks_of, commands_of, run_page

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """The blocks run in order in one namespace, as for a reader who follows the page."""
    failure = None
    try:
        run_page(page, tmp_path)
    except BlockFails as error:
        failure = str(error)
    if failure is not None:
        pytest.fail(failure, pytrace=False)


def test_the_pages_have_code_that_is_run() -> None:
    """Blocks are found: a change of the fences would otherwise make every page pass."""
    for name in ("composing.md", "failing.md", "index.md", "signals.md", "start.md", "time.md", "typing.md"):
        assert any(block.language == "python" for block in blocks_of(ROOT / "docs" / name)), name
    commands = [
        command
        for block in blocks_of(ROOT / "docs" / "cli.md")
        if block.language in SHELLS
        for _, command, _ in commands_of(block)
    ]
    assert sum(command.startswith("orchestration ") for command in commands) >= 8


def test_every_fence_names_a_language_that_is_known() -> None:
    """A misspelt language (`pyhton`) would hide a block from these tests."""
    known = {"python", "text", "mermaid", "json", "toml", *SHELLS}
    for page in PAGES:
        for block in blocks_of(page):
            assert block.language in known, f"{page.name}:{block.line}: {block.language!r}"


BROKEN = {
    "a name that does not exist": ("1 + 1\n```\n\n```python\nfrom orchestration import Nothing", 5, "cannot import"),
    "an error": ("x = 1\nraise ValueError(x)", 1, "ValueError: 1"),
    "an await that fails": ("import asyncio\nawait asyncio.wait_for(asyncio.sleep(9), 0)", 1, "TimeoutError"),
    "a syntax error": ("def", 1, "SyntaxError"),
    "another output": ("print(1)\n```\n\n```text\n2", 1, "the page shows\n2\n\nbut the block gives\n1\n"),
    "no output": ("1\n```\n\n```text\n1", 1, "the page shows\n1\n"),
    "another error": ("raise ValueError(1)\n```\n\n```text\nValueError: 2", 1, "gives\nValueError: 1\n"),
}


@pytest.mark.parametrize(("code", "line", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_block_fails_with_its_page_and_line(tmp_path: Path, code: str, line: int, told: str) -> None:
    """The test of a page can fail: it names the block, and says what is wrong with it."""
    page = tmp_path / "broken.md"
    page.write_text(f"```python\n{code}\n```\n", encoding="utf-8")
    with pytest.raises(BlockFails, match=f"broken.md:{line}: ") as caught:
        run_page(page, tmp_path / "folder")
    assert told in str(caught.value)


def test_a_failing_line_is_named_in_the_traceback(tmp_path: Path) -> None:
    """Within a block, the traceback points at the line of the page."""
    page = tmp_path / "broken.md"
    page.write_text("# Title\n\n```python\nx = 1\n\nx.y\n```\n", encoding="utf-8")
    with pytest.raises(BlockFails, match=re.escape(f'File "{page}", line 6')):
        run_page(page, tmp_path / "folder")


COMMANDS = {
    "a failure without an output shown": "$ orchestration run shop.py:nothing",
    "another output": "$ orchestration check shop.py:checkout\nOK checkout: 99 nodes, …",
}


@pytest.mark.parametrize("block", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_says_something_else_fails_with_its_page_and_line(tmp_path: Path, block: str) -> None:
    """Commands are held to what is shown below them."""
    page = tmp_path / "broken.md"
    page.write_text(f"```console\n{block}\n```\n", encoding="utf-8")
    with pytest.raises(BlockFails, match=r"broken.md:2: orchestration"):
        run_page(page, tmp_path / "folder")


@pytest.mark.parametrize(
    ("shown", "actual", "same"),
    [
        ("run … started", "run 4c8b started", True),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("a\n…\nd", "a\nd", True),
        ("a\n…", "a\nb\n", True),
        ("a.b", "a,b", False),
        ("a\nb", "a\nb\nc", False),
        ("run …", "run\n4c8b", False),
    ],
)
def test_an_ellipsis_stands_for_what_differs(shown: str, actual: str, *, same: bool) -> None:
    """`…` stands for text within a line, or alone for lines; everything else has to be equal."""
    assert agrees(shown, actual) is same
