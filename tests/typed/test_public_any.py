"""Where the public surface says `Any`, and why: an `Any` takes everything, and hides what it is from a checker."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import orchestration
import orchestration.testing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Each place once, by the reason that it has. A parameter of type `Any` takes whatever a user has; a type argument
# `Any` stands for all types where the code looks at none of them.
EXPLAINED = {
    "its needs are of any number: beyond five, a body takes what no signature can say": (
        "Graph.node(body): Callable[..., Any] | Workflow[Any, Any, Any]",
        "Graph.node -> Node[Any, Any]",
    ),
    "a name is text: what the node of that name gives is known when it is compiled": (
        "Graph.__getitem__ -> Node[Any, Any]",
    ),
    "one of any type will do, the type does not come back": (
        "FakeHandler.__init__(real): bool | Services[Any]",
        "LawsBroken.__init__(broken): Sequence[tuple[Law[Any], Exception]]",
        "LocalEngine.__init__(workflows): Iterable[Compilable[Any, Any, R]] | None",
        "Node.__init__(graph): Graph[Any]",
        "Trace.check_same(other): Trace[Any]",
        "Worker.__init__(begun): Callable[[Handle[Any]], object] | None",
        "Worker.__init__(engine): LocalEngine[Any]",
        "explore(signals): Iterable[tuple[Signal[Any] | str, object]]",
        "simulate(signals): Iterable[tuple[Signal[Any] | str, object]]",
    ),
    "a fake answers for the services, whichever they are": (
        "FakeHandler.run(workflow): Compilable[In, Out, Any]",
        "explore(workflow): Compilable[In, Out, Any]",
        "replay(workflow): Compilable[In, Out, Any]",
        "simulate(workflow): Compilable[In, Out, Any]",
    ),
    "the output of a tap is dropped": ("Workflow.tap(body): Workflow[Out, Any, S]",),
    "a run id is text: whoever goes on with a run says of which type it is": ("LocalEngine.resume -> Handle[Any]",),
    "a reference is text: what it names is looked up": (
        "Registry.function -> Any",
        "Registry.type -> Any",
        "Services.resolve -> Callable[..., Any]",
    ),
    "what a step gives in a test, whichever step it is": (
        "Answer.returns: Any",
        "FakeHandler.on(returns): Any",
        "answers(returns): Any",
        "explore(default): Any",
        "simulate(default): Any",
    ),
    "runs of several workflows come here": (
        "Counterexample.trace -> Trace[Any]",
        "Exploration.example -> Trace[Any]",
        "Finding.trace: Trace[Any]",
        "Trace.inputs -> list[Any]",
        "about -> Callable[[Callable[[Trace[Any]], object]], OfTrace]",
    ),
    "asyncio's own signatures": (
        "VirtualLoop.create_task(coro): Coroutine[Any, Any, Any]",
        "VirtualLoop.create_task(options): Any",
        "VirtualLoop.create_task -> asyncio.Task[Any]",
        "VirtualLoop.run_in_executor(func): Callable[..., Any]",
        "VirtualLoop.waiting -> list[asyncio.Task[Any]]",
    ),
}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_every_public_any_is_explained() -> None:
    """What `orchestration` and `orchestration.testing` export says `Any` only where a reason is written down."""
    explained = {place for places in EXPLAINED.values() for place in places}
    found = set(public_anys())
    assert sorted(found - explained) == [], "give it a type, or say above why there is none"
    assert sorted(explained - found) == [], "this is gone: remove its line above"


def test_an_any_is_found_wherever_a_checker_sees_it() -> None:
    """The test above can fail: parameters, results and fields are read, also deep inside, and each overload."""
    module = ast.parse(
        "class Some:\n"
        "    field: list[Any]\n"
        "    _hidden: Any\n"
        "    def plain(self, one: int, *rest: Any, **options: dict[str, Any]) -> int: ...\n"
        "    @overload\n"
        "    def two(self, one: Any) -> int: ...\n"
        "    @overload\n"
        "    def two(self, one: int) -> Any: ...\n"
        "    def two(self, one: Any) -> Any: ...\n"  # the implementation, which no caller sees
        "    def _private(self, one: Any) -> None: ...\n"
    )
    assert isinstance(module.body[0], ast.ClassDef)
    assert list(anys_of(module.body[0].body, "Some.")) == [
        "Some.field: list[Any]",
        "Some.plain(rest): Any",
        "Some.plain(options): dict[str, Any]",
        "Some.two(one): Any",
        "Some.two -> Any",
    ]


def public_anys() -> Iterator[str]:
    """Yield each place of the exported classes, with their bases, and functions, where the source says `Any`."""
    for module in (orchestration, orchestration.testing):
        for name in module.__all__:
            exported = getattr(module, name)
            if inspect.isclass(exported):
                for kind in inspect.getmro(exported):
                    if kind.__module__.startswith("orchestration"):
                        (found,) = definitions(kind)
                        assert isinstance(found, ast.ClassDef)
                        yield from anys_of(found.body, f"{kind.__name__}.")
            elif inspect.isfunction(exported):
                yield from anys_of(definitions(exported), "")


def definitions(exported: type | object) -> Sequence[ast.stmt]:
    """Return the statements of a module that define a class, or a function with its overloads."""
    path = inspect.getsourcefile(exported)  # type: ignore[arg-type]  # a class or a function
    name = getattr(exported, "__name__", "")
    body = ast.parse(Path(path or "").read_text(encoding="utf-8")).body
    return [
        it for it in body if isinstance(it, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and it.name == name
    ]


def anys_of(body: Sequence[ast.stmt], prefix: str) -> Iterator[str]:
    """Yield the places of a body that a checker sees: public, and not the implementation of overloads."""
    overloaded = {it.name for it in body if isinstance(it, FUNCTIONS) and is_overload(it)}
    for it in body:
        if isinstance(it, ast.AnnAssign) and isinstance(it.target, ast.Name) and not it.target.id.startswith("_"):
            yield from said(it.annotation, f"{prefix}{it.target.id}: ")
        if not isinstance(it, FUNCTIONS) or (it.name.startswith("_") and not it.name.startswith("__")):
            continue
        if it.name in overloaded and not is_overload(it):
            continue
        taken = it.args
        for one in (*taken.posonlyargs, *taken.args, taken.vararg, *taken.kwonlyargs, taken.kwarg):
            if one is not None:
                yield from said(one.annotation, f"{prefix}{it.name}({one.arg}): ")
        yield from said(it.returns, f"{prefix}{it.name} -> ")


def is_overload(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function is one of several overloads."""
    return any(isinstance(it, ast.Name) and it.id == "overload" for it in function.decorator_list)


def said(annotation: ast.expr | None, place: str) -> Iterator[str]:
    """Yield a place if its annotation says `Any`."""
    if annotation is not None and any(isinstance(it, ast.Name) and it.id == "Any" for it in ast.walk(annotation)):
        yield place + ast.unparse(annotation)
