"""Names for the cases of a parametrised test: the same in every process, as tests that run in several need them."""

from __future__ import annotations

import re


def shown(value: object) -> str:
    """Return the repr of a value without addresses in memory."""
    return re.sub(r" at 0x\w+", "", repr(value))
