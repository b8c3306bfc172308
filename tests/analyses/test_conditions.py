"""The grammar of conditions, and what conditions say about events."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.conditions import (
    Among,
    Both,
    Compare,
    Condition,
    Either,
    Matches,
    Missing,
    Negated,
    fields_of,
    parse_condition,
)
from percorso.analyses.masks import event_mask
from percorso.errors import NotFound, SpecError
from percorso.store.journey_log import JourneyLog
from tests.log_builder import Row, build_test_log


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("place = store", Compare("place", "=", "store")),
        ("place == store", Compare("place", "=", "store")),
        ("place=store", Compare("place", "=", "store")),
        ("event = Order Completed", Compare("event", "=", "Order Completed")),
        ("event = 'Order Completed'", Compare("event", "=", "Order Completed")),
        ('event = "say \\"and\\""', Compare("event", "=", 'say "and"')),
        ("place != store", Negated(Compare("place", "=", "store"))),
        ("value >= -1.5", Compare("value", ">=", "-1.5")),
        ("page ~ ^/cart", Matches("page", "^/cart")),
        ("page !~ '(a|b)'", Negated(Matches("page", "(a|b)"))),
        ("channel in (Paid Search, 'Email')", Among("channel", ("Paid Search", "Email"))),
        ("channel not in (Email)", Negated(Among("channel", ("Email",)))),
        ("score is missing", Missing("score")),
        ("score is not missing", Negated(Missing("score"))),
        (
            "place = a or place = b and place = c",
            Either(
                (Compare("place", "=", "a"), Both((Compare("place", "=", "b"), Compare("place", "=", "c")))),
            ),
        ),
        (
            "not (place = a or place = b) and page = c",
            Both(
                (Negated(Either((Compare("place", "=", "a"), Compare("place", "=", "b")))), Compare("page", "=", "c"))
            ),
        ),
        ("prop.x = 1", Compare("prop.x", "=", "1")),
        (
            "person.trait.plan = gold AND place = a",
            Both((Compare("person.trait.plan", "=", "gold"), Compare("place", "=", "a"))),
        ),
    ],
)
def test_parse(text: str, tree: Condition) -> None:
    assert parse_condition(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("plac = store", 1, "expected a field, found 'plac = store'"),
        ("place", 6, "found the end"),
        ("place = ", 9, "expected a value"),
        ("place = a and", 14, "expected a field"),
        ("(place = a", 11, "closing parenthesis"),
        ("place = a)", 10, "and, or, or the end"),
        ("place in a", 10, "opening parenthesis"),
        ("place in (a", 12, "a comma or a closing"),
        ("place is empty", 10, "'missing'"),
        ("value > much", 9, "a number"),
        ("page ~ '('", 8, "a regular expression"),
        ("place ! a", 7, "one of ="),
    ],
)
def test_errors_say_where(text: str, position: int, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_condition(text)
    assert caught.value.fields["position"] == position
    assert said in caught.value.message


def test_nearest_field_is_hinted() -> None:
    with pytest.raises(SpecError) as caught:
        parse_condition("chanel = Email")
    assert "Did you mean 'channel'?" in caught.value.hint


def test_fields_of() -> None:
    assert fields_of(parse_condition("place = a or not (page ~ b and score > 1)")) == {"place", "page", "score"}


ROWS = [
    Row(person="p", time=0, event="View", coded={"place": "site", "page": "/Cart/1", "prop.size": "10"}),
    Row(person="p", time=1, event="Order", coded={"place": "store", "currency": "EUR"}, value=1250),
    Row(person="p", time=2, event="Order", coded={"currency": "JPY", "prop.size": "9"}, value=1250),
    Row(person="p", time=3, event="Survey", coded={"prop.size": "big"}, score=9.0),
]
PERSONS = {"p": {"country": "IT", "traits": '{"plan":"gold","age":31}'}}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    return build_test_log(tmp_path_factory.mktemp("log"), ROWS, n_buckets=1, persons=PERSONS)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("place = store", [1]),
        ("place != store", [0, 2, 3]),
        ("place is missing", [2, 3]),
        ("place is not missing and place != site", [1]),
        ("place in (site, store)", [0, 1]),
        ("page ~ ^/cart", [0]),
        ("page ~ cart and page ~ 1$", [0]),
        ("value = 12.5", [1]),
        ("value > 12.49", [1, 2]),
        ("value >= 1250", [2]),
        ("value in (12.50, 1250)", [1, 2]),
        ("value is missing", [0, 3]),
        ("not value > 100", [0, 1, 3]),
        ("score >= 9", [3]),
        ("score is missing", [0, 1, 2]),
        ("score in (9, 10)", [3]),
        ("prop.size > 9", [0]),
        ("prop.size > '9x'", [3]),
        ("prop.size = big", [3]),
        ("person.country = IT", [0, 1, 2, 3]),
        ("person.country = DE", []),
        ("person.n_events >= 4 and event = View", [0]),
        ("person.trait.plan = gold and event = View", [0]),
        ("person.trait.age < 30", []),
        ("person.trait.none is missing", [0, 1, 2, 3]),
        ("event = View or event = Survey", [0, 3]),
        ("event = View or person.country = IT", [0, 1, 2, 3]),
    ],
)
def test_which_events(log: JourneyLog, text: str, times: list[int]) -> None:
    bucket = log.buckets[0]
    mask = np.broadcast_to(event_mask(parse_condition(text), bucket), bucket.n_events)
    assert bucket.events.values("time")[mask].tolist() == times


def test_a_property_that_is_not_coded(log: JourneyLog) -> None:
    with pytest.raises(NotFound) as caught:
        event_mask(parse_condition("prop.sise = 1"), log.buckets[0])
    assert "Did you mean 'prop.size'?" in caught.value.hint


@pytest.mark.parametrize("text", ["value ~ 1", "score ~ 1", "value in (a)", "score in (a)"])
def test_numbers_are_no_texts(log: JourneyLog, text: str) -> None:
    with pytest.raises(SpecError):
        event_mask(parse_condition(text), log.buckets[0])


LEAVES = st.sampled_from(["place = site", "place = store", "event = Order", "score > 1", "person.country = IT"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
    ),
    max_leaves=6,
)


@given(TREES)
def test_trees_are_what_python_says(log: JourneyLog, text: str) -> None:
    bucket = log.buckets[0]
    mask = np.broadcast_to(event_mask(parse_condition(text), bucket), bucket.n_events)
    for at, row in enumerate(ROWS):
        facts = {
            "place = site": row.coded.get("place") == "site",
            "place = store": row.coded.get("place") == "store",
            "event = Order": row.event == "Order",
            "score > 1": operator.gt(row.score, 1),
            "person.country = IT": True,
        }
        expression = text
        for leaf, fact in facts.items():
            expression = expression.replace(leaf, str(fact))
        assert mask[at] == eval(expression)
