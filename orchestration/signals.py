"""`Signal`: what a run waits for, sent from outside (S21)."""

from __future__ import annotations

from typing import Generic, TypeVar

from orchestration.frozen import frozen

T = TypeVar("T")


@frozen
class Signal(Generic[T]):
    """A name and the type of what is sent under it: `Signal("approval", Approval)`."""

    name: str
    kind: type[T]
