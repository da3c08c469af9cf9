"""From what a caller gives as a body to a node of the plan, and the policies around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from orchestration.dsl.options import StepOptions, Until, While, WorkflowOptions, check, name_of, refuse
from orchestration.frozen import evolve
from orchestration.plan.body import Body
from orchestration.plan.hooks import hooks_of
from orchestration.plan.naming import DEFAULTED
from orchestration.plan.nodes import Beside, Compensated, Graph, Loop, Map, Node, Retried, Step, Timed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import TypeIs

    from orchestration.plan.nodes import Compensation


@runtime_checkable
class AsBody(Protocol):
    """A workflow, as far as a body is concerned."""

    def as_node(self) -> Node:
        """Return the node that stands for it."""
        ...


def body_node(body: object, options: Mapping[str, Any], fallback: str, spread: int | None = None) -> Node:
    """Return the node of a body; `fallback` names a function that has no name of its own (S4).

    A workflow takes the options of a composite: everything else is a policy of its steps. A function with `spread`
    takes the items of the value, so many, as its arguments.
    """
    if is_workflow(body):
        check(options, WorkflowOptions)
        node = body.as_node()
        name = name_of(options, DEFAULTED + node.name.removeprefix(DEFAULTED))
        return with_policies(_renamed(node, name), options)
    check(options, StepOptions)
    function = Body.of(body, 1 if spread is None else spread)
    name = name_of(options, function.name or fallback)
    policies = {key: option for key, option in options.items() if key not in ("name", "timeout")}
    if "hooks" in policies:
        policies["hooks"] = hooks_of(policies["hooks"])
    return with_policies(
        Step(name, function, spread=spread is not None, **policies), {"timeout": options.get("timeout")}
    )


def is_workflow(body: object) -> TypeIs[AsBody]:
    """Tell a workflow from a function; a class is no workflow, though it has the method."""
    return isinstance(body, AsBody) and hasattr(type(body), "as_node")


def with_policies(node: Node, options: Mapping[str, Any]) -> Node:
    """Return a node with `retry`, `timeout` and `on_partial` around it, from outside: undo, timeout, retry.

    Raises:
        TypeError: if the node has the policy already, or one that would come to stand inside of it.
    """
    retry, timeout, on_partial = (options.get(policy) for policy in ("retry", "timeout", "on_partial"))
    if on_partial is not None and (retry is None or isinstance(node, Step)):
        raise TypeError(f"on_partial={on_partial!r} of {_shown(node)} concerns the retry of a composite: there is none")
    if isinstance(node, Compensated):
        return evolve(node, body=with_policies(node.body, options))
    if retry is not None:
        node = _retried(node, retry, on_partial or "fail")
    if timeout is None:
        return node
    if isinstance(node, Timed):
        raise _twice(node, "timeout")
    return Timed(node.name, node, timeout)


def grouped(group: Graph | Map, options: Mapping[str, Any]) -> Node:
    """Return a group with its failure mode and its policies; `on_partial` concerns all of them that can take it."""
    mode = options.get("on_error", "fail_fast")
    if mode == "race":
        raise TypeError(
            "on_error='race' is no failure mode: close the fork or the map with .race(), or return g.race()"
        )
    return _grouped(evolve(group, mode=mode), options)


def raced(group: Graph | Map, options: Mapping[str, Any]) -> Node:
    """Return a group whose first success is its value, with its policies."""
    return _grouped(evolve(group, mode="race"), options)


def _grouped(group: Graph | Map, options: Mapping[str, Any]) -> Node:
    policies = dict(options)
    on_partial = policies.get("on_partial")
    retried = policies.get("retry") is not None
    if on_partial is not None and (group.mode != "fail_fast" or not retried):
        group = evolve(group, on_partial=on_partial)
    if not retried:
        policies.pop("on_partial", None)
    return with_policies(evolve(group, concurrency=options.get("concurrency")), policies)


def looped(body: object, options: Mapping[str, Any]) -> Node:
    """Return the node of a loop.

    Raises:
        TypeError: unless there is one test and a bound.
    """
    refuse(options.keys() - Until.__annotations__.keys() - While.__annotations__.keys(), "see Until and While")
    if ("until" in options) == ("while_" in options) or "max_iterations" not in options:
        raise TypeError(
            f"a loop takes one of until= and while_=, and max_iterations=; found {', '.join(options) or 'none'}"
        )
    node = body_node(body, {"name": options.get("name")}, "loop")
    bound = options["max_iterations"]
    if "until" in options:
        return Loop(node.name, node, Body.of(options["until"], 2), "until", bound)
    return Loop(node.name, node, Body.of(options["while_"], 2), "while", bound)


def compensated(node: Node, compensation: Compensation) -> Node:
    """Return a node with its undo: in the step where it is one, also a timed one, otherwise around the composite."""
    if isinstance(node, Step) and node.compensation is None:
        return evolve(node, compensation=compensation)
    if isinstance(node, Timed) and isinstance(node.body, Step) and node.body.compensation is None:
        return evolve(node, body=evolve(node.body, compensation=compensation))
    return Compensated(node.name, node, compensation)


def _retried(node: Node, retry: Any, on_partial: Any) -> Node:  # noqa: ANN401 - as it came from a caller
    if isinstance(node, Retried) or (isinstance(node, Step) and node.retry is not None):
        raise _twice(node, "retry")
    if isinstance(node, Timed):
        raise TypeError(
            f"{_shown(node)} has a timeout, which bounds its retries: give retry where the timeout is given"
        )
    return evolve(node, retry=retry) if isinstance(node, Step) else Retried(node.name, node, retry, on_partial)


def _twice(node: Node, policy: str) -> TypeError:
    return TypeError(f"{_shown(node)} has a {policy} of its own: give it once, or make a named workflow of the body")


def _shown(node: Node) -> str:
    return repr(node.name.removeprefix(DEFAULTED))


def _renamed(node: Node, name: str) -> Node:
    if isinstance(node, Compensated | Timed | Retried | Beside):  # they share the name of what is inside
        return evolve(node, name=name, body=_renamed(node.body, name))
    return evolve(node, name=name)
