"""Secrets of durable runs: sealed in the journal, and right again where a run goes on (S33)."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import SecretStr

from orchestration import Secret, Signal, Succeeded, Workflow
from orchestration.errors import PlanErrors, ReplayMismatch
from orchestration.interpreter.effects import RunStep
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.records import digests
from tests.durable.crashing import LATER, Points, crashed, engine, here, stopped, went_on

PLAIN = "correct horse"
TOKEN = Signal("token", SecretStr)


class Mask:
    """A cipher that writes the same differently each time; it hides from who only looks."""

    def __init__(self, key: int = 77) -> None:
        """Have a key, which the text is marked by."""
        self._key = key

    def encrypt(self, data: bytes, /) -> bytes:
        """Return it masked, behind a number that is used once."""
        once = os.urandom(4)
        return bytes([self._key, *once]) + bytes(byte ^ once[at % 4] ^ self._key for at, byte in enumerate(data))

    def decrypt(self, data: bytes, /) -> bytes:
        """Return what was masked."""
        if data[0] != self._key:
            raise ValueError("another key")
        once = data[1:5]
        return bytes(byte ^ once[at % 4] ^ self._key for at, byte in enumerate(data[5:]))


@dataclass(frozen=True)
class Login:
    """Who, and with what."""

    name: str
    password: Annotated[str, Secret]


async def log_in(login: Login) -> Login:
    """Return a login that can be told from the one that came in."""
    await here.get().pass_by(may_hang=True)
    return Login(login.name, login.password.upper())


async def forget(_: Login) -> None:
    """Undo."""


async def use(login: Login) -> str:
    """Return what tells nobody the password, and somebody that it was right."""
    await here.get().pass_by(may_hang=True)
    return f"{login.name}: {len(login.password)}, {login.password.isupper()}"


def signed(login: Login, token: SecretStr) -> Login:
    """Put a signal into the login."""
    return Login(login.name, login.password + token.get_secret_value())


FLOW = Workflow[Login]("flow").step(log_in).compensate(forget).step(use)
SIGNALLED = Workflow[Login]("signalled").step(log_in).wait_for(TOKEN, signed).step(use)
START = Login("kim", PLAIN)


def _everything(journal: MemoryJournal) -> str:
    """Return all that is kept of a run."""
    head, snapshot = journal.head("r"), journal.snapshot("r")
    texts = [record.text for record in journal.read("r")] + [letter.text for letter in journal.letters("r")]
    return "\n".join([*texts, journal.plan(head.fingerprint) or "", "" if snapshot is None else snapshot.text])


@pytest.mark.parametrize("after", [1, 2])
def test_a_run_with_secrets_goes_on_with_the_right_values(after: int) -> None:
    """S33: killed anywhere; nothing that is kept tells the secret, and its cipher gives it back."""
    journal = MemoryJournal()
    Points()
    assert crashed(journal, FLOW, START, after, cipher=Mask())
    assert went_on(journal, FLOW, START, cipher=Mask(), later=LATER) == Succeeded("kim: 13, True", "r")
    kept = _everything(journal)
    assert "kim" in kept
    assert PLAIN not in kept
    assert PLAIN.upper() not in kept


def test_a_secret_in_a_signal_is_sealed_in_the_inbox_and_in_the_log() -> None:
    """S33, S38: also while nobody has the run."""
    journal, points = MemoryJournal(), Points(1)
    asyncio.run(stopped(engine(journal, cipher=Mask()).execute(SIGNALLED, START, run_id="r"), points.reached))
    engine(journal, cipher=Mask(), workflows=[SIGNALLED]).signal("r", TOKEN, SecretStr("BATTERY"))
    assert len(journal.letters("r")) == 1
    assert "BATTERY" not in _everything(journal)
    assert went_on(journal, SIGNALLED, START, cipher=Mask()) == Succeeded("kim: 20, True", "r")
    assert "BATTERY" not in _everything(journal)


def test_digests_tell_no_secret_and_are_the_same_each_time() -> None:
    """S33, S34: the cipher writes it differently each time; and two secrets have one digest."""
    plan: Any = engine(MemoryJournal(), cipher=Mask())._known(FLOW.compile())
    step = next(node for node in plan.nodes if node.name == "log_in")
    one, again, other, somebody = (
        digests(plan, [RunStep("flow/log_in", 1, step, login)])
        for login in (START, START, Login("kim", "another"), Login("lee", PLAIN))
    )
    assert plan.codec.encode(START) != plan.codec.encode(START)
    assert one == again == other
    assert one != somebody


def test_another_key_opens_nothing() -> None:
    """S33, S36: the run is refused, and left as it is for who has the key."""
    journal, points = MemoryJournal(), Points(1, hangs=True)
    asyncio.run(stopped(engine(journal, cipher=Mask()).execute(FLOW, START, run_id="r"), points.reached))
    with pytest.raises(ReplayMismatch, match="does not open"):
        asyncio.run(engine(journal, cipher=Mask(78), workflows=[FLOW]).resume("r"))
    Points()
    assert went_on(journal, FLOW, START, cipher=Mask()) == Succeeded("kim: 13, True", "r")


def test_without_a_cipher_such_a_run_does_not_begin() -> None:
    """S33: it is refused before the start, where the types tell."""
    journal = MemoryJournal()
    with pytest.raises(PlanErrors):
        went_on(journal, FLOW, START)
    assert journal.heads() == []
