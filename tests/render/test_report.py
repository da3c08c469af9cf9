"""The report of a run: one page, for somebody who has never seen its workflow."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from examples.checkout import checkout
from mkdocs_pictures import failed_checkout
from orchestration import Failure, Workflow
from orchestration.frozen import evolve
from orchestration.outcomes import Cancelled, Failed, Held, HookFailure, InDoubt, Kept, Rollback, Succeeded, Undone
from orchestration.render import Chronicle, chronicle_of, html, plan_html, run_svg, timeline_svg
from orchestration.render.steps import MOST
from orchestration.testing import FakeHandler
from tests.plan.everything import everything
from tests.render.drawn import boxes, canvas, parsed, words
from tests.render.runs import HOSTILE, asking, book, failed_trip, invite, told, trip, unbook

VOID = {"meta", "br", "path", "rect", "polygon"}
LOADS = re.compile(r"""(src|href)\s*=\s*["'](?!#)|url\(|@import|<script|<link|<iframe|\son\w+\s*=""", re.IGNORECASE)


class Page(HTMLParser):
    """What a page says, as a reader meets it; a page whose elements are not closed in order fails the test."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.said: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Open an element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """Take note of an element without contents."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take note of text that is shown."""
        if not {"style", "title"} & set(self._open):
            self.said.append(data)

    @property
    def text(self) -> str:
        """All that is shown, in one line."""
        return " ".join(" ".join(self.said).split())


def test_a_stranger_can_tell_what_failed_and_what_was_undone() -> None:
    """The report of a checkout says in words what failed and why, and what was undone, how, in which order."""
    said = Page(html(failed_checkout())).text
    assert "express failed with TooHeavy: 50 pieces, the express courier carries 20." in said
    assert "What had been done is undone: 2 steps." in said
    undone = said[said.index("What was undone") : said.index("The plan, and what happened")]
    assert re.search(r"1 checkout/charge undone by refund 2 checkout/reserve undone by release", undone)


def test_what_could_not_be_undone_is_said_first() -> None:
    """S26: that something stands is no footnote: it is in the first lines, and each with its reason."""
    said = Page(html(failed_trip("no such address"))).text
    assert "Not all could be undone : 1 step of 3 was; the rest stands, or is in doubt." in said
    assert "trip/room NOT undone its undo free failed OSError: nobody answers" in said
    assert "trip/book NOT undone held because trip/room could not be undone" in said


def test_attempts_are_listed_with_their_times() -> None:
    """Each stretch of time of a step that had several is in the table."""
    said = Page(html(failed_checkout())).text
    assert "step, attempt 1: failed, 200 ms after the start, for 300 ms: ConnectionError: no line" in said
    assert "backoff: done" in said
    assert "undo, attempt 1: done" in said


