"""Every journal obeys the laws of journals, and the laws see what is broken."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.errors import JournalFailed
from orchestration.frozen import evolve
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.sqlite import SqliteJournal
from orchestration.testing import JOURNAL_LAWS, LawsBroken, check_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchestration.journal.protocol import Journal


def test_a_memory_journal_obeys_the_laws() -> None:
    """S34, S38: the model itself does what is asked of all."""
    check_journal(MemoryJournal)


def test_a_sqlite_journal_obeys_the_laws(tmp_path: Path) -> None:
    """S34, S38: a file does, also when it is opened again."""
    numbers = count()
    paths: dict[Journal, Path] = {}

    def make(path: Path | None = None) -> Journal:
        path = path or tmp_path / f"{next(numbers)}.db"
        journal = SqliteJournal(path)
        paths[journal] = path
        return journal

    def reopen(journal: Journal) -> Journal:
        journal.close()
        return make(paths[journal])

    check_journal(make, reopen=reopen)


# --- defects: each takes the place of a method, and gets the right one with the arguments of a call


def _as_the_owner(journal: MemoryJournal, right: Callable[..., Any], lease: Any, *rest: Any, **more: Any) -> Any:
    return right(evolve(lease, epoch=journal.head(lease.run_id).epoch), *rest, **more)


def _any_time(journal: MemoryJournal, right: Callable[..., Any], run_id: str, owner: str, **times: float) -> Any:
    return right(run_id, owner, **{**times, "now": 1e12})


def _same_epoch(journal: MemoryJournal, right: Callable[..., Any], run_id: str, owner: str, **times: float) -> Any:
    lease = right(run_id, owner, **times)
    kept = journal._runs[run_id]
    kept.head = evolve(kept.head, epoch=max(1, lease.epoch - 1))
    return evolve(lease, epoch=kept.head.epoch)


def _twice(journal: MemoryJournal, right: Callable[..., Any], head: Any, plan: str, record: Any) -> None:
    journal._runs.pop(head.run_id, None)
    right(head, plan, record)


def _own_inbox(journal: MemoryJournal, right: Callable[..., Any], head: Any, plan: str, record: Any) -> None:
    right(head, plan, record)
    journal._runs[head.run_id].head = head


def _latest_plan(journal: MemoryJournal, right: Callable[..., Any], lease: Any, fingerprint: str, plan: str) -> None:
    right(lease, fingerprint, plan)
    journal._plans[fingerprint] = plan


def _wherever(journal: MemoryJournal, right: Callable[..., Any], lease: Any, records: Any, **more: Any) -> None:
    position = journal.head(lease.run_id).position
    right(lease, [evolve(record, position=position + n) for n, record in enumerate(records)], **more)


def _takes_first(journal: MemoryJournal, right: Callable[..., Any], lease: Any, records: Any, **more: Any) -> None:
    kept = journal._kept(lease.run_id)
    kept.letters = [letter for letter in kept.letters if letter.number not in more.get("taken", ())]
    right(lease, records, **more)


def _takes_none(journal: MemoryJournal, right: Callable[..., Any], lease: Any, records: Any, **more: Any) -> None:
    right(lease, records, **{**more, "taken": ()})


def _half(journal: MemoryJournal, right: Callable[..., Any], lease: Any, records: Any, **more: Any) -> None:
    right(lease, records[:1], **more)


def _from_the_start(journal: MemoryJournal, right: Callable[..., Any], run_id: str, start: int = 0) -> Any:
    return right(run_id)


def _itself(journal: MemoryJournal, right: Callable[..., Any], run_id: str) -> Any:
    return journal._kept(run_id).letters


def _backwards(journal: MemoryJournal, right: Callable[..., Any], status: Any = None) -> Any:
    return right(status)[::-1]


def _all_heads(journal: MemoryJournal, right: Callable[..., Any], status: Any = None) -> Any:
    return right()


def _by_length(journal: MemoryJournal, right: Callable[..., Any], run_id: str, text: str) -> int:
    kept = journal._kept(run_id)
    kept.posted = len(kept.letters)
    return int(right(run_id, text))


def _same_owner(journal: MemoryJournal, right: Callable[..., Any], run_id: str, *rest: Any) -> None:
    before = journal.head(run_id)
    right(run_id, *rest)
    kept = journal._runs[run_id]
    kept.head = evolve(kept.head, epoch=before.epoch)


def _same_snapshot(journal: MemoryJournal, right: Callable[..., Any], run_id: str, *rest: Any) -> None:
    before = journal.snapshot(run_id)
    right(run_id, *rest)
    journal._runs[run_id].snapshot = before


def _only_who_waits(_: MemoryJournal, right: Callable[..., Any], *rest: Any, wait: bool = True, **more: Any) -> None:
    if wait:
        right(*rest, **more)


def _nothing(journal: MemoryJournal, right: Callable[..., Any], *rest: Any, **more: Any) -> None:
    return


DEFECTS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "anybody appends": ("append", _as_the_owner, "a_lost_lease_writes_nothing"),
    "anybody renews": ("renew", _as_the_owner, "a_lost_lease_writes_nothing"),
    "anybody adopts": ("adopt", _as_the_owner, "a_lost_lease_writes_nothing"),
    "anybody releases": ("release", _as_the_owner, "a_lost_lease_writes_nothing"),
    "anybody saves": ("save", _as_the_owner, "a_lost_lease_writes_nothing"),
    "a lease holds nobody off": ("acquire", _any_time, "a_lease_is_held_until_its_time"),
    "an epoch serves twice": ("acquire", _same_epoch, "a_lost_lease_writes_nothing"),
    "a run id serves twice": ("create", _twice, "a_run_id_is_used_once"),
    "a new run has letters": ("create", _own_inbox, "create_keeps_the_run"),
    "a plan is replaced": ("adopt", _latest_plan, "plans_are_kept_once"),
    "records go anywhere": ("append", _wherever, "an_append_knows_its_place"),
    "a refused append takes letters": ("append", _takes_first, "an_append_knows_its_place"),
    "who does not wait is not served": ("append", _only_who_waits, "an_append_need_not_wait"),
    "letters are not taken": ("append", _takes_none, "letters_are_numbered"),
    "half a batch is stored": ("append", _half, "records_come_back_in_order"),
    "read begins at the start": ("read", _from_the_start, "records_come_back_in_order"),
    "an answer is the journal's own": ("letters", _itself, "answers_are_copies"),
    "heads are in no order": ("heads", _backwards, "heads_are_listed"),
    "all heads have any status": ("heads", _all_heads, "heads_are_listed"),
    "a letter's number is used again": ("post", _by_length, "letters_are_numbered"),
    "truncate leaves the lease": ("truncate", _same_owner, "truncate_takes_the_lease"),
    "truncate leaves the snapshot": ("truncate", _same_snapshot, "truncate_drops_the_end"),
    "delete deletes nothing": ("delete", _nothing, "delete_forgets_all"),
    "close closes nothing": ("close", _nothing, "a_closed_journal_fails"),
    "release releases nothing": ("release", _nothing, "a_released_run_is_free"),
    "renew renews nothing": ("renew", _nothing, "a_lease_can_be_renewed"),
    "save saves nothing": ("save", _nothing, "the_last_snapshot_is_kept"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_laws_see_a_defect(defect: str) -> None:
    """Each defect of a journal breaks the law that is about it."""
    name, wrong, expected = DEFECTS[defect]

    def make() -> Journal:
        journal = MemoryJournal()
        right = getattr(journal, name)
        setattr(journal, name, lambda *rest, **more: wrong(journal, right, *rest, **more))
        return journal

    with pytest.raises(LawsBroken) as broken:
        check_journal(make)
    assert expected in [law.name for law, _ in broken.value.broken]


def test_the_laws_see_what_is_lost() -> None:
    """S34: a journal that is empty when it is opened again breaks each law on that."""
    with pytest.raises(LawsBroken) as broken:
        check_journal(MemoryJournal, reopen=lambda _: MemoryJournal())
    found = [law.name for law, _ in broken.value.broken]
    assert found == ["all_is_kept", "an_epoch_is_kept", "numbers_go_on", "what_is_gone_stays_gone"]


def test_a_report_tells_of_all_that_is_broken() -> None:
    """The report names each broken law with its rule and what it says; its cause holds what was raised."""

    def make() -> Journal:
        journal = MemoryJournal()
        journal.close()
        return journal

    with pytest.raises(LawsBroken, match=r"the journal breaks \d+ of \d+ laws\n  create_keeps_the_run") as broken:
        check_journal(make)
    assert len(broken.value.broken) == len(JOURNAL_LAWS)
    assert "an_owner_has_the_next_epoch (S38): Who acquires a run has it in the next epoch" in str(broken.value)
    assert isinstance(broken.value.__cause__, ExceptionGroup)
    assert {type(error) for _, error in broken.value.broken} == {JournalFailed, AssertionError}
