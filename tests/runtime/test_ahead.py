"""Steps in a row, and items of a full map, that do not wait go ahead of the state: only what it costs tells."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import Cancelled, Failed, LocalEngine, Retry, Succeeded, Workflow, observer, step
from orchestration.interpreter import ahead_chain, ahead_map
from orchestration.interpreter.events import StepFailed
from orchestration.runtime import position
from orchestration.runtime.crew import STREAK
from tests.runtime.support import Gate, go

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration import Handle, Outcome

LONG = 30  # steps


async def increase(n: int) -> int:
    """Add one."""
    return n + 1


async def undo(n: int) -> None:
    """Undo it."""


async def look(_: object) -> None:
    """Look at a moment."""


def chain(length: int, body: Callable[[int], Any] = increase, **options: Any) -> Workflow[int, int]:
    """Return so many steps that do not wait, with a body at number `length - 2`."""
    flow = Workflow[int]("chain")
    for number in range(length):
        chosen = body if number == length - 2 else increase
        flow = flow.step(chosen, name=f"s{number}", **options).compensate(undo)
    return flow


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note the events for which the machine is advanced."""
    events: list[object] = []
    advance = position.advance

    def noting(plan: Any, state: Any, event: Any, *answers: Any) -> Any:
        events.append(event)
        return advance(plan, state, event, *answers)

    monkeypatch.setattr(position, "advance", noting)
    return events


# --- what it saves


def test_the_machine_is_asked_once(asked: list[object]) -> None:
    """S2: what steps in a row lead to is known before it is asked; it is told of the last."""

    async def main() -> None:
        assert await LocalEngine().execute(chain(LONG), 0, run_id="r") == Succeeded(LONG, "r")
        assert [event.path for event in asked] == [f"chain/s{LONG - 1}"]  # type: ignore[attr-defined]  # any event

    go(main)


def test_the_machine_is_asked_for_the_last_items_of_a_map(asked: list[object]) -> None:
    """S16: an item makes room for the next, as long as there is one."""

    async def main() -> None:
        flow = Workflow[range]("flow").map(increase, concurrency=4)
        outcome = await LocalEngine().execute(flow, range(LONG), run_id="r")
        assert outcome == Succeeded([*range(1, LONG + 1)], "r")
        assert [event.path for event in asked] == [f"flow/increase[{n}]" for n in range(LONG - 4, LONG)]  # type: ignore[attr-defined]  # any event

    go(main)


@pytest.mark.parametrize(
    ("engine", "options"),
    [({"hooks": [observer(look)]}, {}), ({"max_concurrency": 1}, {}), ({"limits": {"one": 1}}, {"limit": "one"})],
)
def test_who_needs_each_end_of_a_step_is_told_of_it(engine: Any, options: Any, asked: list[object]) -> None:
    """S14, S32: with observers and with caps over more than a run nothing goes ahead."""

    async def main() -> None:
        outcome = await LocalEngine(**engine).execute(chain(LONG, **options), 0, run_id="r")
        assert (outcome, len(asked)) == (Succeeded(LONG, "r"), LONG)

    go(main)


# --- who looks


def test_a_body_that_looks_sees_where_its_run_is() -> None:
    """S2: the state is the one in which the step is under way, with what is to be undone before it."""
    seen: list[Any] = []

    async def main() -> None:
        async def body(n: int) -> int:
            seen.append(handle.state)
            return n + 1

        handle: Handle[int] = await LocalEngine().start(chain(LONG, body), 0, run_id="r")
        assert await handle.result() == Succeeded(LONG, "r")

    go(main)
    assert seen[0].root.child.effect.path == f"chain/s{LONG - 2}"
    assert [entry.value for entry in seen[0].root.trail] == [*range(LONG - 2, 0, -1)]


