"""Random plans of all constructs, made of nodes, and random worlds for them.

Every body takes whatever comes, so any node may stand anywhere. No two waits of a plan are equal, so that hardly two
things happen at once.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from orchestration.errors import PlanWarning
from orchestration.plan.body import Body
from orchestration.plan.compile import Plan, compile_plan
from orchestration.plan.naming import defaulted
from orchestration.plan.nodes import (
    Arm,
    Beside,
    Branch,
    Cleanup,
    Compensated,
    Compensation,
    Fold,
    Graph,
    Into,
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
    Vertex,
    WaitFor,
)
from orchestration.plan.topology import INPUT
from orchestration.policies import Retry, Tolerate
from tests.model import bodies
from tests.model.bodies import (
    act,
    act_on_two,
    add,
    explode,
    is_even,
    is_far,
    settle,
    spread,
    squash,
    stream,
    tidy,
    undo,
)
from tests.model.script import TICKS, Script, Signal
from tests.model.sketch import sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Draw = Callable[..., Any]

SIGNALS = ("go", "on")
KINDS = (f"{bodies.__name__}.Declined", "ConnectionError", "OSError", "Exception", "ValueError")
LEAVES = (
    "step",
    "undo",
    "doubt",
    "patient",
    "hasty",
    "pure",
    "explode",
    "sleep",
    "wait",
    "cleanup",
    "pivot",
    "recover",
)
COMPOSITES = ("tap", "enrich", "scope", "branch", "fork", "graph", "map", "stream", "loop", "fold", "timed", "retried")
CHAINED = ("cleanup", "pivot", "recover", "wait", "map", "stream", "fold")  # mean something in a chain only
ALL = (*LEAVES, *COMPOSITES, "whole")


@dataclass(frozen=True)
class Where:
    """Where in a plan something is drawn, hence what may stand there."""

    depth: int
    pivots: bool = True  # S27: none inside a race, a retry or a compensated composite
    undos: bool = True  # S27: none inside a compensated composite
    kinds: tuple[str, ...] = ALL
    waits: Iterator[int] = field(default_factory=lambda: count(1))  # numbers all waits: none is of whole ticks
    left: list[None] = field(default_factory=lambda: [None] * 9)  # an item for each composite that may still be drawn

    @property
    def deep(self) -> bool:
        """Tell whether a composite may stand here."""
        return self.depth > 0 and bool(self.left)

    def below(self, *, pivots: bool = True, undos: bool = True) -> Where:
        """Return the place one deeper."""
        return replace(self, depth=self.depth - 1, pivots=self.pivots and pivots, undos=self.undos and undos)


def wait(draw: Draw, where: Where, most: int = 12) -> float:
    """Draw a number of seconds, another one for each wait of the plan."""
    return draw(st.integers(1, most * TICKS)) / TICKS + next(where.waits) / TICKS / 64


def retries(draw: Draw, where: Where) -> Retry:
    """Draw a policy without chance in it."""
    delay, kinds = wait(draw, where, 3), draw(st.sampled_from([("Exception",), ("OSError",)]))
    return Retry(draw(st.integers(2, 3)), delay, 2.0, 60.0, "none", retry_on=kinds)


def undoing(draw: Draw, *, in_doubt: bool = False) -> Compensation:
    """Draw how a step is undone."""
    retry = Retry(draw(st.integers(1, 2)), 1 / 8, jitter="none")
    return Compensation(Body.of(undo), Body.of(settle) if in_doubt else None, retry=retry)


def policies(draw: Draw) -> dict[str, Any]:
    """Draw what the compensations of a workflow do."""
    on_failure = draw(st.sampled_from(["hold", "hold", "continue", "halt"]))
    return {"on_undo_failure": on_failure, "compensate_on_cancel": draw(st.sampled_from([True, True, False]))}


def step(draw: Draw, kind: str, where: Where) -> Node:
    """Draw a step, by itself or with all that it can carry."""
    plain = Step(defaulted("act"), Body.of(act))
    armed = replace_step(plain, compensation=undoing(draw, in_doubt=kind != "undo")) if where.undos else plain
    match kind:
        case "step":
            return plain
        case "undo" | "doubt":
            return armed
        case "patient":
            return replace_step(armed, retry=retries(draw, where))
        case _:
            most = wait(draw, where)
            hasty = replace_step(armed, attempt_timeout=most, retry=draw(st.sampled_from([None, retries(draw, where)])))
            return Timed(hasty.name, hasty, most + wait(draw, where)) if draw(st.booleans()) else hasty


def replace_step(node: Step, **changes: Any) -> Step:
    """Return a step with some fields changed."""
    return Step(**({name: getattr(node, name) for name in ("name", "body", "compensation", "retry")} | changes))


def pure(function: Any) -> Pure:
    """Return a pure node."""
    return Pure(defaulted(function.__name__), Body.of(function))


@st.composite
def chains(draw: Draw, where: Where) -> tuple[Node, ...]:
    """Draw the nodes of a scope."""
    nodes: list[Node] = []
    kinds = [kind for kind in where.kinds if where.deep or kind not in COMPOSITES]
    least = draw(st.integers(1, 3))  # lists without this are mostly of one
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=least, max_size=5)):
        nodes += _links(draw, kind, where, first=not nodes)
    return tuple(nodes)


def _links(draw: Draw, kind: str, where: Where, *, first: bool) -> list[Node]:
    """Draw the links of a chain that make up one kind: a map, for one, comes with what gives it its items."""
    match kind:
        case "cleanup":
            retry = Retry(draw(st.integers(1, 2)), 1 / 8, jitter="none")
            return [Cleanup(defaulted("tidy"), Body.of(tidy), retry)]
        case "pivot":
            return [Pivot(defaulted("pivot"))] if where.pivots and not first else [pure(squash)]
        case "recover" if not first:
            on = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True))
            body = node(draw, where.below()) if where.deep else pure(squash)
            return [Recover(defaulted("recover"), body, tuple(on), on_partial(draw))]
        case "wait":
            body = WaitFor(defaulted("wait_for"), draw(st.sampled_from(SIGNALS)), int, draw(_maybe(Body.of(add, 2))))
            return [Timed(body.name, body, wait(draw, where))] if draw(st.booleans()) else [body]
        case "map" | "fold":
            return [pure(spread), _composite(draw, kind, where)] if where.deep else [pure(squash)]
        case "stream":
            return [pure(stream), _composite(draw, kind, where)] if where.deep else [pure(squash)]
        case _:
            return [_single(draw, kind, where)]


def _maybe(value: Any) -> Any:
    return st.sampled_from([None, value])


def on_partial(draw: Draw) -> Any:
    """Draw whether something goes on past what could not be undone."""
    return draw(st.sampled_from(["fail", "continue"]))


def node(draw: Draw, where: Where) -> Node:
    """Draw a single node that takes whatever comes."""
    kinds = [kind for kind in where.kinds if kind not in CHAINED and (where.deep or kind not in COMPOSITES)]
    kinds += ["scope"] * 4 if where.deep and "scope" in where.kinds else []
    return _single(draw, draw(st.sampled_from(kinds)), where)


def _single(draw: Draw, kind: str, where: Where) -> Node:
    match kind:
        case "step" | "undo" | "doubt" | "patient" | "hasty":
            return step(draw, kind, where)
        case "explode":
            return pure(explode)
        case "sleep":
            return Sleep(defaulted("sleep"), wait(draw, where))
        case _ if kind in COMPOSITES and where.deep:
            return _composite(draw, kind, where)
        case "whole" if where.deep and where.undos:
            body = _composite(
                draw, draw(st.sampled_from(["fork", "scope", "loop"])), where.below(pivots=False, undos=False)
            )
            return Compensated(body.name, body, undoing(draw))
        case _:
            return pure(squash)


def _composite(draw: Draw, kind: str, where: Where) -> Node:
    if where.left:
        where.left.pop()
    below = where.below()
    match kind:
        case "tap" | "enrich":
            body = node(draw, below)
            return Beside(body.name, body, Body.of(add, 2) if kind == "enrich" else None)
        case "scope":
            return Scope(defaulted("sub"), draw(chains(below)), **policies(draw))
        case "branch":
            arms = (Arm(node(draw, below), Body.of(is_even)),)
            return Branch(defaulted("branch"), arms, node(draw, below))
        case "fork" | "graph":
            return graph(draw, where, edges=kind == "graph")
        case "map" | "stream":
            return collection(draw, where, stream=kind == "stream")
        case "loop":
            check = draw(st.sampled_from(["until", "while"]))
            return Loop(defaulted("loop"), node(draw, below), Body.of(is_far, 2), check, draw(st.integers(1, 3)))
        case "fold":
            compensation = undoing(draw) if where.undos and draw(st.booleans()) else None
            body = Step("", Body.of(act_on_two, 2), compensation, retries(draw, where), spread=True)
            return Fold(defaulted("fold"), replace_name(body, "fold"), 1)
        case "timed":
            body = _composite(
                draw, draw(st.sampled_from(["scope", "fork", "retried"])), below if below.depth else where
            )
            return Timed(body.name, body, wait(draw, where, 20))
        case _:
            body = _composite(draw, draw(st.sampled_from(["scope", "fork", "loop"])), where.below(pivots=False))
            return Retried(body.name, body, retries(draw, where), on_partial(draw))


def replace_name(body: Step, name: str) -> Step:
    """Return a step under another name."""
    return Step(defaulted(name), body.body, body.compensation, body.retry, spread=body.spread)


def mode(draw: Draw, where: Where, *, stream: bool = False) -> tuple[Any, Any, Where]:
    """Draw a failure mode, what it makes of a partial rollback, and where its members stand."""
    tolerances = [Tolerate(count=0), Tolerate(count=1), *([] if stream else [Tolerate(ratio=0.5)])]
    drawn = draw(st.sampled_from(["fail_fast", "fail_fast", "collect", "race", *tolerances]))
    below = where.below(pivots=drawn != "race")
    return drawn, ("fail" if drawn == "fail_fast" else on_partial(draw)), below


def graph(draw: Draw, where: Where, *, edges: bool) -> Node:
    """Draw a fork or a graph; a member needs some of those before it, or the graph's own value."""
    how, partial, below = mode(draw, where)
    members = [node(draw, below) for _ in range(draw(st.integers(1 if edges else 2, 4 if edges else 3)))]
    needs: list[tuple[Any, ...]] = [() for _ in members]
    gives = None
    if edges:
        for position in range(1, len(members)):
            known = [INPUT, *range(position)]
            needs[position] = tuple(draw(st.lists(st.sampled_from(known), max_size=2, unique=True)))
        named = draw(st.lists(st.sampled_from(range(len(members))), max_size=2, unique=True))
        gives = None if not named else named[0] if len(named) == 1 else tuple(named)
    vertices = tuple(vertex(member, need) for member, need in zip(members, needs, strict=True))
    cap = draw(st.sampled_from([None, None, 1, 2]))
    return Graph(defaulted("graph" if edges else "fork"), vertices, cap, how, partial, gives)


