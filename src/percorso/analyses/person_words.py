"""A rule of persons in words, for people who do not read rules."""

from __future__ import annotations

from functools import reduce

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
from percorso.language.said import Said, said

__all__ = ["rule_words"]


def rule_words(rule: PersonRule) -> Said:
    """The rule as a sentence without its subject; English, and it can be said again in another language.

    Examples
    --------
    >>> from percorso.analyses.person_rules import parse_person_rule
    >>> rule_words(parse_person_rule("count(place = store) >= 2 within 90d and not country = IT"))
    'at least 2 events with place = store in the last 90d, and not: country is IT'
    """
    match rule:
        case NotRule(part):
            return said("rules.not", part=_inside(part))
        case AllOf(parts):
            return reduce(lambda left, right: said("rules.and", left=left, right=right), map(_inside, parts))
        case AnyOf(parts):
            return reduce(lambda left, right: said("rules.or", left=left, right=right), map(_inside, parts))
        case PersonTest(leaf):
            return _field_words(leaf)
        case Count(op="=", number=0, period=period, text=text):
            return said("rules.no_event", text=text, period=_period_words(period))
        case Count(op=op, number=number, period=period, text=text):
            return said("rules.events", amount=_amount(op), n=number, text=text, period=_period_words(period))
        case Edge(last=True, period=period, text=text):
            return said("rules.last_event", text=text, period=_period_words(period))
        case Edge(period=period, text=text):
            return said("rules.first_event", text=text, period=_period_words(period))
        case Sequence(period=period, text=text):
            return said("rules.sequence", text=text, period=_period_words(period))
        case Orders(op=op, number=number, period=period, text=text):
            with_text = said("rules.with", text=text) if text else ""
            return said("rules.orders", amount=_amount(op), n=number, text=with_text, period=_period_words(period))
        case Value(op=op, amount=amount, period=period, text=text):
            what = said("rules.orders_with", text=text) if text else said("rules.all_orders")
            return said("rules.worth", what=what, amount=_amount(op), value=str(amount), period=_period_words(period))


def _amount(op: str) -> Said:
    match op:
        case "=":
            return said("rules.exactly")
        case "!=":
            return said("rules.not_exactly")
        case "<":
            return said("rules.less_than")
        case "<=":
            return said("rules.at_most")
        case ">":
            return said("rules.more_than")
        case _:
            return said("rules.at_least")


def _inside(rule: PersonRule) -> Said:
    words = rule_words(rule)
    return said("rules.in_brackets", part=words) if isinstance(rule, AllOf | AnyOf) else words


def _field_words(leaf: Leaf) -> Said:
    field = leaf.field.removeprefix("person.")
    match leaf:
        case Compare(op="=", value=value):
            return said("rules.is", field=field, value=value)
        case Compare(op=op, value=value):
            return said("rules.is_amount", field=field, amount=_amount(op), value=value)
        case Among(values=values):
            return said("rules.is_one_of", field=field, values=", ".join(values))
        case Matches(pattern=pattern):
            return said("rules.has", field=field, pattern=pattern)
        case _:
            return said("rules.is_not_known", field=field)


def _period_words(period: Period | None) -> str:
    if period is None:
        return ""
    match period.text.split():
        case ["within", span]:
            return said("rules.within", span=span)
        case ["over", span, "ago"]:
            return said("rules.over", span=span)
        case ["since", day]:
            return said("rules.since", day=day)
        case ["before", day]:
            return said("rules.before", day=day)
        case ["between", first, "and", last]:
            return said("rules.between", first=first, last=last)
        case _:
            return period.text
