"""A stored plan as a tree of *places*: what stands at each path, read from its JSON document without a registry.

What has no path of its own, a timeout or a retry around a step, is a *layer* of the place, and so is what a branch or
graph says of a member. Nothing here knows a construct: fields, defaults and children come from the nodes' classes.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from orchestration.errors import InvalidDocument
from orchestration.frozen import frozen
from orchestration.plan.body import Body
from orchestration.plan.codec import canonical
from orchestration.plan.document import FORMAT, KINDS, TYPE_FIELDS, VALUE_FIELDS
from orchestration.plan.nodes import NODES
from orchestration.plan.tree import child_path, children_of
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orchestration.plan.codec import Json
    from orchestration.plan.nodes import Scope
    from orchestration.plan.tree import Siblings

T = TypeVar("T")

AS_IT_IS = TYPE_FIELDS | VALUE_FIELDS  # what holds no part of a plan


class Word(str):
    """A text that is shown without quotes: a reference, a type, data."""

    __slots__ = ()


@frozen
class Stated:
    """A function as a document states it; what it takes and gives is known where the document tells."""

    ref: Word
    kind: str
    arity: int = 1
    service: str | None = None
    stated: bool = False
    takes: tuple[Word, ...] | None = None
    gives: Word | None = None


@frozen
class Layer:
    """A node, or what a branch or graph says of it: its kind in words, all its own fields, and those not by default."""

    kind: str
    fields: Mapping[str, object]
    given: Mapping[str, object]


@frozen
class Place:
    """What stands at a path: layers from the outermost to the body, and the places below.

    `after` is the name of the sibling before it. An item has a name only if it is not that of what it is an item of.
    `shape` is equal for places that differ at most in path and name.
    """

    path: str
    name: str
    item: bool
    after: str | None
    layers: tuple[Layer, ...]
    children: tuple[Place, ...]
    shape: str

    def walk(self) -> Iterator[Place]:
        """Yield the place and all below it in preorder."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return " ".join(layer.kind for layer in self.layers)

    def __str__(self) -> str:
        """Say what it is, and what it calls or holds."""
        calls = [text(value) for value in self.layers[-1].fields.values() if isinstance(value, Stated)]
        holds = ", ".join(child.name for child in self.children if child.name)
        return self.kind + (f" of {calls[0]}" if calls else "") + (f" with {holds}" if holds else "")


def types_of(part: Any) -> Iterator[Json]:  # noqa: ANN401 - any part of a plan
    """Yield what each function in a part of a plan takes and gives, in the order in which `read` meets them."""
    if isinstance(part, Body):
        yield [[type_name(kind) for kind in part.takes], type_name(part.gives)]
    elif isinstance(part, tuple):
        for item in part:
            yield from types_of(item)
    elif type(part) in KINDS.values():
        for field in attrs.fields(type(part)):
            if field.eq and (type(part), field.name) not in AS_IT_IS:
                yield from types_of(getattr(part, field.name))


def read(document: str) -> tuple[Place, str]:
    """Return the root place and the fingerprint of a stored plan; its functions need not exist any more.

    Raises:
        InvalidDocument: if the text is no plan.
    """
    return _read(document, lambda root: _place(root, root.name))


def nodes_of(document: str) -> Scope:
    """Return the nodes of a stored plan, to be looked at: in the place of functions and types are their names.

    Raises:
        InvalidDocument: if the text is no plan.
    """
    root: Scope
    root, _ = _read(document, lambda root: root)
    return root


def _read(document: str, made: Callable[[Any], T]) -> tuple[T, str]:
    """Return what is made of the root of a stored plan, and the fingerprint."""
    try:
        data = json.loads(document)
    except (ValueError, RecursionError):
        data = None
    match data:
        case {"format": 1, "fingerprint": str(fingerprint), "plan": {"is": "Scope"} as plan}:
            try:
                return made(_part(plan, "plan", iter(data.get("types", ())))), fingerprint
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
                raise _invalid("plan", f"nodes that make no plan ({type(error).__name__}: {error})") from error
        case _:
            raise _invalid("plan", "other data")


def _invalid(path: str, found: str) -> InvalidDocument:
    mend = "Read it with the version of the library that wrote it."
    return InvalidDocument(path, found=found, expected=f"a plan of format {FORMAT}", mend=mend)


