"""Let a model answer a question with tools: ask it, do what it wants done, tell it the results, until it has an answer.

    python examples/agent.py

The model is a fake that plays by rules, so the example needs no key and always says the same. A real one is another
class bound to `Model`.

What it teaches: a loop with a bound; a model as a *service*, so that a test can put words in its mouth; tools side by
side, whose failures are told to the model instead of ending the run; a *gate* that no model can talk its way around; an
error with `retry_after`, as such services send; and `recover` for a model that does not come to an end.
"""

import ast
import asyncio
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from orchestration import (
    Err,
    Failure,
    LocalEngine,
    Ok,
    Retry,
    Services,
    Succeeded,
    Veto,
    Workflow,
    gate,
    step,
)
from orchestration.errors import LoopLimitExceeded
from orchestration.plan.moments import Asked

TURNS = 6  # how often the model is asked at most


@dataclass(frozen=True)
class Call:
    """What the model wants done: a tool by its name, and what to give it."""

    tool: str
    argument: str


@dataclass(frozen=True)
class Said:
    """What the model says: an answer, or calls to be made first."""

    text: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Talk:
    """A conversation so far: the question, what the calls have given, and the latest word of the model."""

    question: str
    notes: tuple[str, ...] = ()
    said: Said = Said()


class Overloaded(Exception):
    """The model wants to be asked later."""

    retry_after = 0.05  # seconds


class Model(Protocol):
    """A service: a language model."""

    async def answer(self, talk: Talk) -> Said:
        """Say what comes next."""
        ...


class Tools(Protocol):
    """A service: what can be done for the model."""

    def use(self, call: Call) -> str:
        """Do it, and say what came of it."""
        ...


OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def value_of(node: ast.expr) -> float:
    """Compute an expression of numbers, and nothing else."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](value_of(left), value_of(right))
        case _:
            message = f"{ast.unparse(node)} is no arithmetic"
            raise ValueError(message)


@dataclass(frozen=True)
class Desk:
    """`Tools` that compute, and read and delete files of one folder."""

    folder: Path

    def use(self, call: Call) -> str:
        """Do what is asked for."""
        match call.tool:
            case "compute":
                return f"{value_of(ast.parse(call.argument, mode='eval').body):g}"
            case "read":
                return (self.folder / Path(call.argument).name).read_text(encoding="utf-8").strip()
            case "delete":
                (self.folder / Path(call.argument).name).unlink()
                return "deleted"
            case _:
                message = f"there is no tool {call.tool!r}"
                raise LookupError(message)


class RuleModel:
    """A `Model` that knows one rule: a question in `backticks` is computed, and the note is the answer."""

    async def answer(self, talk: Talk) -> Said:
        """Ask for the computation first, then give what it gave."""
        if talk.notes:
            return Said(f"It is {talk.notes[-1].rpartition(': ')[2]}.")
        sums = re.findall(r"`([^`]+)`", talk.question)
        return Said(calls=tuple(Call("compute", text) for text in sums)) if sums else Said("I only know arithmetic.")


def nothing_is_deleted(asked: Asked) -> Veto | None:
    """Allow no call that deletes, whatever the model says."""
    if isinstance(asked.value, Call) and asked.value.tool == "delete":
        return Veto("this agent deletes nothing")
    return None


def begin(question: str) -> Talk:
    """Know nothing but the question."""
    return Talk(question)


def heard(talk: Talk, said: Said) -> Talk:
    """Keep the latest word of the model."""
    return replace(talk, said=said)


def wants_tools(talk: Talk) -> bool:
    """Tell whether there is something to be done before there is an answer."""
    return bool(talk.said.calls)


def calls_of(talk: Talk) -> tuple[Call, ...]:
    """Name what is to be done."""
    return talk.said.calls


def noted(talk: Talk, results: list[Ok[str] | Err]) -> Talk:
    """Note what each call gave, or why it failed: the model may try something else."""
    told = [result.value if isinstance(result, Ok) else f"failed: {result.failure.message}" for result in results]
    lines = (f"{call.tool}({call.argument}): {text}" for call, text in zip(talk.said.calls, told, strict=True))
    return replace(talk, notes=(*talk.notes, *lines))


def same(talk: Talk) -> Talk:
    """Leave the talk as it is."""
    return talk


def has_answer(talk: Talk, _: int) -> bool:
    """Tell whether the model is done."""
    return not talk.said.calls


def text_of(talk: Talk) -> str:
    """Give the answer."""
    return talk.said.text


async def apologise(failure: Failure) -> str:  # noqa: ARG001 - a recovery is told of the failure
    """Stand in for an answer that never came."""
    return f"No answer after {TURNS} turns."


careful = gate(nothing_is_deleted, expose=True)

asked = Retry(max_attempts=4, initial_delay=0.01, retry_on=(Overloaded, ConnectionError, TimeoutError))

using = Workflow[Talk]("using").pure(calls_of).map(step(Tools.use, hooks=[careful]), concurrency=4, on_error="collect")

acting = Workflow[Talk]("acting").enrich(using).into(noted)

turn = (
    Workflow[Talk]("turn")
    .enrich(step(Model.answer, retry=asked, attempt_timeout=60))
    .into(heard)
    .branch()
    .when(wants_tools, acting)
    .otherwise(Workflow[Talk]("answered").pure(same))
)

agent = (
    Workflow[str]("agent")
    .pure(begin)
    .loop(turn, until=has_answer, max_iterations=TURNS)
    .pure(text_of)
    .recover(apologise, on=LoopLimitExceeded)
)


def services(folder: Path = Path()) -> Services[Model | Tools]:
    """Say who does the work."""
    return Services().bind(Model).to(RuleModel()).bind(Tools).to(Desk(folder))


async def main() -> None:
    """Ask a question."""
    outcome = await LocalEngine(services()).execute(agent, "How much is `17 * 450 + 1200`?")
    print(outcome.value if isinstance(outcome, Succeeded) else outcome)


if __name__ == "__main__":
    asyncio.run(main())
