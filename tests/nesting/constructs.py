"""Every construct as a wrapper around another, so that each can be nested in each.

The value is always a text, which is something to map over as well: a map in a map needs nothing between the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration import Retry, Signal, Workflow, step, tolerate
from orchestration.dsl.graph import graph
from tests.bodies import same, void
from tests.interpreter.parts import ONCE, Flow, armed, chain, plain, settled
from tests.machine import Declined

if TYPE_CHECKING:
    from collections.abc import Callable

TWICE = Retry(max_attempts=2, jitter="none")
GO = Signal("go", str)
PLACES = (0, 1, 2)  # first, in the middle, last


def always(value: object) -> bool:
    """Hold."""
    return True


def never(value: object) -> bool:
    """Never hold."""
    return False


def once_again(value: object, index: int) -> bool:
    """End a loop after its second iteration."""
    return index == 1


def second(one: object, other: Any) -> Any:
    """Return what came later."""
    return other


def bare() -> Any:
    """Begin a body of one node, which stands where it is put without a scope of its own."""
    return Workflow[Any]("")


def around(name: str, inner: Flow, place: int, last: Flow | None = None) -> Flow:
    """Return a chain of three: `inner` at its place, between a step with an in-doubt handler and one without."""
    others = [settled("a"), last or armed("b")]
    others.insert(place, inner)
    return chain(name, *others)


def sub_workflow(inner: Flow, place: int) -> Flow:
    """Nest it in a chain."""
    return around("sub", inner, place)


def branch(inner: Flow, place: int) -> Flow:
    """Nest it in an arm: the first, one after an arm that is not taken, or the last resort."""
    if place == 2:
        flow: Flow = bare().branch().when(never, armed("other")).otherwise(inner)
    elif place == 1:
        flow = bare().branch().when(never, armed("other")).when(always, inner).otherwise(plain("rest"))
    else:
        flow = bare().branch().when(always, inner).otherwise(armed("other"))
    return flow


def fork(inner: Flow, place: int) -> Flow:
    """Nest it beside two steps."""
    return _forked(inner, place).join()


def race(inner: Flow, place: int) -> Flow:
    """Nest it among racers, of which one is slower than the other."""
    return _forked(inner, place).race(name="race")


def collecting_fork(inner: Flow, place: int) -> Flow:
    """Nest it beside two steps, of which each may fail."""
    return _forked(inner, place).join(on_error="collect", name="each")


def _forked(inner: Flow, place: int) -> Any:
    bodies = [settled("a"), chain("slow", settled("b"), settled("c"))]
    bodies.insert(place, inner)
    flow = bare()
    for body in bodies:
        flow = flow.fork(body)
    return flow


def needing(inner: Flow, place: int) -> Flow:
    """Nest it in a graph: before all others, between two, or behind them."""
    return bare().step(graph(lambda g: _diamond(g, inner, place)))


def _diamond(g: Any, inner: Flow, place: int) -> Any:
    first = g.node(inner if place == 0 else settled("a"), g.input, name="top")
    left = g.node(inner if place == 1 else armed("b"), first, name="left")
    right = g.node(settled("c"), first, name="right")
    both = g.node(second, left, right, name="both")
    return g.node(inner if place == 2 else armed("d"), both, name="bottom")


def map_(inner: Flow, place: int) -> Flow:
    """Nest it in a map: all items, two at a time, or one after the other."""
    return bare().map(inner, concurrency=(None, 2, 1)[place], name="map")


def collecting_map(inner: Flow, place: int) -> Flow:
    """Nest it in a map that keeps failures."""
    return bare().map(inner, on_error="collect", name="collect")


def tolerant_map(inner: Flow, place: int) -> Flow:
    """Nest it in a map that tolerates one failure, one item after the other."""
    return bare().map(inner, on_error=tolerate(count=1), concurrency=1, name="tolerate")


def racing_map(inner: Flow, place: int) -> Flow:
    """Nest it in a map that is a race."""
    return bare().map(inner, name="racing").race()


def loop(inner: Flow, place: int) -> Flow:
    """Nest it in a loop of two iterations."""
    return bare().loop(inner, until=once_again, max_iterations=3, name="loop")


def tap(inner: Flow, place: int) -> Flow:
    """Nest it beside the value."""
    return bare().tap(inner)


def enrich(inner: Flow, place: int) -> Flow:
    """Nest it beside the value, with which its output is combined."""
    return bare().enrich(inner).into(second)


def recovered(inner: Flow, place: int) -> Flow:
    """Nest it before a recover."""
    return around("tries", inner, place).recover(armed("mend"), on=Declined)


def recovering(inner: Flow, place: int) -> Flow:
    """Nest it in what recovers."""
    flow = chain("saved", settled("a"), plain("risky"))
    return flow.recover(chain("mending", settled("m"), inner), on=Exception).step(armed("b"))


def retried(inner: Flow, place: int) -> Flow:
    """Nest it in what is tried again as a whole."""
    return step(around("again", inner, place), retry=TWICE)


def retried_fork(inner: Flow, place: int) -> Flow:
    """Nest it in a fork that is tried again as a whole: what unwinds it is not a workflow of its own."""
    flow: Flow = _forked(inner, 1).join(retry=TWICE, name="anew")
    return flow


def timed(inner: Flow, place: int) -> Flow:
    """Nest it in what has to end in time."""
    return step(around("timed", inner, place), timeout=100.0)


def tidied(inner: Flow, place: int) -> Flow:
    """Nest it behind a cleanup, before another."""
    flow = chain("tidy", settled("a")).cleanup(void, retry=ONCE, name="sweep").step(inner)
    return flow.step(armed("b")).cleanup(void, retry=ONCE, name="wipe").step(plain("c"))


def sealed(inner: Flow, place: int) -> Flow:
    """Nest it before a pivot, between two, or behind one."""
    if place == 0:
        return chain("sealed", inner, settled("a")).pivot().step(armed("b")).step(plain("c"))
    if place == 1:
        return chain("sealed", settled("a")).pivot().step(inner).step(settled("b")).pivot(name="again").step(plain("c"))
    return chain("sealed", settled("a")).pivot().step(armed("b")).step(inner)


def sleeping(inner: Flow, place: int) -> Flow:
    """Nest it between two sleeps."""
    return chain("slow", settled("a")).sleep(5.0).step(inner).sleep(3.0, name="nap")


def waiting(inner: Flow, place: int) -> Flow:
    """Nest it between two waits for a signal."""
    return chain("held", settled("a")).wait_for(GO).step(inner).wait_for(GO, name="more", timeout=50.0)


def folding() -> Flow:
    """Fold: its body is a step, so nothing can be nested in it; what it has an undo for is all of it."""
    return bare().fold("", second, name="fold", retry=TWICE).compensate(void, retry=ONCE)


def leaf() -> Flow:
    """Return what is in the middle of all nestings: a step with an undo, an in-doubt handler and a second attempt."""
    return settled("x", retry=TWICE)


CONSTRUCTS: dict[str, Callable[[Flow, int], Flow]] = {
    "sub-workflow": sub_workflow,
    "branch": branch,
    "fork": fork,
    "collecting fork": collecting_fork,
    "race": race,
    "graph": needing,
    "map": map_,
    "collecting map": collecting_map,
    "tolerant map": tolerant_map,
    "racing map": racing_map,
    "loop": loop,
    "tap": tap,
    "enrich": enrich,
    "recovered": recovered,
    "recovering": recovering,
    "retried": retried,
    "retried fork": retried_fork,
    "timed": timed,
    "cleanups": tidied,
    "pivot": sealed,
    "sleep": sleeping,
    "wait": waiting,
}
PLACED = frozenset(
    {
        "sub-workflow",
        "branch",
        "fork",
        "collecting fork",
        "race",
        "graph",
        "map",
        "recovered",
        "retried",
        "timed",
        "pivot",
    }
)
OUTER = tuple(CONSTRUCTS)
INNER = (*CONSTRUCTS, "fold")
NO_PIVOT_INSIDE = frozenset({"race", "racing map", "retried", "retried fork"})


def nested(outer: str, inner: str, place: int, **options: Any) -> Flow:
    """Return a workflow with `inner` nested in `outer` at that place, between steps and with a cleanup of its own."""
    body = folding() if inner == "fold" else CONSTRUCTS[inner](leaf(), 1)
    flow: Any = Workflow[Any]("flow", **options).step(settled("before")).cleanup(void, retry=ONCE, name="close")
    return (
        flow.step(CONSTRUCTS[outer](body, place))
        .step(same, name="after")
        .compensate(void, retry=ONCE)
        .step(plain("end"))
    )


def places(outer: str) -> tuple[int, ...]:
    """Return the places at which it matters that something is nested."""
    return PLACES if outer in PLACED else (0,)
