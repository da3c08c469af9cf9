"""Values, drawn: all that can be written to a journal, and those of a type."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from orchestration.runtime.boundary import adapter_of
from orchestration.testing.strategies_base import reject, st

if TYPE_CHECKING:
    from orchestration.plan.compile import Compilable

In = TypeVar("In")
T = TypeVar("T")
TRIES = 5  # values that may be refused before it is Hypothesis's turn to find better ones
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30)), ZoneInfo("Europe/Paris")])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**4096, 2**4100),  # longer than a text of digits may be
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=()), max_size=8),  # lone surrogates too, which JSON does not have
    st.sampled_from(["$type", "$dict", ""]),
    st.binary(max_size=8),
    st.dates(),
    st.times(timezones=st.none() | ZONES),
    st.datetimes(timezones=st.none() | ZONES),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
)
KEYS = SCALARS | st.tuples(SCALARS, SCALARS)


def values() -> st.SearchStrategy[Any]:
    """Draw values that can be written and read back without a type that says how (S12).

    Scalars of JSON, bytes, dates, times, decimals, UUIDs, and lists, dicts, tuples and sets of them. No NaN, which is
    not equal to itself.
    """
    return st.recursive(SCALARS, _containers, max_leaves=8)


def values_of(kind: type[T]) -> st.SearchStrategy[T]:
    """Draw values of a type that pydantic finds valid; of `Any`, those of `values`.

    Built by Hypothesis: for a type that its `from_type` cannot make, or too seldom, give it a strategy by
    `hypothesis.strategies.register_type_strategy`.
    """
    given: Any = kind
    return values() if given in (Any, object) else _valid(kind)


def inputs(workflow: Compilable[In, Any, Any]) -> st.SearchStrategy[In]:
    """Draw values that a run of the workflow can begin with: valid ones of its input type (S12)."""
    takes: Any = workflow.compile().takes
    return values_of(takes)


@st.composite
def _valid(draw: st.DrawFn, kind: Any) -> Any:  # noqa: ANN401 - any type form
    adapter = adapter_of(kind)
    for _ in range(TRIES):
        try:
            value = draw(st.from_type(kind))
            return value if adapter is None else adapter.validate_python(value)
        except ValueError:  # so pydantic, and most classes of a user, refuse what does not fit
            continue
    return reject()


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=4), inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
        st.sets(KEYS, max_size=3),
        st.frozensets(KEYS, max_size=3),
    )
