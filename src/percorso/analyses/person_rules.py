"""The grammar of rules of persons: ``count(category = Chitarre) >= 3 within 90d and not relationship = new``.

Documented for users in docs/reference/segment.md. Parsing gives a frozen tree; `person_masks` evaluates it.

::

    rule      = side { "or" side }
    side      = part { "and" part }
    part      = "not" part | "(" rule ")" | test
    test      = "never" "(" condition ")" [ period ]
              | ( "first" | "last" ) "(" condition ")" period
              | "count" "(" condition ")" comparison [ period ]
              | ( "orders" | "value" ) [ "(" condition ")" ] comparison [ period ]
              | "sequence" "(" condition "then" condition { "then" condition } [ "within" duration ] ")" [ period ]
              | field of persons, and its test as in `conditions`
    period    = "within" duration | "over" duration "ago" | "since" day | "before" day | "between" day "and" day
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from percorso.analyses.conditions import Among, Compare, Condition, Leaf, Matches, Missing, Negated, read_condition
from percorso.analyses.conditions import read_test as read_field_test
from percorso.analyses.fields import PERSON_CODED, PERSON_NUMBERS, is_known
from percorso.analyses.instants import parse_instant_us
from percorso.analyses.person_tree import (
    ALL_RELATIONSHIPS,
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
from percorso.analyses.reader import Reader
from percorso.errors import SpecError, nearest_hint
from percorso.kernels.matching import MOST_STEPS
from percorso.settings.durations import parse_duration_us

__all__ = ["parse_person_rule"]

_FIELD = re.compile(r"[A-Za-z_][\w.$-]*")
_OPERATOR = re.compile(r"!=|<=|>=|==|=|<|>")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?![\w.])")
_SPAN = re.compile(r"[^\s,()'\"]+")
_PERIODS = ("within", "over", "since", "before", "between")
_TESTS = ("count", "never", "first", "last", "sequence", "orders", "value")
_PERSON = "person."
_OWN = ("relationship", "stage")
_PLAIN_FIELDS = PERSON_CODED + PERSON_NUMBERS + _OWN
_EXAMPLE = "count(event = Product Viewed) >= 3 within 90d and country = IT"


def parse_person_rule(text: str, *, timezone: str = "UTC") -> PersonRule:
    """The tree of a rule.

    Parameters
    ----------
    text : str
    timezone : str
        IANA name; its days are those of periods.

    Raises
    ------
    SpecError
        With the position (from 1) and what was expected there, or the nearest word.

    Examples
    --------
    >>> parse_person_rule("never(place = store)").op
    '='
    """
    reader = Reader(text, subject="rule", example=_EXAMPLE)
    rule = _Rules(reader, timezone).any_of()
    reader.skip()
    if reader.at < len(text):
        raise _Rules(reader, timezone).wrong_end()
    return rule


@dataclass(frozen=True, slots=True)
class _Rules:
    """Reads rules: where it stands, and whose days are meant."""

    reader: Reader
    timezone: str

    def any_of(self) -> PersonRule:
        parts = [self._all_of()]
        while self.reader.take_word("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def wrong_end(self) -> SpecError:
        """What to say of a text that goes on after a rule."""
        if self.reader.peek_word() in _PERIODS:
            return self.reader.wrong("and, or, or the end", hint="A period stands behind a test of events, once.")
        return self.reader.wrong("and, or, or the end")

    def _all_of(self) -> PersonRule:
        parts = [self._part()]
        while self.reader.take_word("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _part(self) -> PersonRule:
        reader = self.reader
        if reader.take_word("not"):
            return NotRule(self._part())
        if reader.take_text("("):
            inside = self.any_of()
            if not reader.take_text(")"):
                raise reader.wrong("a closing parenthesis")
            return inside
        return self._test()

    def _test(self) -> PersonRule:
        reader = self.reader
        found = reader.take(_FIELD)
        if found is None:
            raise reader.wrong("a test")
        name, at = found.group(), found.start()
        match name:
            case "never":
                condition, text = self._condition()
                return Count(condition, "=", 0, self._period(), text)
            case "count":
                condition, text = self._condition()
                op, number, _ = self._comparison(whole=True)
                return Count(condition, op, number, self._period(), text)
            case "first" | "last":
                condition, text = self._condition()
                return Edge(name == "last", condition, self._due_period(name), text)
            case "sequence":
                return self._sequence()
            case "orders" | "value":
                return self._orders(name)
            case _:
                return self._field(name, at)

    def _condition(self) -> tuple[Condition, str]:
        """A condition in parentheses, and its text."""
        reader = self.reader
        if not reader.take_text("("):
            raise reader.wrong("an opening parenthesis")
        start = reader.at
        condition = read_condition(reader)
        if not reader.take_text(")"):
            raise reader.wrong("and, or, or a closing parenthesis")
        return condition, reader.text[start : reader.at - 1].strip()

    def _comparison(self, *, whole: bool) -> tuple[str, int, str]:
        """Operator, and the number as such and as written."""
        reader = self.reader
        found = reader.take(_OPERATOR)
        if found is None:
            word = reader.peek_word()
            hint = "A period stands behind the number: value >= 50 within 30d" if word in _PERIODS else ""
            raise reader.wrong("one of = != < <= > >=", hint=hint)
        number = reader.take(_NUMBER)
        if number is None or (whole and "." in number.group()):
            raise reader.wrong("a whole number" if whole else "a number", at=number.start() if number else None)
        op = "=" if found.group() == "==" else found.group()
        return op, int(float(number.group())), number.group()

    def _sequence(self) -> Sequence:
        reader = self.reader
        if not reader.take_text("("):
            raise reader.wrong("an opening parenthesis")
        start = reader.at
        within_us = None
        with reader.ending_at("then", "within"):
            steps = [read_condition(reader)]
            while reader.take_word("then"):
                steps.append(read_condition(reader))
        if len(steps) < 2 or len(steps) > MOST_STEPS:
            raise reader.wrong(
                f"then and another condition: a sequence has 2 to {MOST_STEPS} steps"
                if len(steps) < 2
                else f"no more than {MOST_STEPS} steps"
            )
        if reader.take_word("within"):
            within_us = self._span()
        if not reader.take_text(")"):
            raise reader.wrong("then, within, or a closing parenthesis")
        text = reader.text[start : reader.at - 1].strip()
        return Sequence(tuple(steps), within_us, self._period(), text)

    def _orders(self, name: str) -> Orders | Value:
        reader = self.reader
        reader.skip()
        condition, text = self._condition() if reader.text.startswith("(", reader.at) else (None, "")
        op, number, written = self._comparison(whole=name == "orders")
        if name == "orders":
            return Orders(condition, op, number, self._period(), text)
        return Value(condition, op, written, self._period(), text)

    def _field(self, name: str, at: int) -> PersonRule:
        reader = self.reader
        plain = name.removeprefix(_PERSON)
        if plain not in _PLAIN_FIELDS and not (plain.startswith("trait.") and len(plain) > len("trait.")):
            known = (*_TESTS, *_PLAIN_FIELDS, "trait.NAME")
            hint: str = nearest_hint(plain, known, show=len(known))
            if is_known(name):
                hint = f"'{name}' is a field of events: count({name} = …) >= 1"
            raise reader.wrong("a test", hint=hint, at=at)
        reader.skip()
        start = reader.at
        with reader.ending_at(*_PERIODS):
            read = read_field_test(reader, _PERSON + plain)
        leaf = read.part if isinstance(read, Negated) else read
        assert isinstance(leaf, Compare | Among | Matches | Missing)
        if plain in _OWN:
            self._check_own(plain, leaf, start)
        return NotRule(PersonTest(leaf)) if isinstance(read, Negated) else PersonTest(leaf)

    def _check_own(self, field: str, leaf: Leaf, at: int) -> None:
        reader = self.reader
        match leaf:
            case Compare(op="=", value=value):
                values: tuple[str, ...] = (value,)
            case Among(values=among):
                values = among
            case Missing() if field == "stage":
                values = ()
            case _:
                raise reader.wrong(f"{field} = …, or {field} in (…)", at=at)
        for value in values if field == "relationship" else ():
            if value not in ALL_RELATIONSHIPS:
                raise reader.wrong("a relationship", hint=nearest_hint(value, ALL_RELATIONSHIPS), at=at)

    def _period(self) -> Period | None:
        word = self.reader.peek_word()
        if word not in _PERIODS:
            return None
        self.reader.skip()
        start = self.reader.at
        self.reader.take_word(word)
        period = self._period_after(word)
        text = self.reader.text[start : self.reader.at].strip()
        return Period(period.kind, period.span_us, period.start_us, period.end_us, " ".join(text.split()))

    def _due_period(self, test: str) -> Period:
        period = self._period()
        if period is None:
            raise self.reader.wrong("a period", hint=f"Say when: {test}(place = store) within 30d")
        return period

    def _period_after(self, word: str) -> Period:
        reader = self.reader
        match word:
            case "within":
                return Period("within", self._span())
            case "over":
                span = self._span()
                if not reader.take_word("ago"):
                    raise reader.wrong("'ago'", hint="Write: over 90d ago")
                return Period("over", span)
            case "since":
                return Period("between", start_us=self._day())
            case "before":
                return Period("between", end_us=self._day("For longer ago than a span write: over 90d ago"))
            case _:
                reader.skip()
                at, start = reader.at, self._day()
                if not reader.take_word("and"):
                    raise reader.wrong("'and' and a day", hint="Write: between 2024-01-01 and 2024-03-31")
                end = self._day(whole=True)
                if end <= start:
                    raise reader.wrong("a period that ends after it begins", at=at)
                return Period("between", start_us=start, end_us=end)

    def _span(self) -> int:
        reader = self.reader
        found = reader.take(_SPAN)
        if found is None:
            raise reader.wrong("a duration, such as 90d")
        try:
            return parse_duration_us(found.group())
        except SpecError as error:
            raise reader.wrong("a duration, such as 90d", hint=error.hint, at=found.start()) from error

    def _day(self, hint: str = "", *, whole: bool = False) -> int:
        reader = self.reader
        found = reader.take(_SPAN)
        if found is None:
            raise reader.wrong("a day, such as 2024-01-31", hint=hint)
        try:
            return parse_instant_us(found.group(), self.timezone, whole_day=whole)
        except SpecError as error:
            raise reader.wrong("a day, such as 2024-01-31", hint=hint or error.hint, at=found.start()) from error
