"""References to workflows, and the commands that only look at them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

pytestmark = pytest.mark.usefixtures("shop")


@pytest.mark.parametrize("reference", ["shop.py:plain", "./shop.py:plain", "shop:plain", "shop:Flows.plain"])
def test_files_and_modules(command: Command, reference: str) -> None:
    """A workflow is named by a file or a module and a name in it, which may be dotted."""
    result = command("check", reference)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("OK plain: 2 nodes, needs no services, fingerprint ")


def test_file_is_registered_under_its_stem(command: Command) -> None:
    """S1: a file loaded by its path, by its name or as a module gives the same references and fingerprint."""
    by_path = command("check", "shop.py:checkout").out
    assert "shop" in sys.modules
    assert command("check", "shop:checkout").out == by_path
    assert "needs shop:Payments" in by_path


def test_neighbours_of_a_file_can_be_imported(command: Command, folder: Folder) -> None:
    """The folder of a file is searched for what it imports, as when Python runs it."""
    inner = folder.path / "inner"
    inner.mkdir()
    folder.write("inner/neighbour.py", "def twice(number: int) -> int:\n    return 2 * number\n")
    folder.write(
        "inner/flow.py",
        """
        from neighbour import twice
        from orchestration import Workflow

        flow = Workflow[int]("flow").pure(twice)
        """,
    )
    assert command("run", "inner/flow.py:flow", "--input", "4").out == "8\n"


SAID = {
    "shop.py": "error: shop.py: found 'shop.py'; expected FILE.py:NAME or MODULE:NAME.",
    ":plain": "error: :plain: found ':plain'; expected FILE.py:NAME or MODULE:NAME.",
    "shop.py:": "error: shop.py:: found 'shop.py:'; expected",
    "nope.py:plain": "error: nope.py: found no such file; expected",
    "nope:plain": "error: nope: found no module named 'nope'; expected",
    "shop.nope:plain": "error: shop.nope: found no module named 'shop.nope'; expected",
    "..shop:plain": "error: ..shop: found no name of a module; expected",
    "shop.py:nope": "error: shop.py:nope: found no 'nope' in the module; expected",
    "shop.py:plain.nope": "error: shop.py:plain.nope: found no 'nope' in the Step before it; expected",
    "shop.py:Order": "error: shop.py:Order: found a value of type type; expected a workflow.",
    "\x1b[2J.py:x": r"error: \x1b[2J.py: found no such file",
}


@pytest.mark.parametrize("reference", SAID)
@pytest.mark.parametrize("name", ["run", "graph", "check"])
def test_wrong_references(command: Command, name: str, reference: str) -> None:
    """A wrong reference exits 2 with one line that says what was found and what was expected."""
    result = command(name, reference)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(SAID[reference])
    assert result.err.count("\n") == 1


def test_wrong_name_lists_the_workflows_that_are_there(command: Command, shop: Folder) -> None:
    """Who misspells a workflow is told which there are."""
    assert "Workflows there: checkout, plain, wrong." in command("graph", "shop.py:chekout").err
    shop.write("empty.py", "")
    assert "There is no workflow in that module." in command("graph", "empty.py:flow").err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\nimport nowhere\n", "{file}:2: ModuleNotFoundError: No module named 'nowhere'"),
        ("x = 1\n\nx = (\n", "{file}:3: SyntaxError: '(' was never closed"),
        ("def f():\n    return y\n\nf()\n", "{file}:2: NameError: name 'y' is not defined"),
        ("import json\njson.loads('{')\n", "{file}:2: JSONDecodeError: "),
        ("raise SystemExit\n", "{file}:1: SystemExit"),
        ("from . import other\n", "{file}:1: ImportError: attempted relative import"),
        ("from orchestration import Workflow\nWorkflow('x').step(len, name='a b').compile()\n", "{file}:2: PlanErrors"),
    ],
)
@pytest.mark.parametrize("reference", ["broken.py:flow", "broken:flow"])
def test_file_that_cannot_be_imported(command: Command, folder: Folder, reference: str, source: str, said: str) -> None:
    """An error in the user's file exits 2 with one message that names file and line, and without a traceback."""
    folder.write("broken.py", source)
    result = command("check", reference)
    assert result.code == 2
    assert said.format(file=folder.path.resolve() / "broken.py") in result.err
    assert "Traceback" not in result.err
    assert "broken" not in sys.modules


