"""What all tests share."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from orchestration.runtime import tasks

# In CI the examples are the same for the same code, so a failure is the change's; elsewhere they are new each time.
settings.register_profile(
    "default",
    deadline=None,  # no test is about how fast a machine is …
    suppress_health_check=[HealthCheck.too_slow],  # … nor may one fail because of it
    derandomize="CI" in os.environ,
    print_blob=True,
)
settings.load_profile("default")

# A shell's background job ignores it, and so would all processes that tests start to interrupt them.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _nothing_leaked_before() -> None:
    """Forget what tests before have left behind on purpose, in loops that are gone."""
    tasks.LEAKED.clear()
