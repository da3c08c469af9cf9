"""`Open`: what an open branch, fork or enrichment says when it is taken for a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar


class Open:
    """Something that has to be closed before it is a workflow."""

    __slots__ = ()
    _closed_by: ClassVar[str]

    if not TYPE_CHECKING:  # pragma: no branch - to a checker, what is missing is missing; at run time this is so

        def __getattr__(self, name):  # noqa: ANN001, ANN204 - see above
            """Say what to do first: this was taken for a workflow."""
            raise AttributeError(f"{self!r} has no {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        """Say how to close it."""
        return f"an open {type(self).__name__.lower()} (close it with {self._closed_by})"
