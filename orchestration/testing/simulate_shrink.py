"""Shrinking: of the decisions that make a run fail, which are needed, and how simple they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration.testing.simulate_chance import Choices

MOST = 500  # runs that are tried


def shrunk(choices: Choices, fails: Callable[[Choices], bool]) -> dict[str, int]:
    """Return the simplest choices that can be found for which a run still fails.

    Choices are dropped, many at a time and then one by one, and those that are left are made smaller, until nothing
    more helps.
    """
    best, tried = dict(choices), 0
    candidates = _simpler(best)
    while tried < MOST and (simpler := next(candidates, None)) is not None:
        tried += 1
        if fails(simpler):
            best = simpler
            candidates = _simpler(best)
    return best


def _simpler(choices: dict[str, int]) -> Iterator[dict[str, int]]:
    names = list(choices)
    size = len(names)
    while size:
        for start in range(0, len(names), size):
            dropped = set(names[start : start + size])
            yield {name: choice for name, choice in choices.items() if name not in dropped}
        size //= 2
    for name, choice in choices.items():
        for smaller in sorted({1, choice // 2, choice - 1}):
            if 0 < smaller < choice:
                yield {**choices, name: smaller}
