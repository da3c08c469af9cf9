"""What happens seldom: hooks that refuse, streams that break, cleanups, crashes, and values of all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failure, Retry, Workflow, gate
from orchestration.interpreter.effects import CancelTimer, RunStep, StartTimer
from orchestration.interpreter.events import PullFailed, Started, StepCancelled, TimerFired
from orchestration.plan.codec import Codec
from orchestration.plan.places import nodes_of
from orchestration.render import chronicle_of, svg, timeline_svg
from orchestration.render.chronicle import Begun, Fact, Scribe
from orchestration.render.drawing import Drawer
from orchestration.render.layers import layered
from orchestration.render.naming import body_name, kind_of, lasting
from orchestration.render.picture import planned, standing
from orchestration.render.places import things_of
from orchestration.render.scene import Block
from orchestration.render.telling import drawer_of
from orchestration.render.text import fitted, width_of
from orchestration.render.values import LONGEST, shown, text_of
from orchestration.testing import FakeHandler
from tests.plan.everything import everything
from tests.render.drawn import parsed, words
from tests.render.runs import book, car, told, trip, unbook

if TYPE_CHECKING:
    from orchestration.interpreter.events import AnyEvent


class Turn:
    """An event, and what followed."""

    def __init__(self, event: AnyEvent, *effects: Any) -> None:
        """Keep both."""
        self.event = event
        self.effects = effects


def places(chronicle: Any) -> dict[str, str]:
    """Return the status of each place."""
    return {path: one.status for path, one in drawer_of(chronicle, things_of(chronicle)).places.items()}


def test_a_step_that_a_gate_forbids_has_failed() -> None:
    """S31: it never began, and its hooks say why."""
    flow = Workflow[int]("f").step(book, hooks=[gate(lambda _: "no")]).step(car)
    chronicle = told(FakeHandler(real=True).run(flow, 1))
    assert [(span.what, span.how) for span in chronicle.spans] == [("hooks", "failed")]
    assert places(chronicle) == {"f/book": "failed", "f/car": "unreached"}
    assert parsed(timeline_svg(chronicle)) is not None


def test_a_stream_that_breaks_has_failed() -> None:
    """S16: the failure stands at the map, which has no attempts."""
    at = "trip/invite"
    started = Turn(Started("trip", 0.0, "r", 3))
    broken = Turn(PullFailed(at, 1.0, 0, Failure("OSError", "gone", at)))
    chronicle = chronicle_of(trip.compile(), [started, broken])
    assert [(span.path, span.what, span.how) for span in chronicle.spans] == [(at, "pull", "failed")]
    assert places(chronicle)[at] == "failed"


def test_a_cleanup_is_told_like_a_step() -> None:
    """S21: it ran, however its scope has ended."""
    flow = Workflow[int]("f").cleanup(unbook).step(book)
    chronicle = told(FakeHandler(real=True).on(book, raises=ValueError()).run(flow, 1))
    assert places(chronicle) == {"f/unbook": "done", "f/book": "failed"}


def test_what_a_crash_interrupted_is_lost_and_begins_again() -> None:
    """S35: of the process that ended nothing more is heard, another goes on."""
    scribe = Scribe()
    for kind, path, at, fields, begun in (
        ("Started", "f", 0.0, {"run_id": "r"}, [Begun("RunStep", "f/book", 1), Begun("RunCleanup", "f/late", 1)]),
        ("Resumed", "f", 5.0, {"epoch": 2}, []),
        ("StepLost", "f/book", 5.0, {"attempt": 1}, [Begun("RunStep", "f/book", 1)]),
        ("CleanupLost", "f/late", 5.0, {"attempt": 1}, [Begun("RunCleanup", "f/late", 1)]),
    ):
        scribe.take(Fact(kind, path, at, fields, begun))
    chronicle = scribe.written(Workflow[int]("f").step(book).compile().root, None)
    assert [(span.path, span.how, span.end) for span in chronicle.spans] == [
        ("f/book", "lost", 5.0),
        ("f/late", "lost", 5.0),
        ("f/book", "running", None),
        ("f/late", "running", None),
    ]
    assert chronicle.resumed == (5.0,)


def test_what_waits_in_a_queue_has_not_begun() -> None:
    """S14: an attempt that was told to end before it began took no time; a backoff that was given up ended then."""
    flow = Workflow[int]("f").step(book, retry=Retry()).compile()
    step: Any = flow.root.children[0]
    turns = [
        Turn(Started("f", 0.0, "r", 1), RunStep("f/book", 1, step, 1), StartTimer("f/other", 4.0, "sleep")),
        Turn(TimerFired("f/x", 1.0, "timeout"), CancelTimer("f/other", "sleep"), CancelTimer("f/x", "timeout")),
        Turn(StepCancelled("f/book", 2.0, 1, started=False)),
        Turn(StepCancelled("f/book", 3.0, 1, started=False)),
    ]
    spans = chronicle_of(flow, turns).spans
    assert [(span.path, span.begin, span.end, span.how) for span in spans] == [
        ("f/book", 0.0, 0.0, "cancelled"),
        ("f/other", 0.0, 1.0, "cancelled"),
    ]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"$sealed": "x"}, "…"),
        ({"$type": "shop:Order", "fields": {"id": "1"}, "unset": {"n": 2}}, 'Order(id="1", n=2)'),
        ({"$enum": "shop:Color", "member": "RED"}, "Color.RED"),
        ({"$tuple": [1, None]}, "(1, null)"),
        ({"$set": [1]}, "[1]"),
        ({"$decimal": "1.5"}, '"1.5"'),
        ({"a": [True, {"b": 1}]}, "{a: [true, {b: 1}]}"),
        ("x" * 1_000, f'"{"x" * (LONGEST - 1)} …'),
    ],
)
def test_a_value_in_a_journal_is_read_without_its_class(data: object, text: str) -> None:
    """Tags are left out, long ones are cut, what is sealed stays so (S33)."""
    assert shown(data) == text


def test_whatever_the_codec_writes_is_shown() -> None:
    """A round value of each kind that it has leaves no tag behind."""
    for value in ({"$x": 1}, (1, {2}), b"ab", {1: 2}, float("inf")):
        assert "$" not in shown(Codec().encode(value)).replace("$x", "")


class Rude:
    """Something whose text cannot be had."""

    def __repr__(self) -> str:
        """Refuse."""
        raise RuntimeError


def test_a_value_without_a_text_is_called_by_its_class() -> None:
    """A report is written all the same."""
    assert text_of([Rude()]).startswith(("a list", "[<Rude"))
    assert text_of(Rude()).startswith(("a Rude", "<Rude"))
    assert " at 0x" not in text_of(object())


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (0.05, "50 ms"), (1.5, "1.5 s"), (90, "1.5 min"), (7_200, "2 h"), (86_400, "1 d")]
)
def test_durations_are_said_in_short(seconds: float, text: str) -> None:
    """As a policy gives them."""
    assert lasting(seconds) == text


def test_types_are_named_without_their_modules() -> None:
    """Any type at all is not named."""
    assert kind_of(dict[str, Failure]).replace(" ", "") == "dict[str,Failure]"
    assert kind_of(Any) == ""
    assert kind_of(object()) != ""


def test_a_stored_plan_is_drawn_like_a_compiled_one() -> None:
    """S37: its functions need not exist any more; only what their names do not tell is missing."""
    stored = standing(planned(nodes_of(everything.compile().to_json()), Drawer()))
    compiled = standing(planned(everything.compile().root, Drawer()))
    lost = set(words(parsed(compiled))) - set(words(parsed(stored)))
    assert all("is Color" in word for word in lost)
    assert body_name(nodes_of(Workflow[int]("f").pure(lambda x: x).compile().to_json()).children[0].body) == "a lambda"  # type: ignore[union-attr]  # a Pure


def test_a_long_name_keeps_both_its_ends() -> None:
    """And is never wider than it may be."""
    text = fitted("reserve_" + "x" * 200 + "_orders", 13, 120, bold=True)
    assert text.startswith("reser")
    assert text.endswith("ders")
    assert width_of(text, 13, bold=True) <= 120
    assert fitted("WWWWWW", 13, 1) == "W…W"
    assert width_of("e\u0301", 10) == width_of("e", 10)
    assert width_of("日", 10) == 10


def test_blocks_that_nothing_leads_from_are_drawn_too() -> None:
    """In a graph that gives only some of its members, the others end where they stand."""
    blocks = [Block(100, 40, 50, 50) for _ in range(4)]
    laid = layered(blocks, [(0, 1), (0, 3)], [1])
    assert laid.height > 80


def test_a_picture_names_what_has_no_name() -> None:
    """A lambda is called so."""
    flow = Workflow[int]("f").step(lambda value: value).compensate(lambda _: None)
    assert "a lambda" in words(parsed(svg(flow.compile())))
