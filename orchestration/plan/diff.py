"""How two plans differ, as a person would say it; worked out on their JSON documents alone.

The places of the two are paired by path, since a path is what a run knows a step by; then by what stands there, which
finds what was renamed or moved. What is in a pair is compared field by field.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from orchestration.frozen import frozen
from orchestration.plan.places import Stated, read, text, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from orchestration.plan.compile import Plan
    from orchestration.plan.places import Layer, Place

    _Line: TypeAlias = tuple[str, str, str]  # what has changed, from what, to what
    _Pair: TypeAlias = tuple[Place, Place]
    _Key: TypeAlias = Callable[[Place], str]

SHOWN = 12  # letters of a fingerprint


@frozen
class Change:
    """One thing in which a plan differs from an earlier one.

    `path` is that of the new plan, of what was removed that of the old one. `what` is the field that has changed, as
    `retry.max_attempts`, and `before` and `after` are its values as text. Of what was renamed or moved these two are
    the paths, of what was added or removed the one of them says what it is, and `what` says where among its siblings.
    """

    kind: Literal["added", "removed", "renamed", "moved", "changed"]
    path: str
    what: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        match self.kind:
            case "added":
                return f"{self.path}: added{self.what and ' '}{self.what}, {self.after}"
            case "removed":
                return f"{self.path}: removed, {self.before}"
            case "moved" if self.before == self.after:
                return f"{self.path}: moved, now {self.what}"
            case "renamed" | "moved":
                return f"{self.before} -> {self.after}: {self.kind}"
            case "changed":  # pragma: no branch - the kinds are these, mypy sees to it
                return f"{self.path}: {self.what} {self.before} -> {self.after}"


@frozen
class PlanDiff:
    """All in which a plan differs from an earlier one, in the order of the new plan, and then what was removed.

    Empty, and false, if the fingerprints are equal (S1). As text it is one line a change:

        shop/charge: retry.max_attempts 3 -> 5
        shop/ship: added after charge, step of shop:ship
    """

    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.changes)

    def __str__(self) -> str:
        """List the changes, one a line."""
        return "\n".join(map(str, self.changes)) or "no difference"


def diff_plans(old: Plan, new: Plan) -> PlanDiff:
    """Return how a plan differs from an earlier one."""
    return diff_documents(*(document_of(plan) for plan in (old, new)))


@lru_cache(maxsize=64)
def document_of(plan: Plan) -> str:
    """Return the plan as `Plan.to_json` writes it, and what its functions take and give: what a diff can tell."""
    return json.dumps({**json.loads(plan.to_json()), "types": list(types_of(plan.root))})


def diff_documents(old: str, new: str) -> PlanDiff:
    """Return how a stored plan differs from an earlier one, both as `Plan.to_json` or `document_of` writes them.

    What the functions take and give stands only in those of `document_of`: where nothing else differs in others, the
    fingerprints do.

    Raises:
        InvalidDocument: if one of the texts is no plan.
    """
    (before, old_print), (after, new_print) = read(old), read(new)
    if old_print == new_print:
        return PlanDiff()
    changes = _Comparison(before, after).changes()
    if not changes:
        prints = f"{old_print[:SHOWN]}…", f"{new_print[:SHOWN]}…"
        changes = (Change("changed", after.path, "fingerprint, hence types or library,", *prints),)
    return PlanDiff(changes)


class _Comparison:
    """One comparison: the changes so far, and the places that have no counterpart yet."""

    def __init__(self, old: Place, new: Place) -> None:
        self.old, self.new = old, new
        self.found: list[Change] = []
        self.gone: list[Place] = []
        self.come: list[Place] = []
        self.told: set[int] = set()  # what is told to be moved, with all that is in it

    def changes(self) -> tuple[Change, ...]:
        """Return all changes, those of the new plan in its order."""
        self.renamed(self.old, self.new)
        self.pair(self.old, self.new)
        for key in (_shape, _kind_and_name):
            self.moved(key)
        self.found += [Change("added", place.path, _where(place), after=str(place)) for place in self.come]
        order = {place.path: number for number, place in enumerate(self.new.walk())}
        self.found.sort(key=lambda change: order[change.path])
        return (*self.found, *(Change("removed", place.path, before=str(place)) for place in self.gone))

    def renamed(self, old: Place, new: Place) -> None:
        """Note that a place has another name, which is in its path unless it is an item's."""
        if old.name != new.name and new.item:
            self.note(new, ("name", repr(old.name), repr(new.name)))
        elif old.name != new.name:
            self.found.append(Change("renamed", new.path, before=old.path, after=new.path))

    def pair(self, old: Place, new: Place) -> None:
        """Compare two places of which the one has become the other."""
        self.layers(old, new)
        self.children(old, new)

    def layers(self, old: Place, new: Place) -> None:
        """Compare what stands at two places: the policies around a body, and the body itself."""
        body, other = old.layers[-1], new.layers[-1]
        before, after = _policies(old), _policies(new)
        own = {*body.fields, *other.fields} | _ambiguous(before, after)
        common: list[_Line] = []
        single: list[_Line] = []
        silent = body.kind != other.kind
        for key in dict.fromkeys((*before, *after)):
            one, two = before.get(key), after.get(key)
            if one is not None and two is not None:
                common += _differences(one.fields, two.fields, key[0], own)
                continue
            given = (one or two or body).given
            silent = silent or not given
            for name, value in given.items():
                label, shown = _label(name, key[0], own), text(value)
                single.append((label, "None", shown) if one is None else (label, shown, "None"))
        if silent or (old.kind != new.kind and not single):
            self.note(new, ("construct", old.kind, new.kind))
        self.note(new, *single, *common, *_differences(body.fields, other.fields))

    def note(self, place: Place, *lines: _Line) -> None:
        """Note changes of the fields of a place."""
        self.found += [Change("changed", place.path, *line) for line in lines]

    def children(self, old: Place, new: Place) -> None:
        """Pair what stands below two places by name, an item with the other item, or else by what it is."""
        gone, come = list(old.children), list(new.children)
        pairs = _paired(gone, come, _own_name) + _paired(gone, come, _shape)
        self.gone += gone
        self.come += come
        self.order(old, new, pairs)
        for one, other in pairs:
            self.renamed(one, other)
            self.pair(one, other)

    def order(self, old: Place, new: Place, pairs: list[_Pair]) -> None:
        """Note which of the places that are in both stand elsewhere among their siblings."""
        names = {id(one): other.name for one, other in pairs}
        before = [names[id(place)] for place in old.children if id(place) in names]
        after = [place.name for place in new.children if place.name in before]
        blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        stayed = {name for _, start, size in blocks for name in after[start : start + size]}
        for place in new.children:
            if place.name in names.values() and place.name not in stayed:
                self.found.append(Change("moved", place.path, _where(place), place.path, place.path))

    def moved(self, key: _Key) -> None:
        """Pair what is gone from one workflow or group with what has come to another."""
        gone, come = ([spot for place in side for spot in self.untold(place)] for side in (self.gone, self.come))
        for one, other in _paired(gone, come, key):
            if any(id(place) in self.told for root in (one, other) for place in root.walk()):
                continue  # it is in something that was moved as a whole, or the other way round
            self.told |= {id(place) for root in (one, other) for place in root.walk()}
            self.gone = [place for place in self.gone if place is not one]
            self.come = [place for place in self.come if place is not other]
            self.found.append(Change("moved", other.path, before=one.path, after=other.path))
            self.pair(one, other)

    def untold(self, place: Place) -> Iterator[Place]:
        """Yield a place and all below it, but for those that are told to be moved."""
        if id(place) not in self.told:
            yield place
            for child in place.children:
                yield from self.untold(child)


