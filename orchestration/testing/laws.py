"""Laws: what every implementation of a protocol obeys, as data, checked with one call.

A law is a function that raises if the rule is broken. `check_laws` tries all of them, each on a fresh subject, and
tells of all that are broken at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

Subject = TypeVar("Subject")
T = TypeVar("T")

PATIENCE = 60.0  # seconds that a law may take before what it is tried on counts as stuck


@frozen
class Law(Generic[Subject]):
    """Something that holds for all: its name, the number of its rule, what it says, and the function that tries it.

    ```python
    for law in (*ENGINE_LAWS, *HANDLER_LAWS, *JOURNAL_LAWS, *DURABLE_JOURNAL_LAWS):
        assert isinstance(law, Law)
        print(law.rule, law.name, law.says)
    ```
    """

    name: str
    rule: str
    says: str
    holds: Callable[[Subject], object]


class LawsBroken(AssertionError):
    """Some laws do not hold: `broken` has each with what was raised. The cause is a group of all of that.

    ```python
    from orchestration.journal.memory import MemoryJournal

    class Forgetful(MemoryJournal):
        def append(self, *arguments, **options):
            pass

    try:
        check_journal(Forgetful)
    except LawsBroken as error:
        print([law.name for law, raised in error.broken])
    ```
    """

    def __init__(self, of: str, broken: Sequence[tuple[Law[Any], Exception]], tried: int) -> None:
        """Keep them, and tell of all."""
        self.broken: tuple[tuple[Law[Any], Exception], ...] = tuple(broken)
        shown = [f"  {law.name} ({law.rule}): {law.says}\n    {type(error).__name__}: {error}" for law, error in broken]
        super().__init__("\n".join([f"{of} breaks {len(broken)} of {tried} laws", *shown]))


def law(rule: str, holds: Callable[[Subject], object]) -> Law[Subject]:
    """Make a law of a function: its name is the law's, the first line of its docstring what it says."""
    return Law(holds.__name__, rule, (holds.__doc__ or "").partition("\n")[0], holds)


def check_laws(of: str, laws: Iterable[Law[Subject]], subject: Callable[[], AbstractContextManager[Subject]]) -> None:
    """Try each law on a subject of its own.

    Raises:
        LawsBroken: if some do not hold; it tells of all of them.
    """
    tried = 0
    broken: list[tuple[Law[Any], Exception]] = []
    for each in laws:
        tried += 1
        try:
            with subject() as fresh:
                each.holds(fresh)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the others
            broken.append((each, error))
    if broken:
        raise LawsBroken(of, broken, tried) from ExceptionGroup(f"laws of {of}", [error for _, error in broken])


def expect(found: T, expected: T, what: str) -> None:
    """Raise if something is not as expected: no `assert`, which `-O` removes."""
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}; expected {expected!r}")


def refuses(kind: type[Exception], call: Callable[[], object], what: str) -> None:
    """Raise if a call does not raise an error of this kind."""
    try:
        answer = call()
    except kind:
        return
    except Exception as error:
        raise AssertionError(f"{what}: found {error!r}; expected {kind.__name__}") from error
    raise AssertionError(f"{what}: found no error, but {answer!r}; expected {kind.__name__}")