def test_who_begins_to_listen_hears_of_what_comes() -> None:
    """S32: each event from there on, although those before it were never made."""
    told: list[Any] = []

    async def main() -> None:
        async def body(n: int) -> int:
            told.append(handle.turns())
            return n + 1

        handle: Handle[int] = await LocalEngine().start(chain(LONG, body), 0, run_id="r")
        assert await handle.result() == Succeeded(LONG, "r")
        heard = [turned async for turned in told[0]]
        assert [turned.event.path for turned in heard] == [f"chain/s{LONG - 2}", f"chain/s{LONG - 1}"]
        assert heard[-1].state.outcome == Succeeded(LONG, "r")

    go(main)


def test_a_state_has_the_time_at_which_its_step_began() -> None:
    """S2: a step that waits began when the one before it ended, however late somebody looks."""
    now = 0.0

    async def tick(n: int) -> int:
        nonlocal now
        now += 1
        return n

    async def main() -> None:
        nonlocal now
        gate = Gate()
        flow = Workflow[int]("flow").step(tick).step(tick, name="b").step(gate, name="gate")
        handle = await LocalEngine(clock=lambda: now).start(flow, 0)
        await gate.begun.wait()
        now = 60.0
        assert handle.state.at == 2.0
        gate.opened.set()
        assert (await handle.result()).ok

    go(main)


def test_a_state_has_its_time_when_others_have_their_turn() -> None:
    """S7: after so many steps that did not wait the loop goes round; whoever looks then sees when they ended."""
    now = 0.0
    seen: list[float] = []

    async def main() -> None:
        nonlocal now

        async def tick(n: int) -> int:
            nonlocal now
            now += 1
            if n == STREAK - 1:
                asyncio.get_running_loop().call_soon(look_later)
            return n + 1

        def look_later() -> None:
            nonlocal now
            now += 1000
            seen.append(handle.state.at)

        flow = Workflow[int]("flow")
        for number in range(STREAK + 2):
            flow = flow.step(tick, name=f"s{number}")
        handle = await LocalEngine(clock=lambda: now).start(flow, 0)
        assert (await handle.result()).ok

    go(main)
    assert seen == [STREAK]


def test_a_state_has_the_time_of_the_last_success_while_a_body_works() -> None:
    """S2: a body that takes its time without waiting does not change when it began."""
    now = 0.0
    seen: list[float] = []

    async def main() -> None:
        nonlocal now

        async def tick(n: int) -> int:
            nonlocal now
            now += 1
            return n

        async def work(n: int) -> int:
            nonlocal now
            now += 50
            seen.append(handle.state.at)
            return n

        flow = Workflow[int]("flow").step(tick).step(tick, name="b").step(work)
        handle: Handle[int] = await LocalEngine(clock=lambda: now).start(flow, 0)
        assert (await handle.result()).ok

    go(main)
    assert seen == [2.0]


MODULES = (ahead_chain.__file__, ahead_map.__file__)
MAPPED = Workflow[range]("mapped").map(increase, concurrency=8)
LOOPED = Workflow[int]("looped").loop(increase, until=lambda n, _: n == LONG, max_iterations=LONG)
FOLDED = MAPPED.into(0, lambda total, item: total + item)


@pytest.mark.parametrize(
    ("flow", "value"),
    [(chain(LONG), 0), (LOOPED, 0), (MAPPED, range(LONG)), (FOLDED, range(LONG))],
    ids=["chain", "loop", "map", "folded"],
)
def test_who_looks_may_be_a_thread_or_a_signal(flow: Workflow[Any, Any], value: object) -> None:
    """S2: at each line of what goes ahead there is a whole state, before or after; to read it changes nothing."""
    seen: list[Any] = []

    async def main() -> None:
        engine = LocalEngine(clock=lambda: 0.0)
        heard = await engine.start(flow, value, run_id="r")
        turns = heard.turns()
        states = [turned.state async for turned in turns]
        handle = await engine.start(flow, value, run_id="r")

        def look(frame: Any, event: str, _argument: object) -> Any:
            if frame.f_code.co_filename not in MODULES:
                return None
            if event == "line":
                sys.settrace(None)
                seen.append(handle.state)
                sys.settrace(look)
            return look

        before = sys.gettrace()
        sys.settrace(look)
        try:
            outcome = await handle.result()
        finally:
            sys.settrace(before)
        assert outcome == await heard.result()
        assert all(state in states for state in seen)

    go(main)
    assert len(seen) > LONG


