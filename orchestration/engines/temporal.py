"""`TemporalEngine` and `TemporalWorker`: workflows on Temporal. They need the extra `temporal`."""

import atexit
import time
from contextlib import suppress

from orchestration.engines.temporal_missing import require

require()  # before what follows looks for it

from orchestration.engines.temporal_client import TemporalEngine, TemporalHandle  # noqa: E402 - see above
from orchestration.engines.temporal_connect import connected  # noqa: E402
from orchestration.engines.temporal_replay import replayed  # noqa: E402
from orchestration.engines.temporal_worker import TemporalWorker  # noqa: E402

MOMENT = 0.3  # seconds


@atexit.register
def _linger() -> None:
    """Let the threads of Temporal's client end: they abort a process that ends right after its last call."""
    with suppress(KeyboardInterrupt):
        time.sleep(MOMENT)


__all__ = ["TemporalEngine", "TemporalHandle", "TemporalWorker", "connected", "replayed"]
