"""Equal workflows have equal fingerprints, everywhere; different ones have others (S1)."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from orchestration import Graph, Retry, Signal, Workflow, graph, method, tolerate
from tests.bodies import Order, Receipt, double, increase, is_even, pair_total, settle, spread, undo, void
from tests.plan.everything import Cache, Color, Store, everything, of_color, of_failure, past, tally

ROOT = Path(__file__).parents[2]
GOLDEN = "7a2e63633d753187c2d61ebdb51dba45b01b8938f67af2cc474156f5fbbbfcdb"
"""What `everything` has on every supported Python. A release that changes it starts no stored run of an older one."""

SHOW = "from tests.plan.everything import everything; print(everything.compile().fingerprint)"
SCRIPT = """
from dataclasses import dataclass
from orchestration import Workflow

@dataclass
class Job:
    size: int

class Jobs:
    def get(self, job: Job) -> Job:
        return job

def work(job: Job) -> Job:
    return job

flow = Workflow[Job]("flow").step(work).step(Jobs.get).branch().case(Job, work).exhaustive()
print(flow.compile().fingerprint, flow.compile().services)
"""
flow: Any = Workflow[int]("f")
numbers: Any = Workflow[list[int]]("f")
SUB = Workflow[int]("sub").step(double)


def apart(g: Graph[int]) -> Any:
    """Describe two members that do not need each other."""
    g.node(increase, g.input)
    return g.node(double, g.input)


def apart_both(g: Graph[int]) -> Any:
    """Describe two members that the graph gives."""
    return g.node(increase, g.input), g.node(double, g.input)


def fingerprint(workflow: Any) -> str:
    """Return the fingerprint of a workflow."""
    return workflow.compile().fingerprint


def printed(*arguments: str, seed: str = "random", path: Path = ROOT) -> str:
    """Return what another process of this Python prints."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(ROOT), str(path)])}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_fingerprint_is_the_golden_one() -> None:
    """S1: it depends on no process, hash seed or version of Python."""
    assert fingerprint(everything) == GOLDEN


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_every_process_finds_the_same_fingerprint(seed) -> None:
    """S1: equal under any PYTHONHASHSEED and, as this runs on each of them, on every supported Python."""
    assert printed("-c", SHOW, seed=seed) == GOLDEN


def test_types_in_the_middle_are_covered() -> None:
    """S1: two functions of one name that give other types make two plans."""

    def typed(kind: type) -> Any:
        def work(n: Any) -> Any:
            return n

        work.__annotations__, work.__qualname__ = {"n": int, "return": kind}, "work"
        return work

    assert fingerprint(flow.step(typed(int)).step(void)) != fingerprint(flow.step(typed(str)).step(void))


def test_a_script_is_called_as_if_it_had_been_imported(tmp_path) -> None:
    """S1: `__main__` and a file's path are normalised to the name that an import would have."""
    script = tmp_path / "shop.py"
    script.write_text(SCRIPT)
    imported = printed("-c", "import shop", path=tmp_path)
    assert "shop:Jobs" in imported
    assert printed(str(script), path=tmp_path) == imported
    assert printed("-m", "shop", path=tmp_path) == imported


def test_a_prompt_has_no_other_name_to_give() -> None:
    """S1: without a file `__main__` stays."""
    assert "__main__:Jobs" in printed("-c", SCRIPT)


def test_building_the_same_twice_gives_the_same() -> None:
    """S1: equal workflows, equal plans; the way in which the steps are written down does not matter."""

    def build() -> Any:
        return flow.step(double, retry=Retry()).branch().when(is_even, increase).otherwise(lambda n: n)

    assert build().compile() == build().compile()
    assert fingerprint(flow.step(double)) == fingerprint(flow.step(double, name="double"))
    assert fingerprint(flow.step(double)) == fingerprint(flow.step(double, retry=None))


def redefined(change: int) -> Any:
    """Return a closure: it is known by its kind and place."""

    def body(number: int) -> int:
        return number + change

    return body


