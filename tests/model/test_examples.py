"""Small runs that the comparison with the model has found to matter, each with what the rules say of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestration.errors import PlanWarning
from orchestration.plan.body import Body
from orchestration.plan.compile import compile_plan
from orchestration.plan.nodes import Compensation, Graph, Map, Pure, Recover, Scope, Step, Timed, Vertex
from orchestration.policies import Retry, Tolerate
from tests.model.bodies import act, settle, squash, stream, undo
from tests.model.draws import Case
from tests.model.drive import perform
from tests.model.model import foretell
from tests.model.run import DEADLINE, DECLINED
from tests.model.script import End, Script

if TYPE_CHECKING:
    from orchestration.plan.nodes import Node
    from tests.model.seen import Seen

ONCE = Retry(max_attempts=1)
WELL = End("succeed", 1.0, 1)


@dataclass(frozen=True)
class World(Script):
    """A world in which everything goes well and takes a second, but for what is said of an effect and its path."""

    ends: dict[tuple[str, str], End] = field(default_factory=dict)

    def attempt(self, path: str, number: int, *, may_time_out: bool) -> End:
        """Tell how an attempt of a step ends."""
        return self.ends.get(("step", path), WELL)

    def cancelled(self, path: str, number: int) -> End:
        """Let an attempt that is told to end do so."""
        return self.ends.get(("cancel", path), End("end", 1.0))

    def shielded(self, kind: str, path: str, number: int) -> End:
        """Tell how an undo, in-doubt handler or cleanup ends."""
        return self.ends.get((kind, path), WELL)

    def pull(self, path: str, index: int) -> End:
        """Tell what a stream gives."""
        return self.ends.get(("pull", f"{path}[{index}]"), WELL)


def seen(ends: dict[tuple[str, str], End], *nodes: Node, deadline: float | None = None, **policies: Any) -> Seen:
    """Return what is seen of a run of these nodes, when the model foretells the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlanWarning)
        case = Case(compile_plan(Scope("flow", nodes, **policies)), 0, World(deadline=deadline, ends=ends))
    found = perform(case)
    assert not foretell(case).differences(found), f"{case}\n{foretell(case).differences(found)}"
    return found


def plain(name: str) -> Step:
    """Return a step."""
    return Step(name, Body.of(act))


def armed(name: str, in_doubt: Any = None) -> Step:
    """Return a step with an undo."""
    handler = None if in_doubt is None else Body.of(in_doubt)
    return Step(name, Body.of(act), Compensation(Body.of(undo), handler, retry=ONCE))


def test_a_failed_undo_holds_what_its_step_needed() -> None:
    """S26: in a graph `b` needs `a`, so `a` is held when `b` cannot be undone."""
    graph = Graph("graph", (Vertex(armed("a")), Vertex(armed("b"), ("a",))))
    run = seen(
        {("undo", "flow/graph/b"): End("fail", 1.0), ("step", "flow/last"): End("fail", 1.0)}, graph, plain("last")
    )
    assert run.rollback == (("UndoFailed", "flow/graph/b"), ("Held", "flow/graph/a"))


def test_a_failed_undo_holds_what_its_step_needed_whatever_stands_between() -> None:
    """S26: that another member's undo succeeds or fails after it makes no difference."""
    graph = Graph("graph", (Vertex(armed("a")), Vertex(armed("between")), Vertex(armed("b"), ("a",))))
    run = seen(
        {("undo", "flow/graph/b"): End("fail", 1.0), ("step", "flow/last"): End("fail", 1.0)}, graph, plain("last")
    )
    assert run.rollback[1:] == (("Undone", "flow/graph/between"), ("Held", "flow/graph/a"))


def test_a_group_that_fails_because_of_a_partial_rollback_keeps_every_failure() -> None:
    """S8, S18, S20: the earliest is primary, the others are attached; `b` is in doubt, which is what is partial."""
    fork = Graph("fork", (Vertex(plain("a")), Vertex(armed("b"))), mode="collect")
    ends = {("step", "flow/fork/a"): End("fail", 1.0), ("step", "flow/fork/b"): End("lose connection", 2.0)}
    run = seen(ends, fork)
    assert run.primary == ("flow/fork/a", DECLINED)
    assert run.attached == (("flow/fork/b", "ConnectionError"),)


