"""What is decided in a simulated run: by a hash of the seed and of what is decided, or as it was written down.

So a decision depends on nothing that happened elsewhere, and a run can be told as the decisions that make it.
"""

from __future__ import annotations

import hashlib
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestration.plan.compile import Plan

Choices: TypeAlias = "Mapping[str, int]"  # what was decided, where it was not the simplest: that is 0
DRAWS = 2.0**64
USUAL = (0.25, 1.0, 2.0, 5.0, 60.0)  # seconds
TIMED = ("attempt_timeout", "timeout", "seconds")  # what a node calls the seconds that something takes
FAULTS = (0.0, 0.03, 0.1, 0.3, 0.6)  # in what share of the attempts something goes wrong: in each run another
HASTE = (0.2, 0.6, 0.95)  # in what share of the attempts no time passes


@final
class Chance:
    """The decisions of one run."""

    def __init__(self, seed: int, choices: Choices | None = None) -> None:
        """Draw by the seed; with `choices` decide by these alone, and simply where they say nothing."""
        self._seed = seed
        self._choices = choices
        self.made: dict[str, int] = {}
        self.faults: float = FAULTS[int(self._draw("faults") * len(FAULTS))]
        self.haste: float = HASTE[int(self._draw("haste") * len(HASTE))]

    def choose(self, what: str, most: int, share: float) -> int:
        """Return 0 or, in a `share` of all cases, a number up to `most`."""
        if self._choices is not None:
            choice = min(self._choices.get(what, 0), most)
        else:
            drawn = self._draw(what)
            choice = 1 + int(drawn / share * most) if drawn < share and most > 0 else 0
        if choice:
            self.made[what] = choice
        return choice

    def any_of(self, what: str, number: int) -> int:
        """Return one of so many numbers from 0 on, each as likely as the others."""
        return self.choose(what, number - 1, (number - 1) / number)

    def time(self, what: str, number: int) -> int:
        """Return a number for how long an attempt takes: 0 for no time, 1 for a turn of the loop, or one of `number`.

        Where the run makes haste, it is mostly 0.
        """
        return self.choose(what, number + 1, 1 - self.haste)

    def _draw(self, what: str) -> float:
        digest = hashlib.blake2b(f"{self._seed} {what}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / DRAWS


def times_of(plan: Plan, *further: float | None) -> tuple[float, ...]:
    """Return seconds that something may take: few, so that things often happen together, and those of the plan."""
    own = chain.from_iterable(_times_in(node) for node in plan.nodes)
    known = {float(seconds) for seconds in (*USUAL, *own, *further) if seconds}
    return tuple(sorted(known))


def _times_in(node: Any) -> Iterator[float | None]:  # noqa: ANN401 - any node
    for name in TIMED:
        yield getattr(node, name, None)
    retry = getattr(node, "retry", None)
    if retry is not None:
        yield retry.initial_delay
    compensation = getattr(node, "compensation", None)
    if compensation is not None:
        yield from _times_in(compensation)
