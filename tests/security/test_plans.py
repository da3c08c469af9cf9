"""What stored plans and states of strangers can and cannot do (S12, S37)."""

from __future__ import annotations

import ast
import copy
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import orchestration
from orchestration import Workflow
from orchestration.errors import InvalidDocument, PlanErrors, UnresolvedReference
from orchestration.interpreter.serial import state_from_data, state_to_data
from orchestration.plan.compile import Plan
from orchestration.plan.registry import Registry
from tests.machine import Machine
from tests.security import bodies

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], object]

STORED = json.loads(bodies.shop.compile().to_json())
REGISTRY = Registry(bodies)
REFUSED = (InvalidDocument, UnresolvedReference, PlanErrors)


def changed(change: Change) -> str:
    """Return the stored plan with a change in its root."""
    document = copy.deepcopy(STORED)
    change(document["plan"])
    return json.dumps(document)


def calling(ref: str) -> str:
    """Return the stored plan with another function in the place of its step's."""
    return changed(lambda root: root["children"][0]["body"].update(ref=ref))


def test_loading_a_plan_calls_and_imports_nothing() -> None:
    """S37: what a plan names is looked up in the registry; no module is imported for it, and no function called."""
    before = set(sys.modules)
    bodies.CALLED.clear()
    for ref in ("this:anything", "xml.sax.expatreader:create_parser", "os:system", "builtins:eval"):
        with pytest.raises(UnresolvedReference):
            Plan.from_json(calling(ref), REGISTRY)
    Plan.from_json(json.dumps(STORED), REGISTRY)
    assert set(sys.modules) == before
    assert bodies.CALLED == []


@pytest.mark.parametrize("ref", ["subprocess:run", "subprocess:Popen", "subprocess:Popen.communicate"])
def test_a_plan_cannot_call_what_a_registered_module_imports(ref: str) -> None:
    """S37: `Registry(module)` gives the functions and classes that the module defines, of what it imports the types."""
    with pytest.raises(UnresolvedReference, match="registry"):
        Plan.from_json(calling(ref), REGISTRY)


def test_a_fingerprint_is_no_signature() -> None:
    """S1: whoever can write a plan can write its fingerprint: another arrangement of registered functions is a plan."""
    forged = Workflow[int]("shop").step(bodies.refund).compile()
    assert Plan.from_json(forged.to_json(), REGISTRY) == forged
    text = changed(lambda root: root["children"][0].update(retry=None))
    with pytest.raises(InvalidDocument, match="fingerprint"):
        Plan.from_json(text, REGISTRY)


def nested(levels: int) -> Change:
    """Return a change that puts the step into so many workflows."""

    def change(root: dict[str, Any]) -> None:
        for _ in range(levels):
            root["children"] = [{"is": "Scope", "name": "s", "takes": "int", "children": root["children"]}]

    return change


def folding(initial: object) -> Change:
    """Return a change that puts a fold with a first accumulator before the step."""
    fold = {"is": "Fold", "name": "fold", "initial": initial, "body": STORED["plan"]["children"][0]}
    return lambda root: root["children"].insert(0, fold)


def typed(name: str) -> Change:
    """Return a change of the type that the plan takes."""
    return lambda root: root.update(takes=name)


