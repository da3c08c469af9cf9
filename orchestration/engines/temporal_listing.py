"""What Temporal's own pages and lists say of a run."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

if TYPE_CHECKING:
    from temporalio.client import Client

    from orchestration.engines.temporal_run import Run
    from orchestration.plan.compile import Plan

WORKFLOW: Final = SearchAttributeKey.for_keyword("OrchestrationWorkflow")
FINGERPRINT: Final = SearchAttributeKey.for_keyword("OrchestrationFingerprint")
SHOWN = 10  # of what a run waits for


@final
class Listing:
    """By what runs can be found on a server: the search attributes of ours that somebody has registered there."""

    def __init__(self, client: Client) -> None:
        """Have asked nothing yet."""
        self._client = client
        self._registered: set[str] | None = None

    async def attributes(self, plan: Plan) -> TypedSearchAttributes:
        """Return the search attributes of a run: one that is not registered would let it fail."""
        if self._registered is None:
            self._registered = await self._known()
        pairs = [SearchAttributePair(WORKFLOW, plan.name), SearchAttributePair(FINGERPRINT, plan.fingerprint)]
        return TypedSearchAttributes([pair for pair in pairs if pair.key.name in self._registered])

    async def _known(self) -> set[str]:
        request = ListSearchAttributesRequest(namespace=self._client.namespace)
        try:
            answer = await self._client.operator_service.list_search_attributes(request)
        except RPCError:  # not every server tells everybody
            return set()
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        return {name for name, kind in answer.custom_attributes.items() if kind == keyword}


def details(plan: Plan) -> str:
    """Return what the page of a run says of it from its beginning on."""
    return f"workflow `{plan.name}`, version `{plan.root.version}`, fingerprint `{plan.fingerprint}`"


def current_details(run: Run) -> str:
    """Return where a run is, for its page."""
    if not run.pending:
        return "waits for a signal" if run.state.root is not None else "has ended"
    waits = [f"- `{path}` ({kind})" for path, kind in islice(run.pending, SHOWN)]
    more = len(run.pending) - len(waits)
    return "\n".join(["waits for", *waits, *([f"- and {more:,} more"] if more else [])])
