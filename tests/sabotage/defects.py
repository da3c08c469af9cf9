"""The defects: each a rule that is broken, and the text of one module that is replaced to break it.

Each text stands in its module once, so that a row cannot hit another place than it means; a row whose text has gone
must follow the source. What is in `interpreter/` shows in the states that `explore` visits, what is in `runtime/` in
the runs that `simulate` draws.
"""

from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """A defect: what it does, the rule that it breaks, the module, and the text with what takes its place."""

    name: str
    rule: str
    module: str
    old: str
    new: str

    @property
    def finders(self) -> tuple[str, ...]:
        """Which finders look for it, up to the first that finds it: `explore` sees nothing of the runtime."""
        if self in DURABLE:
            return ("crash",)
        return ("simulate",) if self.module.startswith("runtime/") else ("explore", "simulate")

    def applied_to(self, source: str) -> str:
        """Return the source of the module with the defect in it.

        Raises:
            ValueError: if the text does not stand in it exactly once.
        """
        found = source.count(self.old)
        if found != 1:
            raise ValueError(f"{self.name}: the text stands {found} times in {self.module}, expected once")
        return source.replace(self.old, self.new)


STEPS = (
    Defect(
        "one attempt too many",
        "S9",
        "interpreter/backoff.py",
        "attempt >= retry.max_attempts",
        "attempt > retry.max_attempts",
    ),
    Defect(
        "one attempt too few",
        "S9",
        "interpreter/backoff.py",
        "attempt >= retry.max_attempts",
        "attempt >= retry.max_attempts - 1",
    ),
    Defect(
        "every failure is retried",
        "S9",
        "interpreter/backoff.py",
        "or not failure.matches(retry.retry_on)",
        "",
    ),
    Defect(
        "the backoff begins at the second delay",
        "S9",
        "interpreter/backoff.py",
        "retry.delay(attempt, draw(key, attempt))",
        "retry.delay(attempt + 1, draw(key, attempt))",
    ),
    Defect(
        "the number of an attempt stays the same",
        "S9",
        "interpreter/step.py",
        "effect = evolve(self.effect, attempt=self.effect.attempt + 1)",
        "effect = self.effect",
    ),
    Defect(
        "attempts are numbered by twos",
        "S9",
        "interpreter/step.py",
        "effect = evolve(self.effect, attempt=self.effect.attempt + 1)",
        "effect = evolve(self.effect, attempt=self.effect.attempt + 2)",
    ),
    Defect(
        "each attempt has an idempotency key of its own",
        "S5",
        "interpreter/effects.py",
        'return f"{run_id}:{self.path}"',
        'return f"{run_id}:{self.path}#{self.attempt}"',
    ),
    Defect(
        "a cancelled step is tried again",
        "S9",
        "interpreter/step.py",
        "retry = None if turn.stopping else effect.step.retry",
        "retry = effect.step.retry",
    ),
    Defect(
        "a backoff goes on after the cancel",
        "S28",
        "interpreter/step.py",
        "            turn.effects.append(CancelTimer(self.effect.path))\n            return self._stopped(doubt=False)",
        "            return self",
    ),
    Defect(
        "the timer of a cancelled backoff is left running",
        "S29",
        "interpreter/step.py",
        "            turn.effects.append(CancelTimer(self.effect.path))\n",
        "",
    ),
)
TIMES = (
    Defect(
        "a child does not know the deadline around it",
        "S10",
        "interpreter/timed.py",
        "child = turn.within(act, deadline=due)",
        "child = act()",
    ),
    Defect(
        "a deadline is forgotten when something ends",
        "S10",
        "interpreter/timed.py",
        "child = turn.within(act, stopping=self.exceeded is not None, deadline=self.due)",
        "child = turn.within(act, stopping=self.exceeded is not None)",
    ),
    Defect(
        "no timer is started for a deadline",
        "S10",
        "interpreter/timed.py",
        '    turn.effects.append(StartTimer(path, due, "timeout"))\n',
        "",
    ),
    Defect(
        "the timer of a deadline that was met is left running",
        "S29",
        "interpreter/timed.py",
        '            turn.effects.append(CancelTimer(self.path, "timeout"))\n            return child',
        "            return child",
    ),
    Defect(
        "a backoff goes past the deadline",
        "S10",
        "interpreter/turn.py",
        "return self.deadline is None or due < self.deadline",
        "return True",
    ),
    Defect(
        "what is past its deadline is not told",
        "S10",
        "interpreter/timed.py",
        "child = turn.within(lambda: self.child.cancel(turn), stopping=True, deadline=self.due)",
        "child = self.child",
    ),
    Defect(
        "a sleep goes on after the cancel",
        "S28",
        "interpreter/waits.py",
        '        turn.effects.append(CancelTimer(self.path, "sleep"))\n',
        "",
    ),
)
UNDOS = (
    Defect(
        "one undo is skipped",
        "S23",
        "interpreter/saga.py",
        "self.marks, self.off, self.position + 1, stuck), turn)",
        "self.marks, self.off, self.position + 2, stuck), turn)",
    ),
    Defect(
        "undo goes in plan order",
        "S23",
        "interpreter/saga.py",
        "marks = tuple(in_reverse(ended.trail))",
        "marks = tuple(in_reverse(ended.trail))[::-1]",
    ),
    Defect(
        "the undo of a group goes in plan order",
        "S23",
        "interpreter/trail.py",
        "for position in sorted(trail.trails, reverse=True):",
        "for position in sorted(trail.trails):",
    ),
    Defect(
        "an undo gets the input",
        "S22",
        "interpreter/step.py",
        "Entry(effect.path, node, armed=True, value=output)",
        "Entry(effect.path, node, armed=True, value=effect.value)",
    ),
    Defect(
        "doubt is forgotten",
        "S22",
        "interpreter/step.py",
        "if effect.step.compensation is None or not (self.doubt or doubt):",
        "if effect.step.compensation is None or not self.doubt:",
    ),
    Defect(
        "the doubt of an earlier attempt is forgotten",
        "S22",
        "interpreter/step.py",
        "if effect.step.compensation is None or not (self.doubt or doubt):",
        "if effect.step.compensation is None or not doubt:",
    ),
    Defect(
        "every failure leaves doubt",
        "S22",
        "interpreter/step.py",
        "doubt=self._uncertain(event.failure))",
        "doubt=True)",
    ),
    Defect(
        "an attempt that never began leaves doubt",
        "S22",
        "interpreter/step.py",
        "return self._stopped(doubt=event.started)",
        "return self._stopped(doubt=True)",
    ),
    Defect(
        "a step in doubt is undone as if it had succeeded",
        "S22",
        "interpreter/saga.py",
        "    if entry.armed:\n",
        "    if entry.armed or compensation is not None:\n",
    ),
    Defect(
        "a late success is dropped",
        "S24",
        "interpreter/engine.py",
        "    if isinstance(event, StepSucceeded):\n        turn.ledger = evolve(turn.ledger, late=",
        "    if isinstance(event, StepFailed):\n        turn.ledger = evolve(turn.ledger, late=",
    ),
    Defect(
        "a leaked attempt is not named",
        "S24",
        "interpreter/step.py",
        "            case StepLeaked() if turn.stopping:\n                turn.leak(effect.path, effect.attempt)\n",
        "            case StepLeaked() if turn.stopping:\n",
    ),
    Defect(
        "an undo that failed holds nothing",
        "S26",
        "interpreter/saga.py",
        'if policy != "continue":',
        'if policy == "halt":',
    ),
    Defect(
        "an undo that failed holds all that remains",
        "S26",
        "interpreter/saga.py",
        'halts=policy == "halt"',
        "halts=True",
    ),
    Defect(
        "an undo that failed holds those beside it",
        "S26",
        "interpreter/trail.py",
        "return isinstance(node, Graph) and other in node.topology.before(position)",
        "return isinstance(node, Graph)",
    ),
    Defect(
        "a rollback with a failed undo counts as complete",
        "S20",
        "interpreter/saga.py",
        "ended, policy = evolve(ended, partial=True), effect.compensation.on_failure",
        "policy = effect.compensation.on_failure",
    ),
    Defect(
        "a pivot is ignored",
        "S27",
        "interpreter/scope.py",
        "return List([Sealed(trail)]), cleanups",
        "return trail, cleanups",
    ),
    Defect(
        "a pivot seals nothing once the run is cancelled",
        "S27",
        "interpreter/saga.py",
        "elif mark.sealed or (frame.off and _is_off(leaf)):",
        "elif (mark.sealed and not frame.off) or (frame.off and _is_off(leaf)):",
    ),
    Defect(
        "a run that does not compensate on cancel does",
        "S28",
        "interpreter/saga.py",
        "return compensation is not None and not compensation.on_cancel",
        "return False",
    ),
    Defect(
        "a composite is armed with its parts",
        "S27",
        "interpreter/compensated.py",
        "        case Broken() | Stopped():\n            return child",
        "        case Broken() | Stopped():\n"
        "            child.trail = Entry(path, node, armed=True, value=None)\n            return child",
    ),
    Defect(
        "an undo is not tried again",
        "S24",
        "interpreter/shielded.py",
        "if delay is None:",
        "if delay is None or isinstance(effect, RunUndo):",
    ),
    Defect(
        "a cancel ends the unwinding",
        "S24",
        "interpreter/saga.py",
        '''    def cancel(self, turn: Turn) -> Self:  # noqa: ARG002 - the protocol's signature
        """Go on: unwinding is shielded (S24)."""
        return self
''',
        '''    def cancel(self, turn: Turn) -> Self:  # noqa: ARG002 - the protocol's signature
        """Go on: unwinding is shielded (S24)."""
        return self.ended
''',
    ),
)
GROUPS = (
    Defect(
        "the cap of a group is ignored",
        "S14",
        "interpreter/work.py",
        "return len(self.active) < cap and",
        "return len(self.active) <= cap and",
    ),
    Defect(
        "something begins after fail-fast",
        "S18",
        "interpreter/work.py",
        "        if self.fate.halted or self.turn.stopping:\n            return False\n        cap =",
        "        cap =",
    ),
    Defect(
        "the cancel does not reach the last sibling",
        "S18",
        "interpreter/work.py",
        "for index in sorted(self.active):\n            child = self.active[index]\n            self.take(",
        "for index in sorted(self.active)[:-1]:\n            child = self.active[index]\n            self.take(",
    ),
    Defect(
        "fail-fast does not wait for its siblings",
        "S24",
        "interpreter/work.py",
        "waits = self.active or self.is_folding() or self._is_open()",
        "waits = (self.active and self.fate.failure is None) or self.is_folding() or self._is_open()",
    ),
    Defect(
        "the latest failure is the primary one",
        "S18",
        "interpreter/work.py",
        "            failures, partial = (*fate.failures, broken.failure), fate.partial or broken.partial\n"
        "            self.fate = evolve(fate, failures=failures, partial=partial)",
        "            self.fate = evolve(fate, failure=broken.failure, partial=fate.partial or broken.partial)",
    ),
    Defect(
        "results come in the order of completion",
        "S16",
        "interpreter/members.py",
        "        for index, output in outputs:\n            results[index] = output\n        return results",
        "        return [output for _, output in outputs][::-1]",
    ),
    Defect(
        "items begin from the last",
        "S16",
        "interpreter/work.py",
        "index, self.ready = self.ready[0], self.ready[1:]",
        "index, self.ready = self.ready[-1], self.ready[:-1]",
    ),
    Defect(
        "results are folded as they come",
        "S16",
        "interpreter/members.py",
        "return evolve(outputs, waiting=outputs.waiting.insert(index, output))",
        "return evolve(outputs, waiting=outputs.waiting.insert(self.count(outputs), output))",
    ),
    Defect(
        "a race keeps what the losers did",
        "S20",
        "interpreter/work.py",
        "return self._settle(self.members.output(self.outputs, fate.winner), without(trails, frozenset(lost)), lost)",
        "return self._settle(self.members.output(self.outputs, fate.winner), trails, without(lost, frozenset(lost)))",
    ),
    Defect(
        "a race goes on past what could not be undone",
        "S20",
        "interpreter/settling.py",
        'if not child.partial or frame.node.on_partial == "continue":',
        "if True:",
    ),
    Defect(
        "collect keeps what failed members did",
        "S20",
        "interpreter/work.py",
        "lost = fate.lost if child.trail is None else fate.lost.insert(index, child.trail)",
        "lost = fate.lost",
    ),
    Defect(
        "one failure more than that is tolerated",
        "S18",
        "interpreter/work.py",
        "return not isinstance(mode, Tolerate) or mode.allows(errors, self.total)",
        "return not isinstance(mode, Tolerate) or mode.allows(errors - 1, self.total)",
    ),
    Defect(
        "a node of a graph starts with the first that it needs",
        "S14",
        "interpreter/members.py",
        "if all(_succeeded(node, outputs, need) for need in needs[rank]))",
        "if any(_succeeded(node, outputs, need) for need in needs[rank]))",
    ),
)
SCOPES = (
    Defect(
        "a cancel is not recorded",
        "S28",
        "interpreter/engine.py",
        "turn.ledger = evolve(turn.ledger, cancel=event.reason, decided=True)",
        "turn.ledger = evolve(turn.ledger, decided=True)",
    ),
    Defect(
        "a later cancel overrules the failure",
        "S28",
        "interpreter/engine.py",
        "    if turn.ledger.decided:\n        return _close(root, turn)\n",
        "",
    ),
    Defect(
        "a chain goes on after the cancel",
        "S28",
        "interpreter/scope.py",
        "if index == len(children) or turn.stopping:",
        "if index == len(children):",
    ),
    Defect(
        "a loop goes on after the cancel",
        "S28",
        "interpreter/repeat.py",
        "        if turn.stopping:\n            whole =",
        "        if turn.stopping and isinstance(node, Fold):\n            whole =",
    ),
    Defect(
        "what a recover covers is not undone first",
        "S20",
        "interpreter/recover.py",
        "    child = unwind(broken, chain, turn)\n",
        "    child = Broken(broken.failure, None, broken.order)\n",
    ),
    Defect(
        "a recover goes on after the cancel",
        "S20",
        "interpreter/recover.py",
        "    if turn.stopping:\n        return Stopped(ended.trail, (ended.failure,), ended.partial)\n",
        "",
    ),
    Defect(
        "a recover takes failures of all kinds",
        "S20",
        "interpreter/scope.py",
        "isinstance(recovering, Recover) and broken.failure.matches(recovering.on)",
        "isinstance(recovering, Recover)",
    ),
    Defect(
        "a recover goes on past what could not be undone",
        "S20",
        "interpreter/recover.py",
        '    if ended.partial and node.on_partial == "fail":\n        return ended\n',
        "",
    ),
    Defect(
        "a deadline is recovered from",
        "S20",
        "interpreter/timed.py",
        "child = turn.within(act, stopping=self.exceeded is not None, deadline=self.due)",
        "child = turn.within(act, deadline=self.due)",
    ),
    Defect(
        "a composite is tried again before it is unwound",
        "S20",
        "interpreter/retried.py",
        "return self._unwound(unwind(child, self._name, turn), child.failure, turn)",
        "return self._unwound(evolve(child, trail=None), child.failure, turn)",
    ),
    Defect(
        "the second attempt of a composite has the paths of the first",
        "S4",
        "interpreter/retried.py",
        'return self.path if self.attempt == 1 else f"{self.path}#{self.attempt}"',
        "return self.path",
    ),
    Defect(
        "one attempt of a composite too many",
        "S9",
        "interpreter/retried.py",
        'f"{turn.run_id}:{self.path}", self.attempt)',
        'f"{turn.run_id}:{self.path}", self.attempt - 1)',
    ),
    Defect(
        "a cleanup runs twice",
        "S21",
        "interpreter/cleanup.py",
        "return close(evolve(self.ended), self.cleanups, turn)",
        "return close(evolve(self.ended), self.cleanups[:1] * 2, turn)",
    ),
    Defect(
        "only the last cleanup runs",
        "S21",
        "interpreter/cleanup.py",
        "return Cleaning(result, tuple(others), begin(effect, turn))",
        "return Cleaning(result, (), begin(effect, turn))",
    ),
    Defect(
        "cleanups run in the order of registration",
        "S21",
        "interpreter/cleanup.py",
        "registered, *others = cleanups",
        "*others, registered = cleanups",
    ),
    Defect(
        "a scope that succeeds does not clean up",
        "S21",
        "interpreter/scope.py",
        "        return close(ended, cleanups, turn)\n    if isinstance(ended, Broken)",
        "        return ended\n    if isinstance(ended, Broken)",
    ),
    Defect(
        "the last to wait gets the signal",
        "S21",
        "interpreter/mail.py",
        "for ticket in sorted(self.waiting):",
        "for ticket in sorted(self.waiting, reverse=True):",
    ),
    Defect(
        "signals queue last in, first out",
        "S21",
        "interpreter/mail.py",
        "next((letter for letter in self.queued if",
        "next((letter for letter in self.queued[::-1] if",
    ),
    Defect(
        "a signal is given twice",
        "S21",
        "interpreter/mail.py",
        "return letter, evolve(self, queued=tuple(other for other in self.queued if other is not letter))",
        "return letter, self",
    ),
    Defect(
        "who is cancelled stays in the line for a signal",
        "S21",
        "interpreter/waits.py",
        "        turn.ledger = evolve(turn.ledger, mail=turn.ledger.mail.withdraw(self.ticket))\n",
        "",
    ),
)
HOOKS = (
    Defect(
        "the answer of a gate is not looked at",
        "S31",
        "interpreter/step.py",
        "        if event.failure is not None:\n            return turn.broken(event.failure, self.trail)\n",
        "",
    ),
    Defect(
        "a step does not wait for its gates",
        "S31",
        "interpreter/step.py",
        '    if "before" in node.asks or "before" in turn.ledger.asks:',
        "    if False:",
    ),
    Defect(
        "a veto is ignored",
        "S31",
        "runtime/hooked.py",
        "failure = task.result() if error is None else Failure.of(error, path)",
        "failure = None",
    ),
    Defect(
        "only the last gate is asked",
        "S31",
        "runtime/hooks.py",
        "            if failure is not None:\n                return failure\n        began =",
        "        began =",
    ),
)
TIMERS = (
    Defect(
        "no timer is ever cancelled",
        "S29",
        "runtime/timers.py",
        "            handle.cancel()\n\n    def clear",
        "            return\n\n    def clear",
    ),
    Defect(
        "a timer is late",
        "S10",
        "runtime/timers.py",
        "max(0.0, effect.due - now)",
        "max(0.0, effect.due - now) * 2",
    ),
    Defect(
        "the timeout of an attempt is not watched",
        "S10",
        "runtime/crew.py",
        "if under_way and attempt.timer is None:",
        "if under_way and attempt.timer is not None:",
    ),
    Defect(
        "a result at the same instant comes too late",
        "S10",
        "runtime/crew.py",
        "attempt.timer = self._loop.call_soon(self._time_out, attempt)",
        "self._time_out(attempt)",
    ),
    Defect(
        "a timeout runs on after its attempt",
        "S10",
        "runtime/crew.py",
        "        if attempt.timer is not None:\n            attempt.timer.cancel()\n        if attempt.leaving:",
        "        if attempt.leaving:",
    ),
    Defect(
        "an attempt that took too long ends as cancelled",
        "S10",
        "runtime/crew.py",
        "attempt.timed_out = True",
        "attempt.timed_out = False",
    ),
)
CREW = (
    Defect(
        "a cancel does not reach the body",
        "S28",
        "runtime/attempt.py",
        "        self.task.cancel()\n        return True",
        "        return True",
    ),
    Defect(
        "the grace has no end",
        "S24",
        "runtime/crew.py",
        "            attempt.timer = self._loop.call_later(self._driver.grace, self._leak, attempt)\n",
        "",
    ),
    Defect(
        "what was cancelled is not given up",
        "S24",
        "runtime/crew.py",
        "            attempt.timer = self._loop.call_later(self._driver.grace, self._leak, attempt)\n",
        "            if attempt.timed_out:\n"
        "                attempt.timer = self._loop.call_later(self._driver.grace, self._leak, attempt)\n",
    ),
    Defect(
        "the grace is over at once",
        "S24",
        "runtime/crew.py",
        "self._loop.call_later(self._driver.grace, self._leak, attempt)",
        "self._loop.call_later(0.0, self._leak, attempt)",
    ),
    Defect(
        "the late end of a leaked attempt is dropped",
        "S24",
        "runtime/crew.py",
        "        elif not self._driver.over:\n            self._driver.report(event)\n",
        "",
    ),
    Defect(
        "a leaked attempt keeps its place",
        "S24",
        "runtime/crew.py",
        "        self._leave(attempt.path)\n        self._retire(attempt.task)",
        "        del self._attempts[attempt.path]\n        self._retire(attempt.task)",
    ),
    Defect(
        "an attempt that was cancelled before it began begins",
        "S28",
        "runtime/crew.py",
        "            self._withdrawn.add(effect.path)\n",
        "            pass\n",
    ),
    Defect(
        "the end of an attempt that never began is lost",
        "S28",
        "runtime/driver.py",
        "            self._inbox.append(ended)\n",
        "            pass\n",
    ),
    Defect(
        "workers are not let go at the end",
        "S29",
        "runtime/driver.py",
        "        self._crew.dismiss()\n",
        "",
    ),
)
ADMISSION = (
    Defect(
        "one gate with room is enough",
        "S14",
        "runtime/admission.py",
        "return all(gate.free for gate in self.gates)",
        "return any(gate.free for gate in self.gates)",
    ),
    Defect(
        "an attempt takes no place",
        "S14",
        "runtime/admission.py",
        "            gate.free -= 1\n",
        "            gate.free -= 0\n",
    ),
    Defect(
        "a place is not given back",
        "S14",
        "runtime/admission.py",
        "            gate.free += 1\n",
        "            gate.free += 0\n",
    ),
    Defect(
        "who came last is admitted first",
        "S14",
        "runtime/admission.py",
        "return next(iter(self.tickets))",
        "return next(reversed(self.tickets))",
    ),
    Defect(
        "undos wait for a place of the run",
        "S14",
        "runtime/admission.py",
        "((True, (*caps, *limit)), (False, limit))",
        "((True, (*caps, *limit)), (False, (*caps, *limit)))",
    ),
    Defect(
        "steps do not count for the cap of the engine",
        "S14",
        "runtime/admission.py",
        "((True, (*caps, *limit)), (False, limit))",
        "((True, limit), (False, limit))",
    ),
    Defect(
        "who waits is not admitted when a place comes free",
        "S14",
        "runtime/admission.py",
        "                passing.append(following)\n",
        "                break\n",
    ),
)
EVENTS = (
    Defect(
        "effects are performed from the last",
        "S39",
        "runtime/driver.py",
        "        for effect in effects:\n            kind = type(effect)",
        "        for effect in reversed(effects):\n            kind = type(effect)",
    ),
    Defect(
        "a cancel that came too late says that it decided",
        "S28",
        "runtime/driver.py",
        "return not decided",
        "return True",
    ),
    Defect(
        "the caller does not learn that its task was cancelled",
        "S30",
        "runtime/driver.py",
        "if outcome is None or self._stop is not None:",
        "if outcome is None:",
    ),
    Defect(
        "a token is not obeyed",
        "S28",
        "runtime/handle.py",
        "lambda reason: loop.call_soon_threadsafe(self.cancel, reason)",
        "lambda reason: None",
    ),
    Defect(
        "who awaits a run is not told of its end",
        "S29",
        "runtime/driver.py",
        "        self.over = True\n        self._crew.drop()\n        self.wake_up()\n",
        "        self.over = True\n        self._crew.drop()\n",
    ),
    Defect(
        "a token loses its reason",
        "S28",
        "runtime/tokens.py",
        "                    callback(reason)\n",
        '                    callback("")\n',
    ),
    Defect(
        "a stream does not close when it is told to",
        "S29",
        "runtime/streams.py",
        "        self._closing = True\n        self._asked.set()\n        if self._pulling:",
        "        if self._pulling:",
    ),
    Defect(
        "the end of a stream is not reported",
        "S16",
        "runtime/streams.py",
        "        self._watch()\n        self._driver.report(event)\n",
        "        self._watch()\n",
    ),
    Defect(
        "every second item of a stream is lost",
        "S16",
        "runtime/streams.py",
        "        self._taken += 1\n        return END",
        "        self._taken += 1\n        await source.take()\n        return END",
    ),
)
DURABLE = (
    Defect(
        "what follows from an event is done before it is durable",
        "S34",
        "runtime/log.py",
        "        await self._append(batch)\n",
        "        asyncio.ensure_future(self._append(batch))\n",
    ),
    Defect(
        "what is done at once was never written",
        "S34",
        "runtime/log.py",
        "                self._desk.commit_here("
        "self._journal.append, self.lease, batch.records, **batch.changes, wait=False)\n",
        "                pass\n",
    ),
    Defect(
        "what could not be written at once is forgotten",
        "S34",
        "runtime/log.py",
        "                self._put_back(batch)\n",
        "                pass\n",
    ),
    Defect(
        "effects of a batch are released from the last",
        "S34",
        "runtime/driver.py",
        "        for turned in batch:\n            if",
        "        for turned in reversed(batch):\n            if",
    ),
    Defect(
        "a lost attempt leaves no doubt",
        "S35",
        "interpreter/step.py",
        "return evolve(self, doubt=True, losses=losses)",
        "return evolve(self, losses=losses)",
    ),
    Defect(
        "a lost attempt counts",
        "S35",
        "interpreter/step.py",
        "            turn.effects.append(effect)\n            return evolve(self, doubt=True, losses=losses)",
        "            effect = evolve(effect, attempt=effect.attempt + 1)\n"
        "            turn.effects.append(effect)\n"
        "            return evolve(self, effect=effect, doubt=True, losses=losses)",
    ),
    Defect(
        "a step that was lost with its process hangs",
        "S35",
        "interpreter/step.py",
        "            turn.effects.append(effect)\n            return evolve(self, doubt=True, losses=losses)",
        "            return evolve(self, doubt=True, losses=losses)",
    ),
    Defect(
        "a lost undo does not begin again",
        "S35",
        "interpreter/shielded.py",
        "            case UndoLost() | CleanupLost():\n                return begin(effect, turn)",
        "            case UndoLost() | CleanupLost():\n                return self",
    ),
    Defect(
        "answers to what was taken back are folded",
        "S34",
        "runtime/driver.py",
        " or log.is_stale(event)",
        "",
    ),
)
DEFECTS = (*STEPS, *TIMES, *UNDOS, *GROUPS, *SCOPES, *HOOKS, *TIMERS, *CREW, *ADMISSION, *EVENTS, *DURABLE)
