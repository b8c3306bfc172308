"""A rule of persons in words, for people who do not read rules."""

from __future__ import annotations

from percorso.analyses.conditions import Among, Compare, Leaf, Matches
from percorso.analyses.person_tree import (
    AllOf,
    AnyOf,
    Count,
    Edge,
    NotRule,
    Orders,
    Period,
    PersonRule,
    PersonTest,
    Sequence,
    Value,
)

__all__ = ["rule_words"]

_AMOUNTS = {"=": "exactly", "!=": "not exactly", "<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}
_TESTS = {"=": "is", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least"}


def rule_words(rule: PersonRule) -> str:
    """The rule as a sentence without its subject.

    Examples
    --------
    >>> from percorso.analyses.person_rules import parse_person_rule
    >>> rule_words(parse_person_rule("count(place = store) >= 2 within 90d and not country = IT"))
    'at least 2 events with place = store in the last 90d, and not: country is IT'
    """
    match rule:
        case NotRule(part):
            return f"not: {_inside(part)}"
        case AllOf(parts):
            return ", and ".join(_inside(part) for part in parts)
        case AnyOf(parts):
            return ", or ".join(_inside(part) for part in parts)
        case PersonTest(leaf):
            return _field_words(leaf)
        case Count(op="=", number=0, period=period, text=text):
            return f"no event with {text}{_period_words(period)}"
        case Count(op=op, number=number, period=period, text=text):
            return f"{_AMOUNTS[op]} {number} event{'' if number == 1 else 's'} with {text}{_period_words(period)}"
        case Edge(last=last, period=period, text=text):
            return f"the {'last' if last else 'first'} event with {text} was{_period_words(period)}"
        case Sequence(period=period, text=text):
            return f"one after the other: {text}{_period_words(period)}"
        case Orders(op=op, number=number, period=period, text=text):
            orders = f"order{'' if number == 1 else 's'}{f' with {text}' if text else ''}"
            return f"{_AMOUNTS[op]} {number} {orders}{_period_words(period)}"
        case Value(op=op, amount=amount, period=period, text=text):
            return f"orders{f' with {text}' if text else ''} worth {_AMOUNTS[op]} {amount}{_period_words(period)}"


def _inside(rule: PersonRule) -> str:
    words = rule_words(rule)
    return f"({words})" if isinstance(rule, AllOf | AnyOf) else words


def _field_words(leaf: Leaf) -> str:
    field = leaf.field.removeprefix("person.")
    match leaf:
        case Compare(op=op, value=value):
            return f"{field} {_TESTS[op]} {value}"
        case Among(values=values):
            return f"{field} is one of {', '.join(values)}"
        case Matches(pattern=pattern):
            return f"{field} has '{pattern}' in it"
        case _:
            return f"{field} is not known"


def _period_words(period: Period | None) -> str:
    if period is None:
        return ""
    match period.kind:
        case "within":
            return f" in the last {period.text.removeprefix('within ')}"
        case "over":
            return f" more than {period.text.removeprefix('over ')}"
        case _:
            return f" {period.text}"
