"""What the parts of a plan look like: cards, pills and nests, with what is told of a run on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import evolve, frozen
from orchestration.render.scene import Block, Line, Mark, Placed, Rect, Titled, Words, beside
from orchestration.render.signs import BACK, SIGNS, Status
from orchestration.render.text import fitted, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.render.scene import Shape

NAME, SMALL = 13.0, 11.0  # the sizes of fonts
NARROW, BROAD = 132.0, 268.0  # of a card
PAD, EDGE = 12.0, 4.0
HEAD = 30.0  # of a nest: the strip with its title
MARGIN = 18.0  # between a nest and what is in it
SIGN = 16.0  # a sign, with the room behind it
PILL = 24.0


@frozen
class Told:
    """What is told of a place in a run: a status, by which it is coloured, and a few words, longer ones in `title`."""

    status: Status
    words: str
    title: str = ""

    @property
    def style(self) -> str:
        """The classes of what it is told of."""
        return f"is-{self.status} dim" if self.status in ("skipped", "unreached") else f"is-{self.status}"


@frozen
class Label:
    """What is written on something: its name, more about it, the sign of its kind and the words of a tooltip."""

    kind: str
    name: str
    more: str = ""
    sign: str = ""
    title: str = ""
    rounded: bool = False


def card(label: Label, told: Told | None = None) -> Block:
    """Return the card of something that a run does."""
    texts = [(label.name, NAME, True), (label.more, SMALL, False), ("" if told is None else told.words, SMALL, True)]
    signs = (bool(label.sign), False, told is not None)
    widths = [
        width_of(text, size, bold=bold) + SIGN * sign for (text, size, bold), sign in zip(texts, signs, strict=True)
    ]
    width = min(BROAD, max(NARROW, max(widths) + 2 * PAD + EDGE))
    room = width - 2 * PAD - EDGE
    parts: list[Placed] = []
    left, y = PAD + EDGE, 21.0
    if label.sign:
        parts.append(Placed(left, y - 9.5, Mark(label.sign, "sign")))
    name = fitted(label.name, NAME, room - SIGN * bool(label.sign), bold=True)
    parts.append(Placed(left + SIGN * bool(label.sign), y, Words(name, "name")))
    if label.more:
        y += 16
        parts.append(Placed(left, y, Words(fitted(label.more, SMALL, room), "more")))
    if told is not None:
        y += 18
        words = fitted(told.words, SMALL, room - SIGN, bold=True)
        parts += [Placed(left, y - 9, Mark(SIGNS[told.status], "sign")), Placed(left + SIGN, y, Words(words, "told"))]
    height = y + 12
    radius = height / 2 if label.rounded and not told else 8.0
    back: list[Placed] = [Placed(0, 0, Rect(width, height, "card", radius))]
    if not label.rounded:
        back.append(Placed(0.7, 9, Rect(EDGE - 0.7, height - 18, "edge", 1.6)))
    block = Block(width, height, width / 2, width / 2, (*back, *parts))
    return _titled(block, label, told)


def pill(label: Label, told: Told | None = None) -> Block:
    """Return the pill of something that needs no card: a choice, a wait, a start."""
    sign = SIGNS[told.status] if told is not None and told.status not in ("unreached", "skipped") else label.sign
    text = label.name + (f" · {told.words}" if told is not None and told.words else "")
    shown = fitted(text, SMALL, BROAD - 2 * PAD, bold=True)
    width = width_of(shown, SMALL, bold=True) + 2 * PAD + SIGN * bool(sign)
    parts = [Placed(0, 0, Rect(width, PILL, "card", PILL / 2))]
    if sign:
        parts.append(Placed(PAD - 1, PILL / 2 - 5, Mark(sign, "sign")))
    parts.append(Placed(PAD + SIGN * bool(sign), PILL / 2 + 4, Words(shown, "told")))
    return _titled(Block(width, PILL, width / 2, width / 2, tuple(parts)), label, told)


def words(text: str, sign: str = "") -> Block:
    """Return a few words that stand on a line."""
    shown = fitted(text, SMALL, BROAD)
    width = width_of(shown, SMALL) + SIGN * bool(sign)
    parts = [Placed(SIGN * bool(sign), 10, Words(shown, "label"))]
    if sign:
        parts.append(Placed(0, 1, Mark(sign, "sign")))
    return Block(width, 14, width / 2, width / 2, tuple(parts), open=True)


def with_undo(block: Block, label: Label, told: Told | None = None) -> Block:
    """Return a block with its undo to its right."""
    undo = pill(evolve(label, kind="undo", sign=BACK), told)
    middle = min(block.height / 2, 40.0)
    dashed = Line(((block.width, middle), (block.width + 16, middle)), "back")
    lowered = evolve(undo, parts=tuple(Placed(p.x, p.y + middle - PILL / 2, p.shape) for p in undo.parts))
    lowered = evolve(lowered, height=middle + PILL / 2)
    return beside(block, lowered, 16, [Placed(0, 0, dashed)])


def nest(inner: Block, label: Label, told: Told | None = None, *, many: bool = False, dashed: bool = False) -> Block:
    """Return a box around what is inside of something, with its title; `many` says that it stands for several."""
    title_width = width_of(label.name, NAME, bold=True) + SIGN * bool(label.sign)
    more = "  ".join(filter(None, (label.more, "" if told is None else told.words)))
    more_width = width_of(more, SMALL) + (16.0 + SIGN * (told is not None) if more else 0.0)
    width = max(inner.width + 2 * MARGIN, min(title_width + more_width + 2 * PAD, 2 * BROAD))
    shift = (width - inner.width) / 2
    lead = 0.0 if inner.open else 20.0
    height = HEAD + lead + inner.height + MARGIN
    enter, leave = shift + inner.enter, shift + inner.leave
    parts: list[Placed] = []
    style = "nest dashed" if dashed else "nest"
    if many:
        parts += [Placed(8, 8, Rect(width, height, style, 10)), Placed(4, 4, Rect(width, height, style, 10))]
    parts += [Placed(0, 0, Rect(width, height, style, 10)), *_header(label, told, width)]
    if lead:
        parts.append(Placed(0, 0, Line(((enter, HEAD), (enter, HEAD + lead)), arrow=True)))
    parts.append(Placed(shift, HEAD + lead, inner))
    parts.append(Placed(0, 0, Line(((leave, height - MARGIN), (leave, height)))))
    extra = 8 * many
    block = Block(width + extra, height + extra, enter, leave, tuple(parts))
    if many:
        down = Placed(0, 0, Line(((leave, height), (leave, height + extra))))
        block = evolve(block, parts=(*block.parts, down))
    return block


def _header(label: Label, told: Told | None, width: float) -> list[Placed]:
    room = width - 2 * PAD
    parts: list[Placed] = []
    x = PAD
    if label.sign:
        parts.append(Placed(x, 10, Mark(label.sign, "sign")))
        x += SIGN
    name = fitted(label.name, NAME, room - SIGN, bold=True)
    parts.append(Placed(x, 20, Words(name, "name")))
    x += width_of(name, NAME, bold=True) + 10
    end = width - PAD
    if told is not None:
        shown = fitted(told.words, SMALL, max(end - x - SIGN, 24), bold=True)
        end -= width_of(shown, SMALL, bold=True)
        parts.append(Placed(end, 20, Words(shown, f"told on-{told.status}")))
        end -= SIGN
        parts.append(Placed(end, 11, Mark(SIGNS[told.status], f"mark on-{told.status}")))
        end -= 8
    if label.more and end - x > 30:  # noqa: PLR2004 - less shows nothing
        parts.append(Placed(x, 20, Words(fitted(label.more, SMALL, end - x), "more")))
    title = "\n".join(
        filter(
            None,
            (label.title or f"{label.name} {label.more}".rstrip(), "" if told is None else told.title or told.words),
        )
    )
    header = Block(width, HEAD, 0, 0, tuple(parts))
    return [Placed(0, 0, Titled(header, title, label.kind))]


def _titled(block: Block, label: Label, told: Told | None) -> Block:
    """Return a block that is one group: its classes, and all of its words where some may have been left out."""
    title = label.title or " · ".join(filter(None, (label.name, label.more)))
    if told is not None:
        title = f"{title}\n{told.title or told.words}"
    style = label.kind if told is None else f"{label.kind} {told.style}"
    shape: Shape = Titled(block, title, style)
    return evolve(block, parts=(Placed(0, 0, shape),))


def legend(statuses: Sequence[tuple[Status, str]], width: float) -> Block:
    """Return a line, or several, that say what the signs and colours mean."""
    parts: list[Placed] = []
    x, y, most = 0.0, 0.0, 0.0
    for status, text in statuses:
        wide = width_of(text, SMALL) + SIGN + 20
        if x and x + wide > width:
            x, y = 0.0, y + 20
        parts += [Placed(x, y, Mark(SIGNS[status], f"mark on-{status}")), Placed(x + SIGN, y + 9, Words(text, "label"))]
        x += wide
        most = max(most, x)
    return Block(most, y + 14, most / 2, most / 2, tuple(parts))
