"""Types along the plan: what each node gets and gives, and what of it cannot fit (S6, S7, S13).

One row a construct. A row checks its node and returns the type of its output; `Any` says that nothing is known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ForwardRef, Union, cast, get_args

from orchestration.plan.nodes import Arm, Beside, Branch, Compensated, Compensation, Graph, Map, Node, Pure, Scope, Step
from orchestration.plan.shapes import item_type, tuple_items, union_members, unordered
from orchestration.plan.tree import child_path, children_of
from orchestration.plan.typenames import type_name
from orchestration.plan.types import Fit, fits
from orchestration.policies import Jitter, Retry

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
    report.callable(path, body, role="a step")
    if node.spread:
        items = tuple_items(given) or (Any,) * body.arity
        for item, takes in zip(items, body.takes, strict=False):
            report.fit(
                path, item, takes, source=source, body=body, gets="It gets an argument from each body of the fork"
            )
    else:
        report.fit(path, given, body.takes[0], source=source, body=body)
    if node.run_in not in (None, "loop", "thread"):
        mend = "Leave it out: an async function runs in the event loop, another in a thread."
        report.add(path, found=f"run_in={node.run_in!r}", expected='"loop" or "thread"', mend=mend)
    elif node.run_in == "thread" and body.asynchronous:
        report.add(
            path,
            found='run_in="thread" on an async function',
            expected="a plain function",
            mend="Leave run_in out: an async function runs in the event loop.",
        )
    if node.retry is not None:
        _retry(node.retry, path, report)
    if node.attempt_timeout is not None:
        _seconds(node.attempt_timeout, path, "attempt_timeout", report, mend="Leave it out for none.")
    if node.compensation is not None:
        _compensation(node.compensation, path, given, body.gives, node.name, report)
        if node.attempt_timeout is not None and node.compensation.in_doubt is None:
            report.warn(
                path,
                found="an undo and an attempt_timeout, but no in_doubt",
                expected="a handler for an attempt that timed out: its effect may or may not have landed",
                mend="Write .compensate(undo, in_doubt=f), f takes the step's input; or leave attempt_timeout out.",
            )
    return body.gives


def _compensation(
    compensation: Compensation, path: str, given: object, output: object, source: str, report: Report
) -> None:
    undo, in_doubt = compensation.undo, compensation.in_doubt
    report.callable(path, undo, role="a compensation")
    gets = "An undo gets the output of what it undoes"
    report.fit(path, output, undo.takes[0], source=source, body=undo, gets=gets)
    _retry(compensation.retry, path, report, of=" of the compensation")
    option = "timeout of the compensation"
    _seconds(compensation.timeout, path, option, report, mend="Leave it out for 30 seconds an attempt.")
    if in_doubt is not None:
        report.callable(path, in_doubt, role="an in-doubt handler")
        gets = "An in-doubt handler gets what its step got"
        report.fit(path, given, in_doubt.takes[0], source=f"the input of {source}", body=in_doubt, gets=gets)


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
            found=f"a second undo of {inner.name}"
            if inner is node.body
            else f"an undo for the whole, and another on {inner.name} inside",
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
    _evaluated(node.body, path, (given,), source, report, role="a pure step")
    return node.body.gives


def _evaluated(
    body: Body,
    path: str,
    given: tuple[object, ...],
    source: str,
    report: Report,
    *,
    role: str,
    gets: str | None = None,
) -> None:
    report.callable(path, body, role=role)
    report.synchronous(path, body, role=role)
    for value, takes in zip(given, body.takes, strict=True):
        report.fit(path, value, takes, source=source, body=body, gets=gets)


def _beside(node: Beside, path: str, given: object, source: str, report: Report) -> object:
    output = flow(node.body, path, given, source, report)
    if node.combine is None:
        return given
    gets = "A combiner gets the value before and the output of the body"
    source = f"enrich({node.body.name})"
    _evaluated(node.combine, path, (given, output), source, report, role="a combiner", gets=gets)
    return node.combine.gives


def _scope(node: Scope, path: str, given: object, source: str, report: Report) -> object:
    if fits(given, node.takes) is Fit.MISFITS:
        report.add(
            path,
            found=f"{type_name(given)} from {source}",
            expected=f"{type_name(node.takes)}, which workflow {node.name!r} takes",
            mend="Change one of the two, or convert the value with .pure(...) before it.",
        )
    if isinstance(node.takes, str | ForwardRef):
        mend = "Write the type without quotes: Workflow[Order]."
        report.add(path, found=f"{node.takes!r} as the type it takes", expected="a type", mend=mend)
    if not isinstance(cast("object", node.version), str):
        mend = f'Write version="{node.version}".'
        report.add(path, found=f"version={node.version!r}", expected="a str", mend=mend)
    value, origin = (given if node.takes is Any else node.takes), f"the input of workflow {node.name!r}"
    for child in node.children:
        value = flow(child, f"{path}/{child.name}", value, origin, report)
        origin = child.name
    return value


def _branch(node: Branch, path: str, given: object, source: str, report: Report) -> object:
    outputs = [_arm(arm, child_path(path, "named", arm.node.name), given, source, report) for arm in node.arms]
    if not node.arms:
        mend = "Add .when(predicate, body) or .case(Kind, body) first, or use .step(body) for every value."
        report.add(path, found="a branch without arms", expected="one arm at least", mend=mend)
    if node.otherwise is not None:
        outputs.append(flow(node.otherwise, child_path(path, "named", node.otherwise.name), given, source, report))
    elif not node.exhaustive:
        mend = "Close the branch with .otherwise(body), or with .exhaustive() if the arms cover a declared union."
        report.add(path, found="a branch that can match nothing", expected="otherwise or exhaustive", mend=mend)
    elif node.arms and all(arm.kind is None or _is_class(arm.kind) for arm in node.arms):
        _covered(node, path, given, report)
    return _union(outputs)


def _arm(arm: Arm, path: str, given: object, source: str, report: Report) -> object:
    if arm.test is not None:
        gets = "A predicate gets the value that comes to the branch"
        _evaluated(arm.test, path, (given,), source, report, role="a predicate", gets=gets)
        return flow(arm.node, path, given, source, report)
    if not _is_class(arm.kind):
        mend = "Give each class a .case of its own, or use .when(predicate, body)."
        report.add(path, found=f"case({_shown(arm.kind)})", expected="a class that isinstance takes", mend=mend)
        return flow(arm.node, path, Any, source, report)
    return flow(arm.node, path, arm.kind, f"case({type_name(arm.kind)})", report)


def _is_class(kind: object) -> bool:
    """Tell whether `isinstance` takes it as a class; not every protocol is one, nor is a TypedDict."""
    try:
        isinstance(None, cast("type", kind))
    except TypeError:
        return False
    return isinstance(kind, type)


def _shown(kind: object) -> str:
    return repr(kind) if type_name(kind) == "Any" and kind is not Any else type_name(kind)


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
        first = missing[0]
        mend = "Close the branch with .otherwise(body)."
        if isinstance(first, type):
            case = "type(None)" if first is type(None) else first.__qualname__
            mend = f"Add .case({case}, body), or close the branch with .otherwise(body)."
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
    elif unordered(given):
        report.add(
            path,
            found=f"{type_name(given)} from {source}",
            expected="items in a defined order: those of a set come in another one each time",
            mend="Put .pure(sorted) before .map(...), or let the body before it return a list.",
        )
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


def _seconds(seconds: object, path: str, option: str, report: Report, *, mend: str) -> None:
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not (number and 0 < seconds < math.inf):  # type: ignore[operator]  # number says it is one
        report.add(path, found=f"{seconds!r} as {option}", expected="a finite number of seconds above 0", mend=mend)


def _retry(retry: object, path: str, report: Report, *, of: str = "") -> None:
    if not isinstance(retry, Retry):
        mend = "Write retry=Retry(max_attempts=3), or leave it out."
        report.add(path, found=f"{retry!r} as retry{of}", expected="a Retry", mend=mend)
        return
    attempts, numbers = cast("object", retry.max_attempts), {name: getattr(retry, name) for name in FINITE}
    if not isinstance(attempts, int) or isinstance(attempts, bool):
        mend = "It counts the first attempt."
        report.add(path, found=f"a retry{of} with max_attempts={attempts!r}", expected="a whole number", mend=mend)
    odd = ", ".join(f"{name}={number}" for name, number in numbers.items() if not math.isfinite(number))
    if odd:
        mend = "Give large numbers instead."
        report.add(path, found=f"a retry{of} with {odd}", expected="finite numbers", mend=mend)
    if retry.jitter not in get_args(Jitter):
        mend = 'Leave it out for "full".'
        expected = '"full", "equal" or "none"'
        report.add(path, found=f"a retry{of} with jitter={retry.jitter!r}", expected=expected, mend=mend)


FINITE = ("initial_delay", "factor", "max_delay")
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