def test_a_state_that_cannot_be_made_now_is_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """S35: what went ahead is not forgotten, and so not done again, if making a state of it raises."""
    calls: list[int] = []

    async def main() -> None:
        async def body(n: int) -> int:
            calls.append(n)
            if n == LONG // 2:
                with monkeypatch.context() as patch:
                    patch.setattr(ahead_chain.ChainAhead, "state", full)
                    with pytest.raises(MemoryError):
                        handle.events()
            return n + 1

        long = Workflow[int]("flow")
        for number in range(LONG):
            long = long.step(body, name=f"s{number}")
        handle: Handle[int] = await LocalEngine().start(long, 0, run_id="r")
        assert await handle.result() == Succeeded(LONG, "r")

    go(main)
    assert calls == [*range(LONG)]


def full(_: object) -> None:
    """Have no memory left."""
    raise MemoryError


class Big:
    """A value that one would not want to keep."""


def test_a_value_that_was_passed_on_is_not_held() -> None:
    """S29: neither what a step that waited has returned, nor what one that went ahead was given."""
    made: list[weakref.ref[Big]] = []

    async def load(_: int) -> Big:
        await asyncio.sleep(0)
        big = Big()
        made.append(weakref.ref(big))
        return big

    async def parse(_: Big) -> Big:
        big = Big()
        made.append(weakref.ref(big))
        return big

    async def count(_: Big) -> int:
        return 1

    async def store(n: int) -> int:
        await asyncio.sleep(0)
        gc.collect()
        assert [ref() for ref in made] == [None, None]
        return n

    async def main() -> None:
        outcome = await LocalEngine().execute(Workflow[int]("flow").step(load).step(parse).step(count).step(store), 1)
        assert outcome.ok

    go(main)


# --- who changes what happens


def test_a_body_that_cancels_its_run_is_the_last() -> None:
    """S28: what went ahead is undone, and what the body did as well."""

    async def main() -> None:
        async def body(n: int) -> int:
            assert handle.cancel("enough")
            return n + 1

        handle: Handle[int] = await LocalEngine().start(chain(LONG, body), 0)
        outcome = await handle.result()
        assert isinstance(outcome, Cancelled)
        assert outcome.rollback.undone == tuple(f"chain/s{number}" for number in reversed(range(LONG - 1)))

    go(main)


def test_what_went_ahead_is_undone_when_a_step_fails(asked: list[object]) -> None:
    """S22, S23: each step registered its undo, in order, before the next was begun."""

    async def body(n: int) -> int:
        raise OSError(n)

    async def main() -> None:
        outcome = await LocalEngine().execute(chain(LONG, body), 0)
        assert isinstance(outcome, Failed)
        assert outcome.failure.path == f"chain/s{LONG - 2}"
        assert outcome.rollback.undone == tuple(f"chain/s{number}" for number in reversed(range(LONG - 2)))
        assert type(asked[0]) is StepFailed

    go(main)


# --- all the same


HIGH = 7
NOW = Retry(max_attempts=2, initial_delay=0, jitter="none")
KINDS = ("plain", "plain", "armed", "waits", "looks", "fails once", "fails")


