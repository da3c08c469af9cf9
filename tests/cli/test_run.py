"""`orchestration run`, in this process."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

pytestmark = pytest.mark.usefixtures("shop")
ORDER = '{"id": "17", "lines": [2, 3]}'


def test_result_is_json_on_stdout_and_the_rest_on_stderr(command: Command) -> None:
    """A run that succeeds exits 0; stdout holds its value as JSON and nothing else, not even what its steps print."""
    result = command("run", "shop.py:checkout", "--input", ORDER)
    assert (result.code, result.out) == (0, '"charge of 17"\n')
    assert "charging\n" in result.err
    assert "checkout/charge: 1 done\n" in result.err


def test_quiet_shows_no_progress(command: Command) -> None:
    """With `--quiet` a run that succeeds says nothing of its own."""
    result = command("run", "shop.py:plain", "--input", ORDER, "--quiet")
    assert (result.code, json.loads(result.out), result.err) == (0, {"id": "17", "lines": [2, 3]}, "")


def test_failed_run_tells_why_and_what_was_undone(command: Command) -> None:
    """A run that fails exits 1 and says where, what and why, and what became of each step that could be undone."""
    result = command("run", "shop.py:checkout", "--input", '{"id": "17"}', "--quiet", "--run-id", "order-17")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "charging\n"
        "checkout failed (run order-17)\n"
        "  checkout/charge: ValueError: nothing to charge\n"
        "    caused by KeyError: 'lines'\n"
        "rollback complete\n"
        "  checkout/reserve: undone\n"
    )


def test_attached_failures_are_told(command: Command, folder: Folder) -> None:
    """Failures after the first one are told as well, each with its path."""
    folder.write(
        "forks.py",
        """
        import asyncio
        from orchestration import Workflow

        async def left(value):
            await asyncio.sleep(0)
            raise ValueError("first")

        async def right(value):
            try:
                await asyncio.Event().wait()
            finally:
                raise TypeError("second")

        both = Workflow("both").fork(left).fork(right).join()
        """,
    )
    result = command("run", "forks.py:both", "--quiet")
    assert result.code == 1
    assert "  both/left: ValueError: first\n" in result.err or "  both/fork/left: ValueError: first\n" in result.err
    assert "    also both/" in result.err
    assert "TypeError: second" in result.err
    assert "Traceback" not in result.err


def test_debug_shows_the_traceback_of_a_failure(command: Command) -> None:
    """With `--debug` a failure comes with its traceback."""
    result = command("run", "shop.py:checkout", "--input", '{"id": "17"}', "--debug")
    assert result.code == 1
    assert 'raise ValueError("nothing to charge") from KeyError("lines")' in result.err


def test_control_characters_are_escaped(command: Command, folder: Folder) -> None:
    """What a failure says cannot move the cursor, nor pose as a line of the report."""
    folder.write(
        "evil.py",
        r"""
        from orchestration import Workflow

        async def step(value):
            raise ValueError("\x1b[2Jgone\nrollback complete")

        evil = Workflow("evil").step(step)
        """,
    )
    result = command("run", "evil.py:evil", "--quiet")
    assert "\x1b" not in result.err
    assert r"evil/step: ValueError: \x1b[2Jgone" in result.err
    assert "\nrollback complete" not in result.err


# --- input


def test_input_from_a_file(command: Command, shop: Folder) -> None:
    """`--input @FILE` reads the file, with or without a byte order mark."""
    (shop.path / "order.json").write_text(ORDER, encoding="utf-8-sig")
    assert command("run", "shop.py:checkout", "--input", "@order.json").out == '"charge of 17"\n'


def test_input_from_stdin(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--input -` reads stdin."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(ORDER))
    assert command("run", "shop.py:checkout", "--input", "-").out == '"charge of 17"\n'


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"id": "17",\n "lines": }', "--input: found value: Invalid JSON: expected value at line 2 column 11"),
        ('{"id": 17}', "--input: found id: Input should be a valid string; expected shop:Order"),
        ("@missing.json", "--input @missing.json: found No such file or directory (missing.json)"),
        ("@.", "--input @.: found "),
        ("@latin.json", "--input @latin.json: found byte 1 wrong; expected UTF-8"),
    ],
)
def test_input_that_cannot_be_used(command: Command, shop: Folder, given: str, said: str) -> None:
    """S12: input that is missing, no JSON or of another type exits 2, with one message and before anything runs."""
    (shop.path / "latin.json").write_bytes('"ä"'.encode("latin-1"))
    result = command("run", "shop.py:checkout", "--input", given)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {said}")
    assert result.err.count("\n") == 1


def test_run_id_with_a_colon(command: Command) -> None:
    """S4: a run id that holds a colon is refused."""
    result = command("run", "shop.py:plain", "--input", ORDER, "--run-id", "a:b")
    assert result.code == 2
    assert "a text of printable characters without a colon" in result.err


# --- services


@pytest.mark.parametrize("reference", ["shop.py:ready", "shop:services", ":ready", "ready", "services"])
def test_services_by_reference(command: Command, reference: str) -> None:
    """`--services` takes a value or a function that returns one, from any file or from beside the workflow."""
    result = command("run", "shop.py:checkout", "--input", ORDER, "--services", reference)
    assert (result.code, result.out) == (0, '"charge of 17"\n')


SERVICES_SAID = {
    "nope": "--services nope: found no 'nope' in the module",
    "shop.py:": "--services: found 'shop.py:'",
    "Order.id": "--services Order.id: found no 'id' in the type before it",
    "Till": "--services: found a Till; expected a Services",
    "later": "--services: found a coroutine; expected a Services",
    "broken": "--services: found {folder}/more.py:10: ZeroDivisionError: division by zero",
    "nothing_bound": "checkout: found no binding for shop:Payments",
}


@pytest.mark.parametrize("reference", SERVICES_SAID)
def test_services_that_cannot_be_used(command: Command, shop: Folder, reference: str) -> None:
    """Services that are not there, are none, raise or lack one are told in one message, and the command exits 2."""
    shop.write(
        "more.py",
        """
        from shop import Order, Till, checkout, nothing_bound


        async def later():
            pass


        def broken():
            1 / 0
        """.replace("\n        from shop", "\n        # a file of its own\n        from shop"),
    )
    result = command("run", "more.py:checkout", "--input", ORDER, "--services", reference)
    assert result.code == 2
    assert SERVICES_SAID[reference].format(folder=shop.path.resolve()) in result.err
    assert result.err.count("\n") == 1


def test_missing_services_are_told_before_anything_runs(command: Command, shop: Folder) -> None:
    """Without services, and without any beside the workflow, the message names what is needed and both remedies."""
    shop.write("alone.py", "from shop import checkout\nimport json as services\n")
    result = command("run", "alone.py:checkout", "--input", ORDER)
    assert result.code == 2
    assert "an implementation of shop:Payments. Give --services, or define services in alone." in result.err


# --- ends that are neither success nor failure


def test_step_that_exits_the_process_does_not_exit_0(command: Command, folder: Folder) -> None:
    """S30: a step that raises SystemExit stops the run, which is unwound; that is no success, whatever its code."""
    folder.write(
        "quits.py",
        """
        from orchestration import Workflow

        async def reserve(value):
            return value

        async def release(value):
            pass

        async def leave(value):
            raise SystemExit(0)

        quits = Workflow("quits").step(reserve).compensate(release).step(leave)
        """,
    )
    result = command("run", "quits.py:quits", "--quiet")
    assert result.code == 1
    assert result.err.startswith("quits was stopped by SystemExit(0)\n")
    assert "quits/reserve: undone" in result.err
    assert "Traceback" not in result.err


def test_value_without_a_form_in_json(command: Command, folder: Folder) -> None:
    """A run whose value cannot be written exits 1 and says that the run itself has succeeded."""
    folder.write(
        "odd.py",
        r"""
        from orchestration import Workflow

        odd = Workflow("odd").pure(lambda value: "\ud800")
        """,
    )
    result = command("run", "odd.py:odd")
    assert (result.code, result.out) == (1, "")
    assert "the run succeeded, but its value has no form in JSON" in result.err


def test_value_of_another_type_than_declared(command: Command, folder: Folder) -> None:
    """A value that is not of the declared type is written as it is, without a warning in between."""
    folder.write(
        "liar.py",
        """
        from orchestration import Workflow

        async def count(value) -> int:
            return "three"

        liar = Workflow("liar").step(count)
        """,
    )
    result = command("run", "liar.py:liar", "--quiet")
    assert (result.code, result.out, result.err) == (0, '"three"\n', "")


# --- progress


def test_lines_where_rich_is_missing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal without `rich` the progress is shown as lines."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    result = command("run", "shop.py:plain", "--input", ORDER)
    assert result.code == 0
    assert "plain/reserve: 1 done\n" in result.err


def test_tree_on_a_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the progress is a tree; the result still stands alone on stdout."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    result = command("run", "shop.py:checkout", "--input", ORDER)
    assert (result.code, result.out) == (0, '"charge of 17"\n')
    assert "✓ \x1b[0mcharge" in result.err
    assert "charging" in result.err


def test_lines_on_a_terminal_that_has_no_such_marks(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the terminal's encoding lacks the marks of the tree, there are lines."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")
    result = command("run", "shop.py:plain", "--input", ORDER)
    assert "plain/reserve: 1 done\n" in result.err


def test_json_lines(command: Command) -> None:
    """With --json stdout has a line for each event, without values, and a last one for the outcome."""
    result = command("run", "shop.py:checkout", "--input", ORDER, "--json", "--run-id", "r")
    told = [json.loads(line) for line in result.out.splitlines()]
    assert [one["is"] for one in told] == ["Started", "StepSucceeded", "StepSucceeded", "Succeeded"]
    assert told[1] == {
        "is": "StepSucceeded",
        "path": "checkout/reserve",
        "at": told[1]["at"],
        "attempt": 1,
        "output": "…",
    }
    assert (told[3]["value"], told[3]["run_id"]) == ("charge of 17", "r")
    assert result.err == "charging\n"


def test_json_of_a_failed_run(command: Command) -> None:
    """With --json --quiet stdout has the outcome alone; a failure is told to people on stderr as ever."""
    result = command("run", "shop.py:checkout", "--input", '{"id": "17"}', "--json", "--quiet")
    (told,) = map(json.loads, result.out.splitlines())
    assert (result.code, told["is"], told["failure"]["message"]) == (1, "Failed", "nothing to charge")
    assert told["rollback"]["steps"] == [{"is": "Undone", "path": "checkout/reserve", "by": "undo"}]
    assert "checkout failed" in result.err


def test_many_items_write_few_lines(command: Command, folder: Folder) -> None:
    """A map of 2,000 items writes a line each time its count has doubled, and its last count."""
    folder.write(
        "many.py",
        """
        from orchestration import Workflow

        async def twice(number: int) -> int:
            return 2 * number

        many = Workflow[int]("many").pure(lambda count: range(count)).map(twice)
        """,
    )
    result = command("run", "many.py:many", "--input", "2000")
    assert result.code == 0
    assert len(json.loads(result.out)) == 2000
    assert result.err.count("\n") < 15
    assert result.err.endswith("many/twice[]: 2,000 done\n")
