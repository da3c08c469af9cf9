"""Approve expenses: ask, wait for an answer, remind, and in the end do without one.

    python examples/approvals.py

Three claims are filed. The first is answered at once, the second after a reminder. The third is never answered and is
set aside. Whatever becomes of a claim, its case is closed.

What it teaches: signals, by which the world answers, with a timeout for each wait; a loop that reminds a few times and
no more; `recover` for what is no failure but an answer of its own; a `cleanup` that runs in any case; a pause before
the payment, in which it can still be cancelled; and a compensation. It takes less than a second: its patience is short.
"""

import asyncio
from dataclasses import dataclass, field, replace

from orchestration import DeadlineExceeded, Failure, Handle, LocalEngine, Services, Signal, Succeeded, Workflow
from orchestration.errors import LoopLimitExceeded
from orchestration.interpreter.events import StepSucceeded

PATIENCE = 0.1  # seconds until somebody who has not answered is reminded; some days in earnest
REMINDERS = 3
OBJECTION_PERIOD = 0.05  # seconds between an approval and the payment


@dataclass(frozen=True)
class Claim:
    """Somebody wants money back."""

    by: str
    cents: int


@dataclass(frozen=True)
class Answer:
    """What is said to a claim."""

    granted: bool
    by: str


@dataclass(frozen=True)
class Case:
    """A claim under way, and the answer as soon as there is one."""

    claim: Claim
    answer: Answer | None = None


@dataclass(frozen=True)
class Verdict:
    """What has become of a claim."""

    text: str
    paid: int = 0


ANSWER = Signal("answer", Answer)


class Overdrawn(Exception):
    """There is not so much money."""


@dataclass
class Desk:
    """A service: the desk that claims go over, and its cash box."""

    cents: int = 100_000
    open: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    async def file(self, claim: Claim) -> Case:
        """Open a case."""
        self.open.append(claim.by)
        return Case(claim)

    async def close(self, case: Case) -> None:
        """Close it."""
        self.open.remove(case.claim.by)
        self.log.append(f"the case of {case.claim.by} is closed")

    async def ask(self, case: Case) -> None:
        """Ask for an answer; asked again, it is a reminder."""
        self.log.append(f"an answer to {case.claim.by}, please")

    async def pay(self, case: Case) -> Verdict:
        """Pay what was granted."""
        self.cents -= case.claim.cents
        return Verdict(f"{case.claim.by} gets {case.claim.cents} cents", case.claim.cents)

    async def take_back(self, verdict: Verdict) -> None:
        """Put the money back."""
        self.cents += verdict.paid

    async def balance(self, verdict: Verdict) -> Verdict:
        """See that the box is not overdrawn."""
        if self.cents < 0:
            message = f"{-self.cents} cents are missing"
            raise Overdrawn(message)
        return verdict


async def nobody(failure: Failure) -> None:
    """Take the place of an answer that did not come in time."""


def answered(case: Case, answer: Answer | None) -> Case:
    """Note the answer, if it has come."""
    return replace(case, answer=answer)


def is_answered(case: Case, _: int) -> bool:
    """Tell whether there is an answer: then nobody is reminded any more."""
    return case.answer is not None


def is_granted(case: Case) -> bool:
    """Tell which answer it is."""
    return case.answer is not None and case.answer.granted


async def refuse(case: Case) -> Verdict:
    """Say no."""
    return Verdict(f"{case.claim.by} gets nothing" + (f", says {case.answer.by}" if case.answer else ""))


async def set_aside(failure: Failure) -> Verdict:  # noqa: ARG001 - as above
    """Do without an answer."""
    return Verdict("set aside: nobody answers")


answering = Workflow[Case]("answering").wait_for(ANSWER, timeout=PATIENCE).recover(nobody, on=DeadlineExceeded)

asking = Workflow[Case]("asking").tap(Desk.ask).enrich(answering).into(answered)

payment = Workflow[Case]("payment").sleep(OBJECTION_PERIOD).step(Desk.pay).compensate(Desk.take_back).step(Desk.balance)

approval = (
    Workflow[Claim]("approval")
    .step(Desk.file)
    .cleanup(Desk.close)
    .loop(asking, until=is_answered, max_iterations=REMINDERS)
    .branch()
    .when(is_granted, payment)
    .otherwise(refuse)
    .recover(set_aside, on=LoopLimitExceeded)
)


async def answer_when_reminded(handle: Handle[Verdict], answer: Answer) -> None:
    """Be somebody who answers the first reminder, and nothing before."""
    async for event in handle.events():
        if isinstance(event, StepSucceeded) and event.path.endswith("asking[1]/ask"):
            handle.signal(ANSWER, answer)


async def main() -> None:
    """File three claims, answer two of them, and see what becomes of each."""
    desk = Desk()
    engine = LocalEngine(Services().bind(Desk).to(desk))
    swift = await engine.start(approval, Claim("Ann", 4200))
    slow = await engine.start(approval, Claim("Ben", 1700))
    silent = await engine.start(approval, Claim("Cem", 900))
    swift.signal(ANSWER, Answer(granted=True, by="Kim"))
    await answer_when_reminded(slow, Answer(granted=False, by="Kim"))
    for handle in (swift, slow, silent):
        outcome = await handle.result()
        print(outcome.value.text if isinstance(outcome, Succeeded) else outcome)
    print(f"{desk.cents} cents left, {len(desk.open)} cases open")


if __name__ == "__main__":
    asyncio.run(main())
