"""The grammar of rules of persons: what can be read, and what is said of what cannot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.conditions import Among, Compare, Missing, parse_condition
from percorso.analyses.person_rules import parse_person_rule
from percorso.analyses.person_tree import (
    AllOf,
    AnyOf,
    Count,
    Edge,
    NotRule,
    Orders,
    Period,
    PersonTest,
    Sequence,
    Value,
    rule_tests,
)
from percorso.analyses.person_words import rule_words
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import PercorsoError, SpecError

DAY = 86_400_000_000
STORE = parse_condition("place = store")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("country = IT", PersonTest(Compare("person.country", "=", "IT"))),
        ("person.country != IT", NotRule(PersonTest(Compare("person.country", "=", "IT")))),
        ("trait.city in (Bologna, 'San Marino')", PersonTest(Among("person.trait.city", ("Bologna", "San Marino")))),
        ("n_orders >= 2", PersonTest(Compare("person.n_orders", ">=", "2"))),
        ("stage is missing", PersonTest(Missing("person.stage"))),
        ("relationship not in (new)", NotRule(PersonTest(Among("person.relationship", ("new",))))),
        ("count(place = store) >= 2", Count(STORE, ">=", 2, None, "place = store")),
        ("count(place = store) == 2", Count(STORE, "=", 2, None, "place = store")),
        ("never( place = store )", Count(STORE, "=", 0, None, "place = store")),
        (
            "last(place = store) over 90d  ago",
            Edge(True, STORE, Period("over", 90 * DAY, text="over 90d ago"), "place = store"),
        ),
        (
            "first(place = store) since 1970-01-03",
            Edge(False, STORE, Period("between", start_us=2 * DAY, text="since 1970-01-03"), "place = store"),
        ),
        (
            "sequence(event = Product Viewed then place = store within 7d) before 1970-01-02",
            Sequence(
                (Compare("event", "=", "Product Viewed"), STORE),
                7 * DAY,
                Period("between", end_us=DAY, text="before 1970-01-02"),
                "event = Product Viewed then place = store within 7d",
            ),
        ),
        ("orders > 1", Orders(None, ">", 1, None, "")),
        (
            "orders (place = store) = 1 between 1970-01-01 and 1970-01-01",
            Orders(
                STORE,
                "=",
                1,
                Period("between", start_us=0, end_us=DAY, text="between 1970-01-01 and 1970-01-01"),
                "place = store",
            ),
        ),
        ("value < 12.50 within 1w", Value(None, "<", "12.50", Period("within", 7 * DAY, text="within 1w"), "")),
        (
            "kind = identified and not (value > 1 or orders = 0)",
            AllOf(
                (
                    PersonTest(Compare("person.kind", "=", "identified")),
                    NotRule(AnyOf((Value(None, ">", "1", None, ""), Orders(None, "=", 0, None, "")))),
                )
            ),
        ),
        ("kind = a or kind = b and kind = c", None),
    ],
)
def test_what_is_read(text: str, tree: Any) -> None:
    found = parse_person_rule(text)
    if tree is None:
        assert isinstance(found, AnyOf)
    else:
        assert found == tree
    assert rule_words(found)


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 1, "expected a test, found the end"),
        ("cuont(place = store) > 1", 1, "Did you mean 'count'?"),
        ("place = store", 1, "count(place = …) >= 1"),
        ("country = IT and", 17, "expected a test"),
        ("count(plaec = store) > 1", 7, "Did you mean 'place'?"),
        ("count(place = store)", 21, "expected one of = != < <= > >="),
        ("count(place = store) > 1.5", 24, "expected a whole number"),
        ("count place = store", 7, "an opening parenthesis"),
        ("last(place = store)", 20, "within 30d"),
        ("last(place = store) within 30", 28, "90s, 30m"),
        ("last(place = store) over 30d", 29, "over 90d ago"),
        ("last(place = store) before 30d", 28, "over 90d ago"),
        ("last(place = store) since 2024-02-30", 27, "a day"),
        ("orders > 1 between 2024-02-01 and 2024-01-01", 20, "ends after it begins"),
        ("value within 30d >= 50", 7, "behind the number"),
        ("relationship = repeat and value within 30d >= 50 or kind = anonymous", 33, "behind the number"),
        ("relationship = repeated", 14, "Did you mean 'repeat'?"),
        ("relationship is missing", 14, "relationship ="),
        ("stage ~ con", 7, "stage ="),
        ("country = IT within 30d", 14, "A period stands behind a test of events"),
        ("sequence(place = store)", 23, "2 to 15 steps"),
        ("sequence(place = store then)", 28, "a field"),
        ("n_orders >= many", 13, "a number"),
        ("(country = IT", 14, "a closing parenthesis"),
        ("country = IT)", 13, "and, or, or the end"),
        ("country = ", 11, "a value"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, position: int, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_person_rule(text)
    error = caught.value
    assert said in f"{error.message} {error.hint}"
    assert error.fields["position"] == position, error.message
    assert error.message.startswith("The rule cannot be read")


@given(st.text(alphabet="abcount()=><!~'\" 0d.,restolvhiwny", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    told: PercorsoError | None = None
    try:
        parse_person_rule(text)
    except PercorsoError as error:
        told = error
    assert told is None or told.fields["position"]


def test_days_are_those_of_the_zone() -> None:
    (test,) = rule_tests(parse_person_rule("orders > 0 since 2024-01-31", timezone="Europe/Rome"))
    assert isinstance(test, Orders)
    assert test.period is not None
    assert test.period.start_us == Scope(start="2024-01-31", timezone="Europe/Rome").start_us()


def test_values_end_where_a_sequence_goes_on_but_not_elsewhere() -> None:
    (test,) = rule_tests(parse_person_rule("sequence(event = 'now then' then event = B)"))
    assert isinstance(test, Sequence)
    assert test.steps[0] == Compare("event", "=", "now then")
    assert parse_condition("event = now then within") == Compare("event", "=", "now then within")


def test_a_scope_holds_the_rule() -> None:
    scope = Scope(persona="regulars", persons="orders >= 2")
    assert spec_from_json(Scope, spec_to_json(scope)) == scope
    older = {name: value for name, value in spec_to_json(Scope()).items() if not name.startswith("person")}
    assert spec_from_json(Scope, older) == Scope()
    with pytest.raises(SpecError, match="holds its rule"):
        Scope(persona="regulars")
    with pytest.raises(SpecError, match="position 8"):
        Scope(persons="orders many")
