"""Who meets a rule of persons, one person at a time in plain Python. The definition is docs/reference/segment.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.naive import funnel

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True)
class Event:
    time: int
    fields: dict[str, str]
    counts: bool = True  # by its flags


@dataclass(frozen=True)
class Person:
    events: list[Event]
    fields: dict[str, str] = field(default_factory=dict)
    n_sessions: int = 0


Test = Callable[[Person, int], bool]
Condition = Callable[[Event], bool]
Span = tuple[str, int, int]


def seen(person: Person, as_of: int) -> list[Event]:
    return [event for event in person.events if event.counts and event.time <= as_of]


def in_span(time: int, span: Span | None, as_of: int) -> bool:
    if span is None:
        return True
    kind, a, b = span
    if kind == "within":
        return as_of - time <= a
    if kind == "over":
        return as_of - time > a
    return a <= time < b


def meets(person: Person, rule: Test, as_of: int) -> bool:
    return bool(seen(person, as_of)) and rule(person, as_of)


def count(condition: Condition, op: str, number: int, span: Span | None) -> Test:
    def test(person: Person, as_of: int) -> bool:
        n = sum(1 for event in seen(person, as_of) if condition(event) and in_span(event.time, span, as_of))
        return COMPARE[op](n, number)

    return test


def edge(last: bool, condition: Condition, span: Span) -> Test:
    def test(person: Person, as_of: int) -> bool:
        times = [event.time for event in seen(person, as_of) if condition(event)]
        return bool(times) and in_span(max(times) if last else min(times), span, as_of)

    return test


def sequence(steps: Sequence[Condition], within: float, span: Span | None) -> Test:
    def test(person: Person, as_of: int) -> bool:
        events = [
            funnel.Event(event.time, frozenset(s for s, step in enumerate(steps, 1) if step(event)))
            for event in sorted(seen(person, as_of), key=lambda event: event.time)
            if in_span(event.time, span, as_of)
        ]
        found = funnel.attempts(events, funnel.Rules(len(steps), within))
        return any(len(steps) in attempt.steps for attempt in found)

    return test


def person_field(name: str, value: str) -> Test:
    return lambda person, _: person.fields.get(name, "") == value


def n_events(op: str, number: int) -> Test:
    return lambda person, as_of: COMPARE[op](sum(event.time <= as_of for event in person.events), number)


def both(a: Test, b: Test) -> Test:
    return lambda person, as_of: a(person, as_of) and b(person, as_of)


def either(a: Test, b: Test) -> Test:
    return lambda person, as_of: a(person, as_of) or b(person, as_of)


def negated(a: Test) -> Test:
    return lambda person, as_of: not a(person, as_of)
