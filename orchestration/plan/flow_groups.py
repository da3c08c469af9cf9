"""Rows of `flow`: graphs, forks among them, and maps (S14-S16, S18)."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from orchestration.plan import options
from orchestration.plan.here import Arguments
from orchestration.plan.initials import check_initial
from orchestration.plan.report import said
from orchestration.plan.shapes import either, item_type, streaming, unordered
from orchestration.plan.topology import INPUT
from orchestration.plan.typenames import type_name
from orchestration.policies import Tolerate
from orchestration.results import Err, NotStarted, Ok

if TYPE_CHECKING:
    from orchestration.plan.here import Here
    from orchestration.plan.nodes import Graph, Into, Map, Vertex
    from orchestration.plan.topology import Need
    from orchestration.policies import Mode


def graph(node: Graph, here: Here) -> object:
    """Check the members of a graph in topological order; each gets what its needs give."""
    options.cap(node.concurrency, "concurrency", here)
    options.mode(node.mode, node.on_partial, here)
    names = tuple(vertex.node.name for vertex in node.vertices)
    if not names:
        mend = "Give it a member, or leave it out."
        here.add(found="a graph without members", expected="one at least", mend=mend)
    if node.topology.cycle:
        here.add(
            found=f"a cycle: {' → '.join(node.topology.cycle)}",
            expected="members that wait for one another in one direction only",
            mend="Take one of these needs out; for rounds use .loop(...).",
        )
    outputs: dict[Need, object] = {}
    for position in node.topology.order:
        vertex = node.vertices[position]
        _needs(vertex, names, here.at("named", vertex.node.name))
        outputs[vertex.node.name] = _member(vertex, outputs, here)
    given = _gives(node, names, here)
    results = [_result(node.mode, outputs[name], started=name in _roots(node)) for name in given]
    if node.mode == "race":
        return either(results)
    return results[0] if len(results) == 1 and not isinstance(node.gives, tuple | None) else tuple_of(results)


def tuple_of(items: list[object]) -> object:
    """Return the type of a tuple of items of these types."""
    return tuple[tuple(items)]  # type: ignore[misc]  # built at run time


def _roots(node: Graph) -> set[str]:
    """Return the members that wait for no other, hence always start."""
    return {vertex.node.name for vertex in node.vertices if set(vertex.needs) <= {INPUT}}


def _needs(vertex: Vertex, names: tuple[str, ...], here: Here) -> None:
    others = tuple(name for name in names if name != vertex.node.name)
    for need in vertex.needs:
        if need != INPUT and need not in names:
            here.add(
                found=f"the need {need!r}",
                expected=f"the name of another member: {', '.join(others) or 'there is none'}",
                mend=_meant(need, others, "Name a member, or add one of this name."),
            )


def _meant(name: object, names: tuple[str, ...], otherwise: str) -> str:
    close = get_close_matches(str(name), names, 1)
    return f"Did you mean {close[0]!r}?" if close else otherwise


def _member(vertex: Vertex, outputs: dict[Need, object], here: Here) -> object:
    needs = vertex.needs or (INPUT,)
    kinds = [here.given if need == INPUT else outputs.get(need, Any) for need in needs]
    sources = tuple(here.source if need == INPUT else str(need) for need in needs)
    if len(needs) == 1:
        return here.into("named", vertex.node, kinds[0], sources[0])
    role = f"a member with {len(needs)} needs ({', '.join(sources)})"
    arguments = Arguments(role, spread="It gets an argument from each of its needs", sources=sources)
    return here.into("named", vertex.node, tuple_of(kinds), " and ".join(sources), arguments)


def _gives(node: Graph, names: tuple[str, ...], here: Here) -> tuple[str, ...]:
    if node.gives is None:
        return names
    wanted = node.gives if isinstance(node.gives, tuple) else (node.gives,)
    if not wanted:
        mend = "Return one of the nodes, or a tuple of them."
        here.add(found="a graph that gives nothing", expected="the name of a member", mend=mend)
    for name in wanted:
        if name not in names:
            here.add(
                found=f"{name!r} as what the graph gives",
                expected=f"the name of a member: {', '.join(names)}",
                mend=_meant(name, names, "Name a member of this graph."),
            )
    return tuple(name for name in wanted if isinstance(name, str) and name in names)


def _result(mode: Mode, output: object, *, started: bool) -> object:
    """Return the type of a member's result: where failures are kept, the output in an `Ok`, or what else it ends in."""
    if mode != "collect" and not isinstance(mode, Tolerate):
        return output
    ok: Any = Ok
    return either([ok[output], Err] if started else [ok[output], Err, NotStarted])


def map_(node: Map, here: Here) -> object:
    """Check a map: the items that come, and what becomes of the results."""
    options.cap(node.concurrency, "concurrency", here)
    options.mode(node.mode, node.on_partial, here)
    item = items(here, "map")
    if isinstance(node.mode, Tolerate) and node.mode.ratio is not None and streaming(here.given):
        here.add(
            found=f"tolerate(ratio={node.mode.ratio}) on {type_name(here.given)}, of which nobody knows the end",
            expected="tolerate(count=...) on a stream",
            mend="Count the failures: tolerate(count=10).",
        )
    result = _result(node.mode, here.into("item", node.body, item, f"an item of {here.source}"), started=True)
    if node.into is not None:
        return _into(node, node.into, result, here)
    return result if node.mode == "race" else list[result]  # type: ignore[valid-type]  # built at run time


def items(here: Here, method: str) -> object:
    """Return the type of the items of what comes here, and note a problem if it has none or no order of them."""
    item = item_type(here.given)
    found = f"{type_name(here.given)} from {here.source}"
    if item is None:
        mend = f"Let the body before .{method}(...) return a list, or use .step(...) for a single value."
        here.add(found=found, expected="something to iterate over", mend=mend)
        return Any
    if unordered(here.given):
        expected = "items in a defined order: those of a set come in another one each time"
        mend = f"Put .pure(sorted) before .{method}(...), or let the body before it return a list."
        here.add(found=found, expected=expected, mend=mend)
    return item


def _into(node: Map, into: Into, result: object, here: Here) -> object:
    combine = into.combine
    if node.mode == "race":
        here.add(
            found="into(...) on a race",
            expected="results to fold: a race has one",
            mend="Leave one of the two out.",
        )
    check_initial(into.initial, combine.takes[0], said(combine), here)
    gets = "into's function gets the accumulator and a result"
    here.evaluated(combine, combine.takes[0], result, role="a combiner", source=f"map({node.name})", gets=gets)
    if combine.takes[0] is Any:
        return combine.gives
    here.report.fit(
        here.path, combine.gives, combine.takes[0], source=f"into({said(combine)})", body=combine, gets=AGAIN
    )
    return combine.takes[0]


AGAIN = "What it returns is the accumulator of the next call"
