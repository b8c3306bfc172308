"""The grammar of conditions: ``place = store and (value >= 50 or person.n_orders > 1)``.

Documented for users in docs/reference/conditions.md. Parsing gives a frozen tree; `masks` evaluates it.

::

    condition  = conjunct { "or" conjunct }
    conjunct   = negation { "and" negation }
    negation   = "not" negation | "(" condition ")" | test
    test       = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
               | field [ "not" ] "in" "(" value { "," value } ")"
               | field ( "~" | "!~" ) value
               | field "is" [ "not" ] "missing"
    value      = "'" text "'" | '"' text '"' | bare words up to and, or, comma, parenthesis
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from percorso.analyses.fields import NUMBER_FIELDS, PERSON_NUMBERS, all_fields, is_known
from percorso.analyses.reader import Reader
from percorso.errors import nearest_hint

__all__ = [
    "Among",
    "Both",
    "Compare",
    "Condition",
    "Either",
    "Leaf",
    "Matches",
    "Missing",
    "Negated",
    "fields_of",
    "leaves_of",
    "parse_condition",
    "read_condition",
    "read_test",
]


@dataclass(frozen=True, slots=True)
class Compare:
    """``field op value``; `op` is one of = < <= > >= (``!=`` is its negation)."""

    field: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Among:
    """``field in (values)``."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """``field ~ pattern``: the regular expression is found somewhere in the value, case ignored."""

    field: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Missing:
    """``field is missing``."""

    field: str


@dataclass(frozen=True, slots=True)
class Negated:
    part: Condition


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Condition, ...]


#: What tests one field.
Leaf: TypeAlias = Compare | Among | Matches | Missing

Condition: TypeAlias = Leaf | Negated | Both | Either

_FIELD = re.compile(r"[A-Za-z_][\w.$-]*")
_OPERATOR = re.compile(r"!=|<=|>=|!~|==|=|<|>|~")
_NUMBERS = NUMBER_FIELDS + tuple(f"person.{name}" for name in PERSON_NUMBERS)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")


def parse_condition(text: str) -> Condition:
    """The tree of a condition.

    Raises
    ------
    SpecError
        With the position (from 1) and what was expected there, or the nearest field.

    Examples
    --------
    >>> parse_condition("not channel in (Email, SMS)")
    Negated(part=Among(field='channel', values=('Email', 'SMS')))
    """
    reader = Reader(text)
    condition = read_condition(reader)
    reader.skip()
    if reader.at < len(text):
        raise reader.wrong("and, or, or the end")
    return condition


def fields_of(condition: Condition) -> frozenset[str]:
    """All fields that the condition names."""
    return frozenset(leaf.field for leaf in leaves_of(condition))


def leaves_of(condition: Condition) -> Iterator[Leaf]:
    """All tests of a condition, in the order in which they were written."""
    match condition:
        case Negated(part):
            yield from leaves_of(part)
        case Both(parts) | Either(parts):
            for part in parts:
                yield from leaves_of(part)
        case _:
            yield condition


def read_condition(reader: Reader) -> Condition:
    """The condition that stands at the reader's position; what follows it is left."""
    return _either(reader)


def _either(reader: Reader) -> Condition:
    parts = [_both(reader)]
    while reader.take_word("or"):
        parts.append(_both(reader))
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _both(reader: Reader) -> Condition:
    parts = [_negation(reader)]
    while reader.take_word("and"):
        parts.append(_negation(reader))
    return parts[0] if len(parts) == 1 else Both(tuple(parts))


def _negation(reader: Reader) -> Condition:
    if reader.take_word("not"):
        return Negated(_negation(reader))
    if reader.take_text("("):
        inside = _either(reader)
        if not reader.take_text(")"):
            raise reader.wrong("a closing parenthesis")
        return inside
    return _test(reader)


def _test(reader: Reader) -> Condition:
    return read_test(reader, _field(reader))


def read_test(reader: Reader, field: str) -> Leaf | Negated:
    """What follows the name of a field: its test."""
    if reader.take_word("is"):
        negated = reader.take_word("not")
        if not reader.take_word("missing"):
            raise reader.wrong("'missing'")
        return Negated(Missing(field)) if negated else Missing(field)
    if reader.peek_word() in ("in", "not"):
        negated = reader.take_word("not")
        if not reader.take_word("in"):
            raise reader.wrong("'in'")
        among = Among(field, _values(reader))
        return Negated(among) if negated else among
    return _comparison(reader, field)


def _field(reader: Reader) -> str:
    found = reader.take(_FIELD)
    if found is None:
        raise reader.wrong("a field")
    field = found.group()
    if not is_known(field):
        raise reader.wrong("a field", hint=nearest_hint(field, all_fields(), show=40), at=found.start())
    return field


def _comparison(reader: Reader, field: str) -> Leaf | Negated:
    found = reader.take(_OPERATOR)
    if found is None:
        raise reader.wrong("one of = != < <= > >= ~ !~ in, is missing")
    reader.skip()
    start = reader.at
    value = reader.value()
    match found.group():
        case "~" | "!~" as op:
            try:
                re.compile(value)
            except re.error as error:
                raise reader.wrong(f"a regular expression ({error})", at=start) from error
            return Matches(field, value) if op == "~" else Negated(Matches(field, value))
        case "!=":
            return Negated(_compare(reader, field, "=", value, start))
        case op:
            return _compare(reader, field, "=" if op == "==" else op, value, start)


def _compare(reader: Reader, field: str, op: str, value: str, at: int) -> Compare:
    if field in _NUMBERS and not _NUMBER.fullmatch(value):
        raise reader.wrong(f"a number ('{field}' is one)", at=at)
    return Compare(field, op, value)


def _values(reader: Reader) -> tuple[str, ...]:
    if not reader.take_text("("):
        raise reader.wrong("an opening parenthesis")
    values = [reader.value()]
    while reader.take_text(","):
        values.append(reader.value())
    if not reader.take_text(")"):
        raise reader.wrong("a comma or a closing parenthesis")
    return tuple(values)
