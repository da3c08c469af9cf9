"""`Telemetry`: runs as spans and metrics of OpenTelemetry. Needs the extra `otel`."""

from orchestration.observe.otel_missing import MissingOpenTelemetry, require

require()  # before what follows looks for it

from orchestration.observe.otel_telemetry import Telemetry  # noqa: E402 - see above

__all__ = ["MissingOpenTelemetry", "Telemetry"]
