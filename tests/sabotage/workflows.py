"""Small workflows, each with all that may happen to it, in which a defect of the library shows."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration import Retry, Signal, Workflow, gate, observer, tolerate
from orchestration.dsl.graph import graph
from orchestration.errors import Vetoed
from orchestration.testing import READY, TIMES_OUT
from tests.bodies import Numbers, both, same, total, void
from tests.interpreter.parts import ONCE, Flow, armed, chain, plain, settled
from tests.machine import Declined
from tests.sabotage.invariants import (
    a_veto_holds,
    all_but_one_undone,
    answered_in_order,
    fails_fast,
    gives,
    holds_what_was_built_on,
    keeps_all_once_cancelled,
    keeps_what_is_sealed,
    recovers_from_its_kinds,
    says_why,
    stops_at_what_is_left,
    tolerates_one,
    undoes_the_whole,
    undone_backwards,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestration.testing.explore_invariants import Check

LOST = ConnectionError("gone")
NO = Declined("no")
STUCK = RuntimeError("stuck")
VETO = Vetoed("asked/a", found="a veto", expected="none", mend="none")
TWICE = Retry(max_attempts=2, initial_delay=2.0, jitter="none")
THRICE = Retry(max_attempts=3, initial_delay=2.0, retry_on=ConnectionError, jitter="none")
GO = Signal("go", int)
ALL: dict[Any, list[object]] = {same: [1, NO], void: [None]}


class Case(NamedTuple):
    """A workflow, its input, how its steps may end, and what has to hold besides what holds of all."""

    workflow: Any
    outcomes: dict[Any, list[object]]
    rules: Sequence[Check] = ()
    value: Any = 1
    deadline: float | None = None
    signals: tuple[tuple[Any, object], ...] = ()
    cancel: bool = True
    leaks: bool = False
    max_concurrency: int | None = None
    limits: Mapping[str, int] = MappingProxyType({})

    @property
    def name(self) -> str:
        """The name of the workflow."""
        return str(self.workflow.compile().name)

    @property
    def invariants(self) -> list[Check]:
        """What has to hold."""
        return [*READY, says_why, *self.rules]


def _forked(name: str, *bodies: Flow) -> Any:
    """Return an open fork of these bodies."""
    flow: Any = Workflow[Any](name)
    for body in bodies:
        flow = flow.fork(body)
    return flow


def _needs(g: Any) -> Any:
    """Lay out a diamond: one step, two that need it, one that needs both."""
    top = g.node(armed("top"), g.input, name="top")
    left = g.node(armed("left"), top, name="left")
    right = g.node(armed("right"), top, name="right")
    return g.node(both, left, right, name="bottom")


def _once_again(value: object, index: int) -> bool:
    """End a loop after its second iteration."""
    return index == 1


def _append(one: list[int], other: int) -> list[int]:
    """Return a list with one more."""
    return [*one, other]


DOUBTS = {"a": [1, LOST], "b": [2, TIMES_OUT, NO], "c": [3, NO]}
CASES: tuple[Case, ...] = (
    Case(
        chain("chain", settled("a"), settled("b", attempt_timeout=5.0), plain("c")),
        {**DOUBTS, void: [None]},
        [fails_fast, gives(3)],
        leaks=True,
    ),
    Case(
        chain("doubt", armed("a"), armed("b"), plain("c")),
        {"a": [1, LOST], "b": [2, LOST, NO], "c": [3, NO], void: [None]},
        [fails_fast],
    ),
    Case(
        chain("again", settled("a", retry=THRICE), plain("b")),
        {"a": [1, LOST, NO], "b": [2, NO], void: [None]},
        [fails_fast],
    ),
    Case(
        chain("hurry", settled("a", retry=THRICE, timeout=5.0), plain("b")),
        {"a": [1, LOST, NO], "b": [2], void: [None]},
        deadline=20.0,
    ),
    Case(
        Workflow[Any]("stuck").step(same, name="a").compensate(void, in_doubt=void, retry=TWICE).step(plain("b")),
        {"a": [1, LOST], "b": [2, NO], void: [None, STUCK]},
    ),
    Case(
        _forked("forking", armed("a"), armed("b"), armed("c")).join(concurrency=2, name="group").step(plain("d")),
        {same: [1, NO], void: [None, STUCK]},
        [fails_fast, holds_what_was_built_on, undone_backwards],
    ),
    Case(
        Workflow[Any]("items").map(same, concurrency=2, name="map"),
        {"items/map[0]": [4], "items/map[1]": [5, NO], "items/map[2]": [6, NO]},
        [fails_fast, gives([4, 5, 6])],
        [4, 5, 6],
    ),
    Case(
        Workflow[Any]("collecting").map(armed("a"), on_error="collect", name="map").step(plain("b")),
        {same: [1, LOST], void: [None]},
        [stops_at_what_is_left],
        value=[4, 5],
    ),
    Case(
        Workflow[Any]("tolerant").map(armed("a"), on_error=tolerate(count=1), name="map").step(plain("b")),
        ALL,
        [tolerates_one],
        value=[4, 5, 6],
    ),
    Case(
        _forked("racing", armed("a"), settled("b")).race(name="race").step(plain("c")),
        {"a": [1, NO], "b": [2, LOST], "c": [3], void: [None, STUCK]},
        [all_but_one_undone, stops_at_what_is_left, gives(3)],
        leaks=True,
    ),
    Case(
        chain("mended", armed("a"), plain("b")).recover(plain("mend"), on=Declined).step(plain("c")),
        {"a": [1], "b": [2, NO, STUCK], "mend": [3, LOST], "c": [4], void: [None, STUCK]},
        [recovers_from_its_kinds, stops_at_what_is_left],
    ),
    Case(
        Workflow[Any]("anew").step(chain("sub", armed("a"), plain("b")), retry=TWICE).step(plain("c")),
        {"a": [1], "b": [2, NO], "c": [3], void: [None, STUCK]},
        [stops_at_what_is_left],
    ),
    Case(
        _forked("afresh", armed("a"), plain("b")).join(retry=TWICE, name="group").step(plain("c")),
        {"a": [1], "b": [2, NO], "c": [3], void: [None]},
        [stops_at_what_is_left],
    ),
    Case(
        Workflow[Any]("timed").step(chain("sub", armed("a"), plain("b")), timeout=9.0).sleep(4.0).step(plain("c")),
        {"a": [1], "b": [2], "c": [3], void: [None]},
        deadline=12.0,
    ),
    Case(
        chain("late", plain("a"), plain("b")).recover(plain("mend"), on=Exception),
        {same: [1, NO]},
        deadline=9.0,
    ),
    Case(
        chain("tidy", armed("a"))
        .cleanup(void, retry=ONCE, name="first")
        .cleanup(void, retry=TWICE, name="second")
        .step(chain("sub", plain("b")).cleanup(void, retry=ONCE, name="inner").step(plain("c")))
        .step(plain("d")),
        {same: [1, NO], void: [None, STUCK]},
        [fails_fast],
    ),
    Case(
        chain("sealed", armed("a")).pivot().step(armed("b")).step(plain("c")),
        ALL,
        [keeps_what_is_sealed],
    ),
    Case(
        Workflow[Any]("needy").step(graph(_needs)).step(plain("end")),
        {same: [1], both: [2, NO], "end": [3], void: [None, STUCK]},
        [holds_what_was_built_on],
        cancel=False,
    ),
    Case(
        Workflow[Any]("halting", on_undo_failure="halt").step(graph(_needs)),
        {same: [1], both: [2, NO], void: [None, STUCK]},
        [holds_what_was_built_on],
        cancel=False,
    ),
    Case(
        Workflow[Any]("kept", compensate_on_cancel=False).step(armed("a")).step(settled("b")).step(plain("c")),
        {same: [1, NO], void: [None]},
        [keeps_all_once_cancelled],
    ),
    Case(
        _forked("waiting", chain("x", plain("a")).wait_for(GO), chain("y", plain("b")).wait_for(GO, timeout=5.0)).join(
            name="all"
        ),
        {same: [1]},
        [answered_in_order],
        signals=((GO, 1), (GO, 2)),
        cancel=False,
    ),
    Case(
        Workflow[Any]("rounds").loop(armed("a"), until=_once_again, max_iterations=3, name="loop").step(plain("b")),
        {"loop": [1, NO], "b": [2, NO], void: [None]},
        [fails_fast, gives(2)],
    ),
    Case(
        Workflow[Any]("whole").step(chain("sub", plain("a"), plain("b"))).compensate(void, retry=ONCE).step(plain("c")),
        {"a": [1], "b": [2, NO], "c": [3, NO], void: [None]},
        [fails_fast, undoes_the_whole],
    ),
    Case(
        Workflow[Numbers]("streamed").map(same, concurrency=2, name="map").into([], _append),
        {"streamed/map[0]": [4], "streamed/map[1]": [5, NO], "streamed/map[2]": [6]},
        [fails_fast, gives([4, 5, 6])],
        Numbers(3),
    ),
    Case(
        Workflow[Any]("summed").map(same, concurrency=2, name="map").into([], _append).pure(total),
        {same: [1]},
        [gives(3)],
        [1, 1, 1],
        cancel=False,
    ),
    Case(
        chain("asked", armed("z"), plain("a", retry=THRICE, hooks=[gate(void)])),
        {"z": [1], "a:before": [VETO], "a": [2], void: [None]},
        [a_veto_holds],
    ),
    Case(
        chain(
            "watched",
            armed("a", hooks=[gate(void), observer(void, at="step", strict=True)]),
            plain("b", hooks=[observer(void)]),
        ),
        {same: [1, NO], "a:before": [None], "a:after": [None], void: [None]},
        [fails_fast],
    ),
    Case(
        _forked("capped", armed("a", retry=THRICE), armed("b", attempt_timeout=2.0, retry=TWICE), plain("c")).join(
            name="all"
        ),
        {"a": [1, LOST, NO], "b": [2, TIMES_OUT], "c": [3, NO], void: [None]},
        [fails_fast],
        leaks=True,
        max_concurrency=1,
    ),
    Case(
        Workflow[Any]("limited").map(chain("each", armed("a"), plain("b", limit="x")), name="map", on_error="collect"),
        ALL,
        value=[4, 5, 6],
        max_concurrency=2,
        limits={"x": 1},
    ),
)
