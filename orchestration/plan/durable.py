"""What a plan needs in order to be durable: functions with names, and values that a journal can keep (S12, S33, S37).

Types are judged where they tell: a class of which the codec can write no value is refused, and what is not known
passes. A union is writable if one of its alternatives is; a list and its like are as writable as their items.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, NewType, cast

import typing_extensions as te

from orchestration.failures import Failure
from orchestration.frozen import frozen
from orchestration.plan.body import NAMED
from orchestration.plan.flow import FLOW
from orchestration.plan.here import Here
from orchestration.plan.nodes import Cleanup, Compensated, Map, Step, WaitFor
from orchestration.plan.records import SECRETS, form_of
from orchestration.plan.report import Report
from orchestration.plan.secrets import is_marked, secret_fields
from orchestration.plan.shapes import item_type, streaming
from orchestration.plan.signatures import signature_of
from orchestration.plan.typenames import field_types, type_name
from orchestration.plan.types import members_of, split_type

if TYPE_CHECKING:
    from orchestration.errors import PlanError
    from orchestration.plan.body import Body
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node

LOCAL: dict[str, str] = {"function": "local function", "method": "method of a local class"}
BUILTINS = (str, int, float, bytes, dict, list, tuple, set, frozenset)
CONTAINERS = frozenset(
    {"builtins", "collections.abc"}
)  # where the classes come from that hold what their arguments say


def check_durable(plan: Plan, *, sealed: bool) -> None:
    """Check that a plan can run with a journal; `sealed` says that there is a cipher for secrets.

    Raises:
        PlanErrors: with all that is in the way, each with its path and mend (S6).
    """
    _reported(plan, sealed=sealed).close(plan.name)


def durable_problems(plan: Plan, *, sealed: bool) -> tuple[PlanError, ...]:
    """Return what keeps a plan from running with a journal; `sealed` says that there is a cipher for secrets."""
    return tuple(_reported(plan, sealed=sealed).problems)


def _reported(plan: Plan, *, sealed: bool) -> Report:
    check = _Check(Report(), plan.codec.kinds, sealed=sealed)
    check.kept(plan.name, plan.takes, "the input")
    Here(plan.name, plan.takes, "", Report(), dict.fromkeys(FLOW, check.row)).flow(plan.root)
    return check.report


@frozen
class _Fault:
    """One thing about a type: what of it, and what is wrong. `total`: it makes the whole type impossible to write."""

    found: str
    expected: str
    mend: str
    total: bool


class _Check:
    """One look at a plan."""

    def __init__(self, report: Report, kinds: frozenset[type], *, sealed: bool) -> None:
        self.report = report
        self.kinds = kinds
        self.sealed = sealed
        self.told: list[object] = []  # the types of streams that were looked at where they come from

    def row(self, node: Node, here: Here) -> object:
        """Look at a node that stands here, and go on as `flow` does; return the type of its output."""
        for role, body in _performed(node):
            self.named(here.path, role, body)
        match node:
            case Step():
                self.kept(here.path, node.body.gives, "the output")
            case WaitFor():
                self.kept(here.path, node.kind, f"the payload of signal {node.signal!r}")
            case Map() if streaming(here.given):
                self.stream(here.path, here.given)
            case _:
                pass
        return FLOW[type(node)](node, here)

    def named(self, path: str, role: str, body: Body) -> None:
        """Note a problem if a body cannot be told from another by its name (S37)."""
        if body.kind in NAMED and "<locals>" not in body.ref:
            return
        kind = "an object" if body.kind == "object" else f"a {LOCAL.get(body.kind, body.kind)}"
        self.report.add(
            path,
            found=f"{kind} as {role}" if body.name is None else f"{body.name}, {kind}, as {role}",
            expected="a function that a journal can name: module and name have to say which it is",
            mend="Define it with def in a module; what it captures goes into its input or a service.",
        )

    def kept(self, path: str, kind: object, what: str) -> None:
        """Note problems if values of a type cannot be kept in a journal."""
        if is_marked(kind):
            self.add(path, _misplaced(what))
        for fault in self.faults(kind, what, ()):
            self.add(path, fault)
        if streaming(kind):
            self.told.append(kind)

    def stream(self, path: str, kind: object) -> None:
        """Note problems if a resume cannot read a stream anew, or a journal not keep its items (S16)."""
        sources = [member for member in members_of(kind) if streaming(member)]
        if all(map(_once, members_of(kind))) and kind not in self.told:
            self.add(path, self.unwritable(split_type(sources[0])[0], "the source of the stream"))
        for source in sources:
            self.kept(path, _items(source), "an item of the stream")

    def add(self, path: str, fault: _Fault) -> None:
        self.report.add(path, found=fault.found, expected=fault.expected, mend=fault.mend)

    def faults(self, kind: object, what: str, within: tuple[object, ...]) -> list[_Fault]:
        """Return what is wrong with the alternatives of a type."""
        found = [self.member(member, what, within) for member in members_of(kind)]
        hopeless = all(any(fault.total for fault in faults) for faults in found)
        return [fault for faults in found for fault in faults if hopeless or not fault.total]

    def member(self, tp: Any, what: str, within: tuple[object, ...]) -> list[_Fault]:  # noqa: ANN401 - any type form
        """Return what is wrong with one alternative; `within` are the types that it is a part of."""
        if tp in (Any, object, te.Never) or tp in within:
            return []
        within = (*within, tp)
        if isinstance(tp, NewType):
            return self.faults(tp.__supertype__, what, within)
        kind, arguments = split_type(tp)
        if te.is_typeddict(kind):
            return self.fields(kind, what, within)
        if not isinstance(cast("object", kind), type):  # a literal
            return []
        if not self.writable(kind):
            return [self.unwritable(kind, what)]
        if issubclass(kind, SECRETS):
            return [] if self.sealed else [_exposed(type_name(kind), what)]
        holds = kind.__module__ in CONTAINERS  # of other generics nobody knows what becomes of the argument
        items = [fault for item in arguments or () for fault in self.faults(item, f"an item of {what}", within)]
        return [*(fault for fault in items if holds or not fault.total), *self.fields(kind, what, within)]

    def writable(self, kind: type) -> bool:
        """Tell whether the codec might write some value of a class: it knows the class, or one below it."""
        if kind in self.kinds or Any in kind.__mro__ or hasattr(kind, "__get_pydantic_core_schema__"):
            return True  # what tells pydantic about itself may stand for values of any class, as `EmailStr` does
        try:
            return any(issubclass(known, kind) for known in self.kinds)
        except Exception:  # noqa: BLE001 - a protocol or a metaclass of the user's own: then nothing is known
            return True

    def fields(self, kind: type, what: str, within: tuple[object, ...]) -> list[_Fault]:
        """Return what is wrong with the fields of a record; a class without fields has none."""
        found: list[_Fault] = []
        secret = secret_fields(kind)
        for name, hint in (field_types(kind) or {}).items():
            field = f".{name} of {type_name(kind)} in {what}"
            if name == "exception" and issubclass(kind, Failure):  # it is not written (S8)
                continue
            faults = self.faults(hint, field, within)
            if name in secret:
                faults = [fault for fault in faults if fault.total]
                if te.is_typeddict(kind):
                    found.append(_misplaced(field))
                elif not self.sealed:
                    found.append(_exposed("a field that is marked as Secret", field))
            found += faults
        return found

    def unwritable(self, kind: type, what: str) -> _Fault:
        """Say why a class has no form, and what to use instead."""
        expected = "a type with a form in JSON: scalars, containers, records"
        mend = "Give plain data, a dataclass, an attrs class or a pydantic model."
        if _once(kind):
            expected = "a source that a resumed run can read anew"
            mend = "Give a list, or a record whose __aiter__ or __iter__ begins anew each time."
        elif form_of(kind) is not None:
            mend = f"Name {type_name(kind)} in an annotation of a body, as what it takes or gives."
        elif builtin := next((base for base in BUILTINS if issubclass(kind, base)), None):
            mend = f"Turn it into a plain {builtin.__name__}: a subclass would not come back."
        return _Fault(f"{type_name(kind)} as {what}", expected, mend, total=True)


def _performed(node: Node) -> Iterator[tuple[str, Body]]:
    """Yield the bodies of a node that a handler calls, each with what it is."""
    if isinstance(node, Step | Cleanup):
        yield ("a step" if isinstance(node, Step) else "a cleanup"), node.body
    if isinstance(node, Step | Compensated) and node.compensation is not None:
        yield "an undo", node.compensation.undo
        if node.compensation.in_doubt is not None:
            yield "an in-doubt handler", node.compensation.in_doubt


def _once(tp: object) -> bool:
    """Tell whether a type is that of an iterator, which can be read once."""
    kind = cast("object", split_type(tp)[0])
    return isinstance(kind, type) and issubclass(kind, AsyncIterator | Iterator)


def _items(source: object) -> object:
    """Return the type of what a stream gives, by its arguments or by its own methods; `Any` where it is not known."""
    kind = split_type(source)[0]
    method = getattr(kind, "__aiter__", None) or getattr(kind, "__iter__", None)
    known, signature = item_type(source), None if method is None else signature_of(method)
    return item_type(signature.returns) if known is Any and signature is not None else known


def _exposed(found: str, what: str) -> _Fault:
    expected = "no secret: a plain journal may not hold one (S33)"
    mend = "Configure a cipher for the journal, or pass a reference to the secret."
    return _Fault(f"{found} as {what}", expected, mend, total=False)


def _misplaced(what: str) -> _Fault:
    expected = "the mark on a field of a record: nobody sees it on other values, which would be kept as plain text"
    mend = "Use pydantic.SecretStr, or a dataclass, an attrs class or a pydantic model with the field."
    return _Fault(f"Secret as a mark of {what}", expected, mend, total=False)
