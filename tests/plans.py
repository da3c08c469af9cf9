"""Random plans from int to int, and random runs of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from orchestration import Retry, Workflow, step
from orchestration.interpreter.effects import RunStep, RunUndo, StartTimer
from orchestration.plan.nodes import Branch, Graph, Map, Node, Scope
from orchestration.plan.tree import children_of
from tests.bodies import double, increase, is_even, pair_total, settle, spread, sum_of, total, undo, void

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.plan.compile import Plan
    from tests.machine import Machine

RETRY = Retry(max_attempts=2)
Flow = Workflow[Any, Any, Any]
KINDS = ("undo", "doubt", "retry", "step", "pure", "tap", "enrich", "sub", "branch", "fork", "map", "whole")


@st.composite
def workflows(draw: Callable[..., Any], depth: int = 3, name: str = "flow") -> Flow:
    """Draw a workflow of up to four nodes, nested up to `depth`."""
    flow: Flow = Workflow[int](name)
    kinds = KINDS if depth else KINDS[:6]
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)):
        flow = _extended(draw, flow, kind, depth)
    return flow


def _extended(draw: Callable[..., Any], flow: Flow, kind: str, depth: int) -> Flow:
    cap = draw(st.sampled_from([None, 1, 2]))
    match kind:
        case "step":
            return flow.step(increase)
        case "undo":
            return flow.step(increase).compensate(undo, retry=RETRY)
        case "doubt":
            return flow.step(increase).compensate(undo, in_doubt=settle, retry=RETRY)
        case "retry":
            return flow.step(increase, retry=RETRY).compensate(undo, retry=RETRY)
        case "pure":
            return flow.pure(double)
        case "tap":
            return flow.tap(_body(draw, depth))
        case "enrich":
            return flow.enrich(_body(draw, depth)).into(pair_total)
        case "sub":
            return flow.step(draw(workflows(depth - 1, "sub")))
        case "branch":
            return flow.branch().when(is_even, _body(draw, depth)).otherwise(_body(draw, depth))
        case "fork":
            return flow.fork(_body(draw, depth)).fork(_body(draw, depth)).join(concurrency=cap).pure(sum_of)
        case "map":
            return flow.pure(spread).map(_body(draw, depth), concurrency=cap).pure(total)
        case _:
            return flow.fork(increase).fork(increase).join(concurrency=cap).compensate(void, retry=RETRY).pure(sum_of)


def _body(draw: Callable[..., Any], depth: int) -> Any:
    if depth and draw(st.booleans()):
        return draw(workflows(depth - 1, "inner"))
    armed = step(increase).compensate(undo, retry=RETRY)
    return draw(st.sampled_from([armed, armed, increase]))


def act(draw: Callable[..., Any], run: Machine, paths: list[str]) -> None:
    """Draw one thing that may happen next in a run, and let it happen."""
    path = draw(st.sampled_from(paths))
    effect = run.pending[path]
    if isinstance(effect, RunStep | RunUndo):
        ends: list[str] = ["succeed"] * 4 + ["time out", "fail"]
        if path in run.cancelling:
            ends = ["succeed", "fail", "end", "end", "never started", "leak"]
        _end(run, path, draw(st.sampled_from(ends)), draw(st.integers(-3, 9)))
    elif isinstance(effect, StartTimer):
        run.fire(path)
    else:
        run.go_on(path)


def _end(run: Machine, path: str, how: str, output: int) -> None:
    match how:
        case "succeed":
            run.succeed(path, output)
        case "fail":
            run.fail(path)
        case "time out":
            run.time_out(path)
        case "end":
            run.end_cancelled(path)
        case "never started":
            run.end_cancelled(path, started=False)
        case _:
            run.leak(path)


def plan_order(plan: Plan, path: str) -> tuple[int, ...]:
    """Return where a path stands in plan order: chain order, declaration order, items by number (S4)."""
    return _order(plan.root, path.removeprefix(plan.root.name))


def _order(node: Node, rest: str) -> tuple[int, ...]:
    if not rest:
        return ()
    if isinstance(node, Map):
        number, _, after = rest[1:].partition("]")
        return (int(number), *_order(node.body, after))
    if isinstance(node, Scope | Branch | Graph):
        segment = rest[1:].partition("/")[0].partition("[")[0]
        for index, (_, child) in enumerate(children_of(node)):
            if child.name == segment:
                return (index, *_order(child, rest[1 + len(segment) :]))
    [(_, child)] = children_of(node)
    return _order(child, rest)


def scope_of(plan: Plan, path: str) -> str:
    """Return the path of the innermost workflow that a step lies in."""
    best, node, here, rest = "", plan.root, plan.root.name, path.removeprefix(plan.root.name)
    stack: list[tuple[Node, str, str]] = [(node, here, rest)]
    while stack:
        node, here, rest = stack.pop()
        if not rest and not isinstance(node, Scope):
            continue
        if isinstance(node, Scope) and len(here) >= len(best):
            best = here
        for how, child in children_of(node):
            if how == "same":
                stack.append((child, here, rest))
            elif how == "item" and rest.startswith("["):
                item = rest.partition("]")[0] + "]"
                stack.append((child, here + item, rest.removeprefix(item)))
            elif rest.startswith(f"/{child.name}") and rest[len(child.name) + 1 :][:1] in ("", "/", "["):
                stack.append((child, f"{here}/{child.name}", rest[len(child.name) + 1 :]))
    return best
