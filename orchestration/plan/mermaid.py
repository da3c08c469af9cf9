"""A plan as a Mermaid flowchart: one row a construct, nested constructs as subgraphs, undos as dashed edges."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from orchestration.plan.nodes import Beside, Branch, Compensated, Compensation, Graph, Map, Node, Pure, Scope, Step
from orchestration.plan.report import said

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def edge(self, source: str, target: str, label: str = "") -> None:
        """Add an edge."""
        self.add(f'{source} -->|"{escape(label)}"| {target}' if label else f"{source} --> {target}")

    def open(self, title: str) -> None:
        """Open a subgraph."""
        self._count += 1
        self.add(f'subgraph n{self._count}["{escape(title)}"]')
        self._depth += 1

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
    ends = [draw(child, drawing) for child in node.children] or [(name := drawing.box(node.name), name)]
    for (_, left), (entered, _) in pairwise(ends):
        drawing.edge(left, entered)
    return ends[0][0], ends[-1][1]


def _scope(node: Scope, drawing: Drawing) -> Ends:
    drawing.open(node.name)
    ends = _chain(node, drawing)
    drawing.close()
    return ends


def _step(node: Step, drawing: Drawing) -> Ends:
    service = "" if node.body.service is None else f" · {node.body.service.rpartition(':')[2]}"
    name = drawing.box(node.name + service)
    if node.compensation is not None:
        _undo(name, node.compensation, drawing)
    return name, name


def _undo(name: str, compensation: Compensation, drawing: Drawing) -> None:
    undo = drawing.box(f"undo: {said(compensation.undo)}", "[/", "/]")
    drawing.add(f"{name} -.-> {undo}")


def _compensated(node: Compensated, drawing: Drawing) -> Ends:
    entered, left = draw(node.body, drawing)
    _undo(left, node.compensation, drawing)
    return entered, left


def _pure(node: Pure, drawing: Drawing) -> Ends:
    name = drawing.box(node.name, "(", ")")
    return name, name


def _beside(node: Beside, drawing: Drawing) -> Ends:
    drawing.open(f"{'tap' if node.combine is None else 'enrich'} {node.name}")
    ends = draw(node.body, drawing)
    drawing.close()
    return ends


def _branch(node: Branch, drawing: Drawing) -> Ends:
    choice = drawing.box(node.name, "{", "}")
    arms = [(_condition(arm.test, arm.kind), *draw(arm.node, drawing)) for arm in node.arms]
    if node.otherwise is not None:
        arms.append(("otherwise", *draw(node.otherwise, drawing)))
    merge = drawing.box(" ", "((", "))")
    for label, entered, left in arms:
        drawing.edge(choice, entered, label)
        drawing.edge(left, merge)
    return choice, merge


def _condition(test: Any, kind: Any) -> str:  # noqa: ANN401 - of an arm: one of the two
    return f"is {kind.__name__}" if test is None else f"when {said(test)}"


def _graph(node: Graph, drawing: Drawing) -> Ends:
    drawing.open(node.name + _cap(node.concurrency))
    fork = drawing.box(" ", "((", "))")
    ends = [draw(vertex.node, drawing) for vertex in node.vertices]
    join = drawing.box(" ", "((", "))")
    for entered, left in ends:
        drawing.edge(fork, entered)
        drawing.edge(left, join)
    drawing.close()
    return fork, join


def _map(node: Map, drawing: Drawing) -> Ends:
    drawing.open(f"for each: {node.name}{_cap(node.concurrency)}")
    ends = draw(node.body, drawing)
    drawing.close()
    return ends


def _cap(concurrency: int | None) -> str:
    return "" if concurrency is None else f" ≤ {concurrency}"


DRAW: dict[type[Node], Callable[..., Ends]] = {
    Step: _step,
    Pure: _pure,
    Beside: _beside,
    Compensated: _compensated,
    Scope: _scope,
    Branch: _branch,
    Graph: _graph,
    Map: _map,
}
