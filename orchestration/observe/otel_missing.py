"""OpenTelemetry, or how to get it."""

from __future__ import annotations

from importlib.util import find_spec


class MissingOpenTelemetry(ImportError):
    """Spans and metrics need a package that comes with the extra `otel`."""

    def __init__(self) -> None:
        """Say how to get it; `name` is the package, as in every `ImportError`."""
        message = "orchestration.observe.otel needs opentelemetry-api: pip install 'orchestration[otel]'"
        super().__init__(message, name="opentelemetry")


def require() -> None:
    """See whether it is installed.

    Raises:
        MissingOpenTelemetry: if not.
    """
    if find_spec("opentelemetry") is None:
        raise MissingOpenTelemetry