def _part(data: Any, path: str, types: Iterator[Any]) -> Any:  # noqa: ANN401 - any part of a plan
    if isinstance(data, list):
        return tuple(_part(item, f"{path}[{index}]", types) for index, item in enumerate(data))
    if not isinstance(data, dict):
        return data
    kind = KINDS.get(str(data.get("is")))
    if kind is None:
        raise _invalid(path, f"an object of kind {data.get('is')!r}")
    known = [field.name for field in attrs.fields(kind) if field.eq]
    unknown = min(data.keys() - {"is", *known}, default=None)
    if unknown is not None:
        raise _invalid(f"{path}.{unknown}", "a field of this name")
    fields: dict[str, Any] = {}
    for name in known:
        if name in data:
            inner = f"{path}.{name}"
            fields[name] = _word(kind, name, data) if (kind, name) in AS_IT_IS else _part(data[name], inner, types)
    return kind(**fields) if kind is not Body else _stated(fields, next(types, None))


def _word(kind: type, name: str, data: dict[str, Any]) -> Word:
    return Word(canonical(data[name]) if (kind, name) in VALUE_FIELDS else data[name])


def _stated(fields: dict[str, Any], types: Any) -> Stated:  # noqa: ANN401 - as the document says
    known: dict[str, Any] = {}
    if types is not None:
        takes, gives = types
        known = {"takes": tuple(map(Word, takes)), "gives": Word(gives)}
    return Stated(**{**fields, "ref": Word(fields["ref"])}, **known)


def _place(
    node: Any,  # noqa: ANN401 - a node
    path: str,
    how: Siblings = "named",
    after: str | None = None,
    edge: object = None,
    above: str = "",
) -> Place:
    name = node.name
    layers = [] if edge is None else [_layer(edge, name)]
    layers.append(_layer(node, name))
    below = children_of(node)
    while [inner for inner, _ in below] == ["same"]:
        node = below[0][1]
        layers.append(_layer(node, name))
        below = children_of(node)
    edges, children, before = _edges(node), [], None
    for inner, child in below:
        spot = child_path(path, inner, child.name)
        children.append(_place(child, spot, inner, before, edges.get(child.name), node.name))
        before = child.name
    item = how == "item"
    known = "" if item and name == above else name
    return Place(path, known, item, after, tuple(layers), tuple(children), _shape(layers, children))


def _shape(layers: list[Layer], children: list[Place]) -> str:
    own = [[layer.kind, *(f"{name}={text(value)}" for name, value in layer.given.items())] for layer in layers]
    below = [[child.name, child.shape] for child in children]
    return hashlib.sha256(json.dumps([own, below]).encode()).hexdigest()


def _edges(node: Any) -> dict[str, object]:  # noqa: ANN401 - a node
    """Return what a node says of its members, by their names: an arm's test, a vertex's needs."""
    values = [value for value in _fields(node).values() if isinstance(value, tuple)]
    parts = [part for value in values for part in value if attrs.has(type(part)) and not isinstance(part, NODES)]
    return {held.name: part for part in parts for held in _fields(part).values() if isinstance(held, NODES)}


def _fields(part: Any) -> dict[str, Any]:  # noqa: ANN401 - a node or a part of one
    return {field.name: getattr(part, field.name) for field in attrs.fields(type(part)) if field.eq}


def _layer(part: Any, name: str) -> Layer:  # noqa: ANN401 - a node or a part of one
    defaults = {field.name: field.default for field in attrs.fields(type(part))}
    own = {key: value for key, value in _fields(part).items() if not _holds_nodes(value)}
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(part).__name__).lower()
    inner = own.pop("name", name)
    given = {key: value for key, value in own.items() if value != defaults[key]}
    if inner != name:  # a body in a policy may have a name of its own
        given[f"{kind}.name"] = inner
    return Layer(kind, {f"{kind}.name": None, **own, **given}, given)


def _holds_nodes(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(_holds_nodes, value))
    if isinstance(value, NODES):
        return True
    return attrs.has(type(value)) and any(isinstance(held, NODES) for held in _fields(value).values())


def text(value: Any) -> str:  # noqa: ANN401 - any part of a plan
    """Return a part of a plan as a person would write it."""
    if value is Any:
        return "Any"
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, Stated):
        return str(value.ref)
    if isinstance(value, tuple):
        return f"[{', '.join(map(text, value))}]"
    if attrs.has(type(value)):
        defaults = {field.name: field.default for field in attrs.fields(type(value))}
        given = [f"{key}={text(held)}" for key, held in _fields(value).items() if held != defaults[key]]
        return f"{type(value).__name__}({', '.join(given)})"
    return repr(value)
