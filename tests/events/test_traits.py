"""Traits of persons: stripped first or merged first, the same is left."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from percorso.events.traits import merge_traits, strip_traits

VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
)
TRAITS = st.dictionaries(st.sampled_from(["plan", "Email", "size", "name", "è"]), VALUES | st.lists(VALUES, max_size=2))


@given(st.lists(TRAITS.map(json.dumps), max_size=4))
def test_stripping_before_merging_changes_nothing(sent: list[str]) -> None:
    stripped = [text for text in map(strip_traits, sent) if text is not None]
    assert merge_traits(stripped) == merge_traits(sent)
    assert [strip_traits(text) for text in stripped] == stripped


def test_a_null_takes_back_what_was_sent_before() -> None:
    assert strip_traits('{"plan": null, "email": "x@example.org"}') == '{"plan":null}'
    assert strip_traits('{"email": "x@example.org"}') is None
    assert merge_traits(['{"plan":"a"}', '{"plan":null}']) is None
