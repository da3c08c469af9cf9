"""`State`: where a run is. Frozen, compared by value; its frames mirror the part of the plan in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from rpds import HashTrieMap, List

from orchestration.frozen import frozen
from orchestration.interpreter.effects import VALUES
from orchestration.interpreter.mail import NO_MAIL, Mail

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.turn import Frame
    from orchestration.outcomes import EndState, Outcome
    from orchestration.plan.hooks import When

NOTHING_LATE: HashTrieMap[str, Any] = HashTrieMap()
NOTHING_UNDONE: List[EndState] = List()


@frozen
class Ledger:
    """What concerns the whole run and seldom changes.

    `cancel` is the reason of the cancel that decided the run; `decided` says that this, a failure that nothing absorbs
    or the end of all nodes has settled what the outcome will be (S28).
    `failures` counts the failures so far, which tells which of two came first (S18).
    `leaked` are attempts that outlived their grace, each with whether it has reported since; `late` are the outputs of
    those that landed after all (S24); `rollback` the end states so far, latest first (S25); `mail` the signals and who
    waits for them (S21); `cleanup_failures` the cleanups that failed for good; `asks` when every step asks the hooks
    of the engine (S31).
    """

    cancel: str | None = None
    decided: bool = False
    failures: int = 0
    leaked: tuple[tuple[str, int, bool], ...] = ()
    late: HashTrieMap[str, Any] = attrs.field(default=NOTHING_LATE, metadata=VALUES)
    rollback: List[EndState] = NOTHING_UNDONE
    mail: Mail = NO_MAIL
    cleanup_failures: tuple[Failure, ...] = ()
    asks: tuple[When, ...] = ()


@frozen
class State:
    """Where a run is, at the time `at` of its last event. With an `outcome` it has ended, and `root` is `None`."""

    run_id: str
    at: float
    root: Frame | None
    ledger: Ledger
    outcome: Outcome | None = None