def test_interrupt_while_a_file_is_imported(command: Command, folder: Folder) -> None:
    """Ctrl-C before there is a run ends the command with 130, in one line."""
    folder.write("slow.py", "raise KeyboardInterrupt\n")
    assert command("check", "slow.py:flow") == (130, "", "interrupted\n")


def test_debug_shows_the_traceback_of_an_import(command: Command, folder: Folder) -> None:
    """With `--debug` an error in the user's file comes with its traceback."""
    folder.write("broken.py", "import nowhere\n")
    result = command("check", "broken.py:flow", "--debug")
    assert result.code == 2
    assert "Traceback (most recent call last):\n" in result.err
    assert "\nerror: broken.py: found " in result.err


def test_file_named_like_an_imported_module(command: Command, folder: Folder) -> None:
    """A file whose name is that of a module in use would take its place, and is refused."""
    folder.write("json.py", "flow = 1\n")
    result = command("check", "json.py:flow")
    assert result.code == 2
    assert "whose name is that of" in result.err
    assert "Rename the file." in result.err


def test_what_a_file_prints_is_no_result(command: Command, shop: Folder) -> None:
    """What a file prints while it is imported goes to stderr."""
    shop.write("chatty.py", "print('hello')\nfrom shop import plain\n")
    result = command("graph", "chatty.py:plain")
    assert result.out.startswith("flowchart")
    assert result.err == "hello\n"


# --- graph and check


def test_graph_prints_mermaid_or_json(command: Command) -> None:
    """`graph` prints the plan as Mermaid or as the JSON that `Plan.from_json` reads."""
    assert command("graph", "shop.py:checkout").out.startswith("flowchart")
    document = json.loads(command("graph", "shop.py:checkout", "--format", "json").out)
    assert document["plan"]["name"] == "checkout" or document["plan"]["is"] == "Scope"


@pytest.mark.parametrize("name", ["run", "graph"])
def test_problems_of_a_plan(command: Command, name: str) -> None:
    """S6: a plan with problems exits 2 and lists all of them, one a line."""
    result = command(name, "shop.py:wrong")
    assert (result.code, result.out) == (2, "")
    lines = result.err.splitlines()
    assert lines[0] == "error: workflow 'wrong' has 2 problems"
    assert lines[1].startswith("  wrong/not a name: found the name 'not a name'; expected ")
    assert lines[2].startswith("  wrong/reserve: found reserve, an async function; expected ")


def test_check_goes_on_after_a_problem(command: Command) -> None:
    """`check` reports on every workflow that it is given, and exits 2 if one of them has a problem."""
    result = command("check", "shop.py:wrong", "nope.py:x", "shop.py:checkout")
    assert result.code == 2
    assert result.out.startswith("OK checkout: 3 nodes, needs shop:Payments, fingerprint ")
    assert "error: workflow 'wrong' has 2 problems" in result.err
    assert "error: nope.py: found no such file" in result.err


# --- arguments


@pytest.mark.parametrize(
    "arguments", [(), ("run",), ("nope",), ("graph", "a:b", "--format", "png"), ("run", "a:b", "\x1b")]
)
def test_arguments_that_cannot_be_understood(command: Command, arguments: tuple[str, ...]) -> None:
    """Arguments that cannot be understood exit 2, and are escaped where they are named."""
    result = command(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "error: " in result.err
    assert "\x1b" not in result.err


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("graph", "--help"), ("check", "--help")])
def test_help_lists_the_exit_codes(command: Command, arguments: tuple[str, ...]) -> None:
    """Every help text lists the exit codes."""
    result = command(*arguments)
    assert result.code == 0
    assert "130  the run was cancelled" in result.out
