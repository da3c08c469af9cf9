"""What hostile values can and cannot do, as inputs, as outputs and in what is stored (S11, S12, S33)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import pydantic
import pytest

from orchestration import LocalEngine, Workflow
from orchestration.errors import InvalidInput, Unserialisable
from orchestration.outcomes import Failed, Succeeded
from orchestration.plan.codec import Codec
from orchestration.plan.secrets import Secret
from orchestration.runtime.idempotency import Idempotent, MemoryStore


class Mine:
    """A value whose every special method blows up."""

    def _explode(self, *_: object) -> NoReturn:
        raise AssertionError("somebody looked into the value")

    __eq__ = __ne__ = __bool__ = __len__ = __iter__ = __repr__ = __str__ = __format__ = _explode
    __reduce__ = __reduce_ex__ = __deepcopy__ = __copy__ = __getstate__ = _explode
    __hash__ = _explode  # type: ignore[assignment]  # as the others


async def pass_on(value: Any) -> Any:
    """Pass a value on."""
    return value


async def put_back(value: Any) -> None:
    """Undo nothing."""


def test_a_value_is_carried_and_never_looked_into() -> None:
    """S11: through steps, an undo and to the outcome, none of its methods is called."""
    mine = Mine()
    flow = Workflow[Any]("flow").step(pass_on).compensate(put_back).step(pass_on, name="again")
    outcome = asyncio.run(LocalEngine().execute(flow, mine))
    assert type(outcome) is Succeeded
    assert outcome.value is mine


def test_a_huge_value_is_passed_and_not_copied() -> None:
    """S11: what a run adds to the memory that a value takes does not depend on the value."""
    huge = bytes(50_000_000)
    flow = Workflow[Any]("flow").step(pass_on).step(pass_on, name="again")
    outcome = asyncio.run(LocalEngine().execute(flow, huge))
    assert isinstance(outcome, Succeeded)
    assert outcome.value is huge


def cyclic() -> list[Any]:
    """Return a list that contains itself."""
    items: list[Any] = []
    items.append({"again": items})
    return items


def deep(levels: int) -> list[Any]:
    """Return lists in lists."""
    items: list[Any] = []
    for _ in range(levels):
        items = [items]
    return items


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (cyclic(), "value again; expected a value that does not contain itself"),
        (deep(100_000), "a value nested deeper; expected at most 100 levels"),
        (Mine(), "found tests.security.test_values:Mine"),
        ([1, {"key": open}], r"value\[1\]\['key'\]: found"),
        (pydantic.SecretStr("4111 1111"), "no secret"),
    ],
    ids=["cyclic", "deep", "foreign", "a function", "a secret"],
)
def test_a_value_without_a_form_is_refused_by_its_path(value: object, told: str) -> None:
    """S12, S33: a cycle, depth, a class that the plan does not name; the message tells the place and no content."""
    with pytest.raises(Unserialisable, match=told) as refused:
        Codec().encode(value)
    assert "4111" not in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        {"$type": "subprocess:Popen", "fields": {"args": "ls"}},
        {"$type": "tests.security.test_values:Card", "fields": {}},
        {"$dict": {"$tuple": [1]}},
        {"$bytes": "AAAA", "$": 1},
    ],
    ids=repr,
)
def test_data_that_looks_like_a_stored_value_stays_data(data: object) -> None:
    """S12: a dict that somebody sends cannot become an instance of a class by being stored and read."""
    codec = Codec([Card])
    assert codec.decode(json.loads(json.dumps(codec.encode(data)))) == data


@dataclass(frozen=True)
class Card:
    """A value with a secret."""

    owner: str
    number: Annotated[str, Secret] = "4111 1111"


def test_a_marked_secret_is_not_written_to_a_store() -> None:
    """S33: the store of results gets no plain text of it; the effect has landed all the same."""
    kept: list[object] = []

    class Watched:
        inner = MemoryStore()

        def find(self, key: str) -> Any:
            return self.inner.find(key)

        def keep(self, key: str, record: Any) -> Any:
            kept.append(record)
            return self.inner.keep(key, record)

    async def issue(owner: str) -> Card:
        return Card(owner)

    flow = Workflow[str]("flow").step(issue)
    outcome = asyncio.run(LocalEngine(middleware=(Idempotent(Watched()),)).execute(flow, "Ada"))
    assert isinstance(outcome, Succeeded)
    assert len(kept) == 1
    assert "4111" not in repr(kept)


class Account(pydantic.BaseModel):
    """An input with a secret."""

    age: int
    password: pydantic.SecretStr


def test_an_input_that_does_not_fit_is_refused_before_anything_runs() -> None:
    """S12, S33: the message names the place and what is expected, and repeats no value."""
    done: list[object] = []

    async def work(account: Account) -> None:
        done.append(account)

    flow = Workflow[Account]("flow").step(work)
    hostile: Any = {"age": "\x1b[2Jold", "password": "hunter2"}
    with pytest.raises(InvalidInput, match="age") as refused:
        asyncio.run(LocalEngine().execute(flow, hostile))
    assert done == []
    assert "hunter2" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


def identity(value: Any) -> Any:
    """Return the value."""
    return value


def test_a_value_that_cannot_be_pickled_fails_its_step() -> None:
    """S11: values are pickled only on the way to a process of ours, and what goes wrong there is a failure."""

    class Stubborn:
        def __reduce__(self) -> NoReturn:
            raise ValueError("no")

    flow = Workflow[Any]("flow").step(identity, run_in="process")
    outcome = asyncio.run(LocalEngine().execute(flow, Stubborn()))
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "orchestration.errors.NotPicklable"