def _paired(old: list[Place], new: list[Place], key: _Key) -> list[_Pair]:
    """Take the places with equal keys out of two lists, in their order, those of one name before others."""
    waiting: defaultdict[str, list[Place]] = defaultdict(list)
    for place in old:
        waiting[key(place)].append(place)
    pairs: list[_Pair] = []
    for place in new:
        left = waiting[key(place)]
        if left:
            at = next((at for at, other in enumerate(left) if other.name == place.name), 0)
            pairs.append((left.pop(at), place))
    taken = {id(place) for pair in pairs for place in pair}
    for side in (old, new):
        side[:] = [place for place in side if id(place) not in taken]
    return pairs


def _own_name(place: Place) -> str:
    return "" if place.item else place.name


def _shape(place: Place) -> str:
    return place.shape


def _kind_and_name(place: Place) -> str:
    return f"{place.layers[-1].kind} {place.name}"


def _where(place: Place) -> str:
    """Say where a place stands among its siblings."""
    return "" if place.item else f"after {place.after}" if place.after else "first"


def _policies(place: Place) -> dict[tuple[str, int], Layer]:
    """Return the layers around a body by their kind and, counted from inside, number."""
    count: Counter[str] = Counter()
    found: dict[tuple[str, int], Layer] = {}
    for layer in reversed(place.layers[:-1]):
        found[layer.kind, count[layer.kind]] = layer
        count[layer.kind] += 1
    return found


def _ambiguous(*sides: Mapping[tuple[str, int], Layer]) -> set[str]:
    """Return the names of fields that policies of two kinds have."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for layer in (layer for side in sides for layer in side.values()):
        for name in layer.fields:
            kinds[name].add(layer.kind)
    return {name for name, known in kinds.items() if len(known) > 1}


def _label(name: str, kind: str, own: Collection[str]) -> str:
    """Return how to call a field of a policy: with its kind where something else has a field of that name."""
    return f"{kind}.{name}" if name in own else name


def _differences(
    old: Mapping[str, object], new: Mapping[str, object], kind: str = "", own: Collection[str] = ()
) -> Iterator[_Line]:
    """Yield the fields that are in both, with the values that differ."""
    for name, value in old.items():
        if name in new:
            yield from _difference(_label(name, kind, own), value, new[name])


def _difference(name: str, old: Any, new: Any) -> Iterator[_Line]:  # noqa: ANN401 - any part of a plan
    if isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new) and attrs.has(type((*old, None)[0])):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _difference(f"{name}[{index}]", one, other)
    elif isinstance(old, Stated) and isinstance(new, Stated) and old.ref != new.ref:
        yield name, text(old), text(new)
    elif attrs.has(type(old)) and type(old) is type(new):
        for field in attrs.fields(type(old)):
            one, other = getattr(old, field.name), getattr(new, field.name)
            if field.eq and not (isinstance(old, Stated) and None in (one, other) and field.name in ("takes", "gives")):
                yield from _difference(f"{name}.{field.name}", one, other)
    elif text(old) != text(new):
        yield name, text(old), text(new)
