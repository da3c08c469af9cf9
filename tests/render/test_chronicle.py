"""What happened in a run: the chronicle, and what is told of each place of the plan."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import pytest

from examples.approvals import ANSWER, Answer, Case, Claim, Desk, approval, nobody
from examples.checkout import checkout
from mkdocs_pictures import failed_checkout
from orchestration import LocalEngine, Retry, Secret, Workflow, step
from orchestration.errors import RunNotFound
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.protocol import Record
from orchestration.journal.records import linked
from orchestration.render import Chronicler, chronicle_in, chronicle_of
from orchestration.render.places import things_of
from orchestration.render.signs import GRAVEST, SIGNS, WORDS
from orchestration.render.telling import brief, drawer_of
from orchestration.testing import FakeHandler
from tests.render.runs import GO, asking, book, car, doubled, failed_trip, is_large, room, saved, told, trip, unbook

if TYPE_CHECKING:
    from orchestration.render import Chronicle


def seen(chronicle: Chronicle) -> dict[str, tuple[str, str]]:
    """Return what the picture says of each place: its status, and in words."""
    places = drawer_of(chronicle, things_of(chronicle)).places
    return {path.partition("/")[2]: (place.status, place.words) for path, place in places.items()}


def undos(chronicle: Chronicle) -> dict[str, str]:
    """Return what the picture says of each undo."""
    places = drawer_of(chronicle, things_of(chronicle)).undos
    return {path.partition("/")[2]: place.status for path, place in places.items()}


def test_attempts_waits_and_undos_have_their_times() -> None:
    """Each stretch of time is there, from when it was begun to when it ended."""
    spans = [(s.path, s.what, s.attempt, s.begin, s.end, s.how) for s in failed_trip().spans]
    assert spans[:5] == [
        ("trip/book", "step", 1, 0.0, 0.0, "done"),
        ("trip/room", "step", 1, 0.0, 0.0, "failed"),
        ("trip/room", "backoff", 0, 0.0, 0.5, "done"),
        ("trip/room", "step", 2, 0.5, 0.7, "done"),
        ("trip/car", "step", 1, 0.7, 0.7, "done"),
    ]
    assert [one for one in spans if one[1] == "sleep"] == [("trip/sleep", "sleep", 0, 0.7, 1.7, "done")]
    assert [(one[0], one[1], one[5]) for one in spans[-4:]] == [
        ("trip/car", "undo", "done"),
        ("trip/room", "undo", "failed"),
        ("trip/room", "backoff", "done"),
        ("trip/room", "undo", "failed"),
    ]


def test_places_tell_what_happened_there() -> None:
    """S25, S26: what was undone, could not be, or was held is told at its place, and what was never reached."""
    places = seen(failed_trip())
    assert places["book"] == ("held", "done, held: not undone")
    assert places["room"][0] == "undo-failed"
    assert "2 attempts" in places["room"][1]
    assert places["car"] == ("undone", "done, then undone")
    assert places["doubled"] == ("done", "done")
    assert places["branch/bus"] == ("skipped", "skipped")
    assert places["branch/stay"] == ("done", "done")
    assert places["invite"] == ("failed", "4 items")
    assert places["invite[]"] == ("failed", "2 done, 1 cancelled, 1 failed")
    assert places["len"] == ("unreached", "not reached")
    assert undos(failed_trip()) == {"book": "held", "room": "undo-failed", "car": "undone"}


def test_a_run_that_is_under_way_tells_where_it_is() -> None:
    """What goes on is told as such: a step under way, a wait, what comes after it."""
    trace = FakeHandler(real=True).send(GO, 1, at=5).run(asking, 1)
    cut = chronicle_of(trace.plan, trace.turns[:2])
    assert seen(cut) == {"book": ("done", "done"), "go": ("waiting", "waiting"), "car": ("unreached", "not reached")}
    begun = chronicle_of(trace.plan, trace.turns[:1])
    assert seen(begun)["book"] == ("running", "running")
    assert begun.spans[0].lasted(3.0) == 3.0
    assert {status for status, _ in seen(told(trace)).values()} == {"done"}
    assert told(trace).signals == ((5.0, "go"),)


def test_a_wait_between_attempts_is_told() -> None:
    """A step that waits to be tried again has not failed."""
    flow = Workflow[int]("f").step(book, retry=Retry(max_attempts=2, jitter="none")).step(car)
    trace = FakeHandler(real=True).on(book, each=[ValueError(), 1]).run(flow, 1)
    assert seen(chronicle_of(trace.plan, trace.turns[:2]))["book"][0] == "waiting"
    assert seen(told(trace))["book"] == ("done", "done · 2 attempts · 1 s")


def test_what_was_recovered_from_is_told() -> None:
    """S20: after a failure the chain goes on behind what recovers it; between the two nothing was reached."""
    places = seen(told(FakeHandler(real=True).on(car, raises=ConnectionError("gone")).run(saved, 1)))
    assert places["car"] == ("failed", "failed · ConnectionError")
    assert places["book"] == ("undone", "done, then undone")
    assert places["doubled"] == ("unreached", "not reached")
    assert places["apologise"] == places["stay"] == ("done", "done")
    well = seen(told(FakeHandler(real=True).run(saved, 1)))
    assert well["doubled"] == ("done", "done")
    assert well["apologise"] == ("skipped", "skipped")


def test_a_pure_function_that_fails_is_told_by_the_failure() -> None:
    """It has no events: its failure says where it was."""
    flow = Workflow[int]("f").step(book).compensate(unbook).pure(lambda _: 1 // 0, name="broken").step(car)
    places = seen(told(FakeHandler(real=True).run(flow, 1)))
    assert places["broken"] == ("failed", "failed · ZeroDivisionError")
    assert places["car"] == ("unreached", "not reached")


def test_loops_count_and_arms_are_skipped() -> None:
    """S17: a loop tells how often it went round; signals that came and arms that were not taken are told as well."""
    fake = FakeHandler(real=True).on(Desk.file, does=Case).on(Desk.ask, None)
    fake.on(Desk.pay, raises=AssertionError()).on(nobody, None)
    fake.send(ANSWER, Answer(granted=False, by="Kim"), at=0.15)
    places = seen(told(fake.run(approval, Claim("Ben", 1700))))
    assert places["asking"] == ("done", "2 rounds")
    assert places["asking[]/ask"] == ("done", "2 done")
    assert places["branch/refuse"][0] == "done"
    assert places["branch/payment/pay"] == ("skipped", "skipped")
    assert places["set_aside"] == ("skipped", "skipped")


def test_a_retried_composite_tells_its_last_attempt() -> None:
    """S9: what was undone before the next attempt does not hide that this one went well."""
    part: Any = Workflow[int]("part").step(book).compensate(unbook).step(car)
    flow = Workflow[int]("f").step(step(part), retry=Retry(max_attempts=3, jitter="none"))
    trace = FakeHandler(real=True).on(car, each=[ValueError("no car"), 1]).run(flow, 1)
    places = seen(told(trace))
    assert places["part/book"] == places["part/car"] == ("done", "done")
    assert places["part"] == ("done", "attempt 2 of 3")


def test_a_composite_that_is_undone_as_a_whole_is_told() -> None:
    """S27: it has one undo for all of it, which stands at its box."""
    flow: Any = Workflow[int]("f").fork(book).fork(car).join(name="both").compensate(drop_all).step(len)
    chronicle = told(FakeHandler(real=True).on(len, raises=ValueError()).run(flow, 1))
    assert undos(chronicle) == {"both": "undone"}
    assert seen(chronicle)["both"] == ("undone", "done, then undone")
    assert seen(chronicle)["both/book"] == ("done", "done")


def drop_all(pair: tuple[int, int]) -> None:
    """Undo both."""


def test_what_was_kept_behind_a_pivot_is_told() -> None:
    """S27: it stands on purpose."""
    flow = Workflow[int]("f").step(book).compensate(unbook).pivot().step(car)
    chronicle = told(FakeHandler(real=True).on(car, raises=ValueError()).run(flow, 1))
    assert seen(chronicle) == {
        "book": ("kept", "done, kept"),
        "pivot": ("done", "done"),
        "car": ("failed", "failed · ValueError"),
    }


def test_an_arm_without_effects_is_told_where_it_can_only_have_been_this() -> None:
    """S13: what was passed through without a trace is known if all the other arms would have left one."""
    flow: Any = Workflow[int]("f").branch().when(is_large, doubled_step).otherwise(book).step(car)
    places = seen(told(FakeHandler(real=True).run(flow, 200)))
    assert places["branch/twice/doubled"] == ("done", "done")
    assert places["branch/book"] == ("skipped", "skipped")


doubled_step: Any = Workflow[int]("twice").pure(doubled)


def test_the_members_of_a_graph_that_were_not_reached_are_told() -> None:
    """S14: what needs what has failed never began; what is needed by what began is done."""
    flow: Any = Workflow[int]("f").fork(book).fork(doubled_step).join(name="both").step(len)
    trace = FakeHandler(real=True).on(book, raises=ValueError()).on(len, 2).run(flow, 1)
    assert seen(told(trace))["len"] == ("unreached", "not reached")


def test_what_has_leaked_or_is_in_doubt_is_told() -> None:
    """S22, S24: an attempt that nobody could end, and an effect of which nobody knows."""
    flow = Workflow[int]("f").step(book, attempt_timeout=1).compensate(unbook, in_doubt=unbook).step(car)
    leaking = told(FakeHandler(real=True).on(book, 1, takes=100, stubborn=True).run(flow, 1))
    assert seen(leaking)["book"][0] == "leaked"
    silent = Workflow[int]("f").step(book).compensate(unbook)
    doubtful = told(FakeHandler(real=True).on(book, raises=TimeoutError()).run(silent, 1))
    assert seen(doubtful)["book"] == ("in-doubt", "failed, in doubt · TimeoutError")


def test_a_cancelled_run_tells_why_and_what_was_left() -> None:
    """S28: what was under way was cancelled, what comes after it was not reached."""
    chronicle = told(FakeHandler(real=True).on(room, 1, takes=9).run(trip, 3, cancel_at=1))
    assert chronicle.cancel == (1.0, "cancelled by the test")
    assert seen(chronicle)["room"] == ("in-doubt", "cancelled, in doubt · 1 s")  # it has no handler for that
    assert seen(chronicle)["car"] == ("unreached", "not reached")
    assert undos(chronicle) == {"book": "undone", "room": "in-doubt"}


def test_every_status_has_a_sign_a_word_and_a_rank() -> None:
    """None is told by colour alone."""
    assert set(SIGNS) == set(WORDS) == set(GRAVEST)
    assert len(GRAVEST) == len(set(GRAVEST))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "< 1 ms"),
        (0.0412, "41 ms"),
        (1.239, "1.24 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (3 * 3_600, "3 h"),
        (90_061, "1 d 1 h"),
        (100 * 86_400, "100 d"),
    ],
)
def test_a_stretch_of_time_is_told_in_short(seconds: float, text: str) -> None:
    """To about three digits, in the units that fit."""
    assert brief(seconds) == text


# --- where it comes from


@attrs.frozen
class Login:
    """Something with a secret in it."""

    name: str
    password: Annotated[str, Secret]


async def log_in(login: Login) -> int:
    """Fail with its name."""
    raise ValueError(login.name)


async def count(number: int) -> int:
    """Add one."""
    return number + 1


async def drop(number: int) -> None:
    """Undo it."""


async def refuse_all(number: int) -> int:
    """Fail."""
    raise ValueError(number)


durable: Any = (
    Workflow[int]("durable")
    .step(count)
    .compensate(drop)
    .step(refuse_all, retry=Retry(max_attempts=2, initial_delay=0.0))
)


def kept() -> tuple[MemoryJournal, Chronicle]:
    """Return a journal with a run in it, and the chronicle that was written as it ran."""
    journal = MemoryJournal()

    async def run() -> Chronicle:
        handle = await LocalEngine(journal=journal, workflows=[durable]).start(durable, 1, run_id="r")
        chronicler = Chronicler(handle.plan, values=True)
        async for turned in handle.turns():
            chronicler.take(turned)
        return chronicler.chronicle(await handle.result())

    return journal, asyncio.run(run())


def test_a_journal_tells_the_same_as_the_run_did() -> None:
    """S39: read without the code of its workflow, a run has the chronicle that was written as it ran."""
    journal, live = kept()
    read = chronicle_in(journal, "r", values=True)
    assert read.spans == live.spans
    assert read.outcome == live.outcome
    assert (read.run_id, read.begun, read.at, read.input) == (live.run_id, live.begun, live.at, live.input)
    assert seen(read) == seen(live)
    assert undos(read) == undos(live) == {"count": "undone"}


def test_values_are_hidden_unless_they_are_wanted() -> None:
    """S33: a chronicle has no values by itself."""
    journal, _ = kept()
    assert {span.value for span in chronicle_in(journal, "r").spans} <= {"", "…"}
    assert chronicle_in(journal, "r").input == "…"
    assert "…" in {span.value for span in failed_checkout().spans}


def test_a_secret_is_never_shown() -> None:
    """S33: not even where values are."""
    flow = Workflow[Login]("f").step(log_in)
    trace = FakeHandler(real=True).run(flow, Login("Kim", "hunter2"))
    chronicle = told(trace, values=True)
    assert "Kim" in chronicle.input
    assert "hunter2" not in repr(chronicle)


def test_of_a_damaged_log_the_sound_part_is_told() -> None:
    """S37: what is read is what can be relied on, and the chronicle says that it is not all."""
    journal, live = kept()
    records = journal._runs["r"].records
    last = records[-1]
    records[-1] = Record(last.position, last.text.replace("durable", "endurable"), last.checksum)
    read = chronicle_in(journal, "r", values=True)
    assert read.outcome is None
    assert len(read.remarks) == 1
    assert f"{len(records) - 1} of {len(records)} records are sound" in read.remarks[0]
    assert read.spans[:2] == live.spans[:2]


def test_what_another_version_wrote_is_left_out() -> None:
    """A record that is sound, but says what nobody here understands, ends what can be told."""
    journal, _ = kept()
    records = journal._runs["r"].records
    text = '{"v": 9}'
    records[1:] = [Record(1, text, linked(records[0].checksum, text))]
    assert any("another version" in remark for remark in chronicle_in(journal, "r").remarks)
    records[:] = [Record(0, "{", "")]
    read = chronicle_in(journal, "r")
    assert (read.run_id, read.spans) == ("r", ())


@pytest.mark.parametrize("document", [None, "{}"])
def test_a_run_without_its_plan_is_told_all_the_same(document: str | None) -> None:
    """The picture is empty then, and the chronicle says why."""
    journal, live = kept()
    journal.plan = lambda _: document  # type: ignore[method-assign]
    read = chronicle_in(journal, "r", values=True)
    assert read.spans == live.spans
    assert len(read.remarks) == 1
    assert seen(read)["count"][0] == "undone"


def test_a_run_that_is_not_there_is_refused() -> None:
    """With the error that the journal has for it."""
    with pytest.raises(RunNotFound):
        chronicle_in(MemoryJournal(), "nothing")


def test_the_checkout_tells_the_whole_story() -> None:
    """The example of the documentation: charged at the second attempt, and undone when no courier came."""
    places = seen(failed_checkout())
    assert places["charge"] == (
        "undone",
        "done, then undone · 2 attempts · " + places["charge"][1].rpartition(" · ")[2],
    )
    assert places["branch/express"][0] == "failed"
    assert places["branch/standard"][0] == "skipped"
    assert checkout.compile().name == failed_checkout().root.name
