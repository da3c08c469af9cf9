"""`Workflow[Order]`: a generic alias that hands the type on to the workflow it makes."""

from __future__ import annotations

from typing import Any, TypeVar, final


@final
class Typed:
    """A generic alias in every respect; called, it also says which type the workflow takes.

    `typing` itself would tell the new object by setting `__orig_class__`, after `__init__` and only where the class
    has room for it.
    """

    def __init__(self, alias: Any, takes: object) -> None:  # noqa: ANN401 - typing's own aliases have no public type
        """Stand for `alias`."""
        self._alias = alias
        self._takes = takes

    @staticmethod
    def of(alias: Any, parameters: object) -> Any:  # noqa: ANN401 - as above
        """Return the alias with its first parameter kept; one over type variables only names a base class."""
        given = parameters if isinstance(parameters, tuple) else (parameters,)
        return alias if any(isinstance(parameter, TypeVar) for parameter in given) else Typed(alias, given[0])

    def __call__(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - those of the class
        """Make an instance that knows the type it takes."""
        return self._alias.__origin__(*arguments, **{"takes": self._takes, **options})

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - those of the alias
        """Be the alias in everything else."""
        return getattr(self._alias, name)

    def __or__(self, other: object) -> object:
        """Make a union."""
        return self._alias | other

    def __ror__(self, other: object) -> object:
        """Make a union."""
        return other | self._alias

    def __eq__(self, other: object) -> bool:
        """Compare as the alias does."""
        return bool(self._alias == (other._alias if isinstance(other, Typed) else other))

    def __hash__(self) -> int:
        """Hash as the alias does."""
        return hash(self._alias)

    def __repr__(self) -> str:
        """Show the alias."""
        return repr(self._alias)
