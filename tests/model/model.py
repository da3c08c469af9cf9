"""A small, slow, obviously right model of the language: what a run of a plan in a scripted world has to come to.

One coroutine a construct, in virtual time; nothing here is shared with the interpreter. It is written from the rules,
and each part names those that it stands for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestration.plan.nodes import (
    Beside,
    Branch,
    Cleanup,
    Compensated,
    Fold,
    Graph,
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
    WaitFor,
)
from tests.model import groups, run
from tests.model.kernel import Token
from tests.model.run import DEADLINE, DECLINED, Deed, Done, Ended, Fail, Failed, Place, Run, Stopped, Trail
from tests.model.seen import Seen, failure_of, told

if TYPE_CHECKING:
    from orchestration.policies import Retry
    from tests.model.draws import Case
    from tests.model.script import Script, Signal


def foretell(case: Case) -> Seen:
    """Tell what a run of a plan has to come to."""
    model = Model(case.script, case.plan.root)
    return told(model, model.kernel.run(model.root(case.value)))


class Model(Run):
    """A run of a plan: `go` is the language."""

    def __init__(self, script: Script, scope: Scope) -> None:
        """Begin at time 0."""
        super().__init__(script)
        self.scope = scope

    async def root(self, value: object) -> Ended:
        """Run the whole, with all that comes from outside (S10, S21, S28)."""
        token = Token()
        if self.script.cancel_at is not None:
            self.kernel.alarm(self.script.cancel_at, lambda: self._request(token))
        for signal in self.script.signals:
            self.kernel.alarm(signal.at, lambda signal=signal: self._receive(signal))
        place = Place(token)
        if self.script.deadline is None:
            return await self._scope(self.scope, self.scope.name, value, place)
        return await self._timed(self.scope, self.scope.name, self.script.deadline, value, place)

    def _request(self, token: Token) -> None:
        if not self.too_late:
            self.cancelled = True
            token.cancel()

    async def go(self, node: Node, path: str, value: Any, place: Place) -> Ended:  # noqa: PLR0912 - a row a construct
        """Run a node at a path with a value: the language, a row a construct."""
        match node:
            case Step():
                return await self._step(node, path, value, place)
            case Pure():
                return self._pure(node, path, value)
            case Beside():
                return await self._beside(node, path, value, place)
            case Compensated():
                return await self._compensated(node, path, value, place)
            case Timed():
                return await self._timed(node.body, path, node.timeout, value, place)
            case Retried():
                return await self._retried(node, path, value, place)
            case Scope():
                return await self._scope(node, path, value, place)
            case Sleep():
                passed = await self.pause(node.seconds, place.token)
                return Done(value, []) if passed else Stopped([], [])
            case WaitFor():
                return await self._wait(node, path, value, place)
            case Loop():
                return await self._loop(node, path, value, place)
            case Fold():
                return await self._fold(node, path, value, place)
            case Branch():
                return await self._branch(node, path, value, place)
            case Graph():
                return await groups.graph(self, node, path, value, place)
            case Map():
                return await groups.collection(self, node, path, value, place)
            case Recover() | Cleanup() | Pivot():
                raise AssertionError("only a scope knows what these mean")

    async def _step(self, node: Step, path: str, value: Any, place: Place) -> Ended:
        """S8, S9, S10, S22: attempts until one succeeds, or the policy or a deadline says that it is over."""
        deed = Deed(path, node, value) if node.compensation else None
        trail: Trail = [deed] if deed else []
        number = 0
        fail: Fail | None = None
        while True:
            number += 1
            may_time_out = node.attempt_timeout is not None
            end = await self.attempt(path, number, place, may_time_out=may_time_out, deed=deed)
            if end.how == "succeed":
                if deed:
                    deed.output[:] = [end.output]
                return Done(end.output, trail)
            told = end.how == "leak" and place.token.cancelled  # it outlived the grace: that is no failure
            fail = (None if told else self._fail_of(end.how, path)) or fail
            if deed and (end.how in ("end", "leak") or (fail and self._leaves_doubt(node, fail))):
                deed.in_doubt = True
            if place.token.cancelled:
                return Stopped([fail] if fail else [], trail)
            assert fail is not None
            if node.retry is None or number >= node.retry.max_attempts or not fail.to_retry(node.retry):
                return Failed(fail, trail)
            if not await self._backoff(node.retry, number, fail, path, place):
                return Stopped([fail], trail) if place.token.cancelled else Failed(fail, trail)

    def _fail_of(self, how: str, path: str) -> Fail | None:
        kinds = {"fail": DECLINED, "lose connection": "ConnectionError", "time out": "TimeoutError"}
        kinds["leak"] = "TimeoutError"
        return self.fail(kinds[how], path) if how in kinds else None

    @staticmethod
    def _leaves_doubt(node: Step, fail: Fail) -> bool:
        return node.compensation is not None and fail.matches(node.compensation.in_doubt_on)

    async def _backoff(self, retry: Retry, number: int, fail: Fail, path: str, place: Place) -> bool:
        """Wait for the next attempt; not at all if it would begin at or past the earliest deadline (S10)."""
        delay = retry.delay(number, 0.0)
        if self.now + delay >= place.deadline:
            fail.attached.append(self.fail(DEADLINE, path))
            return False
        return await self.pause(delay, place.token)

    def _pure(self, node: Pure, path: str, value: Any) -> Ended:
        """S7: evaluated in place; one that raises fails like a step."""
        try:
            return Done(node.body.call(value), [])
        except ValueError:
            return Failed(self.fail("ValueError", path), [])

    # ── around one body ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _beside(self, node: Beside, path: str, value: Any, place: Place) -> Ended:
        """S21, S28: a tap passes its input on, an enrichment combines, but not after a cancel."""
        end = await self.go(node.body, path, value, place)
        if not isinstance(end, Done):
            return end
        if node.combine is None:
            return Done(value, end.trail)
        if place.token.cancelled:
            return Stopped([], end.trail)
        return Done(node.combine.call(value, end.value), end.trail)

    async def _compensated(self, node: Compensated, path: str, value: Any, place: Place) -> Ended:
        """S27: one undo for the whole, armed when it has succeeded."""
        end = await self.go(node.body, path, value, place)
        if isinstance(end, Done):
            return Done(end.value, [end.trail, Deed(path, node, value, [end.value])])
        return end

    async def _timed(self, body: Node, path: str, seconds: float, value: Any, place: Place) -> Ended:
        """S10: when the time is over, what is inside is cancelled and awaited, and then this fails."""
        due = self.now + seconds
        if place.deadline <= due:
            return await self.go(body, path, value, place)
        done: list[bool] = []
        inside = replace(place.part(), deadline=due, done=done)
        late: list[Fail] = []
        over: list[bool] = []

        def expire() -> None:
            if not (over or done or place.token.cancelled or inside.token.cancelled):
                late.append(self.fail(DEADLINE, path))
                self.decide(late[0], place)
                inside.token.cancel()

        self.kernel.alarm(seconds, expire)
        end = await self.go(body, path, value, inside)
        over.append(True)
        if not late:
            return end
        if isinstance(end, Failed):
            end.fail.attached.append(late[0])
            return end
        late[0].attached += end.fails if isinstance(end, Stopped) else []
        return Failed(late[0], end.trail, partial=isinstance(end, Stopped) and end.partial)

    async def _retried(self, node: Retried, path: str, value: Any, place: Place) -> Ended:
        """S9, S20: again when it has failed and was unwound wholly; each attempt has a path of its own."""
        scars: Trail = []
        for number in range(1, node.retry.max_attempts + 1):
            last = number == node.retry.max_attempts
            inside = place.under(lambda fail, number=number: self._tries_again(node.retry, number, fail, place))
            end = await self.go(node.body, path if number == 1 else f"{path}#{number}", value, inside)
            end.trail = [*scars, end.trail]
            if not isinstance(end, Failed) or last or not end.fail.to_retry(node.retry):
                return end
            if place.token.cancelled:
                return Stopped([end.fail], end.trail, end.partial)
            scars, partial = await self.unwind(end.trail)
            partial = end.partial or partial
            if place.token.cancelled:
                return Stopped([end.fail], scars, partial)
            if partial and node.on_partial == "fail":
                return Failed(end.fail, scars, partial)
            if not await self._backoff(node.retry, number, end.fail, path, place):
                stopped = place.token.cancelled
                return Stopped([end.fail], scars, partial) if stopped else Failed(end.fail, scars, partial)
        raise AssertionError("the last attempt returns")

    def _tries_again(self, retry: Retry, number: int, fail: Fail, place: Place) -> bool:
        fits = self.now + retry.delay(number, 0.0) < place.deadline
        return number < retry.max_attempts and fail.to_retry(retry) and fits

    # ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _scope(self, node: Scope, path: str, value: Any, place: Place) -> Ended:
        """S19, S21, S24, S27: a chain that unwinds itself when it failed or was cancelled, then cleans up."""
        cleanups: list[tuple[Cleanup, str]] = []
        end = await self._chain(node, path, value, place, cleanups)
        if node is self.scope:
            if isinstance(end, Done) and place.token.cancelled:
                end = Stopped([], end.trail)
            self.too_late = True  # to cancel the run
        if isinstance(end, Done):
            if place.done is not None and not place.token.cancelled:
                place.done.append(True)
            await self._clean(cleanups)
            return end
        if isinstance(end, Failed):
            self.decide(end.fail, place)
        scar, partial = await self.unwind(end.trail)
        await self._clean(cleanups)
        return replace(end, trail=scar, partial=end.partial or partial)

    async def _clean(self, cleanups: list[tuple[Cleanup, str]]) -> None:
        """S21, S24: the last first, one at a time; one that fails changes nothing."""
        for node, path in reversed(cleanups):
            fail = await self.shielded("cleanup", path, node.retry)
            self.cleanup_failures += [fail] if fail else []

    async def _chain(
        self, node: Scope, path: str, value: Any, place: Place, cleanups: list[tuple[Cleanup, str]]
    ) -> Ended:
        trail: Trail = []
        index = 0
        while index < len(node.children):
            if place.token.cancelled:
                return Stopped([], trail)
            child = node.children[index]
            here = f"{path}/{child.name}"
            index += 1
            match child:
                case Recover():
                    continue
                case Cleanup():
                    cleanups.append((child, here))
                    continue
                case Pivot():
                    trail.append(run.Pivot())
                    continue
            later = node.children[index:]
            end = await self.go(child, here, value, place.among(lambda fail, later=later: _recovers(later, fail)))
            trail.append(end.trail)
            if isinstance(end, Done):
                value = end.value
                continue
            end.trail = trail
            if isinstance(end, Stopped):
                return end
            recovered = await self._recover(node, path, index, end, place)
            if not isinstance(recovered, tuple):
                return recovered
            value, index, trail = recovered
        return Done(value, trail)

    async def _recover(
        self, node: Scope, path: str, index: int, end: Failed, place: Place
    ) -> Ended | tuple[Any, int, Trail]:
        """S20: go on behind the first recover of this kind, if all before it could be undone."""
        fail, trail, partial = end.fail, end.trail, end.partial
        for position in range(index, len(node.children)):
            child = node.children[position]
            if not isinstance(child, Recover) or not fail.matches(child.on):
                continue
            if place.token.cancelled:
                return Stopped([fail], trail, partial)
            if not (partial and child.on_partial == "fail"):
                trail, left = await self.unwind(trail)
                partial = partial or left
                if place.token.cancelled:
                    return Stopped([fail], trail, partial)
            if partial and child.on_partial == "fail":
                continue
            later = node.children[position + 1 :]
            inside = place.among(lambda _, later=later: _recovers(later, fail))
            done = await self.go(child.body, f"{path}/{child.name}", failure_of(fail), inside)
            trail = [*trail, done.trail]
            match done:
                case Done():
                    return done.value, position + 1, trail
                case Stopped():
                    return Stopped([fail, *done.fails], trail, done.partial)
                case Failed():
                    fail.attached.append(done.fail)
                    partial = done.partial
        return Failed(fail, trail, partial)

    async def _wait(self, node: WaitFor, path: str, value: Any, place: Place) -> Ended:
        """S21: the first letter that nobody has taken; else the next one, in the order of waiting."""
        found = next((letter for letter in self.letters if letter[0] == node.signal), None)
        if found:
            self.letters.remove(found)
            payload: Any = found[2]
        else:
            promise = self.kernel.promise()
            entry = (self.now, node.signal, promise)
            self.waiters.append(entry)
            place.token.on_cancel(lambda: promise.keep(None))
            payload = await promise
            if payload is None:
                self.waiters = [other for other in self.waiters if other is not entry]
                return Stopped([], [])
        return Done(payload if node.combine is None else node.combine.call(value, payload), [])

    def _receive(self, signal: Signal) -> None:
        """S21: the same id counts once; after a cancel it is refused."""
        if self.cancelled or signal.signal_id in self.known:
            return
        self.known.add(signal.signal_id)
        entry = next((waiter for waiter in self.waiters if waiter[1] == signal.name), None)
        if entry is None:
            self.letters.append((signal.name, signal.signal_id, signal.payload))
        else:
            self.waiters.remove(entry)
            entry[2].keep(signal.payload)

    # ── repetition and choice ────────────────────────────────────────────────────────────────────────────────────────

    async def _loop(self, node: Loop, path: str, value: Any, place: Place) -> Ended:
        """S17: `while` asks before each iteration, `until` after each."""
        trail: Trail = []
        for index in range(node.max_iterations):
            if node.check == "while" and not node.test.call(value, index):
                return Done(value, trail)
            end = await self.go(node.body, f"{path}[{index}]", value, place)
            trail.append(end.trail)
            if not isinstance(end, Done):
                return replace(end, trail=trail)
            value = end.value
            if place.token.cancelled:
                return Stopped([], trail)
            if node.check == "until" and node.test.call(value, index):
                return Done(value, trail)
        if node.check == "while" and not node.test.call(value, node.max_iterations):
            return Done(value, trail)
        return Failed(self.fail("orchestration.errors.LoopLimitExceeded", path), trail)

    async def _fold(self, node: Fold, path: str, value: Any, place: Place) -> Ended:
        """S16: one item at a time."""
        trail: Trail = []
        result = node.initial
        for index, item in enumerate(value):
            if place.token.cancelled:
                return Stopped([], trail)
            end = await self.go(node.body, f"{path}[{index}]", (result, item), place)
            trail.append(end.trail)
            if not isinstance(end, Done):
                return replace(end, trail=trail)
            result = end.value
        return Done(result, trail)

    async def _branch(self, node: Branch, path: str, value: Any, place: Place) -> Ended:
        """S13: the first arm that holds; all plans of this test have an `otherwise`."""
        assert node.otherwise is not None
        taken = next((arm.node for arm in node.arms if arm.test and arm.test.call(value)), node.otherwise)
        return await self.go(taken, f"{path}/{taken.name}", value, place)


def _recovers(children: tuple[Node, ...], fail: Fail) -> bool:
    return any(isinstance(child, Recover) and fail.matches(child.on) for child in children)