HOSTILE: dict[str, Change] = {
    "nesting": nested(200),
    "arity": lambda root: root["children"][0]["body"].update(arity=10**9),
    "attempts": lambda root: root["children"][0]["retry"].update(max_attempts=10**400),
    "a delay that is no number": lambda root: root["children"][0]["retry"].update(initial_delay=float("nan")),
    "a long name": lambda root: root.update(name="a" * 5_000_000),
    "many wrong names below a long one": lambda root: root.update(
        name="a" * 500_000, children=[{**root["children"][0], "name": f"!{n}"} for n in range(2000)]
    ),
    "a surrogate": lambda root: root.update(name="\udc80"),
    "signs": typed(f"Literal[{'-' * 100_000}1]"),
    "brackets": typed(f"Literal[{'(' * 100_000}]"),
    "digits": typed(f"Literal[{'9' * 100_000}]"),
    "a dict for a literal": typed("Literal[{}]"),
    "escapes": typed("Literal[b'" + "\\" * 100_000 + "]"),
    "a class that is not registered": folding({"$type": "os:stat_result", "fields": {}}),
    "a file for a time zone": folding({"$datetime": "2026-01-01T00:00[/etc/passwd]"}),
    "a way out of the time zones": folding({"$datetime": "2026-01-01T00:00[../../etc/passwd]"}),
    "a long number": folding({"$timedelta": "9" * 100_000}),
    "an unknown tag": folding({"$pickle": "gASVBQAAAA=="}),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_plan_is_refused_by_a_typed_error(change: Change) -> None:
    """S37: never another exception, and never more work than the text is worth."""
    with pytest.raises(REFUSED):
        Plan.from_json(changed(change), REGISTRY)


def test_brackets_without_end_are_refused() -> None:
    """S37: the JSON parser's own limit becomes a typed error."""
    with pytest.raises(InvalidDocument):
        Plan.from_json("[" * 10_000_000, REGISTRY)


@pytest.mark.parametrize("change", [typed("a" * 1_000_000), typed("a." * 500_000 + ":")])
def test_an_unknown_name_is_searched_in_linear_time(change: Change) -> None:
    """S37: a regular expression that goes back from each letter would take hours here, and the test run ends it."""
    with pytest.raises(UnresolvedReference):
        Plan.from_json(changed(change), REGISTRY)


def deep(levels: int) -> object:
    """Return lists in lists."""
    data: object = []
    for _ in range(levels):
        data = [data]
    return data


@pytest.mark.parametrize(
    "root",
    [
        deep(5000),
        {"is": "Node", "number": 10**30},
        {"is": "RunStep", "path": "shop/charge", "value": {"$type": "subprocess:Popen", "fields": {"args": "ls"}}},
        {"is": "eval", "source": "1"},
    ],
    ids=["nesting", "node", "class", "kind"],
)
def test_a_hostile_state_is_refused_by_a_typed_error(root: object) -> None:
    """S37: kinds are looked up in a table, nodes in the plan, classes among those that the plan names."""
    plan = bodies.shop.compile()
    data: Any = state_to_data(plan, Machine(plan, 1).state)
    with pytest.raises(REFUSED):
        state_from_data(plan, {**data, "root": root})


def test_nothing_here_runs_text_or_unpickles_what_it_was_given() -> None:
    """S37: what can turn data into code is used in a few places, each of which gets no data from outside."""
    package = Path(orchestration.__file__).parent
    found = {
        (str(file.relative_to(package)), name)
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in dangers(node)
    }
    assert found == {
        ("__init__.py", "importlib"),  # a part of the library, by its own name
        ("cli/loading.py", "importlib"),  # the file or module that a person named
        ("cli/loading.py", "importlib.util"),
        ("engines/temporal_missing.py", "importlib.util"),  # whether a package is installed, by its own name
        ("observe/otel_missing.py", "importlib.util"),
        ("render/raster.py", "importlib"),  # a package by its own name, when pixels are asked for
        ("frozen.py", "exec"),  # of a text made from the library's own classes
        ("frozen.py", "compile"),
        ("runtime/processes.py", "pickle"),  # between a process and the one that it started
    }


def dangers(node: ast.AST) -> list[str]:
    """Return what of a part of a module's code can turn data into code."""
    modules = {"pickle", "marshal", "shelve", "importlib", "subprocess", "runpy", "code", "ctypes"}
    match node:
        case ast.Import(names=names):
            return [name.name for name in names if name.name.partition(".")[0] in modules]
        case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in modules:
            return [module]
        case ast.Call(func=ast.Name(id="eval" | "exec" | "compile" | "__import__" as name)):
            return [name]
        case _:
            return []
