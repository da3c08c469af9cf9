"""`MissingExtra`: what is said where a part of the test kit needs a package that is not installed."""

from __future__ import annotations


class MissingExtra(ImportError):
    """A part of the library needs a package that comes with one of its extras.

    ```python
    try:
        from orchestration.testing.strategies import runs
    except MissingExtra as error:
        print(f"install the extra {error.extra}, for {error.name}")
    ```
    """

    def __init__(self, part: str, *, needs: str, extra: str) -> None:
        """Say which part needs what, and how to get it; `name` is the package, as in every `ImportError`."""
        super().__init__(f"{part} needs {needs}: pip install 'orchestration[{extra}]'", name=needs)
        self.extra = extra