def vertex(member: Node, needs: tuple[Any, ...]) -> Vertex:
    """Return a member that takes as many values as it needs."""
    if len(needs) < 2:
        return Vertex(member, needs)
    compensation = member.compensation if isinstance(member, Step) else None
    return Vertex(Step(defaulted("act"), Body.of(act_on_two, 2), compensation, spread=True), needs)


def collection(draw: Draw, where: Where, *, stream: bool) -> Node:
    """Draw a map over a list or a stream."""
    how, partial, below = mode(draw, where, stream=stream)
    into = draw(_maybe(Into(0, Body.of(add, 2)))) if how != "race" else None
    cap = draw(st.sampled_from([None, 1, 2]))
    return Map(defaulted("map"), node(draw, below), cap, how, partial, into)


@dataclass(frozen=True)
class Case:
    """A plan, its input and the world that it runs in."""

    plan: Plan
    value: int
    script: Script

    def __repr__(self) -> str:
        """Say it in a way that a person can read."""
        return f"\n{sketch(self.plan.root)}\n\nvalue: {self.value}\n{self.script}\n"

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 - how Hypothesis asks
        printer.text(repr(self))


@st.composite
def cases(draw: Draw, depth: int = 3, kinds: tuple[str, ...] = ALL) -> Case:
    """Draw a plan, an input and a world."""
    plan, script = draw(plans(depth, kinds)), draw(scripts())
    awaited = {node.signal for node in plan.nodes if isinstance(node, WaitFor)}
    script = replace(script, signals=tuple(signal for signal in script.signals if signal.name in awaited))
    if awaited and script.deadline is None:
        script = replace(script, deadline=99 + 1 / 8 / TICKS)  # else it might wait for ever
    return Case(plan, draw(st.integers(0, 9)), script)


