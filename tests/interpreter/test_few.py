"""The small persistent map: it gives what `rpds.HashTrieMap` gives, and never changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rpds import HashTrieMap

from orchestration.interpreter.few import NOBODY, Few

POSITIONS = st.integers(0, 5)
ACTS = st.lists(st.tuples(st.sampled_from(["insert", "discard"]), POSITIONS, st.text(max_size=2)), max_size=20)


@given(ACTS)
def test_it_holds_what_a_persistent_map_holds(acts: list[tuple[str, int, str]]) -> None:
    """After any changes the two agree, on each look; what was there before is as it was."""
    few = NOBODY
    known: HashTrieMap[int, str] = HashTrieMap()
    for act, position, child in acts:
        before, listed = few, sorted(few)
        if act == "insert":
            few, known = few.insert(position, child), known.insert(position, child)
        else:
            few, known = few.discard(position), known.discard(position)
        assert sorted(before) == listed
    assert (len(few), sorted(few)) == (len(known), sorted(known))
    assert [few.get(position) for position in range(6)] == [known.get(position) for position in range(6)]
    assert [few[position] for position in sorted(few)] == [known[position] for position in sorted(known)]


@given(st.dictionaries(POSITIONS, st.text(max_size=2), min_size=1), POSITIONS, st.data())
def test_to_replace_is_to_discard_and_insert(children: dict[int, str], following: int, data: st.DataObject) -> None:
    """One copy instead of two, and the same comes of it."""
    few, position = Few(children), data.draw(st.sampled_from(sorted(children)))
    assert few.replace(position, following, "new") == few.discard(position).insert(following, "new")
    assert few == Few(children)


def test_it_is_compared_and_hashed_by_value() -> None:
    """In whatever order the children came; and it says what it holds."""
    one, other = NOBODY.insert(1, "a").insert(2, "b"), NOBODY.insert(2, "b").insert(1, "a")
    assert one == other
    assert hash(one) == hash(other)
    assert one != NOBODY
    assert one != {1: "a", 2: "b"}
    assert repr(one) == "Few({1: 'a', 2: 'b'})"