def test_a_stream_that_fails_keeps_the_failures_of_its_items() -> None:
    """S8, S16, S18: an item had failed before the stream did."""
    ends = {
        ("step", "flow/map[0]"): End("fail", 1.0),
        ("pull", "flow/map[1]"): End("fail", 3.0),
    }
    run = seen(ends, Pure("stream", Body.of(stream)), Map("map", plain("act"), mode="collect"))
    assert {run.primary, *run.attached} == {("flow/map[0]", DECLINED), ("flow/map", DECLINED)}


def test_what_failed_before_the_time_was_over_stays_primary() -> None:
    """S8, S10: a member that unwinds had failed, though its group had not yet taken note of it."""
    sub = Scope("sub", (armed("first"), plain("second")))
    fork = Graph("fork", (Vertex(plain("long")), Vertex(sub)))
    ends = {
        ("step", "flow/fork/long"): End("succeed", 9.0),
        ("step", "flow/fork/sub/second"): End("fail", 1.0),
        ("undo", "flow/fork/sub/first"): End("succeed", 4.0),
    }
    run = seen(ends, Timed("fork", fork, 4.5))
    assert run.primary == ("flow/fork/sub/second", DECLINED)
    assert run.attached == (("flow/fork", DEADLINE),)


def test_a_group_says_that_too_many_failed_also_when_an_earlier_failure_arrives_late() -> None:
    """S18: `sub` fails first, but unwinds for longer than it takes `other` to fail as well."""
    sub = Scope("sub", (armed("first"), plain("second")))
    fork = Graph("fork", (Vertex(sub), Vertex(plain("other"))), mode=Tolerate(count=0))
    ends = {
        ("step", "flow/fork/sub/second"): End("fail", 1.0),
        ("undo", "flow/fork/sub/first"): End("succeed", 9.0),
        ("step", "flow/fork/other"): End("fail", 4.0),
    }
    run = seen(ends, fork)
    assert run.primary == ("flow/fork/sub/second", DECLINED)
    exceeded = ("flow/fork", "orchestration.errors.ToleranceExceeded")
    assert run.attached == (exceeded, ("flow/fork/other", DECLINED))


def test_a_doubt_that_nobody_settles_stays_one_when_an_undo_halts() -> None:
    """S22, S26: `halt` holds what would be undone; nobody would have undone this."""
    fork = Graph("fork", (Vertex(armed("a")), Vertex(armed("b", settle))))
    ends = {
        ("step", "flow/fork/a"): End("lose connection", 1.0),
        ("step", "flow/fork/b"): End("lose connection", 2.0),
        ("cancel", "flow/fork/b"): End("end", 1.0),
        ("in_doubt", "flow/fork/b"): End("fail", 1.0),
    }
    run = seen(ends, fork, on_undo_failure="halt")
    assert run.rollback == (("UndoFailed", "flow/fork/b"), ("InDoubt", "flow/fork/a"))


def test_a_member_whose_value_is_an_err_has_succeeded() -> None:
    """S14, S18: what `inner` gives is the `Err` of its member; `next` needs `inner`, which is done, and runs."""
    inner = Graph("inner", (Vertex(plain("a")),), mode="collect", gives="a")
    outer = Graph("outer", (Vertex(inner), Vertex(plain("next"), ("inner",))))
    run = seen({("step", "flow/outer/inner/a"): End("fail", 1.0)}, outer)
    assert run.value == [("err", ("flow/outer/inner/a", DECLINED)), 1]


def test_a_deadline_decides_over_what_a_recovery_would_have_gone_on_past() -> None:
    """S10, S20, S28: `slow` has timed out and settles when the run's time is over: nothing is recovered then."""
    ends = {("step", "flow/slow"): End("succeed", 99.0), ("cancel", "flow/slow"): End("end", 5.0)}
    nodes = (Timed("slow", plain("slow"), 1.0), Recover("recover", Pure("squash", Body.of(squash)), ("Exception",)))
    run = seen(ends, *nodes, deadline=2.0)
    assert run.primary == ("flow", DEADLINE)
    assert run.attached == (("flow/slow", DEADLINE),)


def test_too_many_failed_also_when_what_failed_could_not_be_undone() -> None:
    """S18: one failure is more than none, whatever becomes of its rollback."""
    sub = Scope("sub", (armed("first"), plain("second")))
    ends = {("step", "flow/fork/sub/second"): End("fail", 1.0), ("undo", "flow/fork/sub/first"): End("fail", 1.0)}
    run = seen(ends, Graph("fork", (Vertex(sub), Vertex(plain("other"))), mode=Tolerate(count=0)))
    assert run.attached == (("flow/fork", "orchestration.errors.ToleranceExceeded"),)
