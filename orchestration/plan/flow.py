"""Types along the plan: what each node gets and gives, and what of it cannot fit (S6, S7, S13).

One row a construct. A row checks its node and returns the type of its output; `Any` says that nothing is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from orchestration.plan.nodes import (
    Arm,
    Beside,
    Branch,
    Compensated,
    Compensation,
    Graph,
    Map,
    Node,
    Pure,
    Scope,
    Step,
    child_path,
    children_of,
)
from orchestration.plan.shapes import item_type, tuple_items, union_members
from orchestration.plan.typenames import type_name
from orchestration.plan.types import Fit, fits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration.plan.body import Body
    from orchestration.plan.report import Report


def flow(node: Node, path: str, given: object, source: str, report: Report) -> object:
    """Check a node that gets a value of type `given` from `source`; return the type of its output."""
    row: Callable[[Any, str, object, str, Report], object] = FLOW[type(node)]
    return row(node, path, given, source, report)


def _step(node: Step, path: str, given: object, source: str, report: Report) -> object:
    body = node.body
    report.callable(path, body, role="step")
    if node.spread:
        items = tuple_items(given) or (Any,) * body.arity
        for item, takes in zip(items, body.takes, strict=False):
            report.fit(path, item, takes, source=source, body=body)
    else:
        report.fit(path, given, body.takes[0], source=source, body=body)
    if node.run_in == "thread" and body.asynchronous:
        report.add(
            path,
            found='run_in="thread" on an async function',
            expected="a plain function",
            mend="Leave run_in out: an async function runs in the event loop.",
        )
    if node.attempt_timeout is not None:
        _positive(node.attempt_timeout, path, "attempt_timeout", report)
    if node.compensation is not None:
        _compensation(node.compensation, path, given, body.gives, node.name, report)
    return body.gives


def _compensation(
    compensation: Compensation, path: str, given: object, output: object, source: str, report: Report
) -> None:
    undo, in_doubt = compensation.undo, compensation.in_doubt
    report.callable(path, undo, role="compensation")
    report.fit(path, output, undo.takes[0], source=source, body=undo)
    _positive(compensation.timeout, path, "timeout of the compensation", report)
    if in_doubt is not None:
        report.callable(path, in_doubt, role="in-doubt handler")
        report.fit(path, given, in_doubt.takes[0], source=f"the input of {source}", body=in_doubt)


def _compensated(node: Compensated, path: str, given: object, source: str, report: Report) -> object:
    output = flow(node.body, path, given, source, report)
    _compensation(node.compensation, path, given, output, node.name, report)
    if node.compensation.in_doubt is not None:
        report.add(
            path,
            found="in_doubt on a composite",
            expected="in_doubt on a step",
            mend="Give it to the step whose effect may be in doubt.",
        )
    inner = next(
        (below for below in _below(node.body) if isinstance(below, Step | Compensated) and _undoes(below)), None
    )
    if inner is not None:
        report.add(
            path,
            found=f"an undo for the whole, and another on {inner.name} inside",
            expected="one of the two",
            mend="Undo each step, or the whole: what is undone twice is undone wrongly.",
        )
    return output


def _undoes(node: Step | Compensated) -> bool:
    return node.compensation is not None


def _below(node: Node) -> Iterator[Node]:
    yield node
    for _, child in children_of(node):
        yield from _below(child)


def _pure(node: Pure, path: str, given: object, source: str, report: Report) -> object:
    _evaluated(node.body, path, (given,), source, report, role="pure step")
    return node.body.gives


def _evaluated(body: Body, path: str, given: tuple[object, ...], source: str, report: Report, *, role: str) -> None:
    report.callable(path, body, role=role)
    report.synchronous(path, body, role=role)
    for value, takes in zip(given, body.takes, strict=True):
        report.fit(path, value, takes, source=source, body=body)


def _beside(node: Beside, path: str, given: object, source: str, report: Report) -> object:
    output = flow(node.body, path, given, source, report)
    if node.combine is None:
        return given
    _evaluated(node.combine, path, (given, output), f"enrich({node.body.name})", report, role="combiner")
    return node.combine.gives


def _scope(node: Scope, path: str, given: object, source: str, report: Report) -> object:
    if fits(given, node.takes) is Fit.MISFITS:
        report.add(
            path,
            found=f"{type_name(given)} from {source}",
            expected=f"{type_name(node.takes)}, which workflow {node.name!r} takes",
            mend="Change one of the two, or convert the value with .pure(...) before it.",
        )
    value, origin = (given if node.takes is Any else node.takes), f"the input of workflow {node.name!r}"
    for child in node.children:
        value = flow(child, f"{path}/{child.name}", value, origin, report)
        origin = child.name
    return value


def _branch(node: Branch, path: str, given: object, source: str, report: Report) -> object:
    outputs = [_arm(arm, child_path(path, "named", arm.node.name), given, source, report) for arm in node.arms]
    if node.otherwise is not None:
        outputs.append(flow(node.otherwise, child_path(path, "named", node.otherwise.name), given, source, report))
    elif not node.exhaustive:
        mend = "Close the branch with .otherwise(body), or with .exhaustive() if the arms cover a declared union."
        report.add(path, found="a branch that can match nothing", expected="otherwise or exhaustive", mend=mend)
    else:
        _covered(node, path, given, report)
    return _union(outputs)


def _arm(arm: Arm, path: str, given: object, source: str, report: Report) -> object:
    if arm.test is not None:
        _evaluated(arm.test, path, (given,), source, report, role="predicate")
        return flow(arm.node, path, given, source, report)
    if not isinstance(arm.kind, type):
        report.add(path, found=f"case({arm.kind!r})", expected="a class", mend="Use .when(predicate, body) instead.")
    return flow(arm.node, path, arm.kind, f"case({type_name(arm.kind)})", report)


def _covered(node: Branch, path: str, given: object, report: Report) -> None:
    members = union_members(given)
    if members is None:
        report.add(
            path,
            found=f"exhaustive() over {type_name(given)}",
            expected="a value with a declared type: a class or a union of classes",
            mend="Annotate what the body before it returns, or close the branch with .otherwise(body).",
        )
        return
    kinds = tuple(arm.kind for arm in node.arms if isinstance(arm.kind, type))
    missing = [member for member in members if not (isinstance(member, type) and issubclass(member, kinds))]
    if missing:
        names = ", ".join(type_name(member) for member in missing)
        mend = f"Add .case({names.split(', ')[0]}, body), or close the branch with .otherwise(body)."
        report.add(path, found=f"no arm for {names}", expected=f"arms for all of {type_name(given)}", mend=mend)


def _graph(node: Graph, path: str, given: object, source: str, report: Report) -> object:
    _cap(node.concurrency, path, report)
    outputs = [
        flow(vertex.node, child_path(path, "named", vertex.node.name), given, source, report)
        for vertex in node.vertices
    ]
    return tuple[tuple(outputs)]  # type: ignore[misc]  # built at run time: one type an arm


def _map(node: Map, path: str, given: object, source: str, report: Report) -> object:
    _cap(node.concurrency, path, report)
    item = item_type(given)
    if item is None:
        report.add(
            path,
            found=f"{type_name(given)} from {source}",
            expected="something to iterate over",
            mend="Let the body before .map(...) return a list, or use .step(...) for a single value.",
        )
        item = Any
    output = flow(node.body, child_path(path, "item", ""), item, f"an item of {source}", report)
    return list[output]  # type: ignore[valid-type]  # built at run time


def _union(outputs: list[object]) -> object:
    if not outputs or any(output is Any for output in outputs):
        return Any
    return Union[tuple(outputs)]  # noqa: UP007 - built at run time


def _cap(concurrency: object, path: str, report: Report) -> None:
    whole = isinstance(concurrency, int) and not isinstance(concurrency, bool)
    if concurrency is not None and not (whole and concurrency >= 1):  # type: ignore[operator]  # whole says it is an int
        mend = "Leave it out for no cap."
        report.add(path, found=f"concurrency={concurrency!r}", expected="an int of at least 1", mend=mend)


def _positive(seconds: float, path: str, option: str, report: Report) -> None:
    if not seconds > 0:
        report.add(path, found=f"{option}={seconds!r}", expected="seconds above 0", mend="Leave it out for none.")


FLOW: dict[type[Node], Callable[..., object]] = {
    Step: _step,
    Pure: _pure,
    Beside: _beside,
    Compensated: _compensated,
    Scope: _scope,
    Branch: _branch,
    Graph: _graph,
    Map: _map,
}
