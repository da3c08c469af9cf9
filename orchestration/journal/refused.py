"""What a journal says when it refuses something: the same words whichever journal it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.errors import JournalBusy, JournalFailed, LeaseLost, RunExists, RunHeld, RunNotFound

if TYPE_CHECKING:
    from orchestration.journal.protocol import Head, Lease


def exists(run_id: str) -> RunExists:
    """Say that a run id is in use (S5)."""
    return RunExists(
        run_id,
        found="a run of this id in the journal",
        expected="a new run id",
        mend="Choose another run_id, or resume that run.",
    )


def not_found(run_id: str) -> RunNotFound:
    """Say that there is no such run."""
    return RunNotFound(
        run_id,
        found="no run of this id in the journal",
        expected="one that was begun or submitted",
        mend="Look for its id with `orchestration runs`.",
    )


def held(head: Head, now: float) -> RunHeld:
    """Say that another has the run (S38)."""
    return RunHeld(
        head.run_id,
        found=f"a lease of {head.owner} for {head.until - now:.1f} s more",
        expected="a run that nobody drives",
        mend="Wait for its end, or until the lease is over.",
    )


def lost(lease: Lease, found: str) -> LeaseLost:
    """Say that another has taken the run over (S38)."""
    return LeaseLost(
        lease.run_id,
        found=found,
        expected="a run that this process still has",
        mend="Another process has taken it over and goes on with it: do nothing here.",
    )


def busy(path: str) -> JournalBusy:
    """Refuse who was not to wait for others."""
    return JournalBusy(
        path,
        found="a journal that others use at this moment",
        expected="one that is free",
        mend="Wait for them: see `wait`.",
    )


def closed(path: str) -> JournalFailed:
    """Say that the journal is closed."""
    return JournalFailed(path, found="a closed journal", expected="an open one", mend="Open it again.")
