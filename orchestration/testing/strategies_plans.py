"""Workflows, drawn: legal ones of the whole language, as a user would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from orchestration.dsl.graph import graph
from orchestration.dsl.single import step
from orchestration.dsl.workflow import Workflow
from orchestration.frozen import evolve, frozen
from orchestration.plan.hooks import gate, observer
from orchestration.policies import Retry, tolerate
from orchestration.signals import Signal
from orchestration.testing import strategies_bodies as bodies
from orchestration.testing.strategies_base import note, st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orchestration.dsl.graph_builder import Graph
    from orchestration.plan.compile import Plan

Flow: TypeAlias = "Workflow[int, Any, Any]"
Extend: TypeAlias = "Callable[[st.DrawFn, Any, Where], Any]"
SIGNALS = (Signal("go", int), Signal("on", int))
STEPS = (bodies.work, bodies.labour, bodies.falter)
KINDS = (ConnectionError, OSError, bodies.Faltered, Exception)
MOST = 4  # links of a chain


def fresh() -> Iterator[int]:
    """Return numbers for composites, of which a plan has so many at most."""
    return iter(range(8))


@frozen
class Where:
    """Where in a workflow something is drawn, hence what may stand there.

    `depth` is how much deeper it may go, `left` how many composites there may be yet. A pivot stands in no race, retry
    or compensated composite, and no undo in a compensated one (S27). Constructs `without` which to do are left out.
    """

    depth: int
    without: frozenset[str] = frozenset()
    pivots: bool = True
    undos: bool = True
    left: Iterator[int] = attrs.field(factory=fresh)

    def below(self, *, pivots: bool = True, undos: bool = True) -> Where:
        """Return the place one deeper."""
        return evolve(self, depth=self.depth - 1, pivots=self.pivots and pivots, undos=self.undos and undos)


def plans(*, depth: int = 3, without: Iterable[str] = ()) -> st.SearchStrategy[Plan]:
    """Draw plans: the compiled `workflows`."""
    return workflows(depth=depth, without=without).map(lambda flow: flow.compile())


def workflows(*, depth: int = 3, without: Iterable[str] = ()) -> st.SearchStrategy[Flow]:
    """Draw legal workflows of the whole language, from a number to a number, nested up to `depth`.

    For tests of what works on any workflow: an engine, a journal, a picture. Their bodies are small functions that do
    what they say, also on an engine, where some steps fail. Constructs named in `without` are left out: methods
    of a workflow, such as `"wait_for"`, and `"workflow"`, `"stream"`, `"timeout"`, `"retry"`, `"hooks"`. What needs a
    setting of an engine (`limit=`, a named executor, a service) is not drawn.

    Shrinks to a workflow of one node.

    Raises:
        ValueError: if `without` names no construct, or the step, without which there is nothing.
    """
    left_out = frozenset(without)
    unknown = ", ".join(sorted(left_out - set(CONSTRUCTS)))
    if unknown or "step" in left_out:
        known = ", ".join(CONSTRUCTS[1:])
        raise ValueError(f"without names constructs, found {unknown or 'step'}; what may be left out is {known}")
    return _workflow(Where(depth, left_out))


@st.composite
def _workflow(draw: st.DrawFn, where: Where) -> Flow:
    options: dict[str, Any] = {}
    if draw(st.booleans()):
        options = {
            "max_concurrency": draw(st.sampled_from([None, 1, 3])),
            "retry": draw(st.none() | _retries()),
            **_policies(draw, where),
        }
    root = evolve(where, left=fresh())
    flow: Flow = _chain(draw, Workflow[int]("flow", **options), root)
    note(f"The workflow:\n{flow.compile().to_mermaid()}")
    return flow


def _policies(draw: st.DrawFn, where: Where) -> dict[str, Any]:
    return {
        "on_undo_failure": draw(st.sampled_from(["hold", "continue", "halt"])),
        "compensate_on_cancel": draw(st.sampled_from([True, True, False])),
        "hooks": draw(_hooks()) if "hooks" not in where.without else (),
    }


def _chain(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401 - a workflow, of whatever type by now
    names = [name for name in (*LEAVES, *(COMPOSITES if where.depth > 0 else {})) if name not in where.without]
    least = draw(st.integers(1, MOST))  # lists without this are mostly of one
    kinds = draw(st.lists(st.sampled_from(names), min_size=least, max_size=MOST))
    first = True
    for kind in kinds:
        fits = not (first and kind in BEHIND) and not (kind == "pivot" and not where.pivots)
        room = kind not in COMPOSITES or next(where.left, None) is not None
        flow = EXTEND[kind if fits and room else "step"](draw, flow, where)
        first = False
    return flow


def _body(draw: st.DrawFn, where: Where) -> Any:  # noqa: ANN401 - a function, a step or a workflow
    """Draw what may stand wherever a body does."""
    if where.depth > 0 and next(where.left, None) is not None and draw(st.booleans()):
        return _sub(draw, where)
    return _armed(draw, step(draw(st.sampled_from(STEPS))), where)


def _sub(draw: st.DrawFn, where: Where) -> Any:  # noqa: ANN401 - a workflow, of whatever type by now
    return _chain(draw, Workflow[int]("sub", **_policies(draw, where)), where.below())


def _armed(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401 - as above
    """Draw how a step is undone, if it is."""
    if not where.undos or "compensate" in where.without or not draw(st.booleans()):
        return flow
    doubt: dict[str, Any] = {"in_doubt": bodies.clarify} if draw(st.booleans()) else {}
    return flow.compensate(bodies.unwork, retry=draw(_retries()), **doubt)


def _seconds() -> st.SearchStrategy[float]:
    return st.sampled_from((1.0, 0.5, 2.0, 10.0))  # few, so that some things happen at the same instant


def _retries() -> st.SearchStrategy[Retry]:
    jitter: Any = st.sampled_from(["none", "none", "full", "equal"])
    kinds: Any = st.sampled_from([Exception, OSError, bodies.Faltered])
    return st.builds(Retry, st.integers(1, 3), _seconds(), st.just(2.0), jitter=jitter, retry_on=kinds)


@st.composite
def _hooks(draw: st.DrawFn) -> tuple[Any, ...]:
    kinds = [gate(bodies.allow), observer(bodies.watch), observer(bodies.watch, at="step", strict=True)]
    return tuple(draw(st.lists(st.sampled_from(kinds), max_size=2)))


def _partial(draw: st.DrawFn) -> Any:  # noqa: ANN401 - a literal
    return draw(st.sampled_from(["fail", "continue"]))


# --- leaves


def _step(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401 - as above, here and below
    options: dict[str, Any] = {}
    if "retry" not in where.without and draw(st.booleans()):
        options["retry"] = draw(_retries())
    if "hooks" not in where.without and draw(st.booleans()):
        options["hooks"] = draw(_hooks())
    return _armed(draw, flow.step(draw(st.sampled_from(STEPS)), **options), where)


def _timeout(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    limits: dict[str, Any] = {"attempt_timeout": draw(_seconds())}
    if draw(st.booleans()):
        limits = {"timeout": draw(_seconds()), "retry": draw(_retries())}
    timed = flow.step(bodies.work, **limits)
    doubted = where.undos and "compensate" not in where.without
    return timed.compensate(bodies.unwork, in_doubt=bodies.clarify) if doubted else timed  # S22: it may be in doubt


def _pure(draw: st.DrawFn, flow: Any, _: Where) -> Any:  # noqa: ANN401
    return flow.pure(draw(st.sampled_from([bodies.double, bodies.explode])))


def _sleep(draw: st.DrawFn, flow: Any, _: Where) -> Any:  # noqa: ANN401
    return flow.sleep(draw(_seconds()))


def _wait_for(draw: st.DrawFn, flow: Any, _: Where) -> Any:  # noqa: ANN401
    options: dict[str, Any] = {} if draw(st.booleans()) else {"timeout": draw(_seconds())}
    into = draw(st.sampled_from([(), (bodies.add,)]))
    return flow.wait_for(draw(st.sampled_from(SIGNALS)), *into, **options)


def _cleanup(draw: st.DrawFn, flow: Any, _: Where) -> Any:  # noqa: ANN401
    return flow.cleanup(bodies.tidy, retry=draw(_retries()))


def _pivot(_: st.DrawFn, flow: Any, __: Where) -> Any:  # noqa: ANN401
    return flow.pivot()


def _recover(draw: st.DrawFn, flow: Any, _: Where) -> Any:  # noqa: ANN401
    return flow.recover(bodies.excuse, on=draw(st.sampled_from(KINDS)), on_partial=_partial(draw))


# --- composites


def _tap(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    return flow.tap(_body(draw, where.below()))


def _enrich(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    return flow.enrich(_body(draw, where.below())).into(bodies.add)


def _workflow_in(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    """Draw a workflow in the workflow, as it is, with a time of its own, tried again, or undone as a whole."""
    how = draw(st.sampled_from(["plain", "timeout", "retry", "compensate"]))
    if how == "compensate" and where.undos and "compensate" not in where.without:
        body = _sub(draw, evolve(where, pivots=False, undos=False))
        return flow.step(body).compensate(bodies.unwork)
    if how == "retry" and "retry" not in where.without:
        body = _sub(draw, evolve(where, pivots=False))
        return flow.step(body, retry=draw(_retries()), on_partial=_partial(draw))
    timed = {"timeout": draw(_seconds())} if how == "timeout" and "timeout" not in where.without else {}
    return flow.step(_sub(draw, where), **timed)


def _branch(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    if draw(st.booleans()):
        cases = flow.pure(bodies.sort).branch()
        return cases.case(bodies.Even, bodies.work_on_even).case(bodies.Odd, bodies.work_on_odd).exhaustive()
    below = where.below()
    return flow.branch().when(bodies.is_even, _body(draw, below)).otherwise(_body(draw, below))


def _fork(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    how = _mode(draw)
    below = where.below(pivots=how != "race")
    forked = flow.fork(_body(draw, below))
    for _ in range(draw(st.integers(1, 2))):
        forked = forked.fork(_body(draw, below))
    if how == "race":
        return forked.race(concurrency=draw(_caps()))
    return forked.join(**_group_options(draw, how)).pure(_sum_of(how))


def _graph(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    how = _mode(draw)
    below = where.below(pivots=how != "race")
    members = [_body(draw, below) for _ in range(draw(st.integers(1, 3)))]
    needs = [draw(st.integers(-1, at - 1)) for at in range(len(members))]  # -1: the graph's own value

    def build(g: Graph[int]) -> Any:  # noqa: ANN401 - two nodes, or one of them
        nodes: list[Any] = []
        for member, need in zip(members, needs, strict=True):
            nodes.append(g.node(member, g.input if need < 0 else nodes[need]))
        last = g.node(bodies.work_on_two, g.input, nodes[-1])
        return g.race(nodes[0], last) if how == "race" else (nodes[0], last)

    options: Any = {"concurrency": draw(_caps())} if how == "race" else _group_options(draw, how)
    drawn = flow.step(graph(build, **options))
    return drawn if how == "race" else drawn.pure(_sum_of(how))


def _map(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    return _mapped(draw, flow.pure(bodies.spread), where, _mode(draw))


def _stream(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    return _mapped(draw, flow.pure(bodies.stream), where, _mode(draw, ratio=False))  # S16: it has no total


def _mapped(draw: st.DrawFn, items: Any, where: Where, how: Any) -> Any:  # noqa: ANN401
    body = _body(draw, where.below(pivots=how != "race"))
    if how == "race":
        return items.map(body, concurrency=draw(_caps())).race()
    mapped = items.map(body, **_group_options(draw, how))
    if draw(st.booleans()):
        return mapped.into(0, bodies.add if how == "fail_fast" else bodies.add_result)
    return mapped.pure(_sum_of(how))


def _fold(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    folded = flow.pure(bodies.spread).fold(0, bodies.work_on_two)
    armed = where.undos and "compensate" not in where.without and draw(st.booleans())
    return folded.compensate(bodies.unwork) if armed else folded


def _loop(draw: st.DrawFn, flow: Any, where: Where) -> Any:  # noqa: ANN401
    test: Any = draw(st.sampled_from(["until", "while_"]))
    bound = draw(st.integers(1, 3))
    return flow.loop(_body(draw, where.below()), max_iterations=bound, **{test: bodies.is_far})


def _caps() -> st.SearchStrategy[int | None]:
    return st.sampled_from([None, 1, 2])


def _mode(draw: st.DrawFn, *, ratio: bool = True) -> Any:  # noqa: ANN401 - a failure mode
    tolerances = [tolerate(count=1), *([tolerate(ratio=0.5)] if ratio else [])]
    return draw(st.sampled_from(["fail_fast", "collect", "race", *tolerances]))


def _group_options(draw: st.DrawFn, how: Any) -> dict[str, Any]:  # noqa: ANN401
    cap = {"concurrency": draw(_caps())}
    return cap if how == "fail_fast" else {**cap, "on_error": how, "on_partial": _partial(draw)}


def _sum_of(how: Any) -> Callable[[Any], int]:  # noqa: ANN401
    return bodies.add_all if how == "fail_fast" else bodies.add_results


LEAVES: dict[str, Extend] = {
    "step": _step,
    "pure": _pure,
    "timeout": _timeout,
    "sleep": _sleep,
    "wait_for": _wait_for,
    "cleanup": _cleanup,
    "pivot": _pivot,
    "recover": _recover,
}
COMPOSITES: dict[str, Extend] = {
    "workflow": _workflow_in,
    "tap": _tap,
    "enrich": _enrich,
    "branch": _branch,
    "fork": _fork,
    "graph": _graph,
    "map": _map,
    "stream": _stream,
    "fold": _fold,
    "loop": _loop,
}
EXTEND = {**LEAVES, **COMPOSITES}
CONSTRUCTS = (*LEAVES, *COMPOSITES, "compensate", "retry", "hooks")
BEHIND = ("pivot", "recover", "cleanup")  # they concern what stands before them
