"""What a fake says in place of the world: a value, an exception, and the time that it takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict, final

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 1000  # how often an awaited body may let others have a turn: `asyncio.sleep(0)` waits for nothing
NO_LOOP = "no running event loop"  # what asyncio says to a body that wants to wait


@final
class _Nothing:
    """Stands for no answer, where `None` is one."""

    def __repr__(self) -> str:
        """Say so."""
        return "<nothing>"


NOTHING: Any = _Nothing()


class RealWait(BaseException):
    """A body, a fake or a hook wanted to wait for something real. No `except Exception` of theirs catches this.

    ```python
    async def slow(order: Order) -> Reserved:
        await asyncio.sleep(60)
        return Reserved(order)

    try:
        FakeHandler(real=True).run(Workflow[Order]("sale").step(slow), order)
    except RealWait as error:
        print(error)  # a fake has no event loop: answers(…, takes=60) says how long it takes
    ```
    """


@frozen
class Answer:
    """How an attempt ends: with a value, by raising, or with what a function of the input gives or raises.

    ```python
    slow = answers(Reserved(order), takes=60)
    assert slow == Answer(Reserved(order), takes=60)
    assert FakeHandler().on(reserve, slow).run(Workflow[Order]("sale").step(reserve), order).seconds == 60
    ```

    `takes` is in seconds of virtual time; what takes for ever hangs until it is told to end. One that is `stubborn`
    does not even end then: only when its time is over, and it leaks if the grace is over before (S24).
    """

    returns: Any = None
    raises: BaseException | type[BaseException] | None = None
    does: Callable[..., object] | None = None
    takes: float = 0.0
    stubborn: bool = False

    def outcome(self, arguments: tuple[object, ...]) -> object:
        """Return the output for the arguments of the body, or raise what it raises."""
        if self.raises is not None:
            raise self.raises
        return self.returns if self.does is None else settled(self.does(*arguments))


class How(TypedDict, total=False):
    """The options of an answer."""

    raises: BaseException | type[BaseException]
    does: Callable[..., object]
    takes: float
    hangs: bool
    stubborn: bool


def answers(
    returns: Any = NOTHING,  # noqa: ANN401 - any output
    *,
    raises: BaseException | type[BaseException] | None = None,
    does: Callable[..., object] | None = None,
    takes: float = 0.0,
    hangs: bool = False,
    stubborn: bool = False,
) -> Answer:
    """Return an answer: a value, `raises`, what `does` gives, or one that `hangs` until it is told to end.

    ```python
    sale = Workflow[Order]("sale").step(reserve).step(Payments.charge, retry=Retry(), attempt_timeout=10)
    fake = FakeHandler()
    fake.on(reserve, does=lambda order: Reserved(order))
    fake.on(Payments.charge, each=[answers(raises=OSError("gone")), answers(hangs=True), Charge(Reserved(order), 9)])
    assert fake.run(sale, order).ran(Payments.charge, times=3)
    ```

    An exception in the place of the value is raised. `takes` is in seconds of virtual time; `does` is called when they
    are over. A `stubborn` attempt ends only when its time is over, whatever it is told.

    Raises:
        ValueError: if more than one of these is given, or the time is below 0.
    """
    if isinstance(returns, BaseException) or (isinstance(returns, type) and issubclass(returns, BaseException)):
        returns, raises = NOTHING, returns if raises is None else raises
    kinds = {"a value": returns is not NOTHING, "raises": raises is not None, "does": does is not None, "hangs": hangs}
    given = [name for name, there in kinds.items() if there]
    if len(given) > 1:
        raise ValueError(f"an answer is one of a value, raises, does and hangs, found {' and '.join(given)}")
    if not takes >= 0 or (hangs and takes):
        expected = "nothing beside hangs" if hangs else "seconds, not below 0"
        raise ValueError(f"takes must be {expected}, found {takes!r}")
    value = None if returns is NOTHING else returns
    return Answer(value, raises, does, math.inf if hangs else takes, stubborn)


def settled(output: Any) -> object:  # noqa: ANN401 - whatever a body returned
    """Return what awaiting an output gives. There is no event loop, so it may not really wait.

    Raises:
        RealWait: if it does.
    """
    if not hasattr(output, "__await__"):
        return output
    waiting = output.__await__()
    for _ in range(TURNS):
        try:
            if next(waiting) is not None:
                break
        except StopIteration as end:
            return end.value
        except RuntimeError as error:
            if str(error) != NO_LOOP:
                raise
            raise _waits(output) from error
    waiting.close()
    raise _waits(output)


def _waits(output: object) -> RealWait:
    name = getattr(output, "__qualname__", type(output).__qualname__)
    return RealWait(f"{name} waits for something real, and a fake has no event loop: say how long it takes with takes=")
