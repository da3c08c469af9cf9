"""A plan as a Mermaid flowchart: one row a construct, nested constructs as subgraphs, undos as dashed edges."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, get_args

from orchestration.plan.nodes import (
    Arm,
    Beside,
    Branch,
    Cleanup,
    Compensated,
    Compensation,
    Fold,
    Graph,
    Loop,
    Map,
    Node,
    Pivot,
    Pure,
    Recover,
    Retried,
    Scope,
    Sleep,
    Step,
    Timed,
    WaitFor,
)
from orchestration.plan.report import said
from orchestration.plan.topology import INPUT
from orchestration.policies import Tolerate

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.policies import Mode

Ends = tuple[str, str]  # the ids by which a construct is entered and left


class Drawing:
    """Lines that grow, and ids that are unique."""

    def __init__(self) -> None:
        """Start an empty picture."""
        self.lines: list[str] = []
        self._count = 0
        self._depth = 1

    def add(self, line: str) -> None:
        """Add a line at the present depth."""
        self.lines.append("  " * self._depth + line)

    def box(self, text: str, left: str = "[", right: str = "]") -> str:
        """Add a shape with a text; return its id."""
        self._count += 1
        name = f"n{self._count}"
        self.add(f'{name}{left}"{escape(text)}"{right}')
        return name

    def edge(self, source: str, target: str, label: str = "", arrow: str = "-->") -> None:
        """Add an edge."""
        self.add(f'{source} {arrow}|"{escape(label)}"| {target}' if label else f"{source} {arrow} {target}")

    def open(self, title: str) -> str:
        """Open a subgraph; return its id."""
        self._count += 1
        name = f"n{self._count}"
        self.add(f'subgraph {name}["{escape(title)}"]')
        self._depth += 1
        return name

    def close(self) -> None:
        """Close the innermost subgraph."""
        self._depth -= 1
        self.add("end")


def escape(text: str) -> str:
    """Return a text with everything that Mermaid or HTML could read as markup as a character reference."""
    return "".join(char if char.isalnum() or char in " _-.,/[]≤:" else f"#{ord(char)};" for char in text)


def mermaid(root: Scope) -> str:
    """Return the flowchart of a plan."""
    drawing = Drawing()
    first = drawing.box("start", "([", "])")
    entered, left = _chain(root, drawing)
    drawing.edge(first, entered)
    drawing.edge(left, drawing.box("end", "([", "])"))
    return "\n".join(["flowchart TD", *drawing.lines, ""])


def draw(node: Node, drawing: Drawing) -> Ends:
    """Draw a node; return where it is entered and left."""
    row: Callable[[Any, Drawing], Ends] = DRAW[type(node)]
    return row(node, drawing)


def _chain(node: Scope, drawing: Drawing) -> Ends:
    return _line(node.children, drawing) or _box(drawing, node.name)


def _line(children: tuple[Node, ...], drawing: Drawing) -> Ends | None:
    """Draw nodes one behind the other; what a `Recover` covers is a subgraph that it is entered from."""
    last = max((index for index, child in enumerate(children) if isinstance(child, Recover)), default=None)
    ends = None
    if last is not None:
        ends = _recovered(children[:last], children[last], drawing)
        children = children[last + 1 :]
    for child in children:
        entered, left = draw(child, drawing)
        if ends is not None:
            drawing.edge(ends[1], entered)
        ends = (entered if ends is None else ends[0], left)
    return ends


def _recovered(covered: tuple[Node, ...], recover: Any, drawing: Drawing) -> Ends:  # noqa: ANN401 - a Recover
    risk = drawing.open(f"covered by {recover.name}")
    ends = _line(covered, drawing) or _box(drawing, " ")
    drawing.close()
    entered, left = draw(recover, drawing)
    merge = drawing.box(" ", "((", "))")
    drawing.edge(risk, entered, f"on {', '.join(kind.rpartition('.')[2] for kind in recover.on)}", "-.->")
    drawing.edge(left, merge)
    drawing.edge(ends[1], merge)
    return ends[0], merge


def _box(drawing: Drawing, text: str, left: str = "[", right: str = "]") -> Ends:
    name = drawing.box(text, left, right)
    return name, name


def _scope(node: Scope, drawing: Drawing) -> Ends:
    drawing.open(node.name)
    ends = _chain(node, drawing)
    drawing.close()
    return ends


def _recover(node: Recover, drawing: Drawing) -> Ends:
    return draw(node.body, drawing)


def _cleanup(node: Cleanup, drawing: Drawing) -> Ends:
    return _box(drawing, f"cleanup: {node.name}", "[\\", "\\]")


def _pivot(node: Pivot, drawing: Drawing) -> Ends:
    return _box(drawing, node.name, "{{", "}}")


def _sleep(node: Sleep, drawing: Drawing) -> Ends:
    return _box(drawing, f"sleep {node.seconds:g} s", ">")


def _wait_for(node: WaitFor, drawing: Drawing) -> Ends:
    return _box(drawing, f"wait for {node.signal}", ">")


def _timed(node: Timed, drawing: Drawing) -> Ends:
    return _inside(f"{node.name} within {node.timeout:g} s", node.body, drawing)


def _retried(node: Retried, drawing: Drawing) -> Ends:
    return _inside(f"{node.name}, up to {node.retry.max_attempts} attempts", node.body, drawing)


def _inside(title: str, body: Node, drawing: Drawing) -> Ends:
    drawing.open(title)
    ends = draw(body, drawing)
    drawing.close()
    return ends


def _step(node: Step, drawing: Drawing) -> Ends:
    service = "" if node.body.service is None else f" · {node.body.service.rpartition(':')[2]}"
    ends = _box(drawing, node.name + service)
    if node.compensation is not None:
        _undo(ends[1], node.compensation, drawing)
    return ends


def _undo(name: str, compensation: Compensation, drawing: Drawing) -> None:
    undo = drawing.box(f"undo: {said(compensation.undo)}", "[/", "/]")
    drawing.edge(name, undo, arrow="-.->")


def _compensated(node: Compensated, drawing: Drawing) -> Ends:
    entered, left = draw(node.body, drawing)
    _undo(left, node.compensation, drawing)
    return entered, left


def _pure(node: Pure, drawing: Drawing) -> Ends:
    return _box(drawing, node.name, "(", ")")


def _beside(node: Beside, drawing: Drawing) -> Ends:
    return _inside(f"{'tap' if node.combine is None else 'enrich'} {node.name}", node.body, drawing)


def _branch(node: Branch, drawing: Drawing) -> Ends:
    choice = drawing.box(node.name, "{", "}")
    arms = [(_condition(arm), *draw(arm.node, drawing)) for arm in node.arms]
    if node.otherwise is not None:
        arms.append(("otherwise", *draw(node.otherwise, drawing)))
    merge = drawing.box(" ", "((", "))")
    for label, entered, left in arms:
        drawing.edge(choice, entered, label)
        drawing.edge(left, merge)
    return choice, merge


def _condition(arm: Arm) -> str:
    if arm.test is not None:
        return f"when {said(arm.test)}"
    values = [str(value) if isinstance(value, Enum) else repr(value) for value in get_args(arm.kind)]
    return f"is {' or '.join(values) or arm.kind.__name__}"


def _graph(node: Graph, drawing: Drawing) -> Ends:
    drawing.open(node.name + _cap(node.concurrency) + _mode(node.mode))
    start = drawing.box(" ", "((", "))")
    ends = {vertex.node.name: draw(vertex.node, drawing) for vertex in node.vertices}
    end = drawing.box(" ", "((", "))")
    gives = tuple(ends) if node.gives is None else node.gives if isinstance(node.gives, tuple) else (node.gives,)
    for vertex in node.vertices:
        name = vertex.node.name
        for need in dict.fromkeys(vertex.needs or (INPUT,)):
            drawing.edge(start if need == INPUT else ends[str(need)][1], ends[name][0])
        if name in gives:
            drawing.edge(ends[name][1], end)
    drawing.close()
    return start, end


def _map(node: Map, drawing: Drawing) -> Ends:
    into = "" if node.into is None else f", into {said(node.into.combine)}"
    return _inside(f"for each: {node.name}{_cap(node.concurrency)}{_mode(node.mode)}{into}", node.body, drawing)


def _fold(node: Fold, drawing: Drawing) -> Ends:
    return _inside(f"fold: {node.name}", node.body, drawing)


def _loop(node: Loop, drawing: Drawing) -> Ends:
    drawing.open(f"{node.name}, up to {node.max_iterations} times")
    if node.check == "while":
        test = drawing.box(f"while {said(node.test)}", "{", "}")
        entered, left = draw(node.body, drawing)
        drawing.edge(test, entered, "yes")
        drawing.edge(left, test)
        ends = (test, test)
    else:
        entered, left = draw(node.body, drawing)
        test = drawing.box(f"until {said(node.test)}", "{", "}")
        drawing.edge(left, test)
        drawing.edge(test, entered, "no")
        ends = (entered, test)
    drawing.close()
    return ends


def _cap(concurrency: int | None) -> str:
    return "" if concurrency is None else f" ≤ {concurrency}"


def _mode(mode: Mode) -> str:
    """Say what becomes of failures, where not the first of them fails all."""
    if isinstance(mode, Tolerate):
        return f", tolerates {mode}"
    return "" if mode == "fail_fast" else f", {mode}"


DRAW: dict[type[Node], Callable[..., Ends]] = {
    Step: _step,
    Pure: _pure,
    Beside: _beside,
    Compensated: _compensated,
    Timed: _timed,
    Retried: _retried,
    Scope: _scope,
    Recover: _recover,
    Cleanup: _cleanup,
    Pivot: _pivot,
    Sleep: _sleep,
    WaitFor: _wait_for,
    Branch: _branch,
    Graph: _graph,
    Map: _map,
    Loop: _loop,
    Fold: _fold,
}
