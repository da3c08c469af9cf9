"""Names, paths and numbers (S4): every node gets a name that is unique among its siblings, and its number."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, cast

from orchestration.frozen import evolve
from orchestration.plan.nodes import Graph
from orchestration.plan.tree import child_path, children_of, with_children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.plan.nodes import Node, Scope
    from orchestration.plan.report import Report
    from orchestration.plan.topology import Need

MOST_LETTERS = 255  # of a name: a path joins many, and a message or a key repeats it
NAME = re.compile(rf"[A-Za-z_][\w.-]{{0,{MOST_LETTERS - 1}}}", re.ASCII)
DEFAULTED = "\0"  # stands before a name that nobody gave; no legal name has it, and nobody writes it


def defaulted(name: str) -> str:
    """Mark a name as not given by the caller: among siblings it may become `name_2` (S4)."""
    plain = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    return DEFAULTED + (plain if NAME.fullmatch(plain) else f"_{plain}")


def name_all(root: Scope, report: Report) -> Scope:
    """Return the tree with all names filled in and all nodes numbered in preorder."""
    given = root.name.removeprefix(DEFAULTED)
    _check(given, given or "workflow", report)
    return cast("Scope", _named(evolve(root, name=given), given, report, count()))


def _named(node: Node, path: str, report: Report, numbers: Iterator[int]) -> Node:
    numbered = evolve(node, number=next(numbers))
    children = children_of(numbered)
    names = iter([*_unique([child.name for how, child in children if how == "named"], path, report)])
    done = []
    for how, child in children:
        name = next(names) if how == "named" else child.name.removeprefix(DEFAULTED)
        done.append(_named(evolve(child, name=name), child_path(path, how, name), report, numbers))
    complete = with_children(numbered, tuple(done))
    return _needs_named(complete) if isinstance(complete, Graph) else complete


def _needs_named(graph: Graph) -> Graph:
    """Replace needs that are positions by the names that stand there; what is out of range stays for the checks."""
    names = dict(enumerate(vertex.node.name for vertex in graph.vertices))

    def final(need: Need) -> Need:
        return names.get(need, need) if isinstance(need, int) else need

    vertices = tuple(evolve(vertex, needs=tuple(map(final, vertex.needs))) for vertex in graph.vertices)
    gives = graph.gives
    if gives is not None:
        gives = tuple(map(final, gives)) if isinstance(gives, tuple) else final(gives)
    return evolve(graph, vertices=vertices, gives=gives)


def _unique(names: list[str], path: str, report: Report) -> Iterator[str]:
    taken: set[str] = set()
    for name in names:
        if name.startswith(DEFAULTED):
            continue
        _check(name, f"{path}/{name}", report)
        if name in taken:
            mend = "Give one of them another name=; only names that were not given are numbered."
            report.add(f"{path}/{name}", found=f"the name {name!r} twice", expected="names unique here", mend=mend)
        taken.add(name)
    tried: dict[str, Iterator[int]] = {}
    for name in names:
        if not name.startswith(DEFAULTED):
            yield name
            continue
        plain = unique = name.removeprefix(DEFAULTED)
        _check(plain, f"{path}/{plain}", report)
        while unique in taken:
            unique = f"{plain}_{next(tried.setdefault(plain, count(2)))}"
        taken.add(unique)
        yield unique


def _check(name: str, path: str, report: Report) -> None:
    if not NAME.fullmatch(name):
        expected = "a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first"
        report.add(path, found=f"the name {name!r}", expected=expected, mend="Give it another name.")
