"""The tree of a rule of persons, as `person_rules` reads it and `person_masks` evaluates it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from percorso.analyses.conditions import Condition, Leaf
from percorso.analyses.history import RELATIONSHIPS

__all__ = [
    "ALL_RELATIONSHIPS",
    "RELATIONSHIP",
    "RULE_FORMAT",
    "STAGE",
    "AllOf",
    "AnyOf",
    "Count",
    "Edge",
    "NotRule",
    "Orders",
    "Period",
    "PersonRule",
    "PersonTest",
    "Sequence",
    "Test",
    "Value",
    "conditions_of",
    "rule_tests",
]

#: Format number of stored rules: a newer one is refused.
RULE_FORMAT = 1

#: Fields of persons that only rules know, as leaves have them.
RELATIONSHIP, STAGE = "person.relationship", "person.stage"

#: Relationships that a rule may name: at risk and lost come from the survival curve of the time to the next order.
ALL_RELATIONSHIPS = (*RELATIONSHIPS, "at_risk", "lost")


@dataclass(frozen=True, slots=True)
class Period:
    """Which times count.

    Parameters
    ----------
    kind : {"within", "over", "between"}
        The span up to the as-of time; before it; from `start_us` to before `end_us`, None for no limit.
    span_us : int
    start_us, end_us : int or None
        µs UTC.
    text : str
        As it was written.
    """

    kind: str
    span_us: int = 0
    start_us: int | None = None
    end_us: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class PersonTest:
    """A test of one field of persons; `leaf.field` begins with ``person.``."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Count:
    """``count(condition) op number period``; `op` is one of = != < <= > >=."""

    condition: Condition
    op: str
    number: int
    period: Period | None
    text: str


@dataclass(frozen=True, slots=True)
class Edge:
    """``first(condition) period`` or ``last(condition) period``."""

    last: bool
    condition: Condition
    period: Period
    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """``sequence(step then step within span) period``; `within_us` None: no limit."""

    steps: tuple[Condition, ...]
    within_us: int | None
    period: Period | None
    text: str


@dataclass(frozen=True, slots=True)
class Orders:
    """``orders(condition) op number period``: live orders."""

    condition: Condition | None
    op: str
    number: int
    period: Period | None
    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """``value(condition) op amount period``: net worth of live orders; `amount` as written, in units."""

    condition: Condition | None
    op: str
    amount: str
    period: Period | None
    text: str


@dataclass(frozen=True, slots=True)
class NotRule:
    part: PersonRule


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[PersonRule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[PersonRule, ...]


Test: TypeAlias = PersonTest | Count | Edge | Sequence | Orders | Value
PersonRule: TypeAlias = Test | NotRule | AllOf | AnyOf


def rule_tests(rule: PersonRule) -> Iterator[Test]:
    """All tests of a rule, in the order in which they were written."""
    match rule:
        case NotRule(part):
            yield from rule_tests(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from rule_tests(part)
        case _:
            yield rule


def conditions_of(test: Test) -> tuple[Condition, ...]:
    """The conditions of a test: on events, or its leaf on persons (but for relationship and stage)."""
    match test:
        case PersonTest(leaf):
            return () if leaf.field in (RELATIONSHIP, STAGE) else (leaf,)
        case Sequence(steps=steps):
            return steps
        case Orders(condition=condition) | Value(condition=condition):
            return () if condition is None else (condition,)
        case Count(condition=condition) | Edge(condition=condition):
            return (condition,)