def test_code_is_not_seen() -> None:
    """S1: the fingerprint covers names and types of functions, not their code (a stated non-guarantee)."""
    assert fingerprint(flow.step(redefined(1))) == fingerprint(flow.step(redefined(2)))
    assert fingerprint(flow.step(lambda n: n)) == fingerprint(flow.step(lambda n: n * 2))
    one: dict[str, Any] = {"__name__": "shop"}
    other: dict[str, Any] = {"__name__": "shop"}
    exec("def work(n: int) -> int: return n", one)  # noqa: S102 - two functions of one name
    exec("def work(n: int) -> int: return n + 1", other)  # noqa: S102
    assert fingerprint(flow.step(one["work"])) == fingerprint(flow.step(other["work"]))


VARIANTS: dict[str, Any] = {
    "step": flow.step(double),
    "name of the workflow": Workflow[int]("g").step(double),
    "version": Workflow[int]("f", version="2").step(double),
    "type of the input": Workflow[bool]("f").step(double),
    "unknown input": Workflow("f").step(double),
    "kind: pure": flow.pure(double),
    "kind: tap": flow.tap(double),
    "kind: enrich": flow.enrich(double).into(pair_total),
    "kind: branch": flow.branch().when(is_even, double).otherwise(double),
    "kind: exhaustive branch": flow.branch().case(int, double).exhaustive(),
    "kind: workflow": flow.step(Workflow[int]("double").step(double)),
    "kind: fork": flow.fork(double).join(),
    "kind: fork and joining step": flow.fork(double).join(double),
    "kind: fork and step": flow.fork(double).join().step(len),
    "kind: partial": flow.step(functools.partial(double)),
    "kind: lambda": flow.step(lambda n: n, name="double"),
    "another function": flow.step(increase, name="double"),
    "name of the step": flow.step(double, name="twice"),
    "one more": flow.step(double).step(increase),
    "order": flow.step(increase).step(double),
    "order in a fork": flow.fork(double).fork(increase).join(),
    "other order in a fork": flow.fork(increase).fork(double).join(),
    "order of arms": flow.branch().when(is_even, double).when(is_even, increase).otherwise(double),
    "other order of arms": flow.branch().when(is_even, increase).when(is_even, double).otherwise(double),
    "other predicate": flow.branch().when(bool, double).otherwise(double),
    "class of a case": flow.branch().case(bool, double).otherwise(double),
    "other class of a case": flow.branch().case(object, double).otherwise(double),
    "retry": flow.step(double, retry=Retry()),
    "attempts": flow.step(double, retry=Retry(max_attempts=4)),
    "delay": flow.step(double, retry=Retry(initial_delay=2)),
    "factor": flow.step(double, retry=Retry(factor=3)),
    "longest delay": flow.step(double, retry=Retry(max_delay=5)),
    "jitter": flow.step(double, retry=Retry(jitter="none")),
    "retried kinds": flow.step(double, retry=Retry(retry_on=OSError)),
    "kinds that are not": flow.step(double, retry=Retry(give_up_on=OSError)),
    "timeout": flow.step(double, attempt_timeout=1),
    "place": flow.step(double, run_in="loop"),
    "other place": flow.step(double, run_in="thread"),
    "cheap": flow.step(double, cheap=True),
    "undo": flow.step(double).compensate(undo),
    "another undo": flow.step(double).compensate(settle),
    "undo and doubt": flow.step(double).compensate(undo, in_doubt=settle),
    "doubtful kinds": flow.step(double).compensate(undo, in_doubt_on=OSError),
    "undo's retry": flow.step(double).compensate(undo, retry=Retry(max_attempts=1)),
    "undo's timeout": flow.step(double).compensate(undo, timeout=5),
    "undo of a composite": flow.fork(double).join().compensate(void),
    "map": numbers.map(double),
    "cap of a map": numbers.map(double, concurrency=1),
    "other cap of a map": numbers.map(double, concurrency=2),
    "cap of a fork": flow.fork(double).join(concurrency=1),
    "type of a class": Workflow[Order]("f").pure(bool),
    "type of another class": Workflow[Receipt]("f").pure(bool),
    "type of the output": Workflow[Order]("f").pure(str, name="bool"),
    "method": flow.step(Store.put),
    "method of a stated service": flow.step(method(Store, Store.put)),
    "method of another service": flow.step(method(Cache, Cache.put)),
    "timeout of the whole": flow.step(double, timeout=3),
    "another timeout of the whole": flow.step(double, timeout=4),
    "limit": flow.step(double, limit="shop"),
    "retried workflow": flow.step(SUB, retry=Retry()),
    "retried workflow that goes on": flow.step(SUB, retry=Retry(), on_partial="continue"),
    "workflow": flow.step(SUB),
    "default retry": Workflow[int]("f", retry=Retry()).step(increase),
    "cap of a run": Workflow[int]("f", max_concurrency=3).step(double),
    "recover": flow.step(double).recover(of_failure, on=ValueError),
    "recover from other kinds": flow.step(double).recover(of_failure, on=(ValueError, OSError)),
    "recover that goes on": flow.step(double).recover(of_failure, on=ValueError, on_partial="continue"),
    "cleanup": flow.cleanup(undo),
    "retry of a cleanup": flow.cleanup(undo, retry=Retry(max_attempts=1)),
    "timeout of a cleanup": flow.cleanup(undo, timeout=3),
    "limit of a cleanup": flow.cleanup(undo, limit="shop"),
    "pivot": flow.step(double).pivot(),
    "sleep": flow.sleep(3),
    "longer sleep": flow.sleep(4),
    "signal": flow.wait_for(Signal("approval", int)),
    "signal under another name": flow.wait_for(Signal("refusal", int), name="approval"),
    "signal of another type": flow.wait_for(Signal("approval", bool)),
    "signal into a function": flow.wait_for(Signal("approval", int), pair_total),
    "loop": flow.loop(double, until=past, max_iterations=3),
    "loop by another test": flow.loop(double, until=max, max_iterations=3),
    "loop while": flow.loop(double, while_=past, max_iterations=3),
    "longer loop": flow.loop(double, until=past, max_iterations=4),
    "fold": numbers.fold(0, pair_total),
    "fold from another value": numbers.fold(1, pair_total),
    "fold from a value of another type": numbers.fold(True, pair_total),  # noqa: FBT003 - a value
    "fold from a record": numbers.fold(Receipt(1), tally, name="pair_total"),
    "fold from another record": numbers.fold(Receipt(2), tally, name="pair_total"),
    "map into": numbers.map(double).into(0, pair_total),
    "map into, from another value": numbers.map(double).into(1, pair_total),
    "map that collects": numbers.map(double, on_error="collect"),
    "map that goes on": numbers.map(double, on_error="collect", on_partial="continue"),
    "map that tolerates": numbers.map(double, on_error=tolerate(count=1)),
    "map that tolerates more": numbers.map(double, on_error=tolerate(count=2)),
    "map that tolerates a part": numbers.map(double, on_error=tolerate(ratio=1)),
    "map that is a race": numbers.map(double).race(),
    "fork that is a race": flow.fork(double).race(),
    "graph": flow.step(graph(lambda g: g.node(double, g.node(increase, g.input)), name="fork")),
    "graph with other needs": flow.step(graph(apart, name="fork")),
    "graph that gives both": flow.step(graph(apart_both, name="fork")),
    "case of a value": flow.branch().case(1, double).otherwise(double),
    "case of a truth value": flow.branch().case(True, double).otherwise(double),  # noqa: FBT003 - a value
    "case of a member": Workflow[Any]("f").branch().case(Color.RED, of_color).otherwise(double),
    "case of another member": Workflow[Any]("f").branch().case(Color.BLUE, of_color).otherwise(double),
    "order of two": flow.step(spread).map(double),
}


def test_whatever_makes_a_difference_is_seen() -> None:
    """S1: kinds, structure, order, names, policies, types, functions' names and the version."""
    found = {name: fingerprint(workflow) for name, workflow in VARIANTS.items()}
    assert [pair for pair in combinations(found, 2) if found[pair[0]] == found[pair[1]]] == []


def test_the_type_at_the_end_is_seen() -> None:
    """S1: types are part of a plan, also where the functions' names are the same."""
    one: dict[str, Any] = {"__name__": "shop"}
    other: dict[str, Any] = {"__name__": "shop"}
    exec("def work(n: int) -> int: return n", one)  # noqa: S102 - two functions of one name
    exec("def work(n: int) -> str: return str(n)", other)  # noqa: S102
    assert fingerprint(flow.step(one["work"])) != fingerprint(flow.step(other["work"]))