@pytest.mark.parametrize("chronicle", [failed_trip(), failed_checkout()], ids=["trip", "checkout"])
def test_a_report_stands_for_itself(chronicle: Chronicle) -> None:
    """It loads nothing and runs nothing: there is no script, no address, and a policy that forbids both."""
    page = html(chronicle)
    assert not LOADS.search(page)
    tags = Page(page).tags
    policies = [attrs["content"] for _, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_what_scrolls_has_a_name_and_a_place_among_the_keys() -> None:
    """Not every browser lets the keys reach what scrolls by itself."""
    scrolling = [attrs for tag, attrs in Page(html(failed_checkout())).tags if attrs.get("class") == "scroll"]
    assert [(one["tabindex"], one["role"], one["aria-label"]) for one in scrolling] == [
        ("0", "region", "The plan"),
        ("0", "region", "The timeline"),
    ]


def test_hostile_text_is_only_text() -> None:
    """S33: what looks like markup, in a message, path, reason or value, is shown as it is, control characters not."""
    chronicle = failed_trip(HOSTILE)
    bad = Failure(HOSTILE, HOSTILE, HOSTILE, cause=Failure(HOSTILE, HOSTILE, HOSTILE))
    ends = (Undone(HOSTILE), Held(HOSTILE, HOSTILE), InDoubt(HOSTILE), Kept(HOSTILE))
    outcome = Cancelled(
        HOSTILE,
        HOSTILE,
        Rollback(ends),
        leaked=(HOSTILE,),
        attached=(bad,),
        unused_signals=(HOSTILE,),
        cleanup_failures=(bad,),
        hook_failures=(HookFailure(HOSTILE, HOSTILE, HOSTILE, bad),),
    )
    hostile = evolve(chronicle, outcome=outcome, run_id=HOSTILE, input=HOSTILE, output=HOSTILE, remarks=(HOSTILE,))
    for one in (chronicle, hostile):
        page = html(one)
        assert "<script" not in page
        assert not any(char in page for char in "\x1b\u202e")
        assert not any(tag == "script" for tag, _ in Page(page).tags)
        assert "alert('x')" in Page(page).text
        for picture in (run_svg(one), timeline_svg(one)):
            assert parsed(picture) is not None
            assert "\x1b" not in picture


def test_every_end_is_told() -> None:
    """However a run has ended, or if it has not, the first lines say so."""
    done = chronicle_of(trip.compile(), ())
    outcomes = {
        "succeeded All went well.": Succeeded(1, "r"),
        "cancelled It was cancelled: enough.": Cancelled("enough", "r"),
        "There was nothing to undo.": Failed(Failure("ValueError", "", "trip/book"), "r"),
        "book failed with ValueError.": Failed(Failure("ValueError", "", "trip/book"), "r"),
        "1 step undone, 1 kept on purpose.": Cancelled("x", "r", Rollback((Undone("trip/book"), Kept("trip/car")))),
    }
    for words_, outcome in outcomes.items():
        assert words_ in Page(html(evolve(done, outcome=outcome, ended=True))).text
    assert "It has ended, with an outcome that could not be kept." in Page(html(evolve(done, ended=True))).text
    assert "unfinished, waiting It has not ended." in Page(html(done)).text
    assert "No step has begun." in Page(html(done)).text


def test_a_run_under_way_is_told_as_such() -> None:
    """What it has done so far is there, and what goes on."""
    trace = FakeHandler(real=True).on(book, 1, takes=3).run(trip, 3)
    page = Page(html(evolve(chronicle_of(trace.plan, trace.turns[:1]), resumed=(1.0,), begun=1_000_000_000.0)))
    assert "unfinished It has not ended." in page.text
    assert "2001-09-09 01:46:40 UTC" in page.text
    assert "taken up again" in page.text


def test_a_doubt_that_was_settled_is_told_with_its_handler() -> None:
    """S22: an effect of which nobody knew was settled, and by what."""
    flow = Workflow[int]("f").step(book).compensate(unbook, in_doubt=unbook)
    trace = FakeHandler(real=True).on(book, raises=TimeoutError("late")).run(flow, 1)
    assert "f/book in doubt, settled by unbook" in Page(html(told(trace))).text


def test_a_cancelled_run_tells_why_and_the_rest_is_told_too() -> None:
    """S28: reason, failures that came later, cleanups and hooks that failed, and what may yet land."""
    chronicle = told(FakeHandler(real=True).run(trip, 3, cancel_at=0.9))
    late = Failure("OSError", "late", "trip/car", attached=(Failure("KeyError", "later", "trip/room"),))
    outcome = Cancelled("enough", "r", leaked=("trip/car#1",), attached=(late,), unused_signals=("go:1",))
    said = Page(html(evolve(chronicle, outcome=outcome))).text
    for words_ in ("Why it was cancelled", "Failures that came later", "KeyError: later", "trip/car#1", "go:1"):
        assert words_ in said


def test_a_large_run_is_told_in_short() -> None:
    """Of 2,000 items the table and the timeline show those that did not go well, and say how many are left out."""
    flow = Workflow[int]("f").pure(lambda value: list(range(value)), name="guests").map(invite, on_error="collect")
    fake = FakeHandler(real=True).on(invite, 1, takes=1).on("f/invite[1999]", raises=ValueError("lost in the post"))
    chronicle = told(fake.run(flow, 2_000))
    page = html(chronicle)
    assert len(page) < 200_000
    assert f"{2_000 - MOST:,} more that went well are left out." in Page(page).text
    assert "invite[1999]" in Page(page).text
    assert "1,999 done, 1 failed" in Page(page).text
    assert any("2,000 of them" in text for text in words(parsed(timeline_svg(chronicle))))


def test_the_timeline_shows_each_attempt_and_undo() -> None:
    """A bar for each stretch of time, along an axis in seconds, none outside of the picture."""
    root = parsed(timeline_svg(failed_checkout()))
    bars = [box for name in ("done", "failed", "undone", "waiting") for box in boxes(root, f"on-{name}")]
    assert len(bars) == len(failed_checkout().spans)
    assert all(canvas(root).holds(bar) for bar in bars)
    assert {"reserve", "charge", "0 s", "1 s"} <= set(words(root))


def test_the_timeline_notes_when_a_run_was_taken_up_again() -> None:
    """S35: another process went on from there."""
    chronicle = evolve(failed_checkout(), resumed=(1.0,))
    assert "taken up again after 1 s" in timeline_svg(chronicle)


def test_a_timeline_of_nothing_is_drawn() -> None:
    """A run that has only begun, or took no time, has a picture as well."""
    assert parsed(timeline_svg(chronicle_of(asking.compile(), ()))) is not None


def test_the_picture_of_a_run_explains_its_signs() -> None:
    """Each status that is in it stands in words below it."""
    said = words(parsed(run_svg(failed_checkout())))
    assert {"done", "undone", "failed", "skipped"} <= set(said)
    assert "failed · TooHeavy · 100 ms" in said


def test_a_plan_has_a_page_too() -> None:
    """What it takes, gives and needs, and its picture; for any plan."""
    said = Page(plan_html(checkout.compile())).text
    assert "takes Order gives Parcel needs Couriers, Inventory, Payments" in said
    assert Page(plan_html(everything.compile())).text
