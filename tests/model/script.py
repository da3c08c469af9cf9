"""What happens to a run from outside: how long each thing takes and how it ends, as a pure function of what it is.

The model and the driver read the same script, so that they see the same world. All times are multiples of 1/1024 s:
sums of such floats are exact.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

TICKS = 1024
ENDS = ("succeed", "fail", "lose connection", "time out", "leak")  # of what nobody cancels
CANCELLED_ENDS = ("end", "end", "succeed", "fail", "never start", "leak")  # of a step that is told to end
SHIELDED_ENDS = ("succeed", "succeed", "fail", "fail", "time out", "leak")  # of an undo, in-doubt handler or cleanup


@dataclass(frozen=True)
class End:
    """How something ends after `after` seconds; a leaked attempt may `land` so much later with its output."""

    how: str
    after: float
    output: int = 0
    lands: float | None = None


@dataclass(frozen=True)
class Signal:
    """A signal that is sent at a time."""

    at: float
    name: str
    signal_id: str
    payload: int


@dataclass(frozen=True)
class Script:
    """A world: `faults` are what goes wrong, found by the hash of what it concerns; 0 is that all goes well."""

    seed: int = 0
    faults: tuple[int, ...] = (0,)
    cancel_faults: tuple[int, ...] = (0,)
    undo_faults: tuple[int, ...] = (0,)
    cancel_at: float | None = None
    deadline: float | None = None
    signals: tuple[Signal, ...] = ()

    def attempt(self, path: str, number: int, *, may_time_out: bool) -> End:
        """Tell how an attempt of a step ends if nobody cancels it."""
        how = ENDS[self._fault(self.faults, "step", path, number) % len(ENDS)]
        if how in ("time out", "leak") and not may_time_out:
            how = "succeed"
        return self._end(how, "step", path, number)

    def cancelled(self, path: str, number: int) -> End:
        """Tell how an attempt ends that is told to, counted from then."""
        how = CANCELLED_ENDS[self._fault(self.cancel_faults, "cancel", path, number) % len(CANCELLED_ENDS)]
        return self._end(how, "cancel", path, number)

    def shielded(self, kind: str, path: str, number: int) -> End:
        """Tell how an undo, an in-doubt handler or a cleanup ends."""
        how = SHIELDED_ENDS[self._fault(self.undo_faults, kind, path, number) % len(SHIELDED_ENDS)]
        return self._end(how, kind, path, number)

    def pull(self, path: str, index: int) -> End:
        """Tell what a stream answers to a pull: an item, its end ("exhaust") or a failure."""
        length = self._hash("length", path) % 5
        fails = self._fault(self.faults, "pull", path, index) == 1 and index > 0
        how = "exhaust" if index >= length else "fail" if fails else "succeed"
        return self._end(how, "pull", path, index)

    def _end(self, how: str, kind: str, path: str, number: int) -> End:
        after = (1 + self._hash("after", kind, path, number) % (4 * TICKS)) / TICKS
        late = self._hash("late", kind, path, number)
        lands = (1 + late % (4 * TICKS)) / TICKS if how == "leak" and kind in ("step", "cancel") and late % 2 else None
        return End(how, after, self._hash("output", kind, path, number) % 10, lands)

    def _fault(self, faults: tuple[int, ...], *key: object) -> int:
        return faults[self._hash("fault", *key) % len(faults)]

    def _hash(self, *key: object) -> int:
        text = repr((self.seed, *key)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
