"""`Fate`: what has become of a group beyond its outputs: failures, losers, a winner (S18, S20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpds import HashTrieMap, List

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.trail import Trail

NO_TRAILS: HashTrieMap[int, Trail] = HashTrieMap()
NO_FAILURES: List[tuple[int, Failure]] = List()


@frozen
class Fate:
    """What has become of a group so far; with a `failure` or a `winner` nothing new begins.

    `failure` is why the group fails, as the run's failure number `order`, `failures` came later. `winner` has won a
    race, `beaten` have failed in it. `errors` counts failed members, `absorbed` are the failures of those that the
    group goes on in spite of, with their order, `lost` their trails. `stopped` counts members that were cancelled;
    `partial` says that not all of a member could be undone.
    """

    failure: Failure | None = None
    order: int = 0
    failures: tuple[Failure, ...] = ()
    winner: int | None = None
    errors: int = 0
    absorbed: List[tuple[int, Failure]] = NO_FAILURES
    lost: HashTrieMap[int, Trail] = NO_TRAILS
    beaten: tuple[int, ...] = ()
    stopped: int = 0
    partial: bool = False

    @property
    def halted(self) -> bool:
        """Whether nothing new begins."""
        return self.failure is not None or self.winner is not None

    def in_order(self) -> tuple[tuple[int, Failure], ...]:
        """Return the absorbed failures, the earliest first."""
        return tuple(sorted(self.absorbed, key=lambda pair: pair[0]))


OPEN = Fate()
