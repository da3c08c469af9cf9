"""Bodies for other processes: functions of a module, so that they are found there."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from orchestration import step_context


class Declined(Exception):
    """An exception that can be pickled."""


class Awkward(Exception):
    """An exception that can be pickled, but not read back."""

    def __init__(self, code: int, reason: str) -> None:
        """Take more than the message."""
        super().__init__(f"{code} {reason}")


class Vault:
    """A service whose object can go to another process."""

    def __init__(self, offset: int) -> None:
        """Keep a number."""
        self.offset = offset

    def add(self, n: int) -> int:
        """Return a larger number."""
        return n + self.offset


class LockedVault(Vault):
    """One whose object cannot."""

    def __init__(self, offset: int) -> None:
        """Keep what no process can share."""
        super().__init__(offset)
        self.lock = threading.Lock()


def where(_: object) -> int:
    """Return the number of this process."""
    return os.getpid()


def about(n: int) -> tuple[object, ...]:
    """Return what a step sees of itself."""
    here = step_context()
    return here.path, here.attempt, here.run_id, here.idempotency_key, here.step_key, here.deadline, here.cancelled


def pair(one: int, other: int) -> int:
    """Return the sum of two."""
    return one + other


def decline(n: int) -> int:
    """Raise an exception with a cause."""
    nothing: dict[int, int] = {}
    try:
        return nothing[n]
    except KeyError as error:
        raise Declined("no") from error


def decline_bare(n: int) -> int:
    """Raise an exception that hides where it comes from."""
    nothing: dict[int, int] = {}
    try:
        return nothing[n]
    except KeyError:
        raise Declined("no") from None


def awkward(n: int) -> int:
    """Raise what cannot be read back."""
    raise Awkward(n, "no")


def stop(n: int) -> int:
    """Raise what no future takes."""
    raise StopIteration(n)


def exit_by(code: int) -> int:
    """Raise what stops a run."""
    raise SystemExit(code)


def die(n: int) -> int:
    """End the process."""
    os._exit(n)


def locked(n: int) -> object:
    """Return what cannot be pickled."""
    return threading.Lock()


def touch_and_wait(folder: str) -> int:
    """Say by a file that it has begun, and wait for another file."""
    Path(folder, "begun").touch()
    while not Path(folder, "free").exists():
        time.sleep(0.001)
    return os.getpid()


def wait_awhile(n: int) -> int:
    """Take as long as nobody would wait."""
    time.sleep(600)
    return n
