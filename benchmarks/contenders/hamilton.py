"""Hamilton: functions that name what they need, in its asynchronous driver. It has no loops, branches or retries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamilton import ad_hoc_utils, async_driver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[], Awaitable[object]]

IMPORT = "from benchmarks.workloads import noop"
STEP = "async def {name}({need}: int) -> int:\n    return await noop({need})"


def running(names: list[str], needs: list[str], wanted: list[str]) -> Work:
    """Write a module of as many functions, and return what runs it."""
    functions = [STEP.format(name=name, need=need) for name, need in zip(names, needs, strict=True)]
    module = ad_hoc_utils.module_from_source("\n".join([IMPORT, *functions]))
    driver = async_driver.Builder().with_modules(module).build_without_init()

    async def work() -> object:
        found = await driver.execute(wanted, inputs={"value_in": 1})
        return found[wanted[-1]] if len(wanted) == 1 else None

    return work


def chain(size: int) -> Work:
    """Return functions, each of which needs the one before."""
    names = [f"step_{number}" for number in range(size)]
    return running(names, ["value_in", *names[:-1]], names[-1:])


def fan_out(size: int) -> Work:
    """Return functions that need the same."""
    names = [f"step_{number}" for number in range(size)]
    return running(names, ["value_in"] * size, names)


PREPARE = {"chain": chain, "fan_out": fan_out, "run": chain}
