"""What a server of Temporal's gets to see (S33)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec

from orchestration import Failed, Succeeded, Workflow
from orchestration.engines.temporal import TemporalEngine, TemporalWorker
from orchestration.errors import PlanErrors, RunExists
from tests.temporal.bodies import SAGA, WAITING, WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.temporal.servers import Server


class Mask(PayloadCodec):
    """A codec that a test can see through."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Mask payloads."""
        masked = [base64.b64encode(payload.SerializeToString()[::-1]) for payload in payloads]
        return [Payload(metadata={"encoding": b"masked"}, data=data) for data in masked]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Unmask payloads."""
        return [
            Payload.FromString(base64.b64decode(payload.data)[::-1])
            if payload.metadata["encoding"] == b"masked"
            else payload
            for payload in payloads
        ]


@pytest.mark.parametrize(
    "converter",
    [replace(DataConverter.default, payload_codec=Mask()), pydantic_data_converter],
    ids=["codec", "pydantic"],
)
def test_any_converter_of_the_client_will_do(converter: DataConverter, real: Server) -> None:
    """What goes over the wire is plain JSON: values, signals, queries, memos, and a replay of it all."""
    queue = f"converter-{converter.payload_codec is None}"

    async def main() -> str:
        client = await Client.connect(real.target, data_converter=converter)
        engine = TemporalEngine(client, task_queue=queue, prefix=queue, longest=20)
        async with TemporalWorker(client, task_queue=queue, workflows=[WAITING.step(SAGA)]):
            handle = await engine.start(WAITING.step(SAGA), 1, run_id="one")
            await handle.signal(WORD, 56_789_012_345)
            assert await handle.result() == Succeeded(56_789_012_349, "one")
            assert await (await engine.handle("one")).result() == await handle.result()
            assert await handle.progress() == []
            with pytest.raises(RunExists):
                await engine.start(WAITING.step(SAGA), 2, run_id="one")
            assert len([event async for event in handle.events()]) == 5
            return (await handle.workflow.fetch_history()).to_json()

    history = real.run(main())
    assert ("56789012345" in base64_decoded(history)) == (converter.payload_codec is None)


def base64_decoded(history: str) -> str:
    """Return a history with the data of its payloads as they are."""
    import json

    found: list[str] = []

    def look(data: Any) -> None:
        if isinstance(data, dict):
            if isinstance(data.get("data"), str):
                found.append(base64.b64decode(data["data"]).decode("utf-8", "replace"))
            data = list(data.values())
        if isinstance(data, list):
            for item in data:
                look(item)

    look(json.loads(history))
    return "\n".join(found)


@dataclass(frozen=True)
class Account:
    """Somebody with a secret."""

    name: str
    token: SecretStr


class Reverse:
    """A cipher that a test can see through."""

    def encrypt(self, data: bytes, /) -> bytes:
        """Hide."""
        return data[::-1]

    def decrypt(self, data: bytes, /) -> bytes:
        """Show."""
        return data[::-1]


async def enter(account: Account) -> int:
    """Use the secret."""
    return len(account.token.get_secret_value())


SECRET = Workflow[Account]("secret").step(enter)


def test_a_secret_needs_a_cipher(real: Server) -> None:
    """S33: without one the run is refused; with one the server never sees the secret, and the step does."""
    account = Account("kim", SecretStr("HORSEBATTERY"))

    async def main() -> str:
        with pytest.raises(PlanErrors):
            await TemporalEngine(real.client, task_queue="secret").start(SECRET, account)
        engine = TemporalEngine(real.client, task_queue="secret", cipher=Reverse())
        async with TemporalWorker(real.client, task_queue="secret", workflows=[SECRET], cipher=Reverse()):
            handle = await engine.start(SECRET, account, run_id="secret")
            assert await handle.result() == Succeeded(12, "secret")
            assert (await handle.state()).outcome is not None
            return (await handle.workflow.fetch_history()).to_json()

    shown = base64_decoded(real.run(main()))
    assert "kim" in shown
    assert "HORSEBATTERY" not in shown


def in_a_process(number: int) -> int:
    """Work in a process of its own."""
    import os

    return os.getpid() * 10 + number


def test_a_worker_has_processes(real: Server) -> None:
    """S11: `run_in` says where, on a worker as anywhere; what it lacks is told before it begins."""
    import os

    flow = Workflow[int]("elsewhere").step(in_a_process, run_in="process")

    async def main() -> Any:
        async with TemporalWorker(real.client, task_queue="processes", workflows=[flow]):
            return await TemporalEngine(real.client, task_queue="processes").execute(flow, 7, run_id="elsewhere")

    outcome = real.run(main())
    assert not isinstance(outcome, Failed)
    assert outcome.value % 10 == 7
    assert outcome.value // 10 != os.getpid()
