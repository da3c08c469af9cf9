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
    """A member succeeded with a value."""

    value: T = attrs.field(metadata={"holds": "value"})
    ok: ClassVar[bool] = True


@frozen
class Err:
    """A member failed, and what it had done was undone."""

    failure: Failure
    ok: ClassVar[bool] = False


@frozen
class NotStarted:
    """A member of a graph never began, because it needs the member named `because_of`, which did not succeed."""

    because_of: str
    ok: ClassVar[bool] = False


Result = Ok[T] | Err
