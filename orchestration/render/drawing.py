"""From the nodes of a plan to blocks of a picture: a construct is one row of `DRAW`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.frozen import evolve, frozen
from orchestration.plan.nodes import (
    Beside,
    Branch,
    Cleanup,
    Compensated,
    Fold,
    Graph,
    Loop,
    Map,
    Node,
    Pivot,
    Pure,
    Recover,
    Retried,
    Scope,
    Sleep,
    Step,
    Timed,
    WaitFor,
)
from orchestration.plan.places import Word
from orchestration.plan.topology import INPUT
from orchestration.plan.tree import child_path
from orchestration.render import signs
from orchestration.render.cards import Label, Told, card, nest, pill, with_undo, words
from orchestration.render.layers import layered
from orchestration.render.naming import body_name, condition, group_policies, lasting, policies, tries
from orchestration.render.scene import Block, Line, Placed, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestration.plan.nodes import Compensation

ROOM = 18.0  # for a line beside a block
NOTHING_TOLD: dict[str, Told] = {}
Notes = tuple[str, ...]  # what the constructs around a node at the same path say of it


@frozen
class Drawer:
    """Draws nodes. What is told of a run is by the path of a place in the plan, of undos apart."""

    places: Mapping[str, Told] = NOTHING_TOLD
    undos: Mapping[str, Told] = NOTHING_TOLD

    def draw(self, node: Node, path: str, notes: Notes = ()) -> Block:
        """Draw a node and all that is in it."""
        row: Callable[[Drawer, Any, str, Notes], Block] = DRAW[type(node)]
        return row(self, node, path, notes)

    def chain(self, children: Sequence[Node], path: str) -> list[Block]:
        """Draw nodes one behind the other; what a `Recover` covers is one block with it."""
        last = max((index for index, child in enumerate(children) if isinstance(child, Recover)), default=None)
        blocks: list[Block] = []
        if last is not None:
            blocks.append(self._recovered(children[:last], children[last], path))
            children = children[last + 1 :]
        return blocks + [self.draw(child, child_path(path, "named", child.name)) for child in children]

    def _recovered(self, covered: Sequence[Node], recover: Any, path: str) -> Block:  # noqa: ANN401 - a Recover
        """Draw what is covered, and to its right what a failure of it leads to; both go on at the same point."""
        inner = self.chain(covered, path) or [words("nothing")]
        left = nest(stack(inner), Label("choice", "if this fails …", f"{recover.name} goes on"), dashed=True)
        kinds = ", ".join(kind.rpartition(".")[2] for kind in recover.on)
        body = self.draw(recover, child_path(path, "named", recover.name))
        right = stack([words(f"on {kinds}", signs.CROSS), body], gap=12)
        gap, drop = 40.0, 52.0
        x = left.width + gap
        height = max(left.height, drop + right.height) + 26
        turn, end = x + right.enter, x + right.leave
        parts = (
            Placed(0, 0, left),
            Placed(x, drop, right),
            Placed(0, 0, Line(((left.width, 26), (turn, 26), (turn, drop)), "back")),
            Placed(0, 0, Line(((left.leave, left.height), (left.leave, height)))),
            Placed(0, 0, Line(((end, drop + right.height), (end, height - 12), (left.leave, height - 12)))),
        )
        return Block(x + right.width, height, left.enter, left.leave, parts)

    def item(self, node: Map | Fold | Loop, path: str) -> Block:
        """Draw what is done for each item; a workflow of the same name has no box of its own."""
        below = child_path(path, "item", "")
        if isinstance(node.body, Scope) and node.body.name == node.name and node.body.children:
            return stack(self.chain(node.body.children, below))
        return self.draw(node.body, below)

    def undone(self, block: Block, path: str, compensation: Compensation) -> Block:
        """Draw the undo of a block to its right."""
        name = body_name(compensation.undo)
        doubt = "" if compensation.in_doubt is None else f"in doubt: {body_name(compensation.in_doubt)}"
        label = Label("undo", name, doubt, title=f"undo: {name}\n{doubt}".rstrip())
        return with_undo(block, label, self.undos.get(path))

    def boxed(
        self,
        inner: Block,
        path: str,
        label: Label,
        notes: Sequence[str],
        *,
        many: bool = False,
    ) -> Block:
        """Draw a box around a block, with what the constructs around it say."""
        return nest(inner, evolve(label, more=_joined(notes)), self.places.get(path), many=many)


def _joined(notes: Sequence[str]) -> str:
    return " · ".join(notes)


def _step(drawer: Drawer, node: Step, path: str, notes: Notes) -> Block:
    block = card(Label("step", node.name, _joined([*policies(node), *notes])), drawer.places.get(path))
    return block if node.compensation is None else drawer.undone(block, path, node.compensation)


def _pure(drawer: Drawer, node: Pure, path: str, notes: Notes) -> Block:
    label = Label("pure", node.name, _joined(notes), title=f"{node.name}: a pure function", rounded=True)
    return card(label, drawer.places.get(path))


def _cleanup(drawer: Drawer, node: Cleanup, path: str, notes: Notes) -> Block:
    more = _joined(["cleanup, whatever happens", *notes])
    return card(Label("choice", node.name, more, signs.BROOM), drawer.places.get(path))


def _pivot(drawer: Drawer, node: Pivot, path: str, notes: Notes) -> Block:
    del notes  # nothing stands around a pivot
    label = Label("wait", f"{node.name}: no undo past this", sign=signs.LOCK)
    return pill(label, drawer.places.get(path))


def _sleep(drawer: Drawer, node: Sleep, path: str, notes: Notes) -> Block:
    label = Label("wait", f"sleep {lasting(node.seconds)}", _joined(notes), signs.CLOCK, title=node.name)
    return pill(label, drawer.places.get(path))


def _wait_for(drawer: Drawer, node: WaitFor, path: str, notes: Notes) -> Block:
    label = Label("wait", node.signal, _joined(["waits for a signal", *notes]), signs.LETTER)
    return card(label, drawer.places.get(path))


def _beside(drawer: Drawer, node: Beside, path: str, notes: Notes) -> Block:
    note = "tap: its output is dropped" if node.combine is None else f"output goes into {body_name(node.combine)}"
    return drawer.draw(node.body, path, (*notes, note))


def _timed(drawer: Drawer, node: Timed, path: str, notes: Notes) -> Block:
    return drawer.draw(node.body, path, (*notes, f"within {lasting(node.timeout)}"))


def _retried(drawer: Drawer, node: Retried, path: str, notes: Notes) -> Block:
    return drawer.draw(node.body, path, (*notes, tries(node.retry)))


def _compensated(drawer: Drawer, node: Compensated, path: str, notes: Notes) -> Block:
    return drawer.undone(drawer.draw(node.body, path, notes), path, node.compensation)


def _recover(drawer: Drawer, node: Recover, path: str, notes: Notes) -> Block:
    return drawer.draw(node.body, path, notes)


def _scope(drawer: Drawer, node: Scope, path: str, notes: Notes) -> Block:
    inner = drawer.chain(node.children, path) or [words("nothing")]
    cap = group_policies(node.max_concurrency, "fail_fast")
    return drawer.boxed(stack(inner), path, Label("step", node.name), [*cap, *notes])


def _branch(drawer: Drawer, node: Branch, path: str, notes: Notes) -> Block:
    arms = [_arm(drawer, condition(arm), arm.node, path) for arm in node.arms]
    if node.otherwise is not None:
        arms.append(_arm(drawer, "otherwise", node.otherwise, path))
    choice = pill(Label("choice", node.name, sign=signs.FORK, title=f"{node.name}: the first that holds is taken"))
    block = stack([choice, layered(arms, [])], gap=0)
    return drawer.boxed(block, path, Label("choice", node.name), notes) if notes else block


def _arm(drawer: Drawer, label: str, node: Node, path: str) -> Block:
    return stack([words(label), drawer.draw(node, child_path(path, "named", node.name))], gap=14)


def _graph(drawer: Drawer, node: Graph, path: str, notes: Notes) -> Block:
    names = [vertex.node.name for vertex in node.vertices]
    blocks = [drawer.draw(vertex.node, child_path(path, "named", vertex.node.name)) for vertex in node.vertices]
    edges = dict.fromkeys(
        (names.index(str(need)), number)
        for number, vertex in enumerate(node.vertices)
        for need in vertex.needs
        if need != INPUT
    )
    gives = None if node.gives is None else node.gives if isinstance(node.gives, tuple) else (node.gives,)
    ends = None if gives is None else [names.index(str(name)) for name in dict.fromkeys(gives)]
    more = [*group_policies(node.concurrency, node.mode), *notes]
    return drawer.boxed(layered(blocks, list(edges), ends), path, Label("choice", node.name, sign=signs.FORK), more)


def _map(drawer: Drawer, node: Map, path: str, notes: Notes) -> Block:
    into = () if node.into is None else (f"into {body_name(node.into.combine)}",)
    more = ["for each item", *group_policies(node.concurrency, node.mode), *into, *notes]
    return drawer.boxed(drawer.item(node, path), path, Label("step", node.name), more, many=True)


def _fold(drawer: Drawer, node: Fold, path: str, notes: Notes) -> Block:
    more = ["for each item, one at a time", *notes]
    return drawer.boxed(drawer.item(node, path), path, Label("step", node.name), more, many=True)


def _loop(drawer: Drawer, node: Loop, path: str, notes: Notes) -> Block:
    body = drawer.item(node, path)
    test = pill(Label("choice", f"{node.check} {body_name(node.test)}", sign=signs.AGAIN))
    inner = _until(body, test) if node.check == "until" else _while(body, test)
    more = [f"up to {node.max_iterations} times", *notes]
    return drawer.boxed(inner, path, Label("choice", node.name, sign=signs.AGAIN), more)


def _until(body: Block, test: Block) -> Block:
    """Draw a loop that asks at its end: a line leads back from there."""
    block = stack([body, test])
    side, y = block.width + ROOM, block.height - test.height / 2
    right = block.leave + test.width - test.leave
    back = Line(((right, y), (side, y), (side, -9), (block.enter, -9)), "back", arrow=True)
    return evolve(block, width=side + 2, parts=(*block.parts, Placed(0, 0, back)))


def _while(body: Block, test: Block) -> Block:
    """Draw a loop that asks at its beginning: a line leads back there, and past the body when it has ended."""
    block = stack([test, body])
    x, side, middle = ROOM, ROOM + block.width + ROOM, test.height / 2
    left, right = x + block.enter - test.enter, x + block.enter - test.enter + test.width
    bottom, end = block.height + 14, block.height + 30
    back = ((x + block.leave, block.height), (x + block.leave, bottom), (side, bottom), (side, middle), (right, middle))
    past = ((left, middle), (2, middle), (2, end - 6), (x + block.enter, end - 6), (x + block.enter, end))
    parts = (Placed(0, 0, Line(back, "back", arrow=True)), Placed(0, 0, Line(past)), Placed(x, 0, block))
    return Block(side + 2, end, x + block.enter, x + block.enter, parts)


def takes_of(root: Scope) -> object:
    """Return the type that a workflow takes, by name if the plan was stored."""
    return Word(root.takes) if isinstance(root.takes, str) else root.takes


DRAW: dict[type[Node], Callable[..., Block]] = {
    Step: _step,
    Pure: _pure,
    Beside: _beside,
    Compensated: _compensated,
    Timed: _timed,
    Retried: _retried,
    Scope: _scope,
    Recover: _recover,
    Cleanup: _cleanup,
    Pivot: _pivot,
    Sleep: _sleep,
    WaitFor: _wait_for,
    Branch: _branch,
    Graph: _graph,
    Map: _map,
    Loop: _loop,
    Fold: _fold,
}
