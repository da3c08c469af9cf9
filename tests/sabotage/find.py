"""The finders: they look at a library, damaged or not, and say what is wrong with it. Run in a process of its own.

`explore` looks at the states of each workflow, `simulate` draws runs of them, up to the first in which something is
wrong. They know nothing of the defect: the invariants are those that are ready and some for the workflow at hand.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, final

from orchestration.errors import PlanWarning
from orchestration.runtime.local import GRACE
from orchestration.testing import explore
from orchestration.testing.explore_invariants import Remembers
from orchestration.testing.explore_report import WAITS
from orchestration.testing.simulate import simulate
from tests.sabotage.workflows import CASES

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from orchestration.testing.explore_invariants import Moment
    from tests.sabotage.workflows import Case

ROUNDS = (range(25), range(25, 300))  # seeds of each workflow
MOST = 1_500  # states of a workflow; the largest has fewer by far


class Found(NamedTuple):
    """What was found wrong, if anything: in which workflow, by what, and how much was looked at before."""

    finder: str
    workflow: str
    by: str
    message: str
    looked: int

    @property
    def much(self) -> str:
        """How much was looked at."""
        what = "state" if self.finder == "explore" else "seed"
        return f"{self.looked:,} {what}{'' if self.looked == 1 else 's'}"


@final
class Looks(Remembers):
    """An invariant that counts the states that are looked at, also of a search that breaks off."""

    def __init__(self) -> None:
        """Begin from none."""
        super().__init__("looks")
        self.count = 0

    def see(self, memory: Any, moment: Moment) -> Hashable:
        """Count."""
        self.count += 1
        return memory


def explored() -> Found:
    """Look at all states of all workflows, up to the first in which something is wrong."""
    looks = Looks()
    for case in CASES:
        by, message = ("", "") if case.max_concurrency else _explored(case, looks)  # it sees no cap of an engine
        if by:
            return Found("explore", case.name, by, message, looks.count)
    return Found("explore", "", "", "", looks.count)


def _explored(case: Case, looks: Looks) -> tuple[str, str]:
    """Return what is wrong with a workflow, if anything: the invariant, or the error that ended the search."""
    try:
        seen = explore(
            case.workflow,
            case.value,
            outcomes=case.outcomes,
            invariants=[looks, *case.invariants],
            signals=case.signals,
            cancel=case.cancel,
            leaks=case.leaks,
            deadline=case.deadline,
            max_states=MOST,
            samples=0,
        )
    except Exception as error:  # noqa: BLE001 - whatever a damaged library raises gives it away
        return type(error).__name__, str(error)
    if seen.broken is not None:
        return seen.broken.invariant, seen.broken.message
    if any(ending.kind == WAITS for ending in seen.endings):
        return "waits_for_ever", "a run has no end"
    return ("", "") if seen.exhaustive else ("has_an_end", f"more than {MOST} states")


def crashed() -> Found:
    """Draw durable runs as well, of which processes end and others take over."""
    return simulated(finder="crash")


def simulated(finder: str = "simulate") -> Found:
    """Draw runs of all workflows, a few of each and then more, up to the first in which something is wrong."""
    looked = 0
    for seeds in ROUNDS:
        for case in CASES:
            failed, by, message = _simulated(case, seeds, crash=finder == "crash")
            if by:
                return Found(finder, case.name, by, message, looked + seeds.index(failed) + 1)
            looked += len(seeds)
    return Found(finder, "", "", "", looked)


def _simulated(case: Case, seeds: Sequence[int], *, crash: bool) -> tuple[int, str, str]:
    """Return the first seed of a workflow that shows something wrong, with what that is."""
    try:
        seen = simulate(
            case.workflow,
            case.value,
            outcomes=case.outcomes,
            invariants=case.invariants,
            signals=case.signals,
            cancel=case.cancel,
            crash=crash,
            leaks=case.leaks,
            deadline=case.deadline,
            max_concurrency=case.max_concurrency,
            limits=case.limits,
            grace=GRACE,
            seeds=seeds,
        )
    except Exception as error:  # noqa: BLE001 - as above
        return seeds[0], type(error).__name__, str(error)
    if seen.findings:
        first = seen.findings[0]
        return first.seed, first.invariant, first.message
    if not any(ending.kind == WAITS for ending in seen.endings):
        return 0, "", ""
    if len(seeds) == 1:
        return seeds[0], "waits_for_ever", "a run has no end"
    return next(found for found in (_simulated(case, [seed], crash=crash) for seed in seeds) if found[1])


def main() -> None:
    """Print what is found, as JSON, with the place of the library that was looked at."""
    warnings.simplefilter("ignore", PlanWarning)  # of workflows that are meant to be in doubt
    finder = {"explore": explored, "simulate": simulated, "crash": crashed}[sys.argv[1]]
    sys.stdout.write(json.dumps(finder()._asdict()))


if __name__ == "__main__":
    main()
