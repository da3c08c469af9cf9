"""The servers, started once a session. Without the extra `temporal` nothing here is collected but `test_missing.py`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.temporal.servers import Server

if find_spec("temporalio") is None:
    collect_ignore_glob = ["test_[!m]*.py"]


@pytest.fixture(scope="session")
def skipping() -> Iterator[Server]:
    """Give a server that skips the time in which nothing happens.

    It refuses to cancel an activity or a timer that ends in that very moment, and the run is stuck then: what cancels
    is tested on a real one.
    """
    from tests.temporal.servers import skipping_server

    with skipping_server() as server:
        yield server


@pytest.fixture(scope="session")
def real() -> Iterator[Server]:
    """Give a real server, on which time passes as it does."""
    from tests.temporal.servers import real_server

    with real_server() as server:
        yield server
