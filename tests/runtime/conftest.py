"""S29: no test of the runtime leaves a thread behind."""

from __future__ import annotations

import pytest

from tests.runtime.support import no_new_threads

nothing_lives_on = pytest.fixture(autouse=True)(no_new_threads)
