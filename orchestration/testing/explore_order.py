"""Invariants that are ready, on what comes after what: undos, cleanups, the items of a map, the cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, final

from orchestration.interpreter.effects import AskHooks, Attempted, Effect, RunCleanup, RunStep, RunUndo
from orchestration.interpreter.events import CancelRequested, HooksAnswered
from orchestration.interpreter.pending import ATTEMPT
from orchestration.outcomes import Cancelled
from orchestration.plan.nodes import Cleanup, Fold, Loop, Map, Recover, Scope, Step
from orchestration.plan.tree import static_path
from orchestration.testing.explore_invariants import Invariant, Remembers
from orchestration.testing.explore_outcomes import placed
from orchestration.testing.explore_rules import NOTHING, TOKEN, around, broken, is_anew, is_inside, prefixes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node
    from orchestration.testing.explore_invariants import Moment
    from orchestration.testing.explore_keys import Keys


def nodes_of(plan: Plan) -> Mapping[str, Node]:
    """Return the nodes of a plan by their paths in it; of those that share one, the innermost."""
    return dict(placed(plan.root, plan.name))


def is_later(nodes: Mapping[str, Node], path: str, than: str) -> bool:
    """Tell whether one path stands behind another in the same chain, or in a later iteration."""
    before, here, there = "", TOKEN.findall(path), TOKEN.findall(than)
    for one, other in zip(here, there, strict=False):
        if one != other:
            return _is_behind(nodes, before, one, other)
        before += one
    return False


def _is_behind(nodes: Mapping[str, Node], before: str, one: str, other: str) -> bool:
    parent = nodes.get(static_path(before))
    if isinstance(parent, Scope) and one[0] == other[0] == "/":
        place = static_path(before)
        return nodes[place + one].number > nodes[place + other].number
    return isinstance(parent, Loop | Fold) and one[0] == other[0] == "[" and int(one[1:-1]) > int(other[1:-1])


def _attempts(moment: Moment) -> Iterator[Attempted]:
    """Yield the attempts under way that have not leaked."""
    for (_, kind), waiting in moment.pending.items():
        if kind == ATTEMPT:
            yield cast("Attempted", waiting.effect)


@final
class UndoneWhenSettled(Remembers):
    """A scope is unwound when all of it has settled, one undo at a time, before anything goes on (S20, S23, S24)."""

    def __init__(self, name: str, nodes: Mapping[str, Node] = NOTHING) -> None:
        """Know the nodes of a plan by their paths in it."""
        super().__init__(name)
        self._nodes = nodes

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - the protocol's signature
        """Look through the plan."""
        return UndoneWhenSettled(self.name, nodes_of(plan))

    def see(self, memory: Any, moment: Moment) -> Hashable:  # noqa: ANN401 - as above
        """Look at what begins."""
        begun = [effect for effect in moment.effects if type(effect) is RunUndo or type(effect) is RunStep]
        if len(moment.pending) > 1:
            for effect in begun:
                (self._undoes if type(effect) is RunUndo else self._goes_on)(effect, moment)
        return cast("Hashable", memory)

    def _undoes(self, effect: Effect, moment: Moment) -> None:
        scope = around(effect.path)
        others = sorted(one.path for one in _attempts(moment) if one is not effect and is_inside(one.path, scope))
        if others:
            raise broken(f"{effect.path} is undone while in {scope} there is still {', '.join(others)}")

    def _goes_on(self, effect: Effect, moment: Moment) -> None:
        for undo in _attempts(moment):
            if type(undo) is not RunUndo:
                continue
            if is_inside(effect.path, around(undo.path)) or is_later(self._nodes, effect.path, undo.path):
                raise broken(f"{effect.path} begins before {undo.path} is undone")


@final
class CleanedUpOnce(Remembers):
    """What was reached is cleaned up once, the last first, when its scope has ended (S21).

    It remembers the cleanups that were reached, as far as something behind them tells, and those that have begun.
    """

    first: Hashable = (frozenset[str](), frozenset[str]())

    def __init__(self, name: str, nodes: Mapping[str, Node] = NOTHING) -> None:
        """Know the nodes of a plan by their paths in it."""
        super().__init__(name)
        self._nodes = nodes

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - as above
        """Look for cleanups."""
        nodes = nodes_of(plan)
        cleans = any(isinstance(node, Cleanup) for node in nodes.values())
        return CleanedUpOnce(self.name, nodes) if cleans else Remembers(self.name)

    def see(self, memory: tuple[frozenset[str], frozenset[str]], moment: Moment) -> Hashable:
        """Note what is reached, and look at what begins."""
        reached, begun = memory
        for effect in moment.effects:
            if type(effect) is RunStep:
                over = sorted(path for path in begun if effect.path.startswith(f"{around(path)}/"))
                if over:
                    raise broken(f"{effect.path} begins after {', '.join(over)} has cleaned up")
                reached |= set(self._reached(effect.path))
            elif type(effect) is RunCleanup and effect.attempt == 1 and not is_anew(effect, moment):
                self._begins(effect, reached - begun, begun, moment)
                begun |= {effect.path}
        left = sorted(reached - begun) if moment.state.outcome is not None else []
        if left:
            raise broken(f"reached, and never cleaned up: {', '.join(left)}")
        return reached, begun

    def _reached(self, path: str) -> Iterator[str]:
        """Yield the cleanups that stand before a path, where nothing can have been passed over."""
        before = ""
        for here in prefixes(path):
            scope = self._nodes.get(static_path(before))
            at = self._nodes.get(static_path(here))
            if isinstance(scope, Scope) and at is not None:
                found: list[str] = []
                for child in scope.children:
                    if isinstance(child, Recover) and child.number < at.number:
                        found.clear()
                    elif isinstance(child, Cleanup) and child.number < at.number:
                        found.append(f"{before}/{child.name}")
                yield from found
            before = here

    def _begins(self, effect: RunCleanup, due: frozenset[str], begun: frozenset[str], moment: Moment) -> None:
        path, scope = effect.path, around(effect.path)
        if path in begun:
            raise broken(f"{path} cleans up twice")
        first = sorted(other for other in due if other != path and is_later(self._nodes, other, path))
        if first:
            raise broken(f"{path} cleans up before {', '.join(first)}")
        others = sorted(one.path for one in _attempts(moment) if one is not effect and is_inside(one.path, scope))
        if others:
            raise broken(f"{path} cleans up while in {scope} there is still {', '.join(others)}")


@final
class ItemsInOrder(Remembers):
    """The items of a map begin in their order, none before another and none left out (S16).

    It looks at maps whose body begins with a step, and remembers of each which item has begun last. Where hooks are
    asked first, the item begins with that: they may answer in any order.
    """

    first: Hashable = frozenset[tuple[str, int]]()

    def __init__(self, name: str, maps: Mapping[str, str] = NOTHING) -> None:
        """Know the first step of each map's body, by the map's path in the plan."""
        super().__init__(name)
        self._maps = maps

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - as above
        """Look for maps."""
        maps: dict[str, str] = {}
        for path, node in placed(plan.root, plan.name):
            if isinstance(node, Map) and isinstance(node.body, Step):
                maps[path] = f"{path}[]"
            elif isinstance(node, Map) and isinstance(node.body, Scope) and isinstance(node.body.children[0], Step):
                maps[path] = f"{path}[]/{node.body.children[0].name}"
        return ItemsInOrder(self.name, maps) if maps else Remembers(self.name)

    def see(self, memory: frozenset[tuple[str, int]], moment: Moment) -> Hashable:
        """Look at the items that begin."""
        last = dict(memory)
        for effect in moment.effects:
            if _begins(effect, moment):
                for path, index in self._items(effect.path):
                    if index > last.get(path, -1) + 1 or index < last.get(path, -1):
                        raise broken(f"item {index} of {path} begins after item {last.get(path, 'none')}")
                    last[path] = index
        if len(moment.state.ledger.mail.waiting):  # an item that waits for a signal shows nowhere else
            return frozenset(last.items())
        paths = [path for path, _ in moment.pending]
        return frozenset([pair for pair in last.items() if any(is_inside(path, pair[0]) for path in paths)])

    def _items(self, path: str) -> Iterator[tuple[str, int]]:
        """Yield the maps of which a step begins an item, with its number."""
        for here in prefixes(path):
            map_ = around(here) if here.endswith("]") else ""
            if self._maps.get(static_path(map_)) == static_path(path):
                yield map_, int(here[len(map_) + 1 : -1])


def _begins(effect: Effect, moment: Moment) -> bool:
    """Tell whether a step begins: its hooks are asked, or it is attempted without."""
    if type(effect) is AskHooks:
        return effect.when == "before"
    if type(effect) is not RunStep or effect.attempt > 1 or is_anew(effect, moment):
        return False
    return type(moment.event) is not HooksAnswered or moment.event.path != effect.path


@final
class CancelDecides(Remembers):
    """A cancel before anything else has decided is told to all steps, and decides; and nothing else cancels (S28).

    It remembers whether the run was decided, and whether by a cancel.
    """

    first: Hashable = (False, False)

    def see(self, memory: tuple[bool, bool], moment: Moment) -> Hashable:
        """Look at the cancel, and at the end."""
        decided, cancelled = memory
        state = moment.state
        if type(moment.event) is CancelRequested and not decided:
            cancelled = True
            deaf = [
                path
                for (path, kind), waiting in moment.pending.items()
                if (kind == ATTEMPT and type(waiting.effect) is RunStep and not waiting.told) or kind == "sleep"
            ]
            if deaf:
                raise broken(f"not told of the cancel: {', '.join(sorted(deaf))}")
        if state.outcome is not None and isinstance(state.outcome, Cancelled) != cancelled:
            raise broken(f"the run was{'' if cancelled else ' not'} cancelled, and is {type(state.outcome).__name__}")
        return state.ledger.decided, cancelled


undone_when_settled: UndoneWhenSettled = UndoneWhenSettled("undone_when_settled")
cleaned_up_once: CleanedUpOnce = CleanedUpOnce("cleaned_up_once")
items_in_order: ItemsInOrder = ItemsInOrder("items_in_order")
cancel_decides: CancelDecides = CancelDecides("cancel_decides")
