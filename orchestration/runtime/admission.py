"""Admission: how many attempts are under way at a time, in a run, in an engine, and under a named limit (S14)."""

from __future__ import annotations

from asyncio import get_running_loop
from collections import OrderedDict
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, final

from orchestration.errors import MissingLimit
from orchestration.interpreter.effects import RunCleanup, RunStep
from orchestration.plan.nodes import Cleanup, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from orchestration.interpreter.effects import Attempted
    from orchestration.plan.compile import Plan

_lock = Lock()  # one for all gates: an attempt takes several together, and a limit may be shared by loops in threads
_arrivals = count()


class Gate:
    """Lets so many attempts through at a time."""

    def __init__(self, capacity: int) -> None:
        """Be empty."""
        self.free = capacity
        self.waiting: set[Line] = set()  # the lines that are not empty and lead through this gate, too
        self._lines: dict[tuple[Gate, ...], Line] = {}

    def line(self, gates: tuple[Gate, ...]) -> Line:
        """Return the line for this gate and others, the same one for all runs that need the same gates."""
        with _lock:
            return self._lines.setdefault(gates, Line(gates))


class Line:
    """Attempts that need the same gates, first come first served. Its methods are called under the lock."""

    def __init__(self, gates: tuple[Gate, ...]) -> None:
        """Have nobody waiting."""
        self.gates = gates
        self.tickets: OrderedDict[Ticket, None] = OrderedDict()

    @property
    def first(self) -> Ticket:
        """The ticket that has waited longest."""
        return next(iter(self.tickets))

    def has_room(self) -> bool:
        """Tell whether all gates can be taken now, together."""
        return all(gate.free for gate in self.gates)

    def take(self, ticket: Ticket) -> None:
        """Give a ticket its places."""
        ticket.holds = True
        for gate in self.gates:
            gate.free -= 1

    def give_back(self, ticket: Ticket) -> None:
        """Take a ticket's places from it."""
        ticket.holds = False
        for gate in self.gates:
            gate.free += 1

    def add(self, ticket: Ticket) -> None:
        """Let a ticket wait."""
        self.tickets[ticket] = None
        for gate in self.gates:
            gate.waiting.add(self)

    def remove(self, ticket: Ticket) -> None:
        """Let a ticket wait no longer."""
        del self.tickets[ticket]
        if not self.tickets:
            for gate in self.gates:
                gate.waiting.discard(self)


class Ticket:
    """An attempt on its way through its gates."""

    __slots__ = ("admission", "effect", "holds", "line", "number", "ready")

    def __init__(self, admission: Admission, effect: Attempted, line: Line) -> None:
        """Come after all others."""
        self.admission: Admission = admission
        self.effect: Attempted = effect
        self.line: Line = line
        self.number: int = next(_arrivals)
        self.holds: bool = False  # whether it has its places
        self.ready: bool = False  # whether its run has been told


@final
class Limits:
    """Named limits and their capacities: `Limits(stripe=4)`. Shared by all runs of all engines that are given it.

    ```python
    limits = Limits(stripe=4)
    engines = [LocalEngine(services, limits=limits), LocalEngine(services, limits=limits)]  # four together
    await engines[0].execute(Workflow[Order]("sale").step(find_user, limit="stripe"), order)
    ```
    """

    def __init__(self, capacities: Mapping[str, int] | None = None, /, **more: int) -> None:
        """Take names that are no identifiers from a mapping.

        Raises:
            ValueError: if a capacity is no int of at least 1.
        """
        self._gates = {
            name: gate_of(capacity, f"the limit {name!r}") for name, capacity in {**(capacities or {}), **more}.items()
        }

    def gate(self, name: str, plan: Plan) -> Gate:
        """Return the gate of a limit.

        Raises:
            MissingLimit: if there is no such limit.
        """
        found = self._gates.get(name)
        if found is None:
            raise MissingLimit(
                plan.name,
                found=f"the limit {name!r} of a step; limits of the engine: {', '.join(sorted(self._gates)) or 'none'}",
                expected="a capacity for it",
                mend=f"Give the engine one: LocalEngine(limits={{{name!r}: 4}}).",
            )
        return found


def gate_of(capacity: int, what: str) -> Gate:
    """Return a gate for so many attempts.

    Raises:
        ValueError: if the capacity is no int of at least 1.
    """
    if type(capacity) is not int or capacity < 1:
        message = f"the capacity of {what} must be an int of at least 1, found {capacity!r}"
        raise ValueError(message)
    return Gate(capacity)


