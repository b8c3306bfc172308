"""The texts that name steps."""

from __future__ import annotations

import pytest

from percorso.analyses.conditions import Both, Compare, Condition, Either, Missing, Negated
from percorso.analyses.step_terms import Exclusion, parse_exclusion, parse_step, step_values
from percorso.errors import SpecError


def named(event: str) -> Compare:
    return Compare("event", "=", event)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("Product Viewed", named("Product Viewed")),
        (" Product Viewed ", named("Product Viewed")),
        ("A|B", Either((named("A"), named("B")))),
        ("touchpoint:cart", Compare("touchpoint", "=", "cart")),
        ("place: store", Compare("place", "=", "store")),
        ("prop.size:XL", Compare("prop.size", "=", "XL")),
        ("app:opened", named("app:opened")),
        ("'A|B'", named("A|B")),
        ('"place:store"', named("place:store")),
        ("*", Negated(Missing("event"))),
        ("campaign:*", Negated(Missing("campaign"))),
        ("A[value >= 50]", Both((named("A"), Compare("value", ">=", "50")))),
        ("*[page ~ '^/a|b']", Both((Negated(Missing("event")), parse_step("x[page ~ '^/a|b']").parts[1]))),  # type: ignore[union-attr]
        ("A[place = site]|B", Either((Both((named("A"), Compare("place", "=", "site"))), named("B")))),
        ("Don't stop|B", Either((named("Don't stop"), named("B")))),
    ],
)
def test_parse(text: str, condition: Condition) -> None:
    assert parse_step(text) == condition


@pytest.mark.parametrize("text", ["", "A|", "[place = a]", "A[place = a", "A[plac = a]", "place:"])
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(SpecError):
        parse_step(text)


def test_exclusions() -> None:
    assert parse_exclusion("A") == Exclusion(named("A"))
    assert parse_exclusion("A @ 2-3") == Exclusion(named("A"), 2, 3)
    assert parse_exclusion("me@home") == Exclusion(named("me@home"))


def test_values_asked_for() -> None:
    assert step_values(parse_step("A[value > 1]|place:store")) == (("event", "A"), ("place", "store"))
