"""Hypothesis, for the parts of the test kit that are built on it, or how to get it."""

from __future__ import annotations

from orchestration.testing.strategies_missing import MissingExtra

try:
    from hypothesis import note, reject, stateful
    from hypothesis import strategies as st
except ImportError as _error:
    raise MissingExtra("orchestration.testing.strategies", needs="hypothesis", extra="testing") from _error

__all__ = ["note", "reject", "st", "stateful"]
