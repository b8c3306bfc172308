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
from dataclasses import dataclass
from typing import TypeAlias

from percorso.analyses.fields import NUMBER_FIELDS, PERSON_NUMBERS, all_fields, is_known
from percorso.errors import SpecError, nearest_hint

__all__ = [
    "Among",
    "Both",
    "Compare",
    "Condition",
    "Either",
    "Matches",
    "Missing",
    "Negated",
    "fields_of",
    "parse_condition",
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


Condition: TypeAlias = Compare | Among | Matches | Missing | Negated | Both | Either

_SPACE = re.compile(r"\s*")
_FIELD = re.compile(r"[A-Za-z_][\w.$-]*")
_OPERATOR = re.compile(r"!=|<=|>=|!~|==|=|<|>|~")
_WORD = re.compile(r"""[^\s,()'"]+""")
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_ESCAPED = re.compile(r"\\(['\"\\])")
_ENDS_VALUE = ("and", "or")
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
    reader = _Reader(text)
    condition = _either(reader)
    reader.skip()
    if reader.at < len(text):
        raise reader.wrong("and, or, or the end")
    return condition


def fields_of(condition: Condition) -> frozenset[str]:
    """All fields that the condition names."""
    match condition:
        case Negated(part):
            return fields_of(part)
        case Both(parts) | Either(parts):
            return frozenset().union(*(fields_of(part) for part in parts))
        case _:
            return frozenset((condition.field,))


class _Reader:
    """A position in a text; the only thing here that changes."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def take_text(self, text: str) -> bool:
        self.skip()
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def peek_word(self) -> str:
        self.skip()
        found = _WORD.match(self.text, self.at)
        return found.group().lower() if found else ""

    def take_word(self, word: str) -> bool:
        if self.peek_word() != word:
            return False
        self.at += len(word)
        return True

    def wrong(self, expected: str, *, hint: str = "", at: int | None = None) -> SpecError:
        position = (self.at if at is None else at) + 1
        found = f"'{self.text[position - 1 : position + 15]}'" if position <= len(self.text) else "the end"
        return SpecError(
            f"The condition cannot be read at position {position}: expected {expected}, found {found}.",
            hint=hint or "Example: place = store and value >= 50",
            fields={"position": position},
        )


def _either(reader: _Reader) -> Condition:
    parts = [_both(reader)]
    while reader.take_word("or"):
        parts.append(_both(reader))
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _both(reader: _Reader) -> Condition:
    parts = [_negation(reader)]
    while reader.take_word("and"):
        parts.append(_negation(reader))
    return parts[0] if len(parts) == 1 else Both(tuple(parts))


def _negation(reader: _Reader) -> Condition:
    if reader.take_word("not"):
        return Negated(_negation(reader))
    if reader.take_text("("):
        inside = _either(reader)
        if not reader.take_text(")"):
            raise reader.wrong("a closing parenthesis")
        return inside
    return _test(reader)


def _test(reader: _Reader) -> Condition:
    field = _field(reader)
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


def _field(reader: _Reader) -> str:
    found = reader.take(_FIELD)
    if found is None:
        raise reader.wrong("a field")
    field = found.group()
    if not is_known(field):
        raise reader.wrong("a field", hint=nearest_hint(field, all_fields(), show=40), at=found.start())
    return field


def _comparison(reader: _Reader, field: str) -> Condition:
    found = reader.take(_OPERATOR)
    if found is None:
        raise reader.wrong("one of = != < <= > >= ~ !~ in, is missing")
    reader.skip()
    start = reader.at
    value = _value(reader)
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


def _compare(reader: _Reader, field: str, op: str, value: str, at: int) -> Compare:
    if field in _NUMBERS and not _NUMBER.fullmatch(value):
        raise reader.wrong(f"a number ('{field}' is one)", at=at)
    return Compare(field, op, value)


def _values(reader: _Reader) -> tuple[str, ...]:
    if not reader.take_text("("):
        raise reader.wrong("an opening parenthesis")
    values = [_value(reader)]
    while reader.take_text(","):
        values.append(_value(reader))
    if not reader.take_text(")"):
        raise reader.wrong("a comma or a closing parenthesis")
    return tuple(values)


def _value(reader: _Reader) -> str:
    quoted = reader.take(_QUOTED)
    if quoted is not None:
        raw = quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
        return _ESCAPED.sub(r"\1", raw)
    start = reader.at
    while (word := reader.peek_word()) and word not in _ENDS_VALUE:
        end = _WORD.match(reader.text, reader.at).end()  # type: ignore[union-attr]
        reader.at = end
    value = reader.text[start : reader.at].strip()
    if not value:
        raise reader.wrong("a value")
    return value