@st.composite
def plans(draw: Draw, depth: int = 3, kinds: tuple[str, ...] = ALL) -> Plan:
    """Draw a plan."""
    root = Scope("flow", draw(chains(Where(depth, kinds=kinds))), **policies(draw))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlanWarning)  # an undo without an in-doubt handler is what is meant here
        return compile_plan(root)


@st.composite
def scripts(draw: Draw) -> Script:
    """Draw a world for a plan: mostly one in which a few things go wrong."""
    faults = st.lists(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4]), min_size=1, max_size=12).map(tuple)
    others = st.lists(st.integers(0, 5), min_size=1, max_size=6).map(tuple)
    at = st.one_of(st.none(), st.none(), st.integers(0, 15 * TICKS).map(lambda ticks: (ticks + 0.5) / TICKS))
    sent = st.integers(0, 15 * TICKS).map(lambda ticks: (ticks + 0.25) / TICKS)
    signal = st.builds(Signal, sent, st.sampled_from(SIGNALS), st.sampled_from("abcd"), st.integers(0, 9))
    return Script(
        seed=draw(st.integers(0, 2**16)),
        faults=draw(faults),
        cancel_faults=draw(others),
        undo_faults=draw(others),
        cancel_at=draw(at),
        deadline=draw(
            st.one_of(st.none(), st.none(), st.integers(1, 20 * TICKS).map(lambda ticks: (ticks + 0.125) / TICKS))
        ),
        signals=tuple(draw(st.lists(signal, max_size=4))),
    )
