"""The code of the documentation: blocks found in a page, run in their order, and their output compared."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import os
import re
import shutil
import subprocess
import sys
import traceback
import types
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orchestration
from tests.docs import prelude

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SHOP = Path(__file__).parent / "shop"
FENCE = re.compile(r"( *)```(\w*)(.*)")
TITLE = re.compile(r'title="([^"]+)"')
SHELLS = ("console", "sh")
OURS = re.compile(r"^(?:cat \S+ \| )?orchestration ")  # the commands that are run
PIPED = re.compile(r"\| (\w+)")  # other programs that one needs
OUTPUTS = ("text", "mermaid")
USAGE = 2  # the exit code of a command that was not understood
DEADLINE = 60  # seconds that a command may take


class BlockFails(Exception):
    """A block does not do what its page says; the message names page and line."""


@dataclass(frozen=True)
class Block:
    """What stands between two fences. `line` is that of the first fence, counted from 1."""

    page: Path
    line: int
    language: str
    title: str | None
    text: str
    output: str | None
    """The text or picture that follows with nothing but empty lines between."""

    def fails(self, why: str) -> BlockFails:
        """Return the error that says where and why."""
        return BlockFails(f"{self.page.name}:{self.line}: {why}")


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    found: list[Block] = []
    open_at: tuple[int, str, re.Match[str]] | None = None
    inside: list[str] = []
    adjacent = False  # nothing but empty lines since the last block
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = FENCE.fullmatch(line)
        if open_at is None:
            if fence is not None:
                open_at, inside = (number, fence[1], fence), []
            elif line.strip():
                adjacent = False
        elif fence is not None and fence[1] == open_at[1] and not fence[2]:
            start, _, opening = open_at
            title = TITLE.search(opening[3])
            text = "\n".join(inside) + "\n"
            if opening[2] in OUTPUTS and adjacent and found[-1].language == "python":
                last = found.pop()
                found.append(Block(page, last.line, last.language, last.title, last.text, text))
            else:
                found.append(Block(page, start, opening[2], title[1] if title else None, text, None))
            open_at, adjacent = None, True
        else:
            inside.append(line.removeprefix(open_at[1]))
    if open_at is not None:
        raise BlockFails(f"{page.name}:{open_at[0]}: the fence is never closed")
    return found


def run_page(page: Path, folder: Path) -> None:
    """Run the blocks of a page in one namespace, and its commands in `folder`.

    A block with a title, ```` ```python title="shop.py" ````, is written to that file as well, behind those before it.
    Before a chapter, which has a number before its name, the blocks with a title of the earlier ones have been run.

    Raises:
        BlockFails: at the first block that does not do what the page says.
    """
    before = [block for chapter in chapters_before(page) for block in blocks_of(chapter) if block.title is not None]
    blocks = [replace(block, output="…") for block in before] + blocks_of(page)
    shutil.copytree(SHOP, folder, dirs_exist_ok=True)
    shutil.copytree(ROOT / "examples", folder / "examples")
    titles = [block.title for block in blocks if block.language == "python" and block.title is not None]
    for title in titles:
        (folder / title).unlink(missing_ok=True)
    # A reader has the code in that file, or else in a script of their own.
    module = types.ModuleType(Path(titles[0]).stem if titles else "__main__")
    namespace = vars(module)
    namespace |= {name: value for name, value in vars(prelude).items() if not name.startswith("_")}
    with standing_for(module), contextlib.chdir(folder):
        for block in blocks:
            if block.language == "python":
                if block.title is not None:
                    _append(folder / block.title, block.text)
                run_python(block, namespace)
            elif block.language in SHELLS:
                run_commands(block, folder)


def chapters_before(page: Path) -> list[Path]:
    """Return the pages that a reader of a chapter has read: those beside it with a smaller number before the name."""
    chapters = sorted(page.parent.glob("[0-9]*.md"))
    return chapters[: chapters.index(page)] if page in chapters else []


def _append(path: Path, text: str) -> None:
    before = path.read_text(encoding="utf-8") + "\n\n" if path.exists() else ""
    path.write_text(before + text, encoding="utf-8")


@contextlib.contextmanager
def standing_for(module: types.ModuleType) -> Iterator[None]:
    """Let a module be found by its name: dataclasses and annotations look there."""
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        yield
    finally:
        del sys.modules[module.__name__]
        if before is not None:
            sys.modules[module.__name__] = before


def run_python(block: Block, namespace: dict[str, Any]) -> None:
    """Run a block; top-level `await` is allowed. What it prints and raises has to be what the page shows."""
    printed = io.StringIO()
    try:
        tree = ast.parse(block.text, str(block.page))
        ast.increment_lineno(tree, block.line)  # so that a traceback points into the page
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(tree, str(block.page), "exec", flags=flags, dont_inherit=True)
        with contextlib.redirect_stdout(printed):
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(types.FunctionType(code, namespace)())
            else:
                exec(code, namespace)  # noqa: S102 - the project's own documentation
    except Exception as error:
        if block.output is None:
            raise block.fails(f"the block raises\n{_told(error, block.page)}") from error
        printed.write("".join(traceback.format_exception_only(error)))
    if block.output is not None and not agrees(block.output, printed.getvalue()):
        raise block.fails(f"the page shows\n{block.output}\nbut the block gives\n{printed.getvalue()}")


def _told(error: Exception, page: Path) -> str:
    """Return the traceback from the frame on that lies in the page."""
    here = error.__traceback__
    while here is not None and here.tb_frame.f_code.co_filename != str(page):
        here = here.tb_next
    return "".join(traceback.format_exception(error.with_traceback(here)))


def run_commands(block: Block, folder: Path) -> None:
    """Run the commands of the library's own among those of a block; those of other programs are only read."""
    for offset, command, shown in commands_of(block):
        if not OURS.search(command):
            continue
        if not all(shutil.which(program) for program in ("sh", *PIPED.findall(command)) if program != "orchestration"):
            continue
        environment = os.environ | {
            "PATH": os.pathsep.join([str(_command(folder)), os.environ["PATH"]]),
            "PYTHONPATH": str(Path(orchestration.__file__).parents[1]),
            "PYTHONIOENCODING": "utf-8",
            "SHOP_DATABASE": str(folder / "shop.db"),
            "TMPDIR": str(folder),
        }
        ended = subprocess.run(
            ["sh", "-c", command],  # noqa: S607 - a reader's shell
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=DEADLINE,
            check=False,
        )
        where = f"{block.page.name}:{block.line + offset}: {command}"
        if shown and not agrees(shown, ended.stdout):
            raise BlockFails(f"{where}\nThe page shows\n{shown}\nbut the command says\n{ended.stdout}")
        # below `$` an output could be shown; a block of commands alone may have one that fails on purpose
        unexpected = ended.returncode if block.language == "console" else ended.returncode == USAGE
        if not shown and unexpected:
            raise BlockFails(f"{where}\nexits {ended.returncode} and says\n{ended.stdout}")


def commands_of(block: Block) -> Iterator[tuple[int, str, str]]:
    """Yield each command of a shell block: its line in the block, itself, and the output shown below it."""
    lines = block.text.splitlines()
    prompt = "$ " if block.language == "console" else ""
    starts = [number for number, line in enumerate(lines) if line.startswith(prompt) and line.strip()]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        output = "\n".join(lines[start + 1 : end]).strip() if prompt else ""
        yield start + 1, lines[start].removeprefix(prompt), output


def _command(folder: Path) -> Path:
    """Return a folder with the command `orchestration` in it, that of the library under test."""
    home = folder / ".bin"
    home.mkdir(exist_ok=True)
    script = home / "orchestration"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orchestration "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    return home


def agrees(shown: str, actual: str) -> bool:
    """Tell whether an output is as shown; `…` stands for any text in a line, and alone in a line for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else r".*?".join(re.escape(part) for part in line.split("…")) + r"\s*?\n"
        for line in shown.strip("\n").splitlines()
    )
    return re.fullmatch(pattern, actual.strip("\n") + "\n") is not None
