"""Repair and housekeeping of a journal: only by somebody's explicit wish (S37)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestration.errors import JournalCorrupt
from orchestration.journal.records import clean, first_link

if TYPE_CHECKING:
    from orchestration.journal.protocol import Journal


class Damage(NamedTuple):
    """What is left of a log: `clean` records are sound, `lost` were there behind them."""

    run_id: str
    clean: int
    lost: int


def look_for_damage(journal: Journal, run_id: str) -> Damage | None:
    """Return the damage of a run's log, `None` if it is whole.

    Raises:
        RunNotFound: if the journal has no such run.
        JournalCorrupt: if not even its head can be read.
    """
    head = journal.head(run_id)
    records = journal.read(run_id, 0, head.position)  # a run that is under way may have more by now
    sound = clean(first_link(run_id), 0, records)
    last = records[sound - 1].checksum if sound else first_link(run_id)
    if sound == head.position and last == head.checksum:
        return None
    return Damage(run_id, sound, head.position - sound)


def repair(journal: Journal, run_id: str) -> Damage | None:
    """Go back to the clean prefix of a damaged log: what came behind it is lost, and may be done again.

    Raises:
        RunNotFound: if the journal has no such run.
        JournalCorrupt: if nothing of it is left to go on from.
    """
    damage = look_for_damage(journal, run_id)
    if damage is None:
        return None
    if damage.clean == 0:
        raise JournalCorrupt(
            run_id,
            found="0 sound records",
            expected="the first one, with the input of the run",
            mend=f"`orchestration delete {run_id}`, and begin it again.",
        )
    journal.truncate(run_id, damage.clean, journal.read(run_id, damage.clean - 1)[0].checksum)
    return damage


def prune(journal: Journal, *, before: float) -> list[str]:
    """Delete the runs that ended before a time, in seconds since the epoch; return their ids."""
    ended = [head for head in journal.heads() if head.status != "unfinished" and head.updated < before]
    for head in ended:
        journal.delete(head.run_id)
    return [head.run_id for head in ended]
