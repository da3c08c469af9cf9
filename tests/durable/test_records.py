"""Records: what they say, how they hang together, and what of them is found when it is damaged (S12, S34, S37)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Workflow
from orchestration.errors import InvalidDocument, JournalCorrupt, RunNotFound, Unserialisable
from orchestration.frozen import evolve
from orchestration.interpreter import serial
from orchestration.interpreter.effects import AskHooks, Cancel, CancelTimer, Pull, RunStep, StartTimer, Tell
from orchestration.interpreter.engine import begin
from orchestration.interpreter.events import CancelRequested, Pulled, PullFailed, Started, StepFailed, StepSucceeded
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.protocol import Record
from orchestration.journal.records import chained, clean, digests, first_link, kept, read
from orchestration.journal.repair import Damage, look_for_damage, prune, repair
from orchestration.journal.replay import folded
from orchestration.outcomes import Failed, Rollback, Succeeded, UndoFailed
from orchestration.plan.nodes import Step
from tests.durable.virtual import LEASE, RUN, Stage, outcome_of
from tests.durable.workflows import ALL, inc, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.journal.protocol import Journal

FLOW = Workflow[int]("flow").step(inc).step(inc)
PLAN = FLOW.compile()
STEP = next(node for node in PLAN.nodes if isinstance(node, Step))


# --- what is kept


def test_a_value_is_kept_as_it_will_be_read() -> None:
    """S12: a tuple stays one, and what the event is about does not change."""
    event = StepSucceeded("flow/inc", 1.0, 1, (1, [2]))
    assert kept(PLAN, event) == event
    assert kept(PLAN, event).output is not event.output
    cancel = CancelRequested("flow", 1.0, "enough")
    assert kept(PLAN, cancel) is cancel


def test_what_cannot_be_kept_fails_what_gave_it() -> None:
    """S12: a step or a stream by its failure; who starts a run or sends a signal by an error."""
    lock = asyncio.Lock()
    failed = kept(PLAN, StepSucceeded("flow/inc", 1.0, 2, lock))
    assert isinstance(failed, StepFailed)
    assert (failed.path, failed.at, failed.attempt) == ("flow/inc", 1.0, 2)
    assert failed.failure.kind == "orchestration.errors.Unserialisable"
    pull = kept(PLAN, Pulled("flow/map", 1.0, 3, lock))
    assert isinstance(pull, PullFailed)
    assert (pull.path, pull.index) == ("flow/map", 3)
    with pytest.raises(Unserialisable, match="flow"):
        kept(PLAN, Started("flow", 1.0, RUN, lock))


def test_the_digest_of_an_effect_names_what_is_to_be_done() -> None:
    """S34: kind, path, attempt, the name of the body, and the input; not when a timer is due."""
    one, other = (RunStep("flow/inc", 1, STEP, value) for value in (1, 2))
    (first,), (second,) = digests(PLAN, [one]), digests(PLAN, [other])
    assert first.rpartition(" ")[0] == second.rpartition(" ")[0] == "RunStep flow/inc#1 inc"
    assert first != second
    assert digests(PLAN, [RunStep("flow/inc", 1, STEP, asyncio.Lock())]) == [
        "RunStep flow/inc#1 inc asyncio.locks:Lock"
    ]
    assert digests(PLAN, [StartTimer("flow/inc", 5.0, "backoff")]) == ["StartTimer flow/inc backoff"]
    assert digests(PLAN, [CancelTimer("flow/inc", "backoff"), Cancel("flow/inc", 1)]) == [
        "CancelTimer flow/inc backoff",
        "Cancel flow/inc#1",
    ]
    assert digests(PLAN, [Pull("flow/map", 2, [1])])[0].startswith("Pull flow/map 2 ")
    assert digests(PLAN, [AskHooks("flow/inc", "before", STEP, 1)])[0].startswith("AskHooks flow/inc before ")
    assert digests(PLAN, [Tell("flow", PLAN.root, None, 1)]) == ["Tell flow None"]


def test_no_two_kinds_of_things_are_written_under_one_name() -> None:
    """S36: or one would be read as the other."""
    assert len(serial.KINDS) == len(set(serial.ALL))


def test_the_end_state_of_an_undo_that_failed_is_no_event() -> None:
    """S25, S36: although both have the same name."""
    failure = kept(PLAN, StepSucceeded("flow/inc", 1.0, 1, asyncio.Lock())).failure  # type: ignore[attr-defined]
    outcome = Failed(failure, RUN, Rollback((UndoFailed("flow/inc", failure),)))
    data = serial.to_data(PLAN, outcome, "outcome")
    back = serial.from_data(PLAN, data, "outcome")
    assert isinstance(back, Failed)
    assert isinstance(back.rollback.steps[0], UndoFailed)


STARTED = '{"is":"Started","path":"flow","at":0.0,"run_id":"run","value":1,"deadline":null,"asks":[]}'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "other data"),
        ("[" * 9999, "other data"),
        ("[]", "other data"),
        ('{"v":1,"event":{}}', "other data"),
        ('{"v":2}', "version 2"),
        ('{"v":1,"event":{"is":"State"},"effects":[]}', "State"),
        ('{"v":1,"event":{"is":"Undone","path":"x"},"effects":[]}', "a Undone and a NoneType"),
        (f'{{"v":1,"event":{STARTED},"effects":[],"outcome":5}}', "a Started and a int"),
    ],
    ids=["empty", "deep", "list", "part", "version", "state", "end state", "outcome"],
)
def test_what_is_no_record_is_refused(text: str, found: str) -> None:
    """S37: with where it is, what was found and what was expected."""
    with pytest.raises(InvalidDocument) as error:
        read(PLAN, Record(7, text, ""))
    assert error.value.path.startswith("record 7")
    assert found in error.value.found


# --- the chain


def test_a_chain_tells_how_much_of_it_is_as_it_was_written() -> None:
    """S37: a changed, swapped, doubled, dropped or foreign record ends what is sound."""
    first = first_link(RUN)
    one, two, three, four = records = [*chained(first, 0, ["a", "b", "c", "d"])]
    assert clean(first, 0, records) == 4
    assert clean(two.checksum, 2, [three, four]) == 2
    assert clean(first, 0, [one, evolve(two, text="x"), three]) == 1
    assert clean(first, 0, [one, three, two, four]) == 1
    assert clean(first, 0, [one, two, two, three]) == 2
    assert clean(first, 0, [one, two, four]) == 2
    assert clean(first, 0, [one, evolve(three, position=1)]) == 1
    assert clean(first_link("another"), 0, records) == 0


NAME = "undone"


def ended() -> Stage:
    """Return a stage with a run that has ended."""
    stage = Stage(ALL[NAME])
    stage.play(lambda: stage.engine().execute(ALL[NAME], 1, run_id=RUN))
    return stage


def damaged(stage: Stage, records: list[Record]) -> int:
    """Put other records in the place of the run's; return how many are sound, as the journal says when it is read."""
    stage.journal._runs[RUN].records[:] = records
    with pytest.raises(JournalCorrupt, match="orchestration repair") as error:
        folded(ALL[NAME].compile(), stage.journal, RUN)
    assert f"{error.value.clean} sound records" in error.value.found
    return error.value.clean


