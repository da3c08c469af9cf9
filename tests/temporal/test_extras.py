"""What comes from other packages: encryption of all that goes over the wire, and traces (where they are installed)."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter, PayloadCodec

from orchestration import Succeeded, Workflow, gate
from orchestration.engines.temporal import TemporalEngine, TemporalWorker
from orchestration.testing.strategies_bodies import allow
from tests.temporal.bodies import WAITING, WORD, increase
from tests.temporal.test_secrecy import base64_decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.temporal.servers import Server


class Encrypted(PayloadCodec):
    """Encrypts each payload with the Fernet of `cryptography`."""

    def __init__(self) -> None:
        """Have a key."""
        from cryptography.fernet import Fernet

        self._cipher = Fernet(Fernet.generate_key())

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt payloads."""
        sealed = [self._cipher.encrypt(payload.SerializeToString()) for payload in payloads]
        return [Payload(metadata={"encoding": b"encrypted"}, data=data) for data in sealed]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt payloads."""
        return [
            Payload.FromString(self._cipher.decrypt(payload.data))
            if payload.metadata["encoding"] == b"encrypted"
            else payload
            for payload in payloads
        ]


@pytest.mark.skipif(find_spec("cryptography") is None, reason="cryptography is not installed")
def test_a_server_sees_nothing_of_what_is_encrypted(real: Server) -> None:
    """S33: not in histories, gates and cheap steps included, nor in what is queried and replayed."""
    flow = WAITING.step(increase, cheap=True, hooks=[gate(allow)], name="guarded")

    async def main() -> str:
        client = await Client.connect(
            real.target, data_converter=replace(DataConverter.default, payload_codec=Encrypted())
        )
        engine = TemporalEngine(client, task_queue="encrypted", longest=20)
        async with TemporalWorker(client, task_queue="encrypted", workflows=[flow]):
            handle = await engine.start(flow, 1, run_id="encrypted")
            await handle.signal(WORD, 98_765_432_101)
            assert await handle.result() == Succeeded(98_765_432_104, "encrypted")
            assert [type(event).__name__ async for event in handle.events()][-1] == "StepSucceeded"
            return (await handle.workflow.fetch_history()).to_json()

    shown = base64_decoded(real.run(main()))
    assert "9876543210" not in shown
    assert "waiting" not in shown


async def traced(number: int) -> str:
    """Return the trace in which this runs, and the span around it."""
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:x}"


@pytest.mark.skipif(find_spec("opentelemetry") is None, reason="opentelemetry is not installed")
def test_a_trace_goes_through_a_run(real: Server) -> None:
    """With Temporal's own interceptor: the caller, the workflow, ordinary attempts and cheap ones are of one trace."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from temporalio.contrib.opentelemetry import TracingInterceptor

    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = provider.get_tracer("tests")
    flow = Workflow[int]("traced").fork(traced).fork(Workflow[int]("cheap").step(traced, cheap=True)).join(_both)

    async def main() -> Any:
        client = await Client.connect(real.target, interceptors=[TracingInterceptor(tracer)])
        async with TemporalWorker(client, task_queue="traced", workflows=[flow]):
            with tracer.start_as_current_span("caller") as caller:
                outcome = await TemporalEngine(client, task_queue="traced").execute(flow, 1, run_id="traced")
                return outcome, f"{caller.get_span_context().trace_id:x}"

    outcome, trace_id = real.run(main())
    assert outcome == Succeeded([trace_id, trace_id], "traced")
    names = {span.name for span in spans.get_finished_spans()}
    assert {"caller", "StartWorkflow:orchestration.run", "RunActivity:orchestration.attempt"} <= names


async def _both(one: str, other: str) -> list[str]:
    return [one, other]