Lines = dict[tuple[bool, str | None], Line]  # by whether an attempt is a step's, and the name of its limit


@final
class Admission:
    """The attempts of one run at their gates: those that wait, and those that have passed and hold their places."""

    def __init__(self, lines: Lines, admit: Callable[[Attempted], None], help_out: Callable[[], None]) -> None:
        """Know the line of each kind of attempt, and call `admit` with each attempt that may begin.

        Where another run made it possible, `help_out` is called after it: no worker of this one is about to look.
        """
        self._lines = lines
        self._admit = admit
        self._help_out = help_out
        self._loop = get_running_loop()
        self._tickets: dict[str, Ticket] = {}

    def queue(self, effect: Attempted) -> None:
        """Let an attempt through its gates, all together, or let it wait for them."""
        line = self._lines.get((type(effect) is RunStep, limit_of(effect)))
        if line is None:
            self._admit(effect)
            return
        ticket = self._tickets[effect.path] = Ticket(self, effect, line)
        with _lock:
            passes = line.has_room()
            if passes:
                line.take(ticket)
            else:
                line.add(ticket)
        if passes:
            self._pass(ticket)

    def leave(self, path: str) -> bool:
        """Give up what the attempt at `path` holds or waits for; tell whether it had been admitted."""
        ticket = self._tickets.pop(path, None)
        if ticket is None:
            return True
        self._free(ticket)
        return ticket.ready

    def close(self, running: Container[str]) -> None:
        """Give up all but the places of attempts that are running: the run was stopped."""
        for path in [path for path in self._tickets if path not in running]:
            self.leave(path)

    def _free(self, ticket: Ticket) -> None:
        line = ticket.line
        passing: list[Ticket] = []
        with _lock:
            if not ticket.holds:
                line.remove(ticket)
                return
            line.give_back(ticket)
            while (following := _first_that_fits(line.gates)) is not None:
                following.line.remove(following)
                following.line.take(following)
                passing.append(following)
        for following in passing:
            if following.admission is self:
                self._pass(following)
            else:
                following.admission._call(following)  # noqa: SLF001 - of this class

    def _call(self, ticket: Ticket) -> None:
        """Admit an attempt whose turn has come because another run, maybe in another thread, has left a gate."""
        if get_running_loop() is self._loop:
            self._come(ticket)
            return
        try:
            self._loop.call_soon_threadsafe(self._come, ticket)
        except RuntimeError:  # its loop has closed, and the run with it
            self._free(ticket)

    def _come(self, ticket: Ticket) -> None:
        self._pass(ticket)
        self._help_out()

    def _pass(self, ticket: Ticket) -> None:
        if self._tickets.get(ticket.effect.path) is ticket:  # it may have left on the way from another thread
            ticket.ready = True
            self._admit(ticket.effect)


def _first_that_fits(gates: tuple[Gate, ...]) -> Ticket | None:
    """Return the ticket that has waited longest among those that could now pass, of the lines through these gates.

    One that waits for a further gate holds up nobody who does not need that.
    """
    lines = {line for gate in gates for line in gate.waiting if line.has_room()}
    return min((line.first for line in lines), key=lambda ticket: ticket.number, default=None)


def limit_of(effect: Attempted) -> str | None:
    """Return the name of the limit that an attempt is under: an undo is under that of its step."""
    node = effect.cleanup if isinstance(effect, RunCleanup) else effect.step
    return node.limit if isinstance(node, Step | Cleanup) else None


def lines_of(plan: Plan, engine: Gate | None, limits: Limits) -> Lines:
    """Return the lines for the attempts of a new run; attempts without one need no admission.

    A step goes through the gates of its run, its engine and its limit, an undo or cleanup only through the last.

    Raises:
        MissingLimit: if the plan names a limit that there is not.
    """
    most = plan.root.max_concurrency
    caps = tuple(gate for gate in (None if most is None else Gate(most), engine) if gate is not None)
    lines: Lines = {}
    for name in dict.fromkeys([None, *_limits_in(plan)]):
        limit = () if name is None else (limits.gate(name, plan),)
        for is_step, gates in ((True, (*caps, *limit)), (False, limit)):
            if gates:  # the first gate is the one that ends soonest, and the line with it
                lines[is_step, name] = gates[0].line(gates)
    return lines


def _limits_in(plan: Plan) -> Iterator[str]:
    for node in plan.nodes:
        name: Any = getattr(node, "limit", None)
        if name is not None:
            yield name