def test_a_log_that_is_changed_or_cut_at_any_character_is_never_believed() -> None:
    """S37: `JournalCorrupt`, with how many records come before the damage."""
    stage = ended()
    records = stage.journal.read(RUN)
    mutants = 0
    for number, record in enumerate(records):
        for place, character in enumerate(record.text):
            for text in (record.text[:place], _flipped(record.text, place, character)):
                changed = [*records[:number], evolve(record, text=text), *records[number + 1 :]]
                assert damaged(stage, changed) == number
                mutants += 1
        for place, character in enumerate(record.checksum):
            changed = [*records]
            changed[number] = evolve(record, checksum=_flipped(record.checksum, place, character))
            assert damaged(stage, changed) == number
    assert mutants > 2_000


def _flipped(text: str, place: int, character: str) -> str:
    return f"{text[:place]}{chr(ord(character) ^ 1)}{text[place + 1 :]}"


DAMAGES: dict[str, Callable[[list[Record]], list[Record]]] = {
    "changed": lambda all_: [*all_[:2], evolve(all_[2], text="{}"), *all_[3:]],
    "swapped": lambda all_: [*all_[:2], all_[3], all_[2], *all_[4:]],
    "duplicated": lambda all_: [*all_[:2], all_[1], *all_[2:]],
    "dropped": lambda all_: [*all_[:2], *all_[3:]],
    "cut": lambda all_: all_[:2],
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_run_goes_on_only_when_it_is_repaired(how: str) -> None:
    """S37: by somebody's wish it goes back to its sound records, and on from there to the same outcome."""
    stage = Stage(ALL["looping"])

    async def stop() -> None:
        task = asyncio.ensure_future(stage.engine().execute(ALL["looping"], 1, run_id=RUN))
        await asyncio.sleep(2.25)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def go_on() -> Any:
        return await (await stage.engine().resume(RUN)).result()

    stage.play(stop)
    records = stage.journal.read(RUN)
    wrong = DAMAGES[how](records)
    stage.journal._runs[RUN].records[:] = wrong
    with pytest.raises(JournalCorrupt) as error:
        stage.play(go_on)
    assert error.value.clean == 2
    damage = Damage(RUN, 2, len(records) - 2)
    assert look_for_damage(stage.journal, RUN) == repair(stage.journal, RUN) == damage
    assert look_for_damage(stage.journal, RUN) is repair(stage.journal, RUN) is None
    assert stage.journal.read(RUN) == records[:2]
    assert stage.play(go_on, later=2 * LEASE) == Succeeded(10, RUN)


def test_a_run_that_goes_on_while_somebody_looks_is_not_damaged() -> None:
    """S37: what its owner has appended since the head was read does not count; nothing is taken from it."""
    stage = ended()
    records = stage.journal.read(RUN)
    lease = stage.journal.acquire(RUN, "owner", now=LEASE, until=2 * LEASE)

    def goes_on(run_id: str) -> Any:
        head = MemoryJournal.head(stage.journal, run_id)
        more = chained(head.checksum, head.position, ["{}"])
        stage.journal.append(lease, [*more], at=LEASE)
        return head

    stage.journal.head = goes_on  # type: ignore[method-assign]
    assert look_for_damage(stage.journal, RUN) is repair(stage.journal, RUN) is None
    assert len(stage.journal.read(RUN)) == len(records) + 2


@pytest.mark.parametrize("text", ["changed", "cut"])
@pytest.mark.parametrize("number", [-1, -2])
def test_the_recorded_outcome_of_a_damaged_run_is_not_believed(number: int, text: str) -> None:
    """S37: it is read from the last record alone, which has to fit the head and the record before."""
    stage = Stage(ALL["chain"])

    async def execute() -> Any:
        return await stage.engine().execute(ALL["chain"], 1, run_id=RUN)

    assert stage.play(execute) == Succeeded(4, RUN)
    records = stage.journal._runs[RUN].records
    if text == "cut":
        del records[number:]
    else:
        records[number] = evolve(records[number], text=records[number].text.replace("4", "5"), checksum="5" * 32)
    with pytest.raises(JournalCorrupt):
        stage.play(execute)


def test_a_run_of_which_nothing_is_left_cannot_be_repaired() -> None:
    """S37: it stays as it is."""
    stage = ended()
    records = stage.journal.read(RUN)
    assert damaged(stage, records[1:]) == 0
    with pytest.raises(JournalCorrupt, match="0 sound records"):
        repair(stage.journal, RUN)
    assert stage.journal.read(RUN) == records[1:]


def test_runs_that_ended_long_ago_are_pruned() -> None:
    """S34: those that have not ended stay."""
    stage = ended()
    journal: Journal = stage.journal
    stage.play(lambda: stage.engine().submit(FLOW, 1, run_id="waits"))
    assert prune(journal, before=journal.head(RUN).updated) == []
    assert prune(journal, before=stage.time + 1) == [RUN]
    with pytest.raises(RunNotFound):
        journal.head(RUN)
    assert [head.run_id for head in journal.heads()] == ["waits"]


def test_what_a_record_says_is_what_was_written() -> None:
    """S36: event, digests and outcome, and that the run has ended although its outcome is not kept."""
    stage = ended()
    plan = ALL[NAME].compile()
    entries = [read(plan, record) for record in stage.journal.read(RUN)]
    assert [entry.ended for entry in entries] == [False] * (len(entries) - 1) + [True]
    assert isinstance(entries[-1].outcome, Failed)
    first = entries[0].event
    assert isinstance(first, Started)
    assert list(entries[0].effects) == digests(plan, begin(plan, first).effects)
    assert outcome_of(entries[-1].outcome)[2] == (f"{refuse.__module__}.Refused", "undone/refuse")
