"""When the next attempt begins, if there is one (S9). The jitter is a hash, hence the same when replayed (S2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from orchestration.errors import (
    DeadlineExceeded,
    GateFailed,
    InvalidInput,
    InvalidOutput,
    StepLost,
    Unserialisable,
    Vetoed,
)
from orchestration.failures import Failure
from orchestration.policies import names_of

if TYPE_CHECKING:
    from orchestration.policies import Retry

# what does not fit its type will not fit the next time, a gate is asked once (S31), and what may have ended its process
# has had its chances (S35)
NEVER = names_of((InvalidInput, InvalidOutput, Unserialisable, Vetoed, GateFailed, StepLost))
DRAW_BYTES = 6  # few enough bits for each quotient to be a float below 1
DRAWS = float(2 ** (8 * DRAW_BYTES))


def delay_before_next(retry: Retry | None, failure: Failure, key: str, attempt: int) -> float | None:
    """Return the seconds to wait after failed attempt number `attempt`, or `None` if it was the last.

    `key` is the idempotency key of what is tried: with it and the attempt, the jitter is drawn.
    """
    if retry is None or attempt >= retry.max_attempts:
        return None
    if failure.matches((*NEVER, *retry.give_up_on)) or not failure.matches(retry.retry_on):
        return None
    seconds = retry.delay(attempt, draw(key, attempt))
    return seconds if failure.retry_after is None else max(seconds, failure.retry_after)


def draw(key: str, attempt: int) -> float:
    """Return a number in [0, 1) that depends on nothing but the idempotency key and the attempt."""
    digest = hashlib.blake2b(f"{key}#{attempt}".encode(), digest_size=DRAW_BYTES).digest()
    return int.from_bytes(digest, "big") / DRAWS


def no_time_left(path: str, due: float, deadline: float | None) -> Failure:
    """Return the failure to attach to one after which the next attempt would begin too late (S10)."""
    late = due - (deadline or 0.0)
    error = DeadlineExceeded(
        path,
        found=f"a next attempt due {late:g} s after the deadline" if late else "a next attempt due at the deadline",
        expected="time for another attempt",
        mend="Give it a later deadline or a shorter backoff, or let a recover go on from here.",
    )
    return Failure.of(error, path)
