"""Temporal's client, or how to get it."""

from __future__ import annotations

from importlib.util import find_spec


class MissingTemporal(ImportError):
    """The Temporal engine needs a package that comes with the extra `temporal`."""

    def __init__(self) -> None:
        """Say how to get it; `name` is the package, as in every `ImportError`."""
        message = "orchestration.engines.temporal needs temporalio: pip install 'orchestration[temporal]'"
        super().__init__(message, name="temporalio")


def require() -> None:
    """See whether it is installed.

    Raises:
        MissingTemporal: if not.
    """
    if find_spec("temporalio") is None:
        raise MissingTemporal
