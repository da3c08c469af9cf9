"""What is wrong with a plan as a whole: nodes that stand where they have no effect, signals of two types (S6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.plan.nodes import Cleanup, Compensated, Graph, Map, Pivot, Recover, Retried, Scope, WaitFor
from orchestration.plan.tree import child_path, children_of
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from orchestration.plan.nodes import Node
    from orchestration.plan.report import Report

CHAINED = (Recover, Cleanup, Pivot)


def check_structure(root: Scope, report: Report) -> None:
    """Check what a node's place among the others decides."""
    _Structure(report).visit(root, root.name, ())


class _Structure:
    """One walk over a plan, and the signals that it has met."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.signals: dict[object, tuple[str, str]] = {}

    def visit(self, node: Node, path: str, above: tuple[Node, ...]) -> None:
        match node:
            case Scope() if above and node.max_concurrency is not None:
                self.report.add(
                    path,
                    found=f"max_concurrency={node.max_concurrency} on a workflow inside another",
                    expected="max_concurrency on the workflow that is run: it caps the attempts of a whole run",
                    mend="Give it to the outermost workflow, or use concurrency= of the map, fork or graph.",
                )
            case Recover() | Cleanup() | Pivot():
                self._chained(node, path, above)
            case WaitFor():
                self._signal(node, path)
            case _:
                pass
        for how, child in children_of(node):
            self.visit(child, child_path(path, how, child.name), (*above, node))

    def _chained(self, node: Recover | Cleanup | Pivot, path: str, above: tuple[Node, ...]) -> None:
        what, chain = type(node).__name__.lower(), above[-1]
        if not isinstance(chain, Scope):
            mend = f"Put it into the chain of a workflow of its own: Workflow(name).step(...).{what}(...)."
            self.report.add(path, found=f"a {what} outside of a chain", expected="a workflow around it", mend=mend)
            return
        first = chain.children[0] is node
        if isinstance(node, Recover) and first:
            mend = "Put it behind the steps whose failure it recovers from."
            self.report.add(path, found="a recover with nothing before it", expected="a step before it", mend=mend)
        if isinstance(node, Pivot):
            self._pivot(path, above, first=first)

    def _pivot(self, path: str, above: tuple[Node, ...], *, first: bool) -> None:
        outer = next((name for node in above if (name := _undone_as_a_whole(node)) is not None), None)
        if outer is not None:
            self.report.add(
                path,
                found=f"a pivot inside {outer}",
                expected="a place whose steps nobody has to undo to go on",
                mend="Put the pivot behind it, where its success is certain.",
            )
        elif first:
            self.report.warn(
                path,
                found="a pivot with nothing before it",
                expected="a step before it: a pivot keeps what stands before it in the chain",
                mend="Move it behind the step that cannot be undone, or leave it out.",
            )

    def _signal(self, node: WaitFor, path: str) -> None:
        kind = type_name(node.kind)
        known, at = self.signals.setdefault(node.signal, (kind, path))
        if known != kind:
            self.report.add(
                path,
                found=f"signal {node.signal!r} of type {kind}",
                expected=f"{known}, as at {at}: a signal's name has one type",
                mend="Use the same Signal in both places, or give one of them another name.",
            )


def _undone_as_a_whole(node: Node) -> str | None:
    match node:
        case Retried():
            return f"{node.name}, which is retried as a whole"
        case Compensated():
            return f"{node.name}, which is undone as a whole"
        case Graph() | Map() if node.mode == "race":
            return f"an arm of {node.name}, which is a race"
        case _:
            return None
