"""How the members of a group end, where a failure mode keeps the failures: `Ok`, `Err`, `NotStarted` (S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic

import attrs
from typing_extensions import TypeVar

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from orchestration.failures import Failure

T = TypeVar("T", covariant=True)


@frozen
class Ok(Generic[T]):
    """A member succeeded with a value.

    ```python
    results = await Workflow[list[int]]("weights").map(weigh, on_error="collect").run([2, 3])
    assert results == [Ok(3.0), Ok(4.5)]
    ```
    """

    value: T = attrs.field(metadata={"holds": "value"})
    ok: ClassVar[bool] = True


@frozen
class Err:
    """A member failed, and what it had done was undone.

    ```python
    def inverse(number: int) -> float: return 1 / number

    results = await Workflow[list[int]]("inverses").map(inverse, on_error="collect").run([0, 2])
    assert isinstance(results[0], Err) and results[1] == Ok(0.5)
    ```
    """

    failure: Failure
    ok: ClassVar[bool] = False


@frozen
class NotStarted:
    """A member of a graph never began, because it needs the member named `because_of`, which did not succeed.

    ```python
    def failing(order: Order) -> int: raise LookupError(order.id)

    def both(g: Graph[Order]) -> tuple[Node[int], Node[float]]:
        first = g.node(failing, g.input)
        return first, g.node(weigh, first)

    _, second = await graph(both, on_error="collect").run(order)
    assert isinstance(second, NotStarted) and second.because_of == "failing"
    ```
    """

    because_of: str
    ok: ClassVar[bool] = False


Result = Ok[T] | Err
