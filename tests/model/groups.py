"""Graphs and maps in the model: members side by side, and the four failure modes (S14, S16, S18, S20)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

from orchestration.plan.topology import INPUT
from orchestration.policies import Tolerate
from orchestration.results import Err, NotStarted, Ok
from tests.model.run import DECLINED, PARTIAL, Done, Ended, Fail, Failed, Place, Side, Stopped
from tests.model.seen import failure_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from orchestration.plan.nodes import Graph, Map, Node
    from tests.model.kernel import Promise
    from tests.model.model import Model


@dataclass
class Member:
    """A member of a group: what it runs, with what, and how it ended."""

    node: Node
    path: str
    name: str
    needs: list[int | None]
    value: Any
    contestant: bool = True
    end: Ended | None = None
    begun: bool = False


@dataclass
class Group:
    """A group under way; `members` are in plan order, a stream's are added as they come."""

    model: Model
    node: Any
    path: str
    place: Place
    members: list[Member]
    stream: bool = False
    pulling: bool = False
    pulled_all: bool = True
    fails: list[Fail] = field(default_factory=list)
    winner: int | None = None
    over: Fail | None = None
    broken: bool = False
    news: deque[tuple[Member | None, Any]] = field(default_factory=deque)
    bell: Promise | None = None

    @property
    def mode(self) -> Any:
        """The failure mode."""
        return self.node.mode

    async def run(self) -> Ended:
        """Admit, wait for one to settle, judge it; until nothing is under way (S14, S18)."""
        outer = self.place
        self.place = outer.part().among(self._absorbs)
        while self._admits() or self._under_way():
            member, news = await self._hear()
            if member is None:
                self._pulled(news)
            else:
                member.end = self._late(news) if self.place.token.cancelled and not self.broken else news
                self._judge(member)
            if (self.broken or self.winner is not None) and not self.place.token.cancelled:
                if self.broken:
                    self.model.decide(self.fails[0], outer)
                self.place.token.cancel()
        return await self._end(outer)

    # ── admission ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _admits(self) -> bool:
        """Begin members in order, as long as there is room and none of them has news; tell whether there are any."""
        while not self.news and not self.place.token.cancelled:
            if self._is_full():
                break
            member = next(filter(self._is_ready, self.members), None)
            if member:
                member.begun = True
                self.model.kernel.spawn(self._report(member))
            elif self.pulling or self.pulled_all:
                break
            else:
                self.pulling = True
                self.model.kernel.spawn(self._pull())
        return bool(self.news)

    def _is_full(self) -> bool:
        """S14, S16: so many are under way, or, where results are folded in order, wait behind one that is."""
        cap = self.node.concurrency
        settled = [bool(member.end) for member in self.members if member.begun]
        waiting = sum(settled[settled.index(False) :]) if not all(settled) else 0
        folds = getattr(self.node, "into", None) is not None
        return cap is not None and (settled.count(False) >= cap or (folds and waiting >= cap))

    def _is_ready(self, member: Member) -> bool:
        needs = [self.members[need] for need in member.needs if need is not None]
        return not member.begun and all(isinstance(need.end, Done) for need in needs)

    def _under_way(self) -> bool:
        return self.pulling or any(member.begun and not member.end for member in self.members)

    async def _report(self, member: Member) -> None:
        values = [member.value if need is None else self._output(need) for need in member.needs]
        value = member.value if not values else values[0] if len(values) == 1 else tuple(values)
        place = self.place.part(self.members.index(member))  # S28: members are cancelled in plan order
        self._tell(member, await self.model.go(member.node, member.path, value, place))

    def _output(self, position: int) -> Any:
        end = self.members[position].end
        assert isinstance(end, Done)
        return end.value

    async def _pull(self) -> None:
        index = len(self.members)
        self.model.trace.append((self.model.now, "pull", self.path, index))
        answer = self.model.script.pull(self.path, index)
        came = await self.model.pause(answer.after, self.place.token)
        self._tell(None, answer if came else None)

    def _pulled(self, answer: Any) -> None:
        """S16: a stream gives an item, or ends; one that raises fails its map, whatever the mode."""
        self.pulling = False
        if answer is None:
            return
        if answer.how == "succeed":
            path = f"{self.path}[{len(self.members)}]"
            self.members.append(Member(self.node.body, path, "", [], answer.output))
            return
        self.pulled_all = True
        if answer.how == "fail":
            self.fails.append(self.model.fail(DECLINED, self.path))
            self.broken = True

    def _tell(self, member: Member | None, news: Any) -> None:
        self.news.append((member, news))
        if self.bell:
            self.bell.keep()

    async def _hear(self) -> tuple[Member | None, Any]:
        while not self.news:
            self.bell = self.model.kernel.promise()
            await self.bell
        return self.news.popleft()

    def _late(self, end: Ended) -> Ended:
        """Take the end of a member after a cancel: a group that goes on past failures does not judge it any more."""
        if isinstance(end, Failed) and self.mode != "fail_fast":
            return Stopped([end.fail], end.trail, end.partial)
        return end

    # ── the failure modes ────────────────────────────────────────────────────────────────────────────────────────────

    def _absorbs(self, _: Fail) -> bool:
        """Tell whether the group would go on past one more failure."""
        if isinstance(self.mode, Tolerate):
            return self.mode.allows(len(self.fails) + 1, self._total())
        if self.mode == "race":
            lost = sum(isinstance(member.end, Failed) for member in self.members if member.contestant)
            return not self.pulled_all or lost + 1 < sum(member.contestant for member in self.members)
        return self.mode == "collect"

    def _total(self) -> int | None:
        return None if self.stream else len(self.members)

    def _judge(self, member: Member) -> None:
        """S18: say what the end of a member means for the group."""
        end = member.end
        won = isinstance(end, Done) and self.mode == "race" and member.contestant
        if won and self.winner is None and not self.place.token.cancelled:
            self.winner = self.members.index(member)
        if not isinstance(end, Failed):
            return
        self.fails.append(end.fail)
        if isinstance(self.mode, Tolerate) and not self.mode.allows(len(self.fails), self._total()):
            self.broken = True
            self.over = self.over or self.model.fail("orchestration.errors.ToleranceExceeded", self.path)
        if self.mode == "race" and self.pulled_all and not any(map(self._may_win, self.members)):
            self.broken = True
        if self.mode == "fail_fast" or (end.partial and self.node.on_partial == "fail"):
            self.broken = True

    def _may_win(self, member: Member) -> bool:
        return member.contestant and self._may_succeed(member)

    def _may_succeed(self, member: Member) -> bool:
        needs = [self.members[need] for need in member.needs if need is not None]
        return (member.end is None or isinstance(member.end, Done)) and all(map(self._may_succeed, needs))

    async def _end(self, outer: Place) -> Ended:
        members = [member for member in self.members if member.end]
        stopped = [member.end for member in members if isinstance(member.end, Stopped)]
        partial = any(not isinstance(member.end, Done) and member.end.partial for member in members if member.end)
        late = [fail for end in stopped for fail in end.fails]
        if self.broken:
            return self._failed(late, partial=partial, last=self.over)
        waiting = not self.pulled_all or any(not member.begun for member in self.members)
        if outer.token.cancelled and (stopped or waiting or self.fails or self.mode == "race"):
            return Stopped([*self.fails, *late], self._trail(), partial)
        before, own = outer.token.cancelled, list(self.fails)
        end = await self._gone_on(partial=partial, late=late)
        if outer.token.cancelled and (isinstance(end, Failed) or not before):
            return Stopped([*own, *late], end.trail, isinstance(end, Failed))
        return end

    async def _gone_on(self, *, partial: bool, late: list[Fail]) -> Ended:
        if self.winner is not None:
            return await self._won(partial=partial, late=late)
        if self.mode == "race":
            if not self.fails:
                self.fails.append(self.model.fail("orchestration.errors.NothingToRace", self.path))
            return self._failed([], partial=partial)
        if self.mode == "fail_fast":
            return Done(self._value(), self._trail())
        return await self._collected(partial=partial)

    def _failed(self, late: list[Fail], *, partial: bool, last: Fail | None = None) -> Failed:
        """Fail with the earliest; the others are attached, also those that came when this had failed already."""
        first, *others = *sorted(self.fails, key=lambda fail: fail.number), *late
        first.attached += [*others, *([last] if last else [])]
        return Failed(first, self._trail(), partial)

    async def _collected(self, *, partial: bool) -> Ended:
        """S20: what failed is unwound before the group goes on past it."""
        failed = [index for index, member in enumerate(self.members) if isinstance(member.end, Failed)]
        partial = await self._unwind(failed) or partial
        if partial and self.node.on_partial == "fail":
            return self._failed([], partial=True)
        return Done(self._value(), self._trail())

    async def _won(self, *, partial: bool, late: list[Fail]) -> Ended:
        """S18: the losers are unwound before the value goes on; what the winner was made of stays."""
        assert self.winner is not None
        partial = (
            await self._unwind([i for i in range(len(self.members)) if i not in self._made_of(self.winner)]) or partial
        )
        if partial and self.node.on_partial == "fail":
            self.fails += late or ([] if self.fails else [self.model.fail(PARTIAL, self.path)])
            return self._failed([], partial=True)
        return Done(self._output(self.winner), self._trail())

    def _made_of(self, position: int) -> set[int]:
        needs = [need for need in self.members[position].needs if need is not None]
        return {position}.union(*(self._made_of(need) for need in needs))

    async def _unwind(self, positions: list[int]) -> bool:
        """Unwind some members as one; their scars stay in their places. Tell whether it was partial."""
        chosen = [self.members[position] for position in positions]
        trails = [member.end.trail if member.end else [] for member in chosen]
        followers = [
            [chosen.index(other) for other in chosen if self.members.index(member) in other.needs] for member in chosen
        ]
        scar, partial = await self.model.unwind([Side(trails, followers)])
        for member in chosen:
            if member.end:
                member.end.trail = scar
        return partial

    # ── what comes out ───────────────────────────────────────────────────────────────────────────────────────────────

    def _trail(self) -> list[Any]:
        trails = [member.end.trail if member.end else [] for member in self.members]
        followers = [
            [i for i, other in enumerate(self.members) if position in other.needs]
            for position in range(len(self.members))
        ]
        return [Side(trails, followers)]

    def _result(self, member: Member) -> Any:
        keeps = self.mode != "fail_fast"
        match member.end:
            case Done(value=value):
                return Ok(value) if keeps else value
            case Failed(fail=fail):
                return Err(failure_of(fail))
            case _:
                missing = [need for need in member.needs if need is not None]
                lost = next(need for need in missing if not isinstance(self.members[need].end, Done))
                return NotStarted(self.members[lost].name)

    def _value(self) -> Any:
        return VALUES[type(self.node).__name__](self)


