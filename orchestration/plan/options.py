"""Checks of options: whether a value is legal where it stands, with the mend (S6)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast, get_args

from orchestration.plan.naming import NAME
from orchestration.policies import Jitter, OnPartial, Retry, Tolerate

if TYPE_CHECKING:
    from orchestration.plan.here import Here

FINITE = ("initial_delay", "factor", "max_delay")
MODES = ("fail_fast", "collect", "race")


def whole(value: object, least: int = 1) -> bool:
    """Tell whether a value is an int of at least `least`; a bool is none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def finite(value: object) -> bool:
    """Tell whether a value is a finite number; a bool is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def cap(value: object, option: str, here: Here) -> None:
    """Check how many may be under way (S14)."""
    if value is not None and not whole(value):
        here.add(found=f"{option}={value!r}", expected="an int of at least 1", mend="Leave it out for no cap.")


def seconds(value: object, option: str, here: Here, *, mend: str) -> bool:
    """Check a bound in seconds; tell whether it is one (S10)."""
    sound = finite(value) and cast("float", value) > 0
    if not sound:
        here.add(found=f"{value!r} as {option}", expected="a finite number of seconds above 0", mend=mend)
    return sound


def name(value: object, option: str, here: Here) -> bool:
    """Check the name of a limit, an executor or a signal; tell whether it is one."""
    sound = isinstance(value, str) and NAME.fullmatch(value) is not None
    if not sound:
        here.add(
            found=f"{option}={value!r}",
            expected="a name of ASCII letters, digits, '_', '-' and '.', with a letter or '_' first",
            mend=NAMED[option],
        )
    return sound


NAMED = {
    "limit": "Name a limit of the engine: LocalEngine(limits={...}).",
    "run_in": 'Give "loop", "thread", "process" or the name of an executor of the engine; or leave it out.',
    "signal": 'Name it like this: Signal("approval", Approval).',
}


def switch(value: object, option: str, here: Here) -> None:
    """Check an option that is on or off."""
    if not isinstance(value, bool):
        here.add(found=f"{option}={value!r}", expected="True or False", mend="Leave it out for False.")


def one_of(value: object, words: object, option: str, here: Here) -> None:
    """Check an option that is one of a literal's words, of which the first is the default (S20, S26)."""
    legal = get_args(words)
    if value not in legal:
        *most, last = (f'"{word}"' for word in legal)
        expected = f"{', '.join(most)} or {last}"
        here.add(found=f"{option}={value!r}", expected=expected, mend=f'Leave it out for "{legal[0]}".')


def mode(value: object, partial: object, here: Here) -> None:
    """Check what becomes of a group in which a member fails (S18)."""
    if isinstance(value, Tolerate):
        _tolerance(value, here)
    elif value not in MODES:
        here.add(
            found=f"on_error={value!r}",
            expected='"fail_fast", "collect", tolerate(count=...) or tolerate(ratio=...)',
            mend='Leave it out for "fail_fast".',
        )
    one_of(partial, OnPartial, "on_partial", here)
    if value == "fail_fast" and partial == "continue":
        here.add(
            found='on_partial="continue" where the first failure fails all',
            expected="a group that goes on past a failure",
            mend='Add on_error="collect" or tolerate(...), or leave on_partial out.',
        )


def _tolerance(value: Tolerate, here: Here) -> None:
    count, ratio = cast("tuple[object, object]", (value.count, value.ratio))
    if (count is None) == (ratio is None):
        here.add(
            found=f"tolerate(count={count!r}, ratio={ratio!r})",
            expected="one of the two",
            mend="Write tolerate(count=2) or tolerate(ratio=0.1).",
        )
    elif count is not None and not whole(count, 0):
        mend = "It counts the failures that are borne; for a share of all write tolerate(ratio=0.1)."
        here.add(found=f"tolerate(count={count!r})", expected="an int of at least 0", mend=mend)
    elif ratio is not None and not (finite(ratio) and 0 <= cast("float", ratio) <= 1):
        mend = "It is the share of all that may fail: 0.1 is one in ten."
        here.add(found=f"tolerate(ratio={ratio!r})", expected="a number from 0 to 1", mend=mend)


def retry(value: object, here: Here, *, of: str = "") -> None:
    """Check how often something is tried (S9)."""
    if not isinstance(value, Retry):
        mend = "Write retry=Retry(max_attempts=3), or leave it out."
        here.add(found=f"{value!r} as retry{of}", expected="a Retry", mend=mend)
        return
    attempts, numbers = cast("object", value.max_attempts), {field: getattr(value, field) for field in FINITE}
    if not whole(attempts):
        mend = "It counts the first attempt."
        here.add(found=f"a retry{of} with max_attempts={attempts!r}", expected="a whole number", mend=mend)
    odd = ", ".join(f"{field}={number}" for field, number in numbers.items() if not finite(number))
    if odd:
        mend = "Give large numbers instead."
        here.add(found=f"a retry{of} with {odd}", expected="finite numbers", mend=mend)
    one_of(value.jitter, Jitter, f"a retry{of} with jitter", here)
