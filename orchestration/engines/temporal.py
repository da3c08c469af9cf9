"""`TemporalEngine` and `TemporalWorker`: workflows on Temporal. They need the extra `temporal`."""

from orchestration.engines.temporal_missing import require

require()  # before what follows looks for it

from orchestration.engines.temporal_client import TemporalEngine, TemporalHandle  # noqa: E402 - see above
from orchestration.engines.temporal_connect import connected  # noqa: E402
from orchestration.engines.temporal_replay import replayed  # noqa: E402
from orchestration.engines.temporal_worker import TemporalWorker  # noqa: E402

__all__ = ["TemporalEngine", "TemporalHandle", "TemporalWorker", "connected", "replayed"]
