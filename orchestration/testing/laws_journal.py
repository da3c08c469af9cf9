"""The laws of journals: what a run may rely on, wherever it is kept (S34, S38)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.testing import laws_journal_durable as durable
from orchestration.testing import laws_journal_log as log
from orchestration.testing import laws_journal_owner as owner
from orchestration.testing.laws import check_laws, law
from orchestration.testing.laws_journal_desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from orchestration.journal.protocol import Journal
    from orchestration.testing.laws import Law

JOURNAL_LAWS: tuple[Law[Desk], ...] = (
    law("S34", log.create_keeps_the_run),
    law("S5", log.a_run_id_is_used_once),
    law("S34", log.records_come_back_in_order),
    law("S34", log.runs_do_not_mix),
    law("S34", log.the_head_follows_the_log),
    law("S34", log.an_append_may_be_empty),
    law("S34", log.an_append_need_not_wait),
    law("S34", log.an_append_knows_its_place),
    law("S34", log.unknown_runs_are_told),
    law("S34", log.answers_are_copies),
    law("S34", log.heads_are_listed),
    law("S36", log.plans_are_kept_once),
    law("S36", log.the_last_snapshot_is_kept),
    law("S37", log.truncate_drops_the_end),
    law("S37", log.truncate_takes_the_lease),
    law("S34", log.delete_forgets_all),
    law("S34", log.a_closed_journal_fails),
    law("S38", owner.an_owner_has_the_next_epoch),
    law("S38", owner.a_lease_is_held_until_its_time),
    law("S38", owner.a_lease_can_be_renewed),
    law("S38", owner.a_lost_lease_writes_nothing),
    law("S38", owner.a_lease_that_is_over_is_still_the_last),
    law("S38", owner.a_released_run_is_free),
    law("S38", owner.letters_are_numbered),
    law("S38", owner.a_letter_is_taken_once),
    law("S38", owner.a_letter_changes_nothing_else),
    law("S38", owner.one_of_many_acquires),
    law("S38", owner.many_write_at_once),
    law("S34", durable.it_does_what_the_model_does),
)
DURABLE_JOURNAL_LAWS: tuple[Law[Desk], ...] = (
    law("S34", durable.all_is_kept),
    law("S38", durable.an_epoch_is_kept),
    law("S34", durable.numbers_go_on),
    law("S34", durable.what_is_gone_stays_gone),
)


def check_journal(make: Callable[[], Journal], *, reopen: Callable[[Journal], Journal] | None = None) -> None:
    """Try all laws of journals on this kind of journal.

    `make` opens a new, empty journal each time; the laws close it. `reopen` closes one and opens it again, with what
    its storage has kept; without it the laws on that are not tried.

    ```python
    from orchestration.journal.memory import MemoryJournal

    check_journal(MemoryJournal)
    ```

    Raises:
        LawsBroken: if some do not hold; it tells of all of them.
    """

    @contextmanager
    def desk() -> Generator[Desk]:
        fresh = Desk(make(), reopen)
        try:
            yield fresh
        finally:
            fresh.journal.close()

    check_laws("the journal", JOURNAL_LAWS if reopen is None else JOURNAL_LAWS + DURABLE_JOURNAL_LAWS, desk)
