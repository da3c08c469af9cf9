"""What `simulate` answers: how many runs, how they ended, and the simplest run that shows what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import attrs

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.testing.explore_report import Ending
    from orchestration.testing.simulate_chance import Choices
    from orchestration.testing.trace import Trace

SHOWN = 10  # seeds that a line names


@frozen
class Finding:
    """Something that is wrong, as the first seed that has shown it shows it.

    ```python
    def never_fails(outcome: Outcome[Reserved]) -> bool:
        return not isinstance(outcome, Failed)

    sale = Workflow[Order]("sale").step(reserve)
    world = {reserve: [Reserved(order), OSError("gone")]}
    (finding,) = simulate(sale, order, outcomes=world, invariants=[never_fails], seeds=50).findings
    print(finding.invariant, finding.trace, finding.line)  # the line runs this seed again
    ```

    Its run was made as simple as it could be with the same `invariant` broken: `choices` are the decisions that are
    left, each by what is decided; all others are the simplest there are. `trace` is what happened in it.
    """

    name: str
    seed: int
    invariant: str
    message: str
    choices: Choices
    trace: Trace[Any] = attrs.field(eq=False, repr=False)

    @property
    def line(self) -> str:
        """What reproduces it: the call that has found it, with this seed alone."""
        return f"simulate({self.name}, ..., seeds=[{self.seed}])"

    def __str__(self) -> str:
        """Tell the story."""
        made = "".join(f"\n  {what}: {choice}" for what, choice in self.choices.items())
        decided = f"\n\nWhat was decided, where it is not the simplest:{made}" if made else ""
        message = f": {self.message}" if self.message else ""
        return f"{self.invariant} is broken{message}\n\n{self.trace}{decided}\n\nTo see it again: {self.line}"


@frozen
class Simulation:
    """What `simulate` has seen: so many `runs` of the workflow called `name`, and how many of them ended in each way.

    ```python
    seen = simulate(Workflow[Order]("sale").step(reserve), order, default=Reserved(order), seeds=50).check()
    assert seen.runs == 50 and seen.failed == ()
    print(seen.endings)
    ```

    Of the runs so many were `durable`: they had a journal, and their processes could crash.
    `findings` has one for each invariant that was broken, `failed` all seeds whose runs broke one. `digest` is equal
    for simulations in which everything happened in the same way at the same time.
    """

    name: str
    runs: int
    durable: int
    endings: Mapping[Ending, int]
    findings: tuple[Finding, ...]
    failed: tuple[int, ...]
    digest: str

    def check(self) -> Self:
        """See to it that no invariant is broken.

        Raises:
            AssertionError: with the story of the simplest run that breaks one.
        """
        if self.findings:
            raise AssertionError(f"{self}\n\n{self.findings[0]}")
        return self

    def __str__(self) -> str:
        """Say it in a few lines."""
        rows = [f"{count:>8,}  {ending}" for ending, count in sorted(self.endings.items())]
        seeds = ", ".join(map(str, self.failed[:SHOWN])) + (", …" if len(self.failed) > SHOWN else "")
        broken = [f"{found.invariant} is broken: {found.message}".removesuffix(": ") for found in self.findings]
        failed = [f"{len(self.failed):,} runs failed, those with the seeds {seeds}"] if self.failed else []
        return "\n".join(
            [f"{self.name}: {self.runs:,} runs, {self.durable:,} of them durable", *rows, *failed, *broken]
        )