class Story:
    """What happens in a run: bodies of these kinds, which note that they were called, and what they see."""

    def __init__(self, kinds: list[str]) -> None:
        """Begin with nothing."""
        self.kinds = kinds
        self.noted: list[object] = []
        self.failed: set[int] = set()
        self.handle: Handle[Any] | None = None

    async def body(self, number: int) -> int:
        """Do what this kind of a step does."""
        kind = self.kinds[number]
        self.noted.append(number)
        if kind == "waits":
            await asyncio.sleep(0)
        if kind == "looks" and self.handle is not None:
            self.noted.append(self.handle.state)
        if kind == "fails" or (kind == "fails once" and number not in self.failed):
            self.failed.add(number)
            raise OSError(number)
        return number + 1

    async def undo(self, number: int) -> None:
        """Note that it is undone."""
        self.noted.append(-number)

    def chain(self) -> Workflow[int, int]:
        """Return the steps in a row, each with the number of the one before and one more."""
        flow = Workflow[int]("flow")
        for number, kind in enumerate(self.kinds):
            step = flow.step(self.body, name=f"s{number}", retry=NOW)
            flow = step.compensate(self.undo) if kind == "armed" else step
        return flow

    def looped(self) -> Workflow[int, int]:
        """Return the steps as iterations."""
        body = step(self.body, retry=NOW).compensate(self.undo)
        return Workflow[int]("flow").loop(body, until=self.over, max_iterations=len(self.kinds))

    def branched(self) -> Workflow[int, Any]:
        """Return the steps as arms of branches, every second one asked for twice."""
        flow: Workflow[int, Any] = Workflow[int]("flow")
        for _ in self.kinds:
            flow = flow.branch().when(self.is_odd, self.body).otherwise(step(self.body, retry=NOW, name="even"))
        return flow

    def folded(self, cap: int) -> Workflow[list[int], int]:
        """Return the steps as items of which a sum is made."""
        return Workflow[list[int]]("flow").map(step(self.body, retry=NOW), concurrency=cap).into(0, self.add)

    def over(self, number: int, index: int) -> bool:
        """Note that it was asked whether this is enough; one that fails in its last attempt is the last."""
        self.noted.append(("over", number, index))
        return number == len(self.kinds)

    def is_odd(self, number: int) -> bool:
        """Note that it was asked; fail for a number that is high."""
        self.noted.append(("odd", number))
        if number == HIGH:
            raise ValueError(number)
        return number % 2 == 1

    def add(self, total: int, number: int) -> int:
        """Note what is added; fail for a number that is high."""
        self.noted.append(("add", total, number))
        if number == HIGH:
            raise ValueError(number)
        return total + number

    async def run(self, flow: Workflow[Any, Any], value: object, *, heard: bool) -> Outcome[Any]:
        """Run, with somebody who listens or without."""
        self.handle = await LocalEngine(clock=lambda: 0.0).start(flow, value, run_id="r")
        events = self.handle.events() if heard else None
        outcome = await self.handle.result()
        if events is not None:
            assert [event async for event in events]
        return outcome


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=8))
def test_a_chain_is_the_same_with_a_listener_and_without(kinds: list[str]) -> None:
    """S2: for who listens nothing goes ahead; what is called, undone and seen on the way is the same."""
    alone, heard = Story(kinds), Story(kinds)

    async def main() -> None:
        assert await alone.run(alone.chain(), 0, heard=False) == await heard.run(heard.chain(), 0, heard=True)

    go(main)
    assert alone.noted == heard.noted


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12), st.integers(1, 4))
def test_a_map_is_the_same_with_a_listener_and_without(kinds: list[str], cap: int) -> None:
    """S2, S14: and so is the order in which items are begun."""
    alone, heard = Story(kinds), Story(kinds)

    def flow(story: Story) -> Workflow[list[int], list[int]]:
        return Workflow[list[int]]("flow").map(step(story.body, retry=NOW), concurrency=cap)

    async def main() -> None:
        items = [*range(len(kinds))]
        assert await alone.run(flow(alone), items, heard=False) == await heard.run(flow(heard), items, heard=True)

    go(main)
    assert alone.noted == heard.noted


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=9), st.sampled_from(["looped", "branched"]))
def test_a_row_is_the_same_with_a_listener_and_without(kinds: list[str], shape: str) -> None:
    """S2, S13, S17: pure functions are asked as often, and at the same moments."""
    alone, heard = Story(kinds), Story(kinds)

    async def main() -> None:
        flows = getattr(alone, shape)(), getattr(heard, shape)()
        assert await alone.run(flows[0], 0, heard=False) == await heard.run(flows[1], 0, heard=True)

    go(main)
    assert alone.noted == heard.noted


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12), st.integers(1, 4))
def test_a_folded_map_is_the_same_with_a_listener_and_without(kinds: list[str], cap: int) -> None:
    """S2, S16: results are folded at the same moments."""
    alone, heard = Story(kinds), Story(kinds)

    async def main() -> None:
        items = [*range(len(kinds))]
        assert await alone.run(alone.folded(cap), items, heard=False) == await heard.run(
            heard.folded(cap), items, heard=True
        )

    go(main)
    assert alone.noted == heard.noted


