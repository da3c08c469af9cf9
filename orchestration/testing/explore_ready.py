"""Invariants that are ready: what the rules promise of every run of every workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, final

from orchestration.interpreter.effects import RunStep, RunUndo
from orchestration.interpreter.events import StepSucceeded
from orchestration.outcomes import Succeeded
from orchestration.plan.nodes import Graph, Map
from orchestration.plan.tree import static_path
from orchestration.testing.explore_invariants import Invariant, Remembers
from orchestration.testing.explore_order import (
    cancel_decides,
    cleaned_up_once,
    is_later,
    items_in_order,
    nodes_of,
    undone_when_settled,
)
from orchestration.testing.explore_outcomes import placed
from orchestration.testing.explore_rules import (
    NOTHING,
    TOKEN,
    broken,
    deadlines_held,
    retried_as_planned,
    undone_as_done,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node
    from orchestration.testing.explore_invariants import Moment
    from orchestration.testing.explore_keys import Keys


@final
class SettledOnce(Remembers):
    """Every step that can be undone ends in one end state, if the run does not succeed; none in two (S25)."""

    first: Hashable = frozenset[str]()

    def see(self, memory: frozenset[str], moment: Moment) -> Hashable:
        """Note a step that is armed, and look at the end."""
        memory = _armed(memory, moment)
        outcome = moment.state.outcome
        if outcome is None:
            return memory
        paths = [step.path for step in outcome.rollback.steps]
        twice = sorted({path for path in paths if paths.count(path) > 1}) if len({*paths}) < len(paths) else []
        missing = [] if isinstance(outcome, Succeeded) else sorted(memory - set(paths))
        if twice:
            raise broken(f"two end states: {', '.join(twice)}")
        if missing:
            raise broken(f"armed, and without an end state: {', '.join(missing)}")
        return memory


@final
class NothingInFlight(Remembers):
    """At the end nothing of the run is under way, except attempts that have leaked (S29)."""

    def see(self, memory: Any, moment: Moment) -> Hashable:  # noqa: ANN401 - as above
        """Look at the end."""
        if moment.state.outcome is not None and moment.pending:
            left = sorted(path for path, kind in moment.pending if not kind.startswith("leaked"))
            if left:
                raise broken(f"still under way: {', '.join(left)}")
        return cast("Hashable", memory)


@final
class NothingAfterCancel(Remembers):
    """After the cancel that has decided the run, no step begins (S28)."""

    def see(self, memory: Any, moment: Moment) -> Hashable:  # noqa: ANN401 - as above
        """Look at what begins."""
        if moment.effects and moment.state.ledger.cancel is not None:
            new = [effect.path for effect in moment.effects if type(effect) is RunStep]
            if new:
                raise broken(f"began after the cancel: {', '.join(new)}")
        return cast("Hashable", memory)


@final
class CapsHeld(Remembers):
    """Of a group with a cap, no more children are under way (S14)."""

    def __init__(self, name: str, groups: Mapping[str, Graph | Map] = NOTHING) -> None:
        """Know the groups with a cap of a plan, by their paths in it."""
        super().__init__(name)
        self._capped = groups

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - as above
        """Look for the groups."""
        groups = {path: node for path, node in placed(plan.root, plan.name) if isinstance(node, Graph | Map)}
        capped = {path: node for path, node in groups.items() if node.concurrency is not None}
        return CapsHeld(self.name, capped) if capped else Remembers(self.name)

    def see(self, memory: Any, moment: Moment) -> Hashable:  # noqa: ANN401 - as above
        """Count the children of each group of which something is pending."""
        if moment.effects:
            children: dict[str, set[str]] = {}
            for path, kind in moment.pending:
                if not kind.startswith("leaked"):
                    for group, child in self._groups(path):
                        children.setdefault(group, set()).add(child)
            for group, found in children.items():
                cap = self._capped[static_path(group)].concurrency or 0
                if len(found) > cap:
                    raise broken(f"{group}: {len(found)} children under way, at most {cap} may be")
        return cast("Hashable", memory)

    def _groups(self, path: str) -> list[tuple[str, str]]:
        """Return the groups with a cap that a path lies in, each with the child."""
        found: list[tuple[str, str]] = []
        before = ""
        for token in TOKEN.findall(path):
            group = self._capped.get(static_path(before))
            if (isinstance(group, Graph) and token[0] == "/") or (isinstance(group, Map) and token[0] == "["):
                found.append((before, token))
            before += token
        return found


@final
class UndoneInReverse(Remembers):
    """In a chain, what came later is settled first: no step is undone before one that built on it (S23)."""

    first: Hashable = frozenset[str]()

    def __init__(self, name: str, nodes: Mapping[str, Node] = NOTHING) -> None:
        """Know the nodes of a plan by their paths in it; of those that share one, the innermost."""
        super().__init__(name)
        self._nodes = nodes

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - as above
        """Look through the plan."""
        return UndoneInReverse(self.name, nodes_of(plan))

    def see(self, memory: frozenset[str], moment: Moment) -> Hashable:
        """Note a step that is armed, and look at what is undone."""
        memory = _armed(memory, moment)
        undone = [effect.path for effect in moment.effects if type(effect) is RunUndo and effect.attempt == 1]
        if undone:
            settled = {step.path for step in moment.state.ledger.rollback}
            for path in undone:
                early = sorted(later for later in memory - settled if is_later(self._nodes, later, path))
                if early:
                    raise broken(f"{path} is undone before {', '.join(early)}")
        return memory


def _armed(armed: frozenset[str], moment: Moment) -> frozenset[str]:
    """Return which steps with a compensation have succeeded."""
    ended = moment.ended
    if type(moment.event) is not StepSucceeded or type(ended) is not RunStep or ended.step.compensation is None:
        return armed
    late = (ended.path, ended.attempt, True) in moment.state.ledger.leaked  # it may land when unwinding is over (S24)
    return armed if late else armed | {ended.path}


settled_once: SettledOnce = SettledOnce("settled_once")
nothing_in_flight: NothingInFlight = NothingInFlight("nothing_in_flight")
nothing_after_cancel: NothingAfterCancel = NothingAfterCancel("nothing_after_cancel")
caps_held: CapsHeld = CapsHeld("caps_held")
undone_in_reverse: UndoneInReverse = UndoneInReverse("undone_in_reverse")
READY: tuple[Invariant, ...] = (
    settled_once,
    nothing_in_flight,
    nothing_after_cancel,
    caps_held,
    undone_in_reverse,
    retried_as_planned,
    deadlines_held,
    undone_as_done,
    undone_when_settled,
    cleaned_up_once,
    items_in_order,
    cancel_decides,
)