def _of_map(group: Group) -> Any:
    results = [group._result(member) for member in group.members]
    into = group.node.into
    return results if into is None else reduce(into.combine.call, results, into.initial)


def _of_graph(group: Group) -> Any:
    gives = group.node.gives
    by_name = {member.name: group._result(member) for member in group.members}
    if gives is None:
        return tuple(by_name[vertex.node.name] for vertex in group.node.vertices)
    return by_name[gives] if isinstance(gives, str) else tuple(by_name[name] for name in gives)


VALUES = {"Map": _of_map, "Graph": _of_graph}


async def collection(model: Model, node: Map, path: str, value: Any, place: Place) -> Ended:
    """Run a map (S16)."""
    stream = not isinstance(value, list)
    items: list[Any] | AsyncIterable[Any] = [] if stream else value
    members = [Member(node.body, f"{path}[{index}]", "", [], item) for index, item in enumerate(items)]
    return await Group(model, node, path, place, members, stream=stream, pulled_all=not stream).run()


async def graph(model: Model, node: Graph, path: str, value: Any, place: Place) -> Ended:
    """Run a graph or fork (S14)."""
    order = _order(node)
    ranks = {node.vertices[position].node.name: rank for rank, position in enumerate(order)}
    gives = (node.gives,) if isinstance(node.gives, str) else node.gives
    members = []
    for position in order:
        vertex = node.vertices[position]
        needs = [None if need == INPUT else ranks[str(need)] for need in vertex.needs]
        name = vertex.node.name
        contestant = gives is None or name in gives
        members.append(Member(vertex.node, f"{path}/{name}", name, needs, value, contestant))
    return await Group(model, node, path, place, members).run()


def _order(node: Graph) -> list[int]:
    """S14, S15: round by round all that is ready, in the order of declaration."""
    order: list[int] = []
    names = [vertex.node.name for vertex in node.vertices]
    while len(order) < len(names):
        known = {INPUT, *(names[position] for position in order)}
        ready = [i for i, vertex in enumerate(node.vertices) if i not in order and known.issuperset(vertex.needs)]
        assert ready, "a compiled plan has no cycles"
        order += ready
    return order
