"""When the next attempt begins, if there is one (S9). The jitter is a hash, hence the same when replayed (S2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from orchestration.errors import InvalidInput, InvalidOutput
from orchestration.policies import names_of

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.effects import Attempted
    from orchestration.policies import Retry

NEVER = names_of((InvalidInput, InvalidOutput))  # what does not fit its type will not fit the next time
DRAW_BYTES = 6  # few enough bits for each quotient to be a float below 1
DRAWS = float(2 ** (8 * DRAW_BYTES))


def delay_before_next(retry: Retry | None, failure: Failure, effect: Attempted, run_id: str) -> float | None:
    """Return the seconds to wait after the failed attempt `effect`, or `None` if it was the last."""
    if retry is None or effect.attempt >= retry.max_attempts:
        return None
    if failure.matches((*NEVER, *retry.give_up_on)) or not failure.matches(retry.retry_on):
        return None
    seconds = retry.delay(effect.attempt, draw(effect.key(run_id), effect.attempt))
    return seconds if failure.retry_after is None else max(seconds, failure.retry_after)


def draw(key: str, attempt: int) -> float:
    """Return a number in [0, 1) that depends on nothing but the idempotency key and the attempt."""
    digest = hashlib.blake2b(f"{key}#{attempt}".encode(), digest_size=DRAW_BYTES).digest()
    return int.from_bytes(digest, "big") / DRAWS
