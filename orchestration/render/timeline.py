"""The timeline of a run: a row for each thing that was done, with its attempts, waits and undos along a common axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestration.plan.tree import static_path
from orchestration.render.cards import legend
from orchestration.render.scene import Block, Line, Placed, Rect, Titled, Words
from orchestration.render.signs import WORDS
from orchestration.render.telling import brief
from orchestration.render.text import fitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestration.render.chronicle import Chronicle, Span
    from orchestration.render.scene import Shape
    from orchestration.render.signs import Status

NAMES, CHART, ROW, HIGH, LOW = 250.0, 690.0, 22.0, 12.0, 4.0  # the columns, a row, a bar of work and one of waiting
AXIS = 26.0
LEAST = 2.5  # how wide a bar is at least
MOST = 60  # rows; where there are more things, those at one place of the plan share a row
TICKS = 6
BARS: dict[tuple[str, str], Status] = {
    ("undo", "done"): "undone",
    ("undo", "failed"): "undo-failed",
    ("undo", "timed out"): "undo-failed",
    ("hooks", "done"): "waiting",
    ("sleep", "done"): "waiting",
    ("backoff", "done"): "waiting",
    ("backoff", "running"): "waiting",
    ("sleep", "running"): "waiting",
    ("hooks", "running"): "waiting",
}
PLAIN: dict[str, Status] = {
    "done": "done",
    "failed": "failed",
    "timed out": "failed",
    "running": "running",
    "cancelled": "cancelled",
    "leaked": "leaked",
    "lost": "lost",
}
SAID: dict[str, str] = {"step": "attempt", "undo": "undo, attempt", "cleanup": "cleanup, attempt"}
LEGEND: dict[Status, str] = {
    "done": "attempt that succeeded",
    "failed": "failed or timed out",
    "running": "under way",
    "waiting": "waiting: backoff, sleep, hooks",
    "cancelled": "told to end",
    "lost": "ended with its process",
    "leaked": "did not end when it was told to",
    "undone": "undo",
    "undo-failed": "undo that failed",
}


class Row(NamedTuple):
    """A row: what stands before it, and the stretches of time that are drawn in it."""

    name: str
    spans: list[Span]


def timeline(chronicle: Chronicle) -> Block:
    """Return the timeline of a run."""
    rows = list(_rows(chronicle))
    scale = _Scale(chronicle)
    height = AXIS + ROW * len(rows)
    parts: list[Placed] = []
    for at in scale.ticks():
        x = scale.x(at)
        parts.append(Placed(0, 0, Line(((x, AXIS - 4), (x, height)), "grid")))
        parts.append(Placed(x, 12, Words(brief(at - chronicle.begun), "tick", "middle")))
    for at in chronicle.resumed:
        x = scale.x(at)
        mark = Block(0, height, 0, 0, (Placed(0, 0, Line(((x, AXIS - 4), (x, height)), "back")),))
        parts.append(Placed(0, 0, Titled(mark, f"taken up again after {brief(at - chronicle.begun)}")))
    for index, row in enumerate(rows):
        y = AXIS + index * ROW
        parts.append(Placed(0, y + 15, Titled(Words(fitted(row.name, 11, NAMES - 16), "label"), row.name)))
        parts += [Placed(0, y, shape) for shape in _bars(row.spans, scale, chronicle)]
    seen = {_status(span) for span in chronicle.spans}
    signs = legend([(status, text) for status, text in LEGEND.items() if status in seen], NAMES + CHART)
    parts.append(Placed(0, height + 16, signs))
    return Block(NAMES + CHART + 30, height + 16 + signs.height, 0, 0, tuple(parts))


def _rows(chronicle: Chronicle) -> Iterator[Row]:
    by_path: dict[str, list[Span]] = {}
    for span in chronicle.spans:
        by_path.setdefault(span.path, []).append(span)
    prefix = f"{chronicle.root.name}/"
    if len(by_path) <= MOST:
        for path, spans in by_path.items():
            yield Row(path.removeprefix(prefix), spans)
        return
    by_place: dict[str, list[Span]] = {}
    things: dict[str, int] = {}
    for path, spans in by_path.items():
        place = static_path(path)
        by_place.setdefault(place, []).extend(spans)
        things[place] = things.get(place, 0) + 1
    for place, spans in by_place.items():
        count = f", {things[place]:,} of them" if things[place] > 1 else ""
        yield Row(place.removeprefix(prefix) + count, spans)


class _Scale:
    """From times to places on the axis."""

    def __init__(self, chronicle: Chronicle) -> None:
        self.begun = chronicle.begun
        self.seconds = max(chronicle.seconds, 1e-6)

    def x(self, at: float) -> float:
        return NAMES + min(max((at - self.begun) / self.seconds, 0.0), 1.0) * CHART

    def ticks(self) -> Iterator[float]:
        """Yield round times, about so many."""
        size = 10.0**-6
        steps = (1, 2, 5, 10, 20, 50, 100, 200, 500)
        while self.seconds / (size * steps[-1]) > TICKS:
            size *= 1_000
        step = next(size * one for one in steps if self.seconds / (size * one) <= TICKS)
        for number in range(int(self.seconds / step) + 1):
            yield self.begun + number * step


class _Bar(NamedTuple):
    left: float
    right: float
    status: Status
    low: bool
    title: str


def _bars(spans: Iterable[Span], scale: _Scale, chronicle: Chronicle) -> Iterator[Shape]:
    """Yield the bars of a row; those that would cover each other are one."""
    bars: list[_Bar] = []
    last: dict[tuple[Status, bool], int] = {}
    counts: dict[int, int] = {}
    for span in spans:
        end = chronicle.at if span.end is None else span.end
        status, low = _status(span), span.what in ("backoff", "sleep", "hooks")
        left, right = scale.x(span.begin), max(scale.x(end), scale.x(span.begin) + LEAST)
        before = last.get((status, low))
        if before is not None and left <= bars[before].right + 0.5:
            counts[before] = counts.get(before, 1) + 1
            together = f"{counts[before]:,} of them: {WORDS[status]}"
            merged = bars[before]._replace(right=max(right, bars[before].right), left=min(left, bars[before].left))
            bars[before] = merged._replace(title=together)
            continue
        last[status, low] = len(bars)
        bars.append(_Bar(left, right, status, low, _title(span, chronicle)))
    for bar in sorted(bars, key=lambda one: (not one.low, one.left)):
        high = LOW if bar.low else HIGH
        rect = Rect(bar.right - bar.left, high, f"on-{bar.status}", min(2.5, high / 2))
        yield Titled(Block(0, 0, 0, 0, (Placed(bar.left, (ROW - high) / 2, rect),)), bar.title)


def _status(span: Span) -> Status:
    return BARS.get((span.what, span.how)) or PLAIN[span.how]


def _title(span: Span, chronicle: Chronicle) -> str:
    what = f"{SAID[span.what]} {span.attempt}" if span.what in SAID else span.what
    begun, lasted = brief(span.begin - chronicle.begun), brief(span.lasted(chronicle.at))
    failure = "" if span.failure is None else f"\n{span.failure.kind}: {span.failure.message}"
    return f"{span.path}\n{what}: {span.how}\nfrom {begun} on, for {lasted}{failure}"
