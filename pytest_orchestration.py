"""The pytest plugin of `orchestration`: the fixture `fake`.

It stands beside the package, as importing a module of that imports the library: pytest loads its plugins at each start,
and a project that does not use this one should not pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from orchestration.testing import FakeHandler


@pytest.fixture
def fake() -> FakeHandler:
    """Return a new `orchestration.testing.FakeHandler`, which answers nothing yet."""
    from orchestration.testing import FakeHandler  # noqa: PLC0415 - only who asks for it waits for the import

    return FakeHandler()
