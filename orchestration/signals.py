"""`Signal`: what a run waits for, sent from outside (S21)."""

from __future__ import annotations

from typing import Generic, TypeVar

from orchestration.frozen import frozen

T = TypeVar("T")


@frozen
class Signal(Generic[T]):
    """A name and the type of what is sent under it: `Signal("approval", Approval)`.

    ```python
    APPROVED = Signal("approved", bool)
    handle = await LocalEngine().start(Workflow[Order]("claim").wait_for(APPROVED), order)
    handle.signal(APPROVED, True)
    assert (await handle.result()).value is True
    ```
    """

    name: str
    kind: type[T]