# --- functions that are not as pure as they should be


@pytest.mark.parametrize("last", [1, 3])
def test_a_predicate_that_cancels_its_run_lets_no_step_begin(last: int) -> None:
    """S7, S28: it may not, but nothing is begun behind the back of the machine."""
    begun: list[int] = []

    async def main() -> None:
        async def body(n: int) -> int:
            begun.append(n)
            return n + 1

        def enough(n: int, _: int) -> bool:
            if n == last:
                handle.cancel("enough")
            return False

        flow = Workflow[int]("flow").loop(body, until=enough, max_iterations=9)
        handle: Handle[int] = await LocalEngine().start(flow, 0)
        assert isinstance(await handle.result(), Cancelled)

    go(main)
    assert begun == [*range(last)]


def test_a_predicate_that_begins_to_listen_is_asked_once() -> None:
    """S7, S32: it may not, but what it has said is not asked again."""
    asked: list[int] = []

    async def main() -> None:
        def look(n: int) -> Any:
            asked.append(n)
            handle.turns()
            return n  # which holds, but is not `True`

        flow = Workflow[int]("flow").step(increase).branch().when(look, increase).otherwise(increase)
        handle: Handle[int] = await LocalEngine().start(flow, 0, run_id="r")
        assert await handle.result() == Succeeded(2, "r")

    go(main)
    assert asked == [1]


def test_a_predicate_sees_what_has_become_of_its_step() -> None:
    """S2: also of one that was tried again."""
    seen: list[Any] = []

    async def main() -> None:
        failed: list[int] = []

        async def fail_once(n: int) -> int:
            if not failed:
                failed.append(n)
                raise OSError
            return n + 1

        def look(n: int, _: int) -> bool:
            seen.append(handle.state)
            return n == 1

        flow = Workflow[int]("flow").loop(step(fail_once, retry=NOW), until=look, max_iterations=9)
        handle: Handle[int] = await LocalEngine().start(flow, 0)
        assert (await handle.result()).ok

    go(main)
    assert seen[0].root.child.child.failure.kind == "OSError"


def test_an_interrupt_in_a_predicate_stops_the_run() -> None:
    """S30: it is raised where the run is awaited."""

    def interrupted(n: int, _: int) -> bool:
        if n == 3:
            raise KeyboardInterrupt
        return False

    async def main() -> None:
        with pytest.raises(KeyboardInterrupt):
            await LocalEngine().execute(Workflow[int]("flow").loop(increase, until=interrupted, max_iterations=9), 0)

    go(main)


# --- those that wait


def test_steps_that_wait_go_ahead_as_well(asked: list[object]) -> None:
    """S2: who waits needs no state either; it is made when somebody looks."""
    gate = Gate()

    async def main() -> None:
        async def wait(n: int) -> int:
            await asyncio.sleep(0)
            return n + 1

        flow = Workflow[range]("flow").map(wait, concurrency=2).pure(len).step(wait).step(wait, name="b").step(gate)
        handle: Handle[Any] = await LocalEngine().start(flow, range(LONG))
        await gate.begun.wait()
        assert len(asked) == 2
        assert handle.state.root.child.effect.path == "flow/Gate"  # type: ignore[union-attr]  # a chain
        gate.opened.set()
        assert (await handle.result()).ok

    go(main)
