"""What the plans of these tests are made of: one module, as an application hands it to a `Registry`."""

from __future__ import annotations

from subprocess import Popen, run  # noqa: F401 - what an application's module may well import

from orchestration import Retry, Workflow

CALLED: list[str] = []


async def charge(n: int) -> int:
    """Note that it was called."""
    CALLED.append("charge")
    return n


async def refund(n: int) -> None:
    """Note that it was called."""
    CALLED.append("refund")


def add(total: int, n: int) -> int:
    """Add up."""
    return total + n


shop = Workflow[int]("shop").step(charge, retry=Retry()).compensate(refund)
