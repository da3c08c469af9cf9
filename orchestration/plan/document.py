"""Plans as JSON: every frozen class by its name and the fields that differ from their defaults.

Nothing here knows a construct: a new node is one row in `KINDS`. Functions and types are references that only the
caller's registry resolves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import attrs

from orchestration.errors import InvalidDocument
from orchestration.plan.body import Body, ServiceMethod
from orchestration.plan.codec import Codec
from orchestration.plan.hooks import Hook
from orchestration.plan.initials import declared
from orchestration.plan.naming import MOST_LETTERS
from orchestration.plan.nodes import NODES, Arm, Compensation, Fold, Into, Scope, Vertex, WaitFor
from orchestration.plan.typenames import type_name
from orchestration.policies import Retry, Tolerate

if TYPE_CHECKING:
    from orchestration.plan.codec import Json
    from orchestration.plan.registry import Registry

FORMAT = 1
MOST_VALUES = 10_000  # of a join: a function is asked whether it takes so many, which costs memory
KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (*NODES, Arm, Vertex, Into, Compensation, Hook, Retry, Tolerate, Body)
}
TYPE_FIELDS = frozenset({(Scope, "takes"), (Arm, "kind"), (WaitFor, "kind")})
VALUE_FIELDS = frozenset({(Fold, "initial"), (Into, "initial")})


def encode(value: Any) -> Json:  # noqa: ANN401 - any part of a plan
    """Return a part of a plan as JSON data."""
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if type(value).__name__ not in KINDS:
        return cast("Json", value)
    kind = type(value)
    data: dict[str, Json] = {"is": kind.__name__}
    for field in attrs.fields(kind):
        content = getattr(value, field.name)
        if field.eq and content != field.default:
            data[field.name] = _encode_field(value, kind, field.name, content)
    return data


def _encode_field(holder: Any, kind: type, name: str, content: Any) -> Json:  # noqa: ANN401 - of any kind
    if (kind, name) in TYPE_FIELDS:
        return type_name(content)
    if (kind, name) in VALUE_FIELDS:
        return Codec((*declared(holder), type(content))).encode(content, name)
    return encode(content)


def parse(text: str, registry: Registry) -> tuple[Scope, str]:
    """Return the root and the fingerprint of a plan that was stored as JSON.

    Raises:
        InvalidDocument: if the text is no plan.
        UnresolvedReference: if it names what the registry does not hold.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid("plan", "text that is no JSON", "a plan in JSON") from error
    match document:
        case {"format": 1, "fingerprint": str(fingerprint), "plan": {"is": "Scope"} as data}:
            try:
                return _decode(data, "plan", registry), fingerprint
            except RecursionError as error:
                raise _invalid("plan", "data nested too deep", f"a plan of format {FORMAT}") from error
        case _:
            raise _invalid("plan", "other data", f"a plan of format {FORMAT}")


def _decode(data: Any, path: str, registry: Registry) -> Any:  # noqa: ANN401 - any part of a plan
    if isinstance(data, list):
        return tuple(_decode(item, f"{path}[{index}]", registry) for index, item in enumerate(data))
    if not isinstance(data, dict):
        return data
    kind = KINDS.get(str(data.get("is")))
    if kind is None:
        raise _invalid(path, f"an object of kind {data.get('is')!r}", f"one of {', '.join(KINDS)}")
    fields = _decode_fields(kind, data, path, registry)
    if kind is Body:
        return _body(fields, path, registry)
    try:
        return kind(**fields)
    except (AttributeError, TypeError, ValueError) as error:
        raise _invalid(path, f"{kind.__name__} with {', '.join(fields)}", f"the fields of a {kind.__name__}") from error


def _decode_fields(kind: type, data: dict[str, Any], path: str, registry: Registry) -> dict[str, Any]:
    known = {field.name for field in attrs.fields(kind) if field.eq}
    fields = {}
    for name, content in data.items():
        inner = f"{path}.{name}"
        if (kind, name) in TYPE_FIELDS:
            found = registry.type(_text(content, inner), inner)
            fields[name] = type(None) if kind is Arm and found is None else found
        elif (kind, name) in VALUE_FIELDS:
            fields[name] = registry.codec.decode(content, inner)
        elif name == "name" and isinstance(content, str) and len(content) > MOST_LETTERS:
            raise _invalid(inner, f"a name of {len(content):,} letters", f"at most {MOST_LETTERS}")
        elif name in known:
            fields[name] = _decode(content, inner, registry)
        elif name != "is":
            raise _invalid(inner, "a field of this name", f"the fields of a {kind.__name__}")
    return fields


def _body(fields: dict[str, Any], path: str, registry: Registry) -> Body:
    ref, service = (_text(fields.get(name, ""), f"{path}.{name}") for name in ("ref", "service"))
    arity = fields.get("arity", 1)
    if not isinstance(arity, int) or not 0 < arity <= MOST_VALUES:
        raise _invalid(f"{path}.arity", repr(arity), "how many values the function takes")
    kind, by_class = fields.get("kind", "?"), bool(fields.get("stated"))
    stated = Body(ref=ref, kind=kind, arity=arity, service=service or None, stated=by_class)
    function = registry.function(stated.ref, path)
    found = Body.of(function, stated.arity)
    if by_class:
        found = Body.of(ServiceMethod(registry.type(service, path), function), stated.arity)
    if found != stated:
        raise _invalid(path, f"{found!r} under its reference", repr(stated))
    return found


def _text(content: object, path: str) -> str:
    if not isinstance(content, str):
        raise _invalid(path, f"{content!r}", "a reference")
    return content


def _invalid(path: str, found: str, expected: str) -> InvalidDocument:
    return InvalidDocument(path, found=found, expected=expected, mend="Write it again with Plan.to_json().")
