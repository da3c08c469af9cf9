"""`Enrich`: an open enrichment; not a workflow until `into` says how the two values become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from orchestration.dsl.open import Open
from orchestration.plan.body import Body
from orchestration.plan.nodes import Beside, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.dsl.workflow import Step

In = TypeVar("In")
X = TypeVar("X")
T = TypeVar("T")
U = TypeVar("U")
FR = TypeVar("FR")


class Enrich(Open, Generic[In, X, T, FR]):
    """A body runs beside the value `X` and gives a `T`."""

    __slots__ = ("_close", "_node")
    _closed_by = ".into(combine)"

    def __init__(self, node: Node, close: Callable[[Node], Any]) -> None:
        """Belong to the workflow that `close` puts the finished node behind."""
        self._node = node
        self._close = close

    def into(self, combine: Callable[[X, T], U], /) -> Step[In, U, FR, X]:
        """Close it: `combine(value, output)`, a plain, deterministic function, gives the value that goes on (S21)."""
        step: Step[In, U, FR, X] = self._close(Beside(self._node.name, self._node, Body.of(combine, 2)))
        return step
