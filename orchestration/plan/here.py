"""`Here`: what a row of `flow` knows about the node that it checks: where it stands and what comes to it (S6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from orchestration.frozen import evolve, frozen
from orchestration.plan.tree import child_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from orchestration.plan.body import Body
    from orchestration.plan.nodes import Node
    from orchestration.plan.report import Report
    from orchestration.plan.tree import Siblings

    Row: TypeAlias = Callable[[Any, "Here"], object]


@frozen
class Arguments:
    """How a step is called: as what, with what, and where its arguments come from if it spreads its value."""

    role: str = "a step"
    gets: str | None = None
    spread: str = "It gets an argument from each body of the fork"
    sources: tuple[str, ...] = ()


IN_A_CHAIN = Arguments()


@frozen
class Here:
    """A path, the type of the value that comes there, and the body or input that it comes from."""

    path: str
    given: object
    source: str
    report: Report
    rows: Mapping[type[Node], Row]
    arguments: Arguments = IN_A_CHAIN

    def flow(self, node: Node) -> object:
        """Check a node that stands here; return the type of its output."""
        return self.rows[type(node)](node, self)

    def into(self, how: Siblings, child: Node, given: object, source: str, arguments: Arguments = IN_A_CHAIN) -> object:
        """Check a child that gets a value of type `given` from `source`; return the type of its output."""
        path = child_path(self.path, how, child.name)
        return evolve(self, path=path, given=given, source=source, arguments=arguments).flow(child)

    def at(self, how: Siblings, name: str) -> Here:
        """Return where a child stands that gets what comes here."""
        return evolve(self, path=child_path(self.path, how, name))

    def add(self, *, found: str, expected: str, mend: str) -> None:
        """Note one problem."""
        self.report.add(self.path, found=found, expected=expected, mend=mend)

    def warn(self, *, found: str, expected: str, mend: str) -> None:
        """Note what is allowed, but hardly meant."""
        self.report.warn(self.path, found=found, expected=expected, mend=mend)

    def fit(
        self, produced: object, body: Body, *, of: int = 0, source: str | None = None, gets: str | None = None
    ) -> None:
        """Note a problem if a value of type `produced` cannot be argument number `of` of a body."""
        origin = self.source if source is None else source
        self.report.fit(self.path, produced, body.takes[of], source=origin, body=body, gets=gets)

    def evaluated(
        self, body: Body, *given: object, role: str, source: str | None = None, gets: str | None = None
    ) -> None:
        """Check a function that the interpreter calls itself with values of the types `given` (S7)."""
        self.report.callable(self.path, body, role=role)
        self.report.synchronous(self.path, body, role=role)
        for of, produced in enumerate(given):
            self.fit(produced, body, of=of, source=source, gets=gets)
